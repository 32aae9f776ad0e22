"""Whether the primary score is to be believed: by references, and by what raters say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness_advise.options import Option
from harness_advise.ranking import ranked
from harness_advise.showing import blocks
from tests.plugins.advise.test_ranking import HOSTILE, curve, levers, made
from tests.plugins.rating import material
from tests.support.project import TWO_REFERENCES, Project

RUBRIC = """\
schema: harness.rubric/1
id: short
version: 1
title: Short
instructions: Read the answer, then judge it.
criteria:
  - id: right
    title: Right
    question: Is the answer right?
    scale: {kind: ordinal, min: 1, max: 5, anchors: {1: wrong, 5: right}}
  - id: tone
    title: "Tone <b>[red]"
    question: Is its tone right?
    scale: {kind: ordinal, min: 1, max: 5, anchors: {1: wrong, 5: right}}
"""
AT_LEVEL = TWO_REFERENCES.replace("train: {plugin: fake}", "train: {plugin: fake, gain: 0.0185}")
AT_LEVEL += "worth: 0.15\n"


def advice(project: Project) -> dict[str, dict[str, Any]]:
    """Lever -> its option, in a run's own advice; reports are made again if there are ratings."""
    assert project.inside("report", "--json").code == 0
    options = project.inside("advise", "--json").document["options"]
    return {one["lever"]: one for one in options}


def rate(run: str) -> str:
    """Two raters rate round 1 below round 0, and its tone lowest; returns the batch."""
    Path("short.yaml").write_text(RUBRIC, encoding="utf-8")
    batch = material.batch_of_run(run, "short.yaml", (1, 0), ("ana", "bo"), n=40, overlap=1.0)

    def values(item: str) -> dict[str, int]:
        place = batch.placings[item]
        number = int(place.example_id.partition("-")[2])
        right = 4 - 2 * place.rounds[0] + number % 2
        return {"right": right, "tone": max(1, right - 2 + number % 3)}

    for rater in batch.raters:
        material.rate(batch, rater, values)
    return batch.name


def test_of_a_run_with_two_references_and_ratings(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    project.write(AT_LEVEL)
    done = project.inside("iterate", "--no-test", "--json")
    assert done.code == 0, done.err
    name = done.document["run"]
    page = project.folder / "reports" / name / "report.html"
    found = advice(project)
    assert next(iter(found)) == "metric" and found["metric"]["state"] == "likely"
    (sentence,) = found["metric"]["evidence"]
    assert sentence.startswith("a reference scored against the other references of its row gets 0.")
    assert "(48 rows)" in sentence and "less than 0.150" in sentence
    assert found["metric"]["command"].startswith("harness rate create --rubric everyday")
    assert "A reference scored against the other references" in page.read_text(encoding="utf-8")
    without = found["rows"]

    batch = rate(name)
    found = advice(project)
    assert next(iter(found)) == "metric"
    passed, verdict = found["metric"]["evidence"][:2]
    assert passed.startswith("of ") and "answers that pass by 'nearest', raters fail" in passed
    assert verdict.startswith("by 'nearest' improved, by raters regressed: Overall")
    assert found["metric"]["command"] == f"harness rate validity {batch}"
    assert found["rows"]["evidence"][-1].startswith("raters rate 'Tone <b>[red]' lowest: 0.")
    assert {**found["rows"], "evidence": without["evidence"]} == without
    shown = page.read_text(encoding="utf-8")
    assert "Tone &lt;b&gt;[red]" in shown and "Tone <b>" not in shown


# -- by documents ---------------------------------------------------------------------------------


def options(**tables: Any) -> list[Option]:
    """Of a document with these tables, whose curve rises."""
    whole = {"right": [{"round": 1, "wrong": 50}], "causes": [], **tables}
    return ranked(made(tables=whole, levers=levers(curve=curve(0.08, 0.03, 0.13))))


def of(lever: str, found: list[Option]) -> Option | None:
    return next((one for one in found if one.lever == lever), None)


def level(gap: float, low: float, high: float, **changes: Any) -> dict[str, Any]:
    def span(value: float) -> dict[str, float]:
        return {"value": value, "low": value - 0.04, "high": value + 0.04}

    return {
        "round": 1, "rows": 120, "groups": 120, "references": span(0.5), "model": span(0.5 + gap),
        "difference": {"value": gap, "low": low, "high": high}, **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("found", "worth", "state"),
    [
        (level(-0.01, -0.04, 0.02), 0.05, "likely"),
        (level(-0.02, -0.06, 0.02), 0.05, None),
        (level(-0.01, -0.04, 0.02), None, None),
        (level(0.1, 0.06, 0.14), 0.05, "open"),
        (level(0.1, 0.06, 0.14), None, "open"),
        (level(0.0, 0.0, 0.0), None, "open"),
        (level(0.0, None, None), 0.05, None),
        (level(0.1, 0.06, 0.14, round=2), 0.05, None),
        (None, 0.05, None),
    ],
)
def test_the_level_of_references(
    found: dict[str, Any] | None, worth: float | None, state: str | None
) -> None:
    document = made(between_references=found, settings={"worth": worth}, levers=levers(
        worth=worth, curve=curve(0.08, 0.03, 0.13)))  # fmt: skip
    option = of("metric", ranked(document))
    assert (option and option.state) == state
    places = [one.lever for one in ranked(document)]
    # What is likely is doubted before anything is spent; what is open stands with what is open.
    assert state != "likely" or places[0] == "metric"
    assert state != "open" or places[0] == "rows"


def order(metric: str, value: float, low: float | None, high: float | None, **changes: Any) -> Any:
    return {
        "batch": "b", "metric": metric, "view": "answers", "n": 80, "accuracy": value,
        "accuracy_low": low, "accuracy_high": high, "accuracy_groups": 40,
        "sentence": f"{metric} orders answers.", **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (order("f1", 0.55, 0.5, 0.6), "likely"),
        (order("f1", 0.6, 0.45, 0.75), "open"),
        (order("f1", 0.6, 0.45, 0.75, accuracy_groups=12), None),
        (order("f1", 0.7, 0.45, 0.95), None),
        (order("f1", 0.8, 0.7, 0.9), None),
        (order("f1", 0.0, None, None), "likely"),
        (order("other", 0.55, 0.5, 0.6), None),
    ],
)
def test_how_the_score_orders_answers(row: dict[str, Any], state: str | None) -> None:
    option = of("metric", options(validity=[row]))
    assert (option and option.state) == state


