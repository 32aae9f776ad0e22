"""The same model asked twice: whether its two processes answer alike.

If they do, it is chance which of them gave which of two answers. So the sides of each row are
swapped at random (:func:`harness.stats.randomisation`), and a difference that few swaps reach is
one between the processes. Rows are swapped one by one, in groups or not: what differs between two
processes with the same weights is rounding, row by row.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.kit.numbers import counted
from harness.records import Measurement
from harness.verdicts.comparison import compare_measurements
from harness.verdicts.rule import DecidingScore
from harness.verdicts.sentences import change

ONE_PASS = " Both sides were asked in one pass of one process."
_ASKED = "the base model, asked {} again in a process of its own"


def compare(
    score: DecidingScore,
    again: Sequence[Measurement],
    before: Sequence[Measurement],
    *,
    changed: int,
    alpha: float,
) -> tuple[str, str]:
    """Whether the base model's scores are others than before.

    Args:
        score: the deciding one; rows are taken one by one.
        again, before: measurements of the same rows.
        changed: answers that are others than before.
        alpha: of this test; all checks of a run may err in 5 % together.

    Returns:
        Why there is no verdict, or an empty text; and a sentence to follow a verdict.
    """
    rows = counted(len(again), "row")
    comparison = compare_measurements(
        score.entry, {"again": again}, before, score.groups,
        seed=score.seed, test="randomisation", alpha=alpha, draws=score.draws,
    )["again"][score.name]  # fmt: skip
    asked = _ASKED.format(rows)
    if comparison.p is None or comparison.difference is None:
        why = comparison.doubt or "its score cannot be computed"
        return "", f" Whether processes answer alike is not known: {asked}, {why}."
    moved = change(score.entry, score.title, "", comparison.difference)
    if comparison.label != "no evidence":
        return (
            f"{asked}, does not score as before ({moved}, "
            f"p {comparison.p:.2g}, limit {alpha:.2g}): the difference may be one between processes"
        ), ""
    same = f"gave {changed} other answers than before" if changed else "answered all as before"
    shown = f"; no difference is shown ({moved}, p {comparison.p:.2g})" if changed else ""
    return "", f" {asked[0].upper()}{asked[1:]}, {same}{shown}."


def beside(name: str, changed: int, rows: int, value: float | None, before: float | None) -> str:
    """A sentence to follow a verdict whose two sides were answered in one pass.

    Args:
        name: of the older side.
        changed: answers of it, of so many rows, that are others than those first given.
        value, before: its scores, in this pass and first.
    """
    if not changed or value is None or before is None:
        return ONE_PASS
    return (
        f"{ONE_PASS} There {changed} of {rows} answers of {name} are others than those it gave "
        f"first (a score of {value:.4g}, first {before:.4g})."
    )
