"""What comes first, by what a run's document says."""

from __future__ import annotations

import copy
import dataclasses
import shlex
from collections.abc import Sequence
from typing import Any

import pytest
from markdown_it import MarkdownIt

from harness.kit.blocks import Paragraph, to_json
from harness.kit.yaml_file import key_value
from harness.records.analysis import Analysis, ShownSection
from harness_levers.advise import ranking
from harness_levers.advise.options import Option
from harness_levers.advise.showing import blocks, with_commands
from harness_levers.document import ShownLevers
from harness_reports.markdown import page as markdown_page
from tests.support.documents import filled, whole


def score(value: float, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"f1": {"value": value, "low": low, "high": high, "higher_is_better": True}}


def verdict(label: str, gain: float, low: float, high: float) -> dict[str, Any]:
    return {
        "label": label, "difference": gain, "low": low, "high": high, "sentence": f"{label}: so.",
    }  # fmt: skip


DOCUMENT: dict[str, Any] = {
    "run": "r", "primary": "f1", "bounds": [0.0, 1.0], "kept_round": 1,
    "seconds": {"train": 20.0, "generate": 10.0},
    "data": {"rows": {"dev": 100, "train": 80}, "dev_groups": 100},
    "settings": {"worth": 0.05, "train": {"learning_rate": 1e-3}},
    "rounds": [
        {"round": 0, "scores": score(0.1), "verdict": verdict("baseline", 0, 0, 0)},
        {"round": 1, "scores": score(0.5, 0.4, 0.6), "train_rows": 80, "slices": [],
         "verdict": verdict("improved", 0.4, 0.3, 0.5)},
    ],
    "forgot": None, "test": None, "sealed": None,
    "tables": {"right": [{"round": 1, "is_right": 50, "wrong": 50, "unknown": 0}], "causes": []},
}  # fmt: skip


def made(*, levers: dict[str, Any] | None = None, **changes: Any) -> Analysis:
    experiments = {} if levers is None else {"levers": levers}
    return whole({**copy.deepcopy(DOCUMENT), "experiments": experiments, **changes})


def arm(kind: str, label: str, gain: float, **changes: Any) -> dict[str, Any]:
    return {
        "name": f"{kind} arm", "kind": kind, "what": "train.r 8", "changed": {"train.r": "8"},
        "verdict": verdict(label, gain, gain - 0.03, gain + 0.03), "worth": None,
        "trainings": [{}], **changes,
    }  # fmt: skip


AT_ZERO = verdict("improved", 0.2, 0.0, 0.4)
"""Its exact test excludes 0, and no bound lies above it."""


def levers(**changes: Any) -> dict[str, Any]:
    own = {"seconds": 15.0}
    return dict(filled(ShownLevers, {"reference": 1, "worth": 0.05, "own": own, **changes}))


def curve(gain: float, low: float, high: float) -> dict[str, Any]:
    return {"per_doubling": gain, "low": low, "high": high, "sentence": "Rows.",
            "points": [{"rows": 80, "values": [0.5]}]}  # fmt: skip


def baseline(label: str, gain: float, low: float, high: float) -> dict[str, Any]:
    return {"name": "few-shot", "scores": score(0.5), "verdict": verdict(label, gain, low, high)}


WORDS = ["harness", "iterate", "-c", "a.yaml", "--rounds", "2", "--no-test"]


def ranked(document: Analysis, words: Sequence[str] = WORDS) -> list[Option]:
    """The options of a run that such a command goes on with."""
    return ranking.ranked(document, words)


def first(document: Analysis) -> tuple[str, str]:
    option = ranked(document)[0]
    return option.lever, option.state


def test_of_a_bare_run_everything_is_open_and_has_a_command() -> None:
    found = ranked(made())
    assert {one.lever for one in found} == {"prompt", "settings", "model", "rows"}
    assert {one.state for one in found} == {"open"}
    assert all(one.command.startswith("harness iterate -c a.yaml --rounds 1") for one in found)
    assert all("--no-test" in one.command for one in found)


def test_where_nothing_is_shown_that_is_said() -> None:
    told = [one.text for one in blocks(ranked(made())) if isinstance(one, Paragraph)]
    assert told == ["Nothing that was measured shows a gain, or makes one likely."]