def test_a_score_that_orders_them_better_is_named() -> None:
    rows = [order("f1", 0.55, 0.5, 0.6), order("chrf x", 0.8, 0.7, 0.9), order("bleu", 0.6, 0.5, 1)]
    option = of("metric", options(validity=rows))
    assert option is not None and "make 'chrf x' the primary score" in option.action
    assert "--set 'primary=chrf x'" in option.command and "--no-test" in option.command


def test_a_score_that_orders_answers_as_raters_do_is_believed_beyond_references() -> None:
    tables = {"validity": [order("f1", 0.9, 0.8, 1.0)], "right": [], "causes": []}
    document = made(between_references=level(0.1, 0.06, 0.14), tables=tables)
    assert of("metric", ranked(document)) is None


def passes(**counts: int) -> dict[str, Any]:
    found = {"both_pass": 20, "raters_alone": 0, "score_alone": 0, "both_fail": 20, **counts}
    return {"batch": "b", "round": 1, "answers": sum(found.values()), **found}


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"raters_alone": 15, "both_fail": 9},
         "of 24 rated answers that fail by 'f1', raters pass 15"),
        ({"score_alone": 5}, "of 25 rated answers that pass by 'f1', raters fail 5"),
        ({"raters_alone": 4, "both_fail": 4}, ""),
        ({"raters_alone": 5, "both_fail": 40}, ""),
    ],
)  # fmt: skip
def test_answers_that_raters_judge_otherwise(counts: dict[str, int], said: str) -> None:
    option = of("metric", options(passes=[passes(**counts)]))
    assert (option.evidence[0] if option else "") == said


def test_ratings_say_nothing_of_a_score_that_is_made_from_them() -> None:
    tables = {"passes": [passes(raters_alone=15)], "right": [], "causes": []}
    assert of("metric", ranked(made(tables=tables, by_people=True))) is None


def disagreeing(high: float) -> dict[str, Any]:
    scores = {
        "batch": "b", "round": 1, "position": 0, "title": "Overall", "value": 0.7, "low": 0.6,
        "high": 0.8, "n": 40,
    }  # fmt: skip
    return {
        "rating_scores": [scores, {**scores, "position": 1, "title": "Tone", "value": 0.3, "low":
                                   0.2, "high": 0.4}],
        "agreement": [{"batch": "b", "title": "Overall", "alpha": 0.4, "alpha_low": 0.2,
                       "alpha_high": high, "n": 30}],
        "named_errors": [{"round": 1, "category": "wrong tone", "answers": 9, "rated": 40}],
        "passes": [passes(raters_alone=15)],
    }  # fmt: skip


def test_where_raters_disagree_nothing_else_that_they_say_counts() -> None:
    found = options(**disagreeing(0.6))
    assert of("metric", found) is None
    option, rows = of("ratings", found), of("rows", found)
    assert option is not None and option.state == "open" and rows is not None
    assert "alpha 0.40 [0.20, 0.60]" in option.evidence[0]
    assert rows.evidence == ("Rows.",)
    heard = options(**disagreeing(0.7))
    assert of("ratings", heard) is None and of("metric", heard) is not None
    rows = of("rows", heard)
    assert rows is not None and rows.evidence[1:] == (
        "raters rate 'Tone' lowest: 0.30 [0.20, 0.40] of 1, overall 0.70 [0.60, 0.80] (40 answers)",
        "raters name 'wrong tone' in 9 of 40 rated answers",
    )


def test_where_they_give_the_primary_score_their_agreement_comes_first() -> None:
    whole = {"right": [], "causes": [], **disagreeing(0.6)}
    curved = levers(curve=curve(0.08, 0.03, 0.13))
    first = ranked(made(tables=whole, by_people=True, levers=curved))[0]
    assert (first.lever, first.state) == ("ratings", "likely")


def test_of_runs_without_either_the_advice_is_as_it_was() -> None:
    """Those of the published trial: a reference a row, and no ratings."""
    tables: dict[str, Any] = {name: [] for name in (
        "rated", "rating_scores", "passes", "win_rates", "agreement", "validity", "named_errors",
    )}  # fmt: skip
    bare = ranked(made(levers=levers(curve=curve(0.08, 0.03, 0.13))))
    empty = {**made()["tables"], **tables}
    assert bare == ranked(made(
        tables=empty, between_references=None, levers=levers(curve=curve(0.08, 0.03, 0.13))
    ))  # fmt: skip
    assert not {"metric", "ratings"} & {one.lever for one in bare}


def test_hostile_names_stay_one_short_line_each() -> None:
    whole = disagreeing(0.7)
    whole["rating_scores"][1]["title"] = HOSTILE
    whole["named_errors"][0]["category"] = HOSTILE
    whole["validity"] = [order(HOSTILE, 0.9, 0.8, 1.0), order("f1", 0.55, 0.5, 0.6)]
    rows = json.dumps([repr(block) for block in blocks(options(**whole))])
    assert "\\x1b" not in rows and "\\u202e" not in rows and len(rows) < 10_000
