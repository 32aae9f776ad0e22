"""The short report: what a reader came for, on one screen, in a comment, and at the top of all."""

from __future__ import annotations

import copy
import io
import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from harness.stats import detectable, difference
from harness.stats.decision import rows_needed
from harness_reports import BriefReporter, TerminalReporter, targets
from tests.plugins.reports.faces import comment, drawn, markdown as markdown_page, page as html_page
from tests.support.documents import whole
from tests.support.golden import Golden
from tests.support.nightly import draws

Document = dict[str, Any]


def screen(document: Document, width: int = 80, **console: Any) -> str:
    page = io.StringIO()
    console.setdefault("color_system", None)
    TerminalReporter().show(drawn(document), Console(file=page, width=width, **console))
    return page.getvalue()


def test_the_screen(analysis: Document, golden: Golden) -> None:
    golden(screen(analysis))


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_screen(analysis: Document, width: int) -> None:
    shown, _, _ = screen(analysis, width).partition("\nNext")
    assert max(map(cell_len, shown.split("\n"))) <= width


LONG = "a very long name of something "


def odd(document: Document, shape: str) -> Document:
    """A run of an odd shape."""
    last = document["rounds"][-1]
    if shape in ("slices", "all"):
        item, piece = document["rounds"][1]["plan"][0], document["rounds"][1]["slices"][0]
        names = [f"{LONG * 6}= {n}" for n in range(30)]
        for entry in document["rounds"][1:]:
            entry["slices"] += [piece | {"slice": f"{name}!"} for name in names]
            entry["plan"] = [item | {"slice": name, "rows": 4} for name in names]
    if shape in ("rounds", "all"):
        document["rounds"] += [{**last, "round": n, "added": 120} for n in range(4, 60)]
    if shape in ("scores", "all"):
        for entry in document["rounds"]:
            score = entry["scores"]["rougeL"]
            entry["scores"] |= {f"{LONG * 3}{n}": score for n in range(40)}
    if shape in ("sentences", "all"):
        document["test"]["verdict"]["sentence"] = LONG * 40
        document["objective"] = {"state": "open", "sentence": LONG * 60}
        broken = {"name": LONG * 9, "state": "broken", "sentence": LONG * 60}
        document["rounds"][2]["guards"] = [broken | {"verdict": last["verdict"]}] * 9
    if shape in ("answers", "all"):
        document["better"] = [
            row | {"id": f"{n} {LONG * 6}"} for n in range(9) for row in document["better"]
        ]
        document["not_better"] |= {"id": LONG * 40, "reference": LONG * 90}
    if shape in ("settings", "all"):
        document["settings"]["train"] = {"plugin": "lora", "target": LONG * 60}
        document["model"] |= {"base": LONG * 60, "adapter": LONG * 60, "commands": [LONG * 60]}
    if shape in ("names", "all"):
        document |= {"run": LONG * 8, "primary": LONG * 8}
        for scores in (e["scores"] for e in document["rounds"]):
            scores[LONG * 8] = scores["rougeL"]
    if shape == "wide letters":
        document = json.loads(json.dumps(document).replace("kind = class", "種類 = " + "分類" * 40))
    return document


SHAPES = (
    "usual", "slices", "rounds", "scores", "sentences", "answers", "settings", "names",
    "wide letters", "all",
)  # fmt: skip


@pytest.mark.nightly(but_each=7)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("width", [80, 120])
def test_a_run_of_an_odd_shape_has_all_its_parts(
    analysis: Document, shape: str, width: int
) -> None:
    page = screen(odd(analysis, shape), width)
    assert page.lstrip().startswith("▲ IMPROVED") and "more lines" not in page
    for part in ("Scores by round", "What was weak, and what was added", "Settings and model"):
        assert re.search(f"^{part}", page, re.MULTILINE)
    assert page.rstrip().endswith(f"harness report {shlex.quote(analysis['run'])} --full")


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("run", ["it's mine", "$(date)", "a run " * 12])
def test_no_command_shows_another_run(analysis: Document, run: str) -> None:
    page = screen(odd(analysis, "slices") | {"run": run})
    commands = re.findall(r"harness report.*?--full", page)
    assert commands and set(commands) == {f"harness report {shlex.quote(run)} --full"}


