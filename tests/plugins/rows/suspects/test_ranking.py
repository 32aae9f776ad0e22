"""What is asked about rows, and in which order they stand afterwards."""

from __future__ import annotations

import pytest

import harness
from harness_rows.suspects.asking import ELSEWHERE, MOST_LABELS, PROMPTS, answer_of, questions
from harness_rows.suspects.ranking import ranked


def row(name: str, answer: str, **more: object) -> harness.Example:
    turn = {"role": "user", "content": f"question {name}"}
    return harness.Example(name, (turn,), (answer,), **more)  # type: ignore[arg-type]


def texts(count: int) -> list[harness.Example]:
    return [row(str(n), f"an answer of its own to {n}", tools=({"name": f"tool {n}"},))
            for n in range(count)]  # fmt: skip


def test_a_row_is_asked_with_each_other_label() -> None:
    rows = [row(str(n), ("yes ", "no", "perhaps")[n % 3]) for n in range(12)]
    asked = questions(rows, 7)
    assert asked.labels == ("no", "perhaps", "yes") and asked.count == 36
    assert [one.references for one in asked.variants["0"]] == [("yes ",), ("no",), ("perhaps",)]
    assert {one.prompt for one in asked.variants["0"]} == {rows[0].prompt}


def test_many_labels_are_taken_for_texts() -> None:
    rows = [row(str(n), f"label {n % (MOST_LABELS + 1)}") for n in range(8 * MOST_LABELS)]
    assert questions(rows, 7).labels == ()


def test_an_answer_is_read_behind_few_prompts_of_other_answers() -> None:
    rows = texts(60)
    asked = questions(rows, 7)
    assert asked == questions(rows, 7) != questions(rows, 8)
    used = set()
    for one in rows:
        own, *others = asked.variants[one.id]
        assert own is one and len(others) == ELSEWHERE
        assert {answer_of(other) for other in others} == {answer_of(one)}
        assert all(other.messages != one.messages for other in others)
        assert all(other.tools != one.tools for other in others)
        used |= {other.prompt for other in others}
    assert len(used) <= PROMPTS


def test_where_all_texts_are_equal_there_is_nothing_to_compare() -> None:
    rows = [row(str(n), "the same long answer for everybody who ever asks") for n in range(30)]
    asked = questions(rows, 7)
    assert asked.labels == () and asked.count == 30
    assert [one.score for one in ranked(rows, asked, {one.id: [[0.5]] for one in rows})] == [1] * 30


def test_a_long_or_rare_answer_is_not_suspected_for_that() -> None:
    rows = texts(3)
    losses = {"0": [[1.0] * 4, [2.0] * 4], "1": [[3.0] * 40, [6.0] * 40], "2": [[0.9], [1.0]]}
    found = ranked(rows, questions(rows, 7), losses)
    assert [one.row.id for one in found] == ["2", "0", "1"]
    assert [one.score for one in found] == pytest.approx([0.9, 0.5, 0.5])


def test_a_row_that_does_not_fit_is_not_ranked() -> None:
    rows = texts(3)
    losses = {"0": [[1.0], [2.0]], "1": [[1.0], []], "2": [[0.0], [0.0]]}
    found = ranked(rows, questions(rows, 7), losses)
    assert [(one.row.id, one.score) for one in found] == [("0", 0.5), ("2", 0.0)]
    assert ranked(rows, questions(rows, 7), {one.id: [[]] for one in rows}) == []