def test_levers_that_are_done_are_not_asked_for_again() -> None:
    words = ["harness", "iterate", "--set", "worth=0.05", "--set", "curve=true", "--set", "arms=[]"]
    found = {one.lever: one.command for one in ranked(made(), [*words, "--set", "search.trials=3"])}
    assert found["rows"] == "harness iterate --set worth=0.05 --set curve=true --no-test"
    assert found["model"].count("--set") == 2
    undecided = made(arms=[arm("settings", "no evidence", 0.01)], levers=levers())
    [option] = [one for one in ranked(undecided, words) if "more seeds" in one.action]
    assert "--set 'arms=[]'" in option.command and "curve" not in option.command


def test_a_run_without_a_trained_round_has_no_advice() -> None:
    assert ranked(made(rounds=DOCUMENT["rounds"][:1])) == []


@pytest.mark.parametrize("kind", ["settings", "model"])
def test_an_arm_that_is_better_comes_before_rows(kind: str) -> None:
    found = made(arms=[arm(kind, "improved", 0.1)], levers=levers(curve=curve(0.2, 0.1, 0.3)))
    assert first(found) == (kind, "shown")


def test_the_better_of_two_arms_comes_first() -> None:
    both = [arm("settings", "improved", 0.1), arm("model", "improved", 0.2)]
    assert first(made(arms=both, levers=levers())) == ("model", "shown")


def test_rows_come_first_where_the_curve_rises_and_nothing_else_is_shown() -> None:
    found = made(levers=levers(curve=curve(0.08, 0.03, 0.13)))
    assert first(found) == ("rows", "shown")
    assert ranked(found)[0].written == 80


def test_rows_that_cannot_bring_what_matters_are_excluded() -> None:
    options = ranked(made(levers=levers(curve=curve(0.01, -0.02, 0.04))))
    assert [one.state for one in options if one.lever == "rows"] == ["excluded"]
    options = ranked(made(levers=levers(curve=curve(0.01, -0.04, 0.06))))
    assert [one.state for one in options if one.lever == "rows"] == ["likely"]


def rows(found: dict[str, Any]) -> Option:
    [option] = [one for one in ranked(found) if one.lever == "rows"]
    return option


def test_a_curve_that_says_nothing_says_why() -> None:
    why = "What more rows are worth in f1 cannot be said: too few groups."
    unsaid = {**curve(0.0, 0.0, 0.0), "per_doubling": None, "low": None, "high": None}
    option = rows(made(levers=levers(curve={**unsaid, "sentence": why})))
    assert (option.state, option.evidence, option.command) == ("open", (why,), "")


def test_a_curve_that_does_not_rise() -> None:
    for bounds, worth, state in [
        ((-0.01, -0.10, 0.08), 0.05, "open"),
        ((-0.01, -0.10, 0.08), None, "open"),
        ((0.0, 0.0, 0.0), 0.05, "open"),
        ((-7e-17, -9e-17, -5e-17), 0.05, "open"),
        ((7e-17, 5e-17, 9e-17), 0.05, "open"),
        ((-0.1, -0.15, -0.05), None, "excluded"),
    ]:
        points = [
            {"rows": 80 * share, "share": share, "values": [0.5, 0.6]} for share in (0.5, 1.0)
        ]
        measured = levers(worth=worth, curve={**curve(*bounds), "points": points})
        found = made(settings={"worth": worth}, levers=measured)
        option = rows(found)
        assert option.state == state, bounds
        if state == "open":
            assert (option.gain, option.low, option.high) == bounds, bounds
            # Two further trainings of each share.
            assert option.seconds == 2 * 1.5 * 15.0, bounds
            given = dict(filter(None, map(key_value, shlex.split(option.command))))
            assert given["curve"] == {"shares": [0.5, 1.0], "seeds": 4}, bounds


def test_a_search_that_has_not_ended_is_gone_on_with() -> None:
    search = {"ended": False, "planned": 8, "trials": [{"number": 0}, {"number": 1}]}
    found = ranked(made(levers=levers(search=search)))
    [option] = [one for one in found if one.lever == "settings"]
    assert (option.state, option.seconds) == ("open", 6 * 15.0)
    assert option.command == "harness iterate -c a.yaml --rounds 1 --no-test"
    assert "2 of 8 trials" in option.evidence[0]