@pytest.mark.nightly(but_each=6)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_comment_of_an_odd_run_has_at_most_twenty_lines(analysis: Document, shape: str) -> None:
    assert comment(odd(analysis, shape)).count("\n") <= 20


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("width", [50, 60, 72])
def test_a_narrow_screen_loses_nothing(analysis: Document, width: int) -> None:
    shown, _, commands = screen(analysis, width).partition("\nNext")
    assert max(map(cell_len, shown.split("\n"))) <= width
    words = " ".join(shown.split())
    for told in (
        "0.297",
        "▲ improved",
        "first_verb = return",
        "lora (r 16",
        "4f0c1b9d2e7a",
        "0.77",
    ):
        assert told in words
    assert "harness why" in commands


def test_a_document_of_a_first_round_has_a_screen(make_document: Callable[..., Document]) -> None:
    page = screen(make_document(1, finished=False, control=False))
    assert page.startswith(" ○ BASELINE   on dev, round 0")
    assert "rougeL 0.156 on dev (base model)" in page
    assert "got better" not in page and "What was weak" not in page


@pytest.mark.nightly
def test_the_title_of_the_answers_says_what_there_is(analysis: Document) -> None:
    assert "Answers that got better, and the worst that did not" in screen(analysis)
    assert "The worst answer that did not get better" in screen(analysis | {"better": []})
    assert "worst" not in screen(analysis | {"not_better": None, "examples": []})
    alone = screen(analysis | {"better": [], "kept_round": 0, "chosen": None})
    assert re.search(r"The worst answer  base model$", alone, re.MULTILINE)


def test_the_short_settings_begin_with_the_training_and_leave_mappings_out(
    analysis: Document,
) -> None:
    analysis["settings"]["data"] |= {"sizes": {"train": 140, "dev": 150}}
    page = screen(analysis)
    assert "  training: lora (r 16" in page and "sizes" not in page
    analysis["settings"]["data"] |= {"columns": {"prompt": ["question"], "choices": []}}
    page = markdown_page(analysis).replace("\\", "")
    assert "sizes {train: 140, dev: 150}, columns {prompt: question}" in page


def test_without_the_table_of_targets_the_next_finding_tells_a_slice(analysis: Document) -> None:
    analysis["tables"]["targets"] = []
    first = next(one for one in targets.targets(whole(analysis)) if one.after == 1)
    found = {piece["slice"]: piece["score"] for piece in analysis["rounds"][2]["slices"]}
    assert first.slice in found and first.now == found[first.slice]


def test_an_answer_keeps_its_lines(analysis: Document) -> None:
    code = "```python\nif a:\n    return [bold]two[/bold]\x1b[31m\n```\n"
    analysis["better"][0]["answers"][1]["text"] = code
    page = screen(analysis)
    assert re.search(r"```python *\n +if a: *\n {14}return \[bold\]two\[/bold\] *\n", page)
    analysis["better"][0]["answers"][1]["text"] = "line\n" * 40
    assert screen(analysis).count("  line") == 8 and "… 32 more lines" in screen(analysis)


