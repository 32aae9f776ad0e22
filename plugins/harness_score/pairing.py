"""Predictions joined with references, so that no score can come from misaligned rows.

Rows are joined by id if all files have ids, and by position if none has. Anything else, and
every id that is missing, surplus or doubled, is an error, and one error names them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness import DataError, Example, Prediction
from harness.kit.readers import Fault, Problems
from harness_score.alignment import Trouble, align, doubled_ids, refuse_mix
from harness_score.fields import Row, quoted
from harness_score.tables import Table


def pair(
    systems: Sequence[Table], references: Sequence[Table], *, group_field: str | None = None
) -> tuple[list[Example], list[list[Prediction]]]:
    """The examples, and for every system its predictions in the same order.

    The order is that of the first file of references. Several files give each example several
    references, in the order of the files.

    Args:
        group_field: the field of ``meta`` that says which rows belong together; by default it
            is ``group`` where a row has one.

    Raises:
        DataError: something does not fit; all problems of all files are told at once.
    """
    if not references:
        raise DataError(
            "there are no references to compare with",
            hint="name a file of references, or a data set with examples",
        )
    refuse_mix([*references, *systems])
    first, *more = references
    columns = [first.rows, *_aligned(first, [*more, *systems])]
    answers = columns[len(references) :]
    examples = _examples(columns[: len(references)], group_field)
    return examples, [_predictions(examples, rows) for rows in answers]


def join(examples: Sequence[Example], systems: Sequence[Table]) -> list[list[Prediction]]:
    """For every system its predictions, in the order of the examples.

    A system without ids is joined by position.

    Raises:
        DataError: an id is missing, surplus or doubled, or the lengths differ.
    """
    rows = (
        Row(example.id, (), {}, example.place or f"example {at}")
        for at, example in enumerate(examples, start=1)
    )
    columns = _aligned(Table("the data set", tuple(rows)), systems)
    return [_predictions(examples, column) for column in columns]


def grouped(examples: Sequence[Example], field: str) -> list[Example]:
    """The examples in groups by a field of ``meta``, instead of those that they have.

    Raises:
        DataError: an example has no such field.
    """
    problems = Problems()
    in_groups = [
        replace(
            example,
            group=_group(example.meta, field, example.place or quoted(example.id), problems),
        )
        for example in examples
    ]
    problems.refuse("the data set")
    return in_groups


def _aligned(first: Table, others: Sequence[Table]) -> list[list[Row]]:
    """The rows of every other table, in the order of the first one's."""
    trouble = Trouble()
    doubled_ids(first, trouble)
    columns = [align(first, other, trouble) for other in others]
    trouble.refuse()
    return columns


def _predictions(examples: Sequence[Example], rows: Sequence[Row]) -> list[Prediction]:
    return [
        Prediction(example.id, row.texts[0]) for example, row in zip(examples, rows, strict=True)
    ]


def _examples(references: Sequence[Sequence[Row]], group_field: str | None) -> list[Example]:
    """One example per row; what the first file does not know of it, later references may add.

    Fields of the predictions do not count: a system must not decide who belongs together.
    """
    problems = Problems()
    examples = []
    for number, rows in enumerate(zip(*references, strict=True), start=1):
        first = rows[0]
        meta = first.meta
        for row in rows[1:]:
            if not row.meta.keys() <= meta.keys():
                meta = {**meta, **{k: v for k, v in row.meta.items() if k not in meta}}
        examples.append(
            Example(
                id=first.id if first.id is not None else str(number),
                messages=(),
                references=tuple(text for row in rows for text in row.texts),
                split="dev",
                group=_group(meta, group_field, first.place, problems),
                meta=meta,
                tools=first.tools,
                place=first.place,
            )
        )
    problems.refuse("references")
    return examples


def _group(meta: Mapping[str, Any], field: str | None, place: str, problems: Problems) -> str:
    value = meta.get("group" if field is None else field)
    name = "" if value is None else str(value)
    if field is not None and not name.strip():
        reason = f"no {quoted(field)} that says to which group the row belongs"
        hint = "give every row one, or name another field for the groups"
        problems.add(Fault(reason, place, hint=hint))
    return name
