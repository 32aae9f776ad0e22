"""The table of rows says what the run's database does, filtered and sorted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import harness
from harness_view.links import Asked
from harness_view.rows import PER_PAGE, rows_page, with_names
from harness_view.source import Source, literal
from tests.support.project import Project, Result

Finished = tuple[Project, Result]


@pytest.fixture
def source(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    monkeypatch.chdir(finished[0].folder)
    run = Source(finished[1].document["run"])
    yield run
    run.close()


def every(source: Source, asked: Asked) -> list[Any]:
    rows: list[Any] = []
    while True:
        page = rows_page(source, replace(asked, page=len(rows) // PER_PAGE + 1))
        rows += page.rows
        if len(rows) >= page.matching:
            return rows


def _rows(source: Source, sql: str) -> list[dict[str, Any]]:
    with source.database() as ask:
        return ask(sql)


def ids(rows: list[Any]) -> set[str]:
    return {row.id for row in rows}


OUTCOMES = "SELECT id, value, is_right FROM outcomes WHERE arm = 'main' AND split = 'dev'"


def outcomes(source: Source, number: int) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in _rows(source, f"{OUTCOMES} AND round = {number}")}


def test_the_first_page_compares_the_base_model_with_the_best_round(source: Source) -> None:
    page = rows_page(source, Asked())
    assert (page.first, page.second) == (0, page.head.kept) and page.head.rounds == (0, 1, 2, 3)
    assert page.matching == page.total == 48 and len(page.rows) == PER_PAGE
    before, after = outcomes(source, 0), outcomes(source, page.second)
    changes = [row.change for row in page.rows]
    assert changes == sorted(changes)
    for row in page.rows:
        assert [answer.round for answer in row.answers] == [0, page.second]
        assert row.change == pytest.approx(after[row.id]["value"] - before[row.id]["value"])
        assert row.references and row.references[0] in row.prompt


@pytest.mark.parametrize(("first", "second"), [(0, 3), (3, 0), (1, 2), (2, 2)])
def test_each_filter_of_outcomes_gives_those_rows_and_counts_them(
    source: Source, first: int, second: int
) -> None:
    asked = Asked(first=first, second=second)
    before, after = outcomes(source, first), outcomes(source, second)
    expected = {
        "fails": {id for id in after if not after[id]["is_right"]},
        "fixed": {id for id in after if after[id]["is_right"] and not before[id]["is_right"]},
        "regressed": {id for id in after if not after[id]["is_right"] and before[id]["is_right"]},
    }
    for show, of_kind in expected.items():
        page = rows_page(source, replace(asked, show=show))  # type: ignore[arg-type]
        assert ids(every(source, replace(asked, show=show))) == of_kind  # type: ignore[arg-type]
        assert page.counts[show] == page.matching == len(of_kind)
        if show != "fails":
            assert {row.became for row in page.rows} <= {show}
    assert expected["fails"] and bool(expected["fixed"]) == ((first, second) == (0, 3))
    assert bool(expected["regressed"]) == ((first, second) == (3, 0))


def test_each_column_has_its_score_where_both_rounds_are_the_same(source: Source) -> None:
    base = outcomes(source, 0)
    for row in rows_page(source, Asked(first=3, second=3)).rows:
        assert [(answer.round, answer.score) for answer in row.answers] == [
            (0, base[row.id]["value"]), (3, outcomes(source, 3)[row.id]["value"]),
        ]  # fmt: skip


def test_slices_categories_and_causes_filter_and_are_counted(source: Source) -> None:
    page = rows_page(source, Asked(second=1))
    assert page.slices and page.categories
    for name, choices in (("slice", page.slices), ("category", page.categories),
                          ("cause", page.causes)):  # fmt: skip
        for choice, count in choices.items():
            chosen = rows_page(source, Asked(second=1, **{name: choice}))
            assert chosen.matching == count
    labelled = {
        row["id"] for row in _rows(source, "SELECT id FROM errors WHERE arm = 'main' AND split = "
                                   "'dev' AND round = 1 AND category = "
                                   f"{literal(next(iter(page.categories)))}")
    }  # fmt: skip
    assert ids(every(source, Asked(second=1, category=next(iter(page.categories))))) == labelled
    named = with_names(source, page)
    assert {name for row in named.rows for name in row.names["categories"]} == {*page.categories}


def test_words_are_found_in_prompts_references_and_answers_in_any_case(source: Source) -> None:
    rows = every(source, Asked())
    texts = {row.id: [row.prompt, *row.references, *(a.text for a in row.answers)] for row in rows}
    for words in ("DEV7", "amber birch", "it's 50% of '_'", "hm hm"):
        holding = {
            id for id, of_row in texts.items()
            if any(words.lower() in text.lower() for text in of_row)
        }  # fmt: skip
        assert ids(every(source, Asked(words=words))) == holding


def test_it_is_sorted_by_change_or_score_either_way(source: Source) -> None:
    for sort in ("change", "-change", "score", "-score"):
        rows = every(source, Asked(sort=sort))  # type: ignore[arg-type]
        values = [row.change if "change" in sort else row.answers[-1].score for row in rows]
        assert values == sorted(values, reverse=sort.startswith("-")) and len({*values}) > 1


def test_a_page_behind_the_last_is_the_last(source: Source) -> None:
    page = rows_page(source, Asked(page=9), 20)
    assert (page.asked.page, len(page.rows), page.matching) == (3, 8, 48)


@pytest.mark.parametrize(
    "asked",
    [Asked(second=9), Asked(slice="none"), Asked(category="x' OR 1=1 --"), Asked(cause="none")],
)
def test_what_the_run_does_not_have_is_said(source: Source, asked: Asked) -> None:
    with pytest.raises(harness.UsageError):
        rows_page(source, asked)


def test_rows_of_test_are_not_in_it(source: Source) -> None:
    assert _rows(source, "SELECT DISTINCT split FROM predictions") == [{"split": "dev"}]
    with pytest.raises(harness.UsageError, match="no answers to test"):
        rows_page(source, Asked("test"))


def test_a_database_that_took_its_place_is_read_anew(source: Source) -> None:
    rows_page(source, Asked())
    with source.database() as ask:
        before = ask
    path = source.view.reports / "run.duckdb"
    path.with_name("copy").write_bytes(path.read_bytes())
    path.with_name("copy").replace(path)
    with source.database() as ask:
        assert ask is not before
    assert rows_page(source, Asked()).total == 48
