"""The review of proposed rows: a verifier sees what the gate let in before it is trained on."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.boundary.lending import Lent
from harness.data.filters import Gate
from harness.engine.at import At
from harness.engine.pins import AUGMENT
from harness.errors import Waiting
from harness.records import Example, Growth
from harness.stages import Verification, verified

if TYPE_CHECKING:
    from harness.engine.steps import Steps


def changed_name(row: str) -> str:
    """Under which id a row of the pool goes on that a review changed: both are rows of the run."""
    return f"{row}~reviewed"


def reviewed(
    steps: Steps,
    rows: Sequence[Example],
    growth: Growth,
    gate: Gate,
    source: frozenset[str],
    folder: Path,
    at: At,
    seed: int,
) -> tuple[tuple[Example, ...], Growth, list[str]]:
    """The rows that may be trained on, their counts, and what a reader has to know of them.

    A row that was changed says what it was, and passes the gate once more.

    Args:
        gate: that has not seen these rows.
        source: ids of rows of the pool.

    Raises:
        Waiting: people have not seen all rows; each entry was asked by then.
    """
    said: dict[str, Verification] = {}
    remarks: list[str] = []
    waiting: list[Waiting] = []
    for entry in steps.config.augment:
        own = [row for row in rows if (row.origin or {})["by"] == entry.name]
        if entry.review is None or not own:
            continue
        context = steps.run.context(folder, f"{AUGMENT} {entry.name}", at, seed)
        try:
            with steps.run.guard(AUGMENT, entry.review, at, lent=Lent(own)):
                verifications = verified(entry.review.instance, own, context)
        except Waiting as wait:
            waiting.append(wait)
            continue
        said |= {row.id: verification for row, verification in zip(own, verifications, strict=True)}
        label = f"{at.label(AUGMENT)}: {entry.name}"
        remarks += [f"{label}: {sentence}" for sentence in context.facts.get("remarks", ())]
    if waiting:
        what = "; ".join(wait.what for wait in waiting)
        commands = [command for wait in waiting for command in wait.commands]
        raise Waiting(f"{at.label(AUGMENT)}: {what}", commands)
    refused: Counter[str] = Counter(growth.refused)
    accepted = []
    for row in rows:
        verification = said.get(row.id)
        if verification is not None and not verification.passes:
            refused[f"review: {verification.said}"] += 1
            continue
        final = row if verification is None else _with_review(row, verification, source)
        if _lesson(final) != _lesson(row) and (reason := gate.refuse(final)):
            refused[reason] += 1
            continue
        gate.accept(final)
        accepted.append(final)
    by = Counter(str((row.origin or {})["by"]) for row in accepted)
    grown = Growth(len(accepted), dict(by), dict(sorted(refused.items())))
    return tuple(accepted), grown, remarks


def _with_review(row: Example, verification: Verification, source: frozenset[str]) -> Example:
    """The row as it is trained on; one that was changed says what it was before."""
    origin = {**(row.origin or {}), "review": verification.said}
    if verification.row is None or _lesson(verification.row) == _lesson(row):
        return dataclasses.replace(row, origin=origin)
    new = verification.row
    if new.prompt != row.prompt:
        origin["prompt before"] = row.prompt
    if new.references != row.references and row.references:
        origin["answer before"] = row.references[0]
    final = dataclasses.replace(
        row, messages=new.messages, references=new.references, thought=new.thought, origin=origin
    )
    if row.id not in source:
        return final
    return dataclasses.replace(final, id=changed_name(row.id), parent=row.id)


def _lesson(row: Example) -> tuple[object, ...]:
    return row.messages, row.references, row.thought