@pytest.mark.parametrize("face", [markdown_page, html_page])
def test_the_others_begin_with_the_same(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    page = face(analysis)
    parts = (
        "What was weak, and what was added", "def iterencode", "Settings and model", "4f0c1b9d2e7a",
        "Error categories on dev",
    )  # fmt: skip
    places = [page.rindex(part) for part in parts]  # on the page the contents name them first
    assert places == sorted(places)


# -- what was weak, what was added ---------------------------------------------------------------

GAINS = {
    1: {"defaults": (0.0, 0.53), "raises": (0.0, 0.9)},
    2: {"calls": (0.528, 0.549), "returns": (0.6, 0.55)},
}
"""After a round: slices with their score before and after rows were added for them."""


def with_gains(document: Document, gains: Any = GAINS) -> Document:
    """The same with these slices, 20 rows planned for each, of which 17 came."""
    item = document["rounds"][1]["plan"][0]
    tables = document["tables"]
    tables["added"], tables["targets"] = [], []
    for after, slices in gains.items():
        entry = document["rounds"][after]
        entry["plan"] = [item | {"slice": f"kind = {name}", "rows": 20} for name in slices]
        entry["added"] = 17 * len(slices) + 6
        rows = {"round": after, "made_by": "pool"}
        tables["added"] += [rows | {"slice": f"kind = {n}", "rows": 17} for n in slices]
        tables["added"].append(rows | {"slice": None, "rows": 6})
        for name, values in slices.items():
            tables["targets"] += [
                {"round": after, "slice": f"kind = {name}", "answered": at, "score": v, "n": 30}
                for at, v in zip((after, after + 1), values, strict=True)
            ]
    return document


@pytest.mark.parametrize("width", [80, 120])
def test_the_slices_that_gained_most_come_first(analysis: Document, width: int) -> None:
    page = screen(with_gains(analysis), width)
    order = [page.index(f"kind = {name}") for name in ("raises", "defaults", "calls", "returns")]
    assert order == sorted(order)
    assert re.search(r"kind = raises +30 +17 of 20 +0\.000 +0\.900 +1 → 2", page)


def test_of_a_score_that_should_fall_the_largest_fall_comes_first(analysis: Document) -> None:
    for entry in analysis["rounds"]:
        entry["scores"]["rougeL"]["higher_is_better"] = False
    page = screen(with_gains(analysis))
    assert page.index("kind = returns") < page.index("kind = raises")


def test_slices_beyond_the_first_ones_are_counted(analysis: Document) -> None:
    many = {1: {f"n{at:02}": (0.0, at / 100) for at in range(12)}, 2: {}}
    page = screen(with_gains(analysis, many))
    assert "kind = n11" in page and "kind = n04" in page and "kind = n03" not in page
    assert re.search(r"^ *and 4 more slices$", page, re.MULTILINE)
    assert "part of a rise may be chance" in " ".join(page.split())
    for other in (markdown_page(analysis), html_page(analysis)):
        assert "kind = n03" in other.replace("\\", "")


def test_what_was_planned_and_what_came_are_told_apart(analysis: Document) -> None:
    page = markdown_page(with_gains(analysis)).replace("\\", "")
    assert "20 for kind = defaults (17 came), 20 for kind = raises (17 came)" in page


def test_a_comment_names_the_slices_that_gained_most(analysis: Document) -> None:
    told = "kind = raises: 17 rows after round 1, 0.000 → 0.900; kind = defaults"
    assert told in comment(with_gains(analysis))


def test_rows_that_nobody_learned_are_no_target(analysis: Document) -> None:
    last = analysis["rounds"][-1]
    last |= {"added": 30, "plan": analysis["rounds"][1]["plan"]}
    assert {one.after for one in targets.targets(whole(analysis))} == {1, 2}


def test_after_a_round_that_regressed_the_best_one_is_what_was_looked_at(
    analysis: Document,
) -> None:
    analysis["rounds"][2]["verdict"]["label"] = "regressed"
    assert {one.source for one in targets.targets(whole(analysis)) if one.after == 2} == {1}


def everywhere(document: Document) -> Document:
    """The same with all rows drawn from all data."""
    for entry in document["rounds"][1:3]:
        entry["plan"] = [entry["plan"][-1] | {"rows": 120}]
    return document


def test_rows_from_all_data_are_one_sentence(analysis: Document) -> None:
    page = " ".join(screen(everywhere(unheld(analysis))).split())
    assert "No slice underperformed by more than chance, so that rows were drawn from all data" in (
        page
    )
    assert "120 after round 1 (round 2: no evidence), 120 after round 2 (round 3: no evidence)" in (
        page
    )


def unaddressed(document: Document, why: str) -> Document:
    """The same with one underperforming slice, for which no row was added for this reason."""
    everywhere(unheld(document))
    for entry in document["rounds"][1:]:
        entry["slices"][0] |= {"q": 0.01, "from_prompt": why != "reply"}
    last = document["rounds"][2]
    document["tables"]["added"] = [
        {"round": n, "made_by": "pool", "slice": None, "rows": 120} for n in (1, 2)
    ]
    if why in ("empty pool", "one row", "refused", "other augmenter"):
        item, asked = last["plan"][0], 1 if why == "one row" else 96
        last["plan"] = [item | {"slice": "kind = class", "rows": asked}, item | {"rows": 24}]
    last["refused"] = {"near dev": 9} if why == "refused" else {}
    if why == "other augmenter":
        document["settings"]["augment"] = [{"plugin": "paraphrase", "rows": 120}]
    if why == "random":
        last["strategy"] = "random"
    return document


UNADDRESSED = {
    "reply": "only its answers show it, not its prompts",
    "empty pool": "96 rows were asked for, and the pool has none of its kind",
    "refused": "96 rows were asked for, and the pool has none of its kind that passes the filters",
    "one row": "1 row was asked for, and the pool has none of its kind",
    "other augmenter": "96 rows were asked for, and the augmenter paraphrase gave none",
    "random": "plan.strategy random looks at no slice",
    "no share": "none was planned for it",
}


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("why", UNADDRESSED)
@pytest.mark.parametrize("face", [screen, comment, markdown_page])
def test_a_slice_that_was_found_and_got_no_rows_is_told_with_the_reason(
    analysis: Document, face: Callable[[Document], str], why: str
) -> None:
    page = " ".join(face(unaddressed(analysis, why)).replace("\\", "").split()).lower()
    assert "no slice underperformed" not in page
    assert f"kind = class ({UNADDRESSED[why]})" in page


def test_beside_slices_with_rows_those_without_are_told_too(analysis: Document) -> None:
    page = " ".join(screen(analysis).split())
    reason = "only its answers show it, not its prompts"
    assert f"No rows were added for finish_reason = length ({reason})." in page
    assert "still underperforms" not in page  # no rows can help there, but others go on


def exhausted_pool(document: Document, first: int, then: int) -> Document:
    """The same with rows for ``kind = class`` after one round, and none in the pool after another.

    Args:
        first: the round after which all rows were added for it.
        then: the round after which as many were asked for, and none was found.
    """
    plan = [document["rounds"][1]["plan"][0] | {"rows": 120}]
    for entry in document["rounds"][1:]:
        entry["slices"] = entry["slices"][:1]
    for entry in document["rounds"][1:3]:
        entry |= {"plan": plan, "refused": {}, "added": 120 * (entry["round"] == first)}
    assert document["rounds"][then]["added"] == 0
    added = {"round": first, "made_by": "pool", "slice": "kind = class", "rows": 120}
    document["tables"]["added"] = [added]
    return document


@pytest.mark.parametrize("face", [screen, comment, markdown_page])
def test_a_pool_that_ran_out_is_not_told_as_no_rows(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    page = " ".join(face(exhausted_pool(analysis, 1, 2)).replace("\\", "").split()).lower()
    assert "no rows were added for" not in page
    assert (
        "no more rows were added for kind = class (after round 2: 120 rows were asked for, and "
        "the pool has none of its kind left)"
    ) in page


@pytest.mark.parametrize("face", [screen, comment, markdown_page])
def test_a_slice_that_got_its_rows_later_is_not_told_as_without(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    page = face(exhausted_pool(analysis, 2, 1)).lower()
    assert "rows were added for" not in page


# -- advice --------------------------------------------------------------------------------------


def unheld(analysis: Document) -> Document:
    for entry in analysis["rounds"]:
        for piece in entry["slices"]:
            piece["q"] = 0.6
    return analysis


def test_where_nothing_is_left_to_gain_it_says_what_would_help(analysis: Document) -> None:
    page = " ".join(screen(unheld(analysis)).split())
    assert "No round after round 1 improved, and no slice underperforms" in page
    # 160 rows find .021; the largest gain seen is .015: 160 (.021 / .015)^2 = 313.6
    assert "about 320 dev rows instead of 160" in page
    assert "(+0.015 in round 2) is detected at 80 % power" in page
    assert "harness iterate" not in page


def test_where_few_answers_are_rated_more_ratings_come_first(analysis: Document) -> None:
    for entry in unheld(analysis)["rounds"]:
        entry["scores"][analysis["primary"]] |= {"n": 12, "unscored": 50}
    page = " ".join(screen(analysis | {"by_people": True}).split())
    assert "12 of 62 answers of round 3 are rated: rate more of them" in page
    assert "will hardly help" not in page and "stop here" not in page
    assert "are rated" not in screen(analysis)


def test_a_verdict_without_enough_ratings_says_how_many_more(analysis: Document) -> None:
    for entry in unheld(analysis)["rounds"]:
        entry["scores"][analysis["primary"]] |= {"n": 40, "unscored": 22}
    analysis["rounds"][-1]["verdict"] |= {"n": 14, "groups": 12, "low": None, "high": None}
    analysis |= {"by_people": True, "data": analysis["data"] | {"dev_groups": 62}}
    page = " ".join(screen(analysis).split())
    assert "rests on 14 of 62 answers, from 12 groups, and needs 20 or more" in page
    assert "rate at least 8 more of the 62 answers" in page and "will hardly help" not in page
    analysis["data"]["dev_groups"] = 19  # no rating mends that
    assert "rate at least" not in screen(analysis)


def test_at_the_best_score_on_dev_and_test_nothing_else_is_offered(analysis: Document) -> None:
    primary = analysis["primary"]
    unheld(analysis)["rounds"][analysis["kept_round"]]["scores"][primary]["value"] = 1.0
    analysis["test"]["kept"][primary]["value"] = 1.0
    page = " ".join(screen(analysis | {"bounds": [0.0, 1.0]}).split())
    assert f"{primary} is the best that it can be on dev and on test" in page
    assert "may help" not in page
    assert "may help" in " ".join(screen(analysis | {"bounds": [0.0, None]}).split())


def test_a_slice_that_got_better_or_a_run_that_goes_on_needs_no_such_advice(
    analysis: Document,
) -> None:
    for entry in analysis["rounds"]:  # kind = class went from 0.191 to 0.262
        entry["slices"] = entry["slices"][:1]
        entry["plan"] = entry["plan"][:1]
    page = " ".join(screen(analysis).split())
    assert "will hardly help" not in page and "did not rise" not in page
    assert "harness iterate" in page
    going_on = unheld(analysis) | {"test": None, "sealed": None}
    assert "will hardly help" not in screen(going_on)


@pytest.mark.parametrize("weak", [False, True])
@pytest.mark.parametrize(
    ("improved", "told"),
    [
        ((2,), "No round after round 1 became the best round: round 2 improved, but a guard"),
        ((2, 3), "No round after round 1 became the best round: rounds 2 and 3 improved, but a"),
    ],
)
def test_a_round_that_improved_and_was_refused_is_not_told_as_no_gain(
    analysis: Document, improved: tuple[int, ...], told: str, weak: bool
) -> None:
    analysis = stuck(analysis) if weak else unheld(analysis)
    for number in improved:
        analysis["rounds"][number]["verdict"]["label"] = "improved"
    page = " ".join(screen(analysis).split())
    assert told in page and "No round after round 1 improved" not in page
    assert ("still underperforms" in page) == weak
    assert "more dev rows" not in page.lower() and "dev rows instead" not in page  # it was detected


def test_a_slice_of_the_best_round_that_the_latest_lacks_takes_no_advice_away(
    analysis: Document,
) -> None:
    best = copy.deepcopy(analysis["rounds"][1]["slices"])
    unheld(analysis)["rounds"][1]["slices"] = best
    page = " ".join(screen(analysis).split())
    assert "No round after round 1 improved, and in round 3 no slice underperforms" in page
    assert "about 320 dev rows instead of 160" in page and "harness iterate" not in page


def test_after_a_round_that_regressed_the_slices_of_the_best_round_count(
    analysis: Document,
) -> None:
    best = copy.deepcopy(analysis["rounds"][1]["slices"])
    unheld(analysis)["rounds"][1]["slices"] = best
    analysis["rounds"][3]["verdict"]["label"] = "regressed"
    page = " ".join(screen(analysis).split())
    assert "no slice underperforms" not in page and "harness iterate" in page


def stuck(analysis: Document) -> Document:
    """The same with one underperforming slice whose score did not rise after rows for it."""
    for entry in analysis["rounds"]:
        entry["slices"] = entry["slices"][:1]
        entry["plan"] = entry["plan"][:1]
    analysis["rounds"][2] |= {"added": 0, "plan": []}
    for row in analysis["tables"]["targets"]:
        row["score"] = 0.191 if row["answered"] == 1 else 0.18
    return analysis


@pytest.mark.parametrize("face", [screen, comment, markdown_page])
def test_rows_that_did_not_help_their_slice_are_told_with_what_may(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    page = " ".join(face(stuck(analysis)).replace("\\", "").split())
    assert "kind = class still underperforms; rows were added for it, and its score did not" in page
    assert "0.191 → 0.180" in page
    for lever in ("rows of other kinds", "what the likeliest causes suggest", "learning rate"):
        assert lever in page
    assert "harness iterate" not in page


def test_without_causes_the_advice_names_what_there_is(analysis: Document) -> None:
    assert "what the likeliest causes suggest" in " ".join(screen(stuck(analysis)).split())
    analysis["tables"]["causes"] = []
    page = " ".join(screen(analysis).split())
    assert "likeliest causes" not in page and "a look at failing answers (harness why)" in page


def test_a_slice_that_no_rows_were_added_for_is_in_the_advice(analysis: Document) -> None:
    page = " ".join(screen(unaddressed(analysis, "empty pool")).split())
    assert "kind = class still underperforms, and no rows were added for it" in page
    assert "rows of its kind" in page
    assert "harness iterate" not in page


def test_under_the_random_strategy_the_advice_names_the_option(analysis: Document) -> None:
    page = " ".join(screen(unaddressed(analysis, "random")).split())
    assert "no rows were added for it" in page
    assert "What may help: plan.strategy: targeted" in page and "in the pool" not in page


def test_where_one_slice_is_stuck_and_another_is_not_one_round_more_may_help(
    analysis: Document,
) -> None:
    other = copy.deepcopy(analysis["rounds"][3]["slices"][1]) | {"q": 0.01, "slice": "new = 1"}
    stuck(analysis)["rounds"][3]["slices"].append(other)
    page = " ".join(screen(analysis).split())
    assert "did not rise" in page and "harness iterate" in page


def told_of_gains(analysis: Document, *gains: float, min_gain: float = 0.0) -> str:
    analysis["settings"]["min_gain"] = min_gain
    for entry, gain in zip(unheld(analysis)["rounds"][2:], gains, strict=True):
        entry["verdict"] |= {"difference": gain}
    return " ".join(screen(analysis).split())


def test_no_gain_at_all_asks_for_no_more_dev_rows(analysis: Document) -> None:
    page = told_of_gains(analysis, -0.004, 0.0)
    assert "More dev rows, which only measure, will not: no such round scored higher." in page


def test_a_gain_that_is_too_small_to_count_is_not_called_none(analysis: Document) -> None:
    page = told_of_gains(analysis, 0.012, 0.004, min_gain=0.02)
    assert "no such round scored higher by more than min_gain, 0.02" in page
    assert "(the largest gain is +0.012 in round 2)" in page
    page = told_of_gains(analysis, -0.012, 0.0, min_gain=0.02)
    assert "no such round scored higher." in page


def test_a_tiny_gain_is_no_reason_for_a_huge_dev_set(analysis: Document) -> None:
    for entry in unheld(analysis)["rounds"][2:]:
        entry["verdict"] |= {"difference": 0.001}
    page = " ".join(screen(analysis).split())
    assert (
        "More dev rows, which only measure, will not: the largest gain, +0.001 in round 2, "
        "would take 71,000."
    ) in page


def mean(sums: Any, weights: Any) -> Any:
    return sums / weights[..., None]


POWER, DRAWN = 0.8, draws(400)
"""Simulated dev sets: a share of 80 % strays by sqrt(.8 x .2 / 400) = .02."""


@pytest.mark.nightly
@pytest.mark.parametrize("min_gain", [0.0, 0.01])
@pytest.mark.parametrize(("gain", "spread"), [(0.02, 0.2), (0.05, 0.3)])
def test_the_announced_rows_find_the_gain_at_80_percent_power(
    gain: float, spread: float, min_gain: float
) -> None:
    alpha, n = 0.05 / 3, 120
    noise = np.random.default_rng(5).normal(0.0, spread, n)
    seen = gain + spread * (noise - noise.mean()) / noise.std(ddof=1)
    known = min_gain + detectable(float(seen.std(ddof=1) / np.sqrt(n)), 1 - alpha, n, POWER)
    rows = rows_needed(n, gain, known, min_gain)
    # The rows of n ((D - m) / (d - m))², rounded up to two digits.
    exact = n * ((known - min_gain) / (gain - min_gain)) ** 2
    assert rows is not None and n < exact <= rows <= 1.1 * exact
    draws = np.random.default_rng(7).normal(gain, spread, (DRAWN, rows, 1))
    groups = [str(at) for at in range(rows)]
    bounds = (
        difference(mean, values, np.zeros((rows, 1)), groups, 7, 1 - alpha)[0].low
        for values in draws
    )
    found = sum(low is not None and low > min_gain for low in bounds)
    assert abs(found / DRAWN - POWER) <= 3 * (POWER * (1 - POWER) / DRAWN) ** 0.5


# -- a comment on a pull request -----------------------------------------------------------------


def test_a_comment_has_at_most_twenty_lines_and_no_link(analysis: Document, golden: Golden) -> None:
    text = comment(analysis)
    assert text.count("\n") <= 20
    assert "](" not in text and "http" not in text
    golden(text)


def test_a_comment_of_hostile_texts_does_nothing(hostile: Document) -> None:
    text = comment(hostile)
    assert text.count("\n") <= 20
    assert not re.search(r"(?<!\\)<|(?<!\\)\[[a-z]|@someone|://", text)


def test_a_comment_is_the_same_again_and_leaves_the_document(
    analysis: Document, tmp_path: Any
) -> None:
    before = copy.deepcopy(analysis)
    (path,) = BriefReporter().write(drawn(analysis), tmp_path)
    assert path.read_text(encoding="utf-8") == comment(analysis) and analysis == before


@pytest.mark.nightly
def test_the_commands_show_each_of_them(finished: tuple[Any, Any]) -> None:
    project, done = finished
    short = project.inside("report", COLUMNS="80").out
    assert done.document["model"]["adapter"] in " ".join(short.split())
    assert "Error categories on dev" not in short
    assert "Error categories on dev" in project.inside("report", "--full").out
    brief = project.inside("report", "--brief").out
    assert brief.startswith("**▲ improved** on test\nOn test: overlap rose by")
    assert brief.count("\n") <= 20
    both = project.inside("report", "--full", "--brief")
    assert both.code == 2 and "one of them" in both.err