@pytest.mark.parametrize(
    ("bounds", "gain"), [([0.0, 1.0], 0.15), ([0.0, 100.0], 15.0), ([0.0, None], None)]
)
def test_what_mended_references_are_worth_is_in_the_units_of_the_score(
    bounds: list[float | None], gain: float | None
) -> None:
    tables = {"right": [{"round": 1, "wrong": 40}],
              "causes": [{"cause": "conflict", "answers": 15, "ids": ["dev-3"]}]}  # fmt: skip
    [option] = [one for one in ranked(made(tables=tables, bounds=bounds)) if one.lever == "labels"]
    assert option.gain == (None if gain is None else pytest.approx(gain))


def test_slices_that_overlap_are_not_added_up() -> None:
    rounds = copy.deepcopy(DOCUMENT["rounds"])
    for one in rounds:
        one["scores"]["f1"]["higher_is_better"] = False
    rounds[1]["slices"] = [
        {"slice": name, "n": n, "gap": 0.2, "holds": True, "from_prompt": True}
        for name, n in (("a", 50), ("b", 60))
    ]
    [option] = [one for one in ranked(made(rounds=rounds)) if one.lever == "round"]
    assert option.gain == pytest.approx(0.12)
    assert (
        "at the level of the other rows 'b' would make the score 0.120 better at most"
        in (option.evidence[0])
    )


def test_a_prompt_that_is_better_or_as_good_comes_first() -> None:
    assert first(made(baselines=[baseline("regressed", -0.1, -0.15, -0.05)]))[0] == "prompt"
    assert first(made(baselines=[baseline("no evidence", 0.0, -0.03, 0.03)])) == ("prompt", "shown")


def test_a_prompt_is_not_called_enough_where_training_may_be_worth_more() -> None:
    open_ = made(baselines=[baseline("no evidence", 0.05, -0.03, 0.13)])
    assert ("prompt", "shown") not in [(one.lever, one.state) for one in ranked(open_)]
    beaten = made(baselines=[baseline("improved", 0.2, 0.1, 0.3)])
    assert [one.state for one in ranked(beaten) if one.lever == "prompt"] == ["excluded"]


def test_not_to_train_is_not_advised_where_a_training_shows_what_matters() -> None:
    for more, state in [
        ({"arms": [arm("settings", "improved", 0.2)]}, "likely"),
        ({"arms": [arm("settings", "improved", 0.2, verdict=AT_ZERO)]}, "likely"),
        ({"experiments": {"levers": levers(curve=curve(0.08, 0.03, 0.13))}}, "likely"),
        ({"arms": [arm("settings", "improved", 0.04)]}, "shown"),
        ({"arms": [arm("settings", "no evidence", 0.02)]}, "shown"),
        ({"experiments": {"levers": levers(curve=curve(0.08, -0.01, 0.17))}}, "shown"),
        ({"experiments": {"levers": levers(curve=curve(0.04, 0.01, 0.07))}}, "shown"),
    ]:
        found = ranked(made(baselines=[baseline("no evidence", 0.0, -0.03, 0.03)], **more))
        [prompt] = [one for one in found if one.lever == "prompt"]
        assert prompt.state == state, more
        assert ("do not fine-tune" in prompt.action) is (state == "shown"), more


def test_where_no_row_differs_no_bound_is_known() -> None:
    alike = ranked(made(
        baselines=[baseline("no evidence", 0.0, 0.0, 0.0)],
        arms=[arm("settings", "no evidence", 0.0, worth="no",
                  verdict=verdict("no evidence", 0.0, 0.0, 0.0))],
        levers=levers(curve=curve(0.0, 0.0, 0.0)),
    ))  # fmt: skip
    assert {one.lever: one.state for one in alike} == {
        "prompt": "likely", "settings": "open", "model": "open", "rows": "open",
    }  # fmt: skip


def test_a_prompt_beside_a_base_model_that_no_round_improved() -> None:
    """It is not worth it only where the upper bound of its own gain lies below ``worth``."""
    for gap, worth, state in [
        ((-0.08, -0.2, 0.04), None, "likely"),
        ((-0.08, -0.2, 0.04), 0.05, "likely"),
        ((0.01, -0.04, 0.06), None, "open"),
        ((0.01, -0.04, 0.06), 0.05, "excluded"),
        ((0.0, 0.0, 0.0), 0.05, "open"),
    ]:
        found = made(
            kept_round=0, settings={"worth": worth}, baselines=[baseline("no evidence", *gap)]
        )
        [option] = [one for one in ranked(found) if one.lever == "prompt"]
        assert option.state == state, gap
        assert state == "excluded" or (option.low, option.high) == (-gap[2], -gap[1]), gap


