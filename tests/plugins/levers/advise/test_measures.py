"""Whether the primary score is to be believed: by references, and by how much is rated."""

from __future__ import annotations

from typing import Any

import pytest

from harness_levers.advise.options import Option
from harness_levers.advise.ranking import ranked
from tests.plugins.levers.advise.test_ranking import arm, curve, levers, made
from tests.support.project import TWO_REFERENCES, Project

AT_LEVEL = TWO_REFERENCES.replace("train: {plugin: fake}", "train: {plugin: fake, gain: 0.0185}")
AT_LEVEL += "worth: 0.15\n"


def advice(project: Project) -> dict[str, dict[str, Any]]:
    """Lever -> its option, in a run's own advice."""
    options = project.inside("advise", "--json").document["options"]
    return {one["lever"]: one for one in options}


@pytest.mark.nightly
def test_of_a_run_with_two_references(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
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


# -- by documents ---------------------------------------------------------------------------------


def of(lever: str, found: list[Option]) -> Option | None:
    return next((one for one in found if one.lever == lever), None)


def level(gap: float, low: float, high: float, **changes: Any) -> dict[str, Any]:
    def span(value: float) -> dict[str, float]:
        return {"value": value, "low": value - 0.04, "high": value + 0.04}

    return {
        "round": 1, "rows": 120, "groups": 120, "references": span(0.5), "model": span(0.5 + gap),
        "difference": {"value": gap, "low": low, "high": high}, **changes,
    }  # fmt: skip


def test_the_level_of_references() -> None:
    for found, worth, state in [
        (level(-0.01, -0.04, 0.02), 0.05, "likely"),
        (level(-0.02, -0.06, 0.02), 0.05, None),
        (level(-0.01, -0.04, 0.02), None, None),
        (level(0.1, 0.06, 0.14), 0.05, "open"),
        (level(0.1, 0.06, 0.14), None, "open"),
        (level(0.0, 0.0, 0.0), None, "open"),
        (level(0.0, None, None), 0.05, None),
        (level(0.1, 0.06, 0.14, round=2), 0.05, None),
        (None, 0.05, None),
    ]:
        document = made(between_references=found, settings={"worth": worth}, levers=levers(
            worth=worth, curve=curve(0.08, 0.03, 0.13)))  # fmt: skip
        option = of("metric", ranked(document))
        assert (option and option.state) == state, found
        places = [one.lever for one in ranked(document)]
        # What is likely is doubted before anything is spent; what is open stands with what is open.
        assert state != "likely" or places[0] == "metric", found
        assert state != "open" or places[0] == "rows", found


def few_rated(rated: int = 12, items: int = 62, **changes: Any) -> dict[str, Any]:
    """Tables of a run with one batch of ratings."""
    batch = {
        "batch": "a b", "rated": rated, "items": items, "split": "dev", "verdicts": True, **changes,
    }  # fmt: skip
    return {"rated": [batch], "right": [], "causes": []}


@pytest.mark.parametrize(
    ("rated", "by_people", "state"),
    [((12, 62), True, "likely"), ((12, 62), False, "open"), ((31, 62), True, None),
     ((0, 62), False, None)],
)  # fmt: skip
def test_few_ratings_ask_for_more_and_for_nothing_else(
    rated: tuple[int, int], by_people: bool, state: str | None
) -> None:
    document = made(tables=few_rated(rated[0], rated[1]), by_people=by_people)
    found = ranked(document)
    option = of("ratings", found)
    assert (option and option.state) == state
    if option:
        assert option.evidence == ("12 of 62 items are rated",) and option.read == 50
        assert option.command == "harness rate serve 'a b'"
        assert (found[0] is option) is by_people


@pytest.mark.parametrize("by_people", [True, False])
def test_few_ratings_come_before_every_gain_that_is_told_in_them(by_people: bool) -> None:
    better = {"arms": [arm("settings", "improved", 0.1)], "experiments": {"levers": levers()}}
    found = ranked(made(tables=few_rated(), by_people=by_people, **better))
    first = ("ratings", "likely") if by_people else ("settings", "shown")
    assert (found[0].lever, found[0].state) == first and of("ratings", found)


@pytest.mark.parametrize("changes", [{"split": "pool"}, {"split": "test"}, {"verdicts": False}])
def test_a_batch_that_decides_nothing_is_not_asked_about(changes: dict[str, Any]) -> None:
    found = ranked(made(tables=few_rated(**changes), by_people=True))
    assert of("ratings", found) is None


def test_of_runs_without_either_the_advice_is_as_it_was() -> None:
    """Those of the published trial: a reference a row, and no ratings."""
    tables: dict[str, Any] = {name: [] for name in (
        "rated", "rating_scores", "win_rates", "agreement", "validity", "named_errors",
    )}  # fmt: skip
    bare = ranked(made(levers=levers(curve=curve(0.08, 0.03, 0.13))))
    empty = {**made().tables, **tables}
    assert bare == ranked(made(
        tables=empty, between_references=None, levers=levers(curve=curve(0.08, 0.03, 0.13))
    ))  # fmt: skip
    assert not {"metric", "ratings"} & {one.lever for one in bare}
