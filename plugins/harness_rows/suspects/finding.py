"""The rows that are listed: the first of the ranking, and those that contradict each other."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import harness
from harness.kit.numbers import counted
from harness_rows.cleaning.exact import by_prompt, conflicts
from harness_rows.suspects.asking import answer_of, questions
from harness_rows.suspects.folds import out_of_fold
from harness_rows.suspects.ranking import Suspect, ranked

LEAST = 20
"""Rows without which a model that learns a part of them says nothing of the others."""


@dataclass(frozen=True, slots=True)
class Suspects:
    """The rows to be looked at, and what they were chosen from.

    Attributes:
        listed: in the order in which they are to be looked at.
        rows: of train and valid, all of them.
        labels: of the answers; empty where these are texts.
        not_measured: rows that are longer than the model's context.
        conflicts: rows with one prompt and other answers.
        spelt: rows that spell their label with other capitals than most rows do.
    """

    listed: tuple[Suspect, ...]
    rows: int
    labels: tuple[str, ...]
    not_measured: int
    conflicts: int
    spelt: int = 0

    @property
    def sentences(self) -> list[str]:
        """What else is to be said of them."""
        sentences = []
        if self.labels:
            other = sum(bool(row.likelier) for row in self.listed)
            sentences.append(f"Of {counted(other, 'row')} another label is found likelier.")
        if self.spelt:
            sentences.append(
                f"{counted(self.spelt, 'row')} spell their label with other capitals than most "
                "rows do; it is taken for the same."
            )
        if self.conflicts:
            sentences.append(
                f"{counted(self.conflicts, 'row')} have the prompt of another row and another "
                "answer; those that the models do not rank stand at the end."
            )
        if self.not_measured:
            sentences.append(
                f"{counted(self.not_measured, 'row')} are longer than the model's context and are "
                "not ranked."
            )
        return sentences


def find(run: harness.Branches, folds: int, share: float) -> Suspects:
    """The rows of train and valid to be looked at.

    Args:
        folds: parts that are held out in turn.
        share: of the rows, the first of the ranking.

    Raises:
        DataError: there are too few rows.
        UsageError: the run's generator cannot say how well a model predicts an answer.
        Cancelled: the user asked to stop, or the budget is spent.
    """
    rows = [*run.rows("train"), *run.rows("valid")]
    if len(rows) < LEAST:
        raise harness.DataError(
            f"train has {counted(len(rows), 'row')}, and of fewer than {LEAST} no model learns "
            "enough to doubt the others",
            where="data suspects",
            hint="read them all",
        )
    asked = questions(rows, run.variants.seed)
    run.say(
        f"{counted(folds, 'training')} on about {len(rows) - len(rows) // folds:,} rows; then "
        f"{asked.count:,} answers are read"
    )
    order = ranked(rows, asked, out_of_fold(run, rows, asked.variants, folds))
    first = order[: math.ceil(share * len(rows))]
    against = _contradictions(rows)
    listed = [_listed(suspect, against.pop(suspect.row.id, ())) for suspect in first]
    count = len(against) + sum(bool(row.conflicts) for row in listed)
    suspects = {suspect.row.id: suspect for suspect in order}
    for row in rows:
        if row.id in against:
            listed.append(_listed(suspects.get(row.id, Suspect(row)), against[row.id]))
    spelt = sum(asked.label_of(row) != answer_of(row) for row in rows) if asked.labels else 0
    return Suspects(
        listed=tuple(listed), rows=len(rows), labels=asked.labels,
        not_measured=len(rows) - len(order), conflicts=count, spelt=spelt,
    )  # fmt: skip


def _contradictions(rows: list[harness.Example]) -> dict[str, tuple[str, ...]]:
    """Id of each row -> the rows with its prompt and other answers."""
    return {
        row.id: tuple(other.id for other in group if other.references != row.references)
        for group in conflicts(by_prompt(rows))
        for row in group
    }


def _listed(suspect: Suspect, against: tuple[str, ...]) -> Suspect:
    named = ", ".join(against[:3]) + (" …" if len(against) > 3 else "")
    contradiction = f"the same prompt as {named}, and another answer" if against else ""
    reason = "; ".join(filter(None, (contradiction, suspect.reason)))
    return replace(suspect, reason=reason, conflicts=against)