def test_an_arm_that_gains_more_than_a_prompt_comes_before_it() -> None:
    found = made(
        baselines=[baseline("regressed", -0.1, -0.15, -0.05)],
        arms=[arm("settings", "improved", 0.3)], levers=levers(),
    )  # fmt: skip
    assert first(found) == ("settings", "shown")


def test_contradicting_references_come_before_as_many_new_rows() -> None:
    tables = {
        "right": [{"round": 1, "wrong": 40}],
        "causes": [{"cause": "conflict", "answers": 15, "ids": ["dev-3"]}],
    }
    found = made(tables=tables, levers=levers(curve=curve(0.05, 0.01, 0.09)))
    assert first(found) == ("labels", "likely")
    few = {**tables, "causes": [{"cause": "conflict", "answers": 4, "ids": ["dev-3"]}]}
    assert first(made(tables=few, levers=levers(curve=curve(0.05, 0.01, 0.09))))[0] == "rows"


def test_an_id_is_one_word_of_a_command() -> None:
    name = "a b'; touch x #"
    tables = {
        "right": [{"round": 1, "wrong": 40}],
        "causes": [{"cause": "conflict", "answers": 15, "ids": [name]}],
    }
    [option] = [one for one in ranked(made(tables=tables)) if one.lever == "labels"]
    assert shlex.split(option.command) == ["harness", "why", name, "r"]


@pytest.mark.parametrize(
    ("value", "low", "stops"), [(0.97, 0.96, True), (0.9, 0.85, False), (1.0, None, True)]
)
def test_stop_is_said_only_where_what_is_left_is_too_little(
    value: float, low: float | None, stops: bool
) -> None:
    rounds = copy.deepcopy(DOCUMENT["rounds"])
    rounds[1]["scores"] = score(value, low, value)
    found = made(rounds=rounds, levers=levers(curve=curve(0.08, 0.03, 0.13)))
    assert (first(found)[0] == "stop") is stops
    assert first(made(rounds=rounds, settings={}, levers=levers(worth=None)))[0] != "stop"


def test_the_best_that_a_score_can_be_is_what_its_metric_declares() -> None:
    for bounds, lower, value, low, high, told in [
        ([0.0, 100.0], False, 0.6, 0.5, 0.7, ""),
        ([0.0, 100.0], False, 99.8, 99.5, 99.9, "99.8 of at most 100; what is left is 0.5"),
        ([None, None], False, 0.6, 0.5, 0.7, ""),
        ([0.0, None], True, 0.4, 0.2, 0.6, "0.400 of at least 0; what is left is 0.600"),
        ([0.0, None], True, 4.0, 2.0, 6.0, ""),
        ([0.0, None], True, 0.0, 0.0, 0.0, ""),
        ([0.0, 1.0], True, 0.0, None, None, "0.000 of at least 0; what is left is 0.030"),
    ]:
        rounds = copy.deepcopy(DOCUMENT["rounds"])
        rounds[1]["scores"] = score(value, low, high)
        for one in rounds:
            one["scores"]["f1"]["higher_is_better"] = not lower
        settings = {"worth": 0.7 if lower or value > 0.6 else 1.0}
        option = ranked(made(rounds=rounds, bounds=bounds, settings=settings))[0]
        assert (option.lever == "stop") is bool(told), bounds
        assert told in option.evidence[0], bounds


def test_a_document_that_does_not_tell_the_bounds_says_no_stop() -> None:
    rounds = copy.deepcopy(DOCUMENT["rounds"])
    rounds[1]["scores"] = score(0.97, 0.96, 0.98)
    assert first(made(rounds=rounds))[0] == "stop"
    assert first(made(rounds=rounds, bounds=[None, None]))[0] != "stop"


def test_all_right_on_few_rows_is_no_reason_to_stop() -> None:
    rounds = copy.deepcopy(DOCUMENT["rounds"])
    rounds[1]["scores"] = score(1.0)
    data = {"rows": {"dev": 20}, "dev_groups": 20}
    assert first(made(rounds=rounds, data=data))[0] != "stop"


