"""A sheet to fill in: what is still open, for raters who prefer a spreadsheet.

It holds what a rater may see and no more: no example, round, run or other person's value. What it
comes back with is read by :mod:`harness_rating.exchange.sheets`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from harness import Criterion, Item, Rubric
from harness_rating.batches.records import Batch
from harness_rating.exchange.cells import as_csv
from harness_rating.exchange.other_tools import prompt
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric import conditions
from harness_rating.rubric.scales import label, options
from harness_rating.rubric.scoring import asked_criteria

READING = ("facts", "reference", "question", "possible")
"""Columns that are there to be read; import passes them over."""
_COLUMNS = (
    "item", "prompt", "facts", "reference", "answer_a", "answer_b", "criterion", "question",
    "possible", "value", "rater", "batch", "rubric",
)  # fmt: skip
_SOMETIMES = ("facts", "reference", "answer_b")


def blank_sheet(batch: Batch, folder: RatingsFolder, raters: Sequence[str]) -> bytes:
    """CSV, a row for each question that is open or may come up; its ``value`` is empty.

    Raises:
        DataError: a line of a rater's file is damaged.
    """
    items = batch.by_id
    rows = []
    for rater in raters:
        for state in folder.state(batch, rater).items:
            if state.status == "open":
                reading = _reading(batch, items[state.item])
                for question in _open_questions(batch.rubric, state.values):
                    rows.append({**reading, **question, "rater": rater})
    columns = [
        column
        for column in _COLUMNS
        if column not in _SOMETIMES or any(row.get(column) for row in rows)
    ]
    return as_csv(columns, rows)


def _reading(batch: Batch, item: Item) -> dict[str, Any]:
    sides = [*item.answers, ""]
    # A sheet shows all at once, so a reference that is to come after a first score cannot.
    shown = item.references if batch.rubric.show.reference == "always" else ()
    return {
        "batch": batch.name, "rubric": batch.rubric_name, "item": item.id, "prompt": prompt(item),
        "facts": "\n".join(f"{name}: {_text(value)}" for name, value in item.meta.items()),
        "reference": "\n\n".join(shown), "answer_a": sides[0], "answer_b": sides[1],
    }  # fmt: skip


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _open_questions(rubric: Rubric, values: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The criteria without a value that are asked, or may be once others have theirs."""
    sure = {criterion.id for criterion in asked_criteria(rubric, values)}
    unanswered = [criterion for criterion in rubric.criteria if criterion.id not in values]
    names = {criterion.id for criterion in unanswered}
    for criterion in unanswered:
        if criterion.id in sure or _may_come(rubric, criterion, names):
            yield {
                "criterion": criterion.id, "question": criterion.question,
                "possible": _possible(criterion),
            }  # fmt: skip


def _may_come(rubric: Rubric, criterion: Criterion, unanswered: Set[str]) -> bool:
    """Whether its condition rests, perhaps by way of others, on something that is not known."""
    return any(
        name in unanswered or _may_come(rubric, rubric.criterion(name), unanswered)
        for name in conditions.names_in(criterion.ask_if)
    )


def _possible(criterion: Criterion) -> str:
    """What may stand in the cell ``value``, in words."""
    scale = criterion.scale
    words = "; ".join(
        f"{option.label} = {option.words}" if option.words else option.label
        for option in options(criterion)
    )
    if scale.kind == "number":
        words = f"a number from {scale.least:g} to {scale.most:g}"
    elif scale.kind == "choices":
        words = f'any of: {words}. Several as ["one", "other"], none of them as []'
    elif scale.kind == "text":
        words = "a text, or nothing"
    if criterion.allow_na:
        words += f"; or {label(None)}"
    when = f". Only where {conditions.in_words(criterion.ask_if)}" if criterion.ask_if else ""
    return words + when
