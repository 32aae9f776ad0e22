"""The answers that differ between a run and the one that it is set against."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.report import differing
from harness.report.differing import with_answers

Document = dict[str, Any]


@pytest.fixture(scope="module")
def two(finished: Any) -> Any:
    """A finished run, and one of one round, whose best round has learned less."""
    project, first = finished
    second = project.inside("iterate", "--rounds", "1", "--no-test", "--json")
    assert second.code == 0, second.err
    return project, first.document, second.document


@pytest.fixture
def runs(two: Any, monkeypatch: pytest.MonkeyPatch) -> Document:
    monkeypatch.chdir(two[0].folder)
    return harness.all_runs()


def asked(run: str, sql: str) -> list[Any]:
    return harness.query(Path("reports", run, "run.duckdb"), sql).rows


def test_it_shows_the_rows_whose_answers_differ_and_counts_the_others(
    two: Any, runs: Document
) -> None:
    _, first, second = two
    (pair,) = with_answers(runs)["answers"]
    assert (pair["a"], pair["b"]) == (first["run"], second["run"])
    assert (pair["a_round"], pair["b_round"]) == (3, 1)
    texts, values = {}, {}
    for side, run, number in (("a", first["run"], 3), ("b", second["run"], 1)):
        of_round = f"arm = 'main' AND split = 'dev' AND round = {number}"
        texts[side] = dict(asked(run, f"SELECT id, text FROM predictions WHERE {of_round}"))
        values[side] = dict(asked(run, f"SELECT id, value FROM outcomes WHERE {of_round}"))
    unlike = {name for name, text in texts["a"].items() if texts["b"][name] != text}
    assert 0 < len(unlike) <= differing.ROWS
    assert {row["id"] for row in pair["shown"]} == unlike
    assert (pair["rows"], pair["same"]) == (48, 48 - len(unlike))
    for row in pair["shown"]:
        for side in "ab":
            told = {"text": texts[side][row["id"]], "score": values[side][row["id"]]}
            assert row[side] == told
    lower = sum(values["b"][name] < values["a"][name] for name in unlike)
    assert (pair["better"], pair["worse"]) == (len(unlike) - lower, lower)
    changes = [row["a"]["score"] - row["b"]["score"] for row in pair["shown"]]
    assert changes == sorted(changes, reverse=True)


def test_other_scores_are_not_subtracted_and_the_sides_can_be_exchanged(runs: Document) -> None:
    low = copy.deepcopy(runs)
    for run in low["runs"]:
        run["higher_is_better"] = False
    (usual,), (turned,) = with_answers(runs)["answers"], with_answers(low)["answers"]
    assert (turned["better"], turned["worse"]) == (usual["worse"], usual["better"])
    other = copy.deepcopy(runs)
    other["groups"].append({**other["groups"][0], "id": "dev X", "signature": "another"})
    other["runs"][1]["dev"]["group"] = "dev X"
    (pair,) = with_answers(other)["answers"]
    assert (pair["better"], pair["worse"]) == (None, None)
    assert len(pair["shown"]) == len(usual["shown"])


def test_no_more_pairs_and_rows_than_have_room(
    runs: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(differing, "ROWS", 3)
    first, second = runs["runs"]
    runs["runs"] += [{**second, "against": first["run"]} for _ in range(3)]
    monkeypatch.setattr(differing, "PAIRS", 2)
    found = with_answers(runs)
    assert (len(found["answers"]), found["answers_left_out"]) == (2, 2)
    assert [len(pair["shown"]) for pair in found["answers"]] == [3, 3]
    assert (found["arm_answers_left_out"], found["baseline_answers_left_out"]) == (0, 0)


def test_arms_and_baselines_beyond_are_counted(
    runs: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(differing, "PAIRS", 2)
    judged, unjudged = {"verdict": {"label": "improved"}}, {"verdict": None}
    for run in runs["runs"]:
        run["arms"] = [{"name": f"arm {n}", **judged} for n in range(3)]
        run["baselines"] = [{"name": "one", **judged}, {"name": "two", **unjudged}]
    found = with_answers(runs)
    assert (len(found["arm_answers"]), found["arm_answers_left_out"]) == (2, 4)
    assert (len(found["baseline_answers"]), found["baseline_answers_left_out"]) == (2, 0)


@pytest.mark.parametrize("kind", ["absent", "damaged"])
def test_a_database_that_cannot_be_read_is_said(
    two: Any, runs: Document, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first, second = two
    whole = Path("reports", first["run"], "run.duckdb").read_bytes()
    for run in (first["run"], second["run"]):
        (tmp_path / "reports" / run).mkdir(parents=True)
    (tmp_path / "reports" / first["run"] / "run.duckdb").write_bytes(whole)
    if kind == "damaged":
        (tmp_path / "reports" / second["run"] / "run.duckdb").write_bytes(b"no database")
    monkeypatch.chdir(tmp_path)
    (pair,) = with_answers(runs)["answers"]
    assert pair["why"].startswith(f"answers of {second['run']} cannot be shown: ")
    assert pair["shown"] == [] and pair["rows"] == 0


def test_rows_that_were_asked_otherwise_are_not_compared(
    runs: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = differing._stored

    def asked_otherwise(run: str) -> Any:
        found = stored(run)
        if run != runs["runs"][1]["run"]:
            return found
        rows = {name: row._replace(messages="[]") for name, row in found.rows.items()}
        return found._replace(rows=rows)

    monkeypatch.setattr(differing, "_stored", asked_otherwise)
    (pair,) = with_answers(runs)["answers"]
    assert (pair["rows"], pair["why"]) == (0, "the two have no row of dev in common")