def test_signs_of_a_training_order_what_is_not_known() -> None:
    rounds = copy.deepcopy(DOCUMENT["rounds"])
    rounds[1]["course"] = {"kind": "still learning", "sentence": "still learning.", "advice": "go"}
    assert first(made(rounds=rounds))[0] == "settings"
    rounds[1]["course"] = {"kind": "overfitting", "sentence": "overfitting."}
    assert first(made(rounds=rounds))[0] == "rows"
    stuck = {"right": [{"round": 1, "wrong": 50}],
             "causes": [{"cause": "capacity", "answers": 30}]}  # fmt: skip
    models = [one for one in ranked(made(tables=stuck)) if one.lever == "model"]
    assert models[0].urgency == 1


def test_one_round_more_is_named_where_a_slice_still_underperforms() -> None:
    rounds = copy.deepcopy(DOCUMENT["rounds"])
    rounds[1]["slices"] = [
        {"slice": "kind = a", "n": 20, "gap": -0.5, "holds": True, "from_prompt": True}
    ]
    [option] = [one for one in ranked(made(rounds=rounds)) if one.lever == "round"]
    assert option.gain == pytest.approx(0.1)
    assert option.command == "harness iterate -c a.yaml --rounds 2 --no-test"
    words = ["harness", "iterate", "-c", "b.yaml"]
    [option] = [one for one in ranked(made(rounds=rounds), words) if one.lever == "round"]
    assert option.command == "harness iterate -c b.yaml --rounds 2 --no-test"
    alone = {**DOCUMENT["settings"], "augment": []}
    assert not [one for one in ranked(made(rounds=rounds, settings=alone)) if one.lever == "round"]


def test_the_commands_of_an_interrupted_run_keep_its_planned_rounds() -> None:
    """By how many are planned each round is judged."""
    rounds = copy.deepcopy(DOCUMENT["rounds"])
    rounds[1]["slices"] = [
        {"slice": "kind = a", "n": 20, "gap": -0.5, "holds": True, "from_prompt": True}
    ]
    settings = {**DOCUMENT["settings"], "rounds": 3}
    found = ranked(made(rounds=rounds, settings=settings), ["harness", "iterate", "--rounds", "3"])
    assert "round" in {one.lever for one in found}
    assert all("--rounds 3" in one.command for one in found)
    ended = made(rounds=rounds, settings={**settings, "rounds": 1})
    [option] = [one for one in ranked(ended) if one.lever == "round"]
    assert "--rounds 2" in option.command


def test_an_arm_that_is_open_asks_for_seeds_and_a_search_is_not_asked_for_twice() -> None:
    open_ = made(arms=[arm("settings", "no evidence", 0.01)], levers=levers(search={"ended": True}))
    settings = [one for one in ranked(open_) if one.lever == "settings"]
    assert [one.state for one in settings] == ["open"]
    assert "seeds=5" in settings[0].command
    # Four further seeds of the reference, and four of the arm.
    assert settings[0].seconds == 8 * 15.0


def test_all_arms_that_are_open_are_one_question() -> None:
    arms = [
        arm("settings", "no evidence", -0.02, name="x"),
        arm("settings", "no evidence", 0.02, name="y"),
        arm("model", "no evidence", 0.01, name="z"),
        arm("model", "regressed", -0.2, name="w"),
        arm("data", "no evidence", 0.0, name="25 % of train", verdict=None),
    ]
    asked = [one for one in ranked(made(arms=arms, levers=levers())) if "seeds=" in one.command]
    [option] = asked
    assert "'x', 'y', 'z'" in option.action and option.gain is None
    assert len(option.evidence) == 3
    # Every arm of the config gets as many seeds, also the one that is worse.
    assert option.seconds == (4 + 4 * 4) * 15.0
    again = [{**one, "trainings": [{}] * 5} for one in arms[:3]]
    again.append({**arm("seed", "", 0.0), "verdict": None, "trainings": [{}] * 5})
    [option] = [one for one in ranked(made(arms=again, levers=levers())) if "seeds=" in one.command]
    assert "seeds=10" in option.command and option.seconds == (5 + 3 * 5) * 15.0


def told(found: dict[str, Any]) -> str:
    return " ".join(repr(block) for block in blocks(ranked(found)))


@pytest.mark.parametrize(
    ("judged", "told"),
    [
        ([("regressed", -0.2)], "one other setting was tried, and is excluded"),
        ([("no evidence", 0.0)], "one other setting was tried, and is not shown to be better"),
        ([("regressed", -0.2)] * 2, "2 other settings were tried, and all are excluded"),
        ([("regressed", -0.2), ("no evidence", 0.0)],
         "2 other settings were tried, and none is shown to be better"),
    ],
)  # fmt: skip
def test_other_settings_are_the_last_that_is_not_known_with_what_was_tried(
    judged: list[tuple[str, float]], told: str
) -> None:
    arms = [arm("settings", label, gain, name=str(n)) for n, (label, gain) in enumerate(judged)]
    found = ranked(made(arms=arms, levers=levers()))
    last = [one for one in found if one.state == "open"][-1]
    assert last.lever == "settings"
    assert last.action.startswith("try other settings") and last.evidence == (told,)


def of_settings(train: Any) -> Option:
    settings = {**DOCUMENT["settings"], "train": train}
    [option] = [option for option in ranked(made(settings=settings)) if option.lever == "settings"]
    return option


def test_the_search_that_is_proposed_is_of_an_option_that_the_trainer_has() -> None:
    rate = {"plugin": "lora", "learning_rate": 1e-3}
    assert "{train.learning_rate: {low: 0.0001, high: 0.01" in of_settings(rate).command
    second = of_settings([{"plugin": "other"}, rate])
    assert "{train.1.learning_rate: {low: 0.0001, high: 0.01" in second.command
    without = of_settings({"plugin": "other", "keep": 3})
    assert "learning_rate" not in without.command + without.action
    assert "arms=[{name: NAME, set: {train.OPTION: VALUE}}]" in without.command


def test_where_every_lever_is_excluded_none_comes_first() -> None:
    arms = [arm(kind, "regressed", -0.2) for kind in ("settings", "model")]
    found = ranked(made(
        arms=arms, baselines=[baseline("improved", 0.2, 0.1, 0.3)],
        levers=levers(curve=curve(0.0, -0.01, 0.01)),
    ))  # fmt: skip
    assert [one.state for one in found] == ["open"] + ["excluded"] * 4


def perfect(**changes: Any) -> dict[str, Any]:
    """1.000 on dev and on test, without ``worth``."""
    rounds = copy.deepcopy(DOCUMENT["rounds"])
    rounds[1]["scores"] = score(1.0)
    return made(rounds=rounds, settings={}, levers=levers(worth=None),
                **{"test": {"kept": score(1.0)}, **changes})  # fmt: skip


def test_at_the_best_score_on_dev_and_test_stop_is_all() -> None:
    [option] = ranked(perfect())
    assert (option.lever, option.state) == ("stop", "shown")
    assert "f1 is 1.000 on dev and on test" in option.evidence[0]
    assert first(perfect(test={"kept": score(0.99)}))[0] != "stop"
    assert first(perfect(test=None))[0] != "stop"


ANSWERS = {"before": 22, "after": 4, "n": 40, "p": 0.001}
LOSS = {"before": 4.6, "after": 4.654, "n": 200, "bound": 0.03}


def forgot(answers: dict[str, Any] | None, loss: dict[str, Any] | None) -> dict[str, Any]:
    return {"round": 1, "instructions": answers, "loss": loss, "sentence": "worse"}


@pytest.mark.parametrize(
    ("shown", "lost"),
    [
        (
            forgot(ANSWERS, None),
            "round 1 answers 4 of 40 general instructions right, the base model 22",
        ),
        (forgot(None, LOSS), "round 1 predicts general text worse: +0.054 nats per token"),
        (forgot(None, None), None),
        (None, None),
    ],
)
def test_what_the_model_lost_comes_first_with_general_rows(
    shown: dict[str, Any] | None, lost: str | None
) -> None:
    document = made(forgot=shown, arms=[arm("settings", "improved", 0.2)], levers=levers())
    option = ranked(document)[0]
    assert (option.lever == "replay") is (lost is not None)
    if lost:
        assert option.evidence[0] == lost
        assert "`replay: 0.2`" in option.evidence[1] and "86 %" in option.evidence[1]
        assert option.command == "harness iterate -c a.yaml --rounds 1 --set replay=0.2 --no-test"


def test_each_loss_is_named_and_where_nothing_is_left_to_gain_stop_stays_first() -> None:
    both = forgot(ANSWERS, LOSS)
    assert len(ranked(made(forgot=both))[0].evidence) == 3
    assert [one.lever for one in ranked(perfect(forgot=both))] == ["stop", "replay"]


@pytest.mark.parametrize(
    ("share", "words"), [(0.1, "replay=0.2"), (0.2, "replay=0.4"), (0.4, "replay=0.5"), (0.5, "")]
)
def test_with_general_rows_already_more_of_them_or_less_training(share: float, words: str) -> None:
    rounds = copy.deepcopy(DOCUMENT["rounds"])
    rounds[1]["replayed"] = round(80 * share / (1 - share))
    option = ranked(made(rounds=rounds, forgot=forgot(ANSWERS, None)))[0]
    assert words in option.command and bool(option.command) is bool(words)
    assert ("a lower learning rate" in option.action) is (not words)


def test_without_a_curve_rows_say_what_the_rounds_show() -> None:
    rounds = copy.deepcopy(DOCUMENT["rounds"])
    rounds[1]["train_rows"] = 90
    for number, size, value in ((2, 130, 0.6), (3, 170, 0.65)):
        rounds.append({**copy.deepcopy(rounds[1]), "round": number, "train_rows": size,
                       "scores": score(value, value - 0.1, value + 0.1)})  # fmt: skip
    [option] = [one for one in ranked(made(rounds=rounds)) if one.lever == "rows"]
    assert option.evidence[-1].startswith(
        "by round, 90 rows 0.500, 130 rows 0.600, 170 rows 0.650 (improved"
    )
    assert rows(made()).evidence == ("no curve was measured",)


def test_only_a_report_says_which_command_has_the_commands() -> None:
    pointed = "harness advise has the commands that find out"
    assert pointed in " ".join(map(repr, blocks(ranked(made()))))
    assert pointed not in " ".join(map(repr, with_commands(ranked(made()))))


def test_an_estimate_is_no_upper_limit() -> None:
    for gain, figures in ((-0.02, "-0.020 (-0.050 to +0.010)"), (0.0, "+0.000 (-0.030 to +0.030)")):
        page = told(made(arms=[arm("settings", "no evidence", gain)], levers=levers()))
        assert figures in page and "up to about" not in page
    page = told(made(levers=levers(curve=curve(0.01, -0.04, 0.06))))
    assert "+0.010 (-0.040 to +0.060)" in page and "up to about" not in page
    tables = {"right": [{"round": 1, "wrong": 40}],
              "causes": [{"cause": "conflict", "answers": 15, "ids": ["dev-3"]}]}  # fmt: skip
    assert "up to about +0.150" in told(made(tables=tables))


@pytest.mark.parametrize("kind", ["settings", "model"])
def test_an_arm_that_is_better_is_taken_over_by_hand(kind: str) -> None:
    better = made(arms=[arm(kind, "improved", 0.2)], levers=levers())
    [option] = [one for one in ranked(better) if one.state == "shown"]
    assert option.action == f"take over the arm '{kind} arm': train.r 8" and option.command == ""
    assert option.evidence[-1].startswith("set this in the config")


def test_the_winner_of_a_search_is_to_be_named_as_an_arm() -> None:
    """Seeds repeat what ``arms`` and ``models`` name."""
    arms = [arm("settings", "regressed", -0.2, name="x"),
            arm("settings", "no evidence", 0.02, name="search")]  # fmt: skip
    [option] = [one for one in ranked(made(arms=arms, levers=levers())) if "'search'" in one.action]
    assert option.command == "" and "name the winner of the search" in option.evidence[-1]


HOSTILE = (
    "[bold]x[/bold] <script>y</script> \x1b[31m\u202e**z** [a](http://b.example) " + "w" * 9_000
)


@pytest.mark.parametrize("key", ["name", "what", "sentence"])
def test_hostile_text_adds_nothing_to_a_page(key: str) -> None:
    def blocks_of(text: str) -> tuple[list[str], str]:
        one = arm("settings", "improved", 0.2)
        if key == "sentence":
            one["verdict"]["sentence"] = text
        else:
            one[key] = text
        found = blocks(ranked(made(arms=[one], levers=levers())))
        section = ShownSection("advise", "", 2700, blocks=tuple(map(to_json, found)))
        page = markdown_page(dataclasses.replace(made(tables={}), sections=(section,)))
        tokens = MarkdownIt("commonmark").parse(page)
        flat = [child for token in tokens for child in (token.children or [token])]
        plain = ("text", "text_special", "softbreak", "inline", "fence", "strong_open",
                 "strong_close")  # fmt: skip
        return [token.type for token in flat if token.type not in plain], page

    harmless, _ = blocks_of("fine")
    types, page = blocks_of(HOSTILE)
    assert types == harmless
    assert "\x1b" not in page and "\u202e" not in page and len(page) < 30_000
