"""How much of a gain is on answers that were malformed before and are not any more.

A first training often teaches a model the form of its answers, and a score of overlap rewards that
as it rewards content. Which kinds of errors mean that an answer is malformed is a matter of the
detectors (:meth:`harness.Detector.malformed`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from harness.kit.numbers import percent
from harness.kit.terms import shown
from harness.records import ErrorLabel, Remark, ScoredExample

HALF = 0.5
"""Share of the gain from which on it is said."""


def mended(
    new: Sequence[ScoredExample],
    old: Sequence[ScoredExample],
    labels: tuple[Iterable[ErrorLabel], Iterable[ErrorLabel]],
    *,
    malformed: Collection[str],
    score: str,
    higher_is_better: bool,
    against: str,
) -> tuple[Remark, ...]:
    """A remark, where answers that are malformed no more carry over half of the gain.

    The gain is the sum of the rows' own differences in ``score``, over the rows that both sides
    scored.

    Args:
        labels: the kinds of errors of the new answers, and of the old ones.
        against: what the old answers are called, such as ``round 0``.
    """
    after, before = (_malformed(side, malformed) for side in labels)
    values = {row.example.id: row.values.get(score) for row in old}
    sign = 1 if higher_is_better else -1
    gains: dict[str, float] = {}
    for row in new:
        value, base = row.values.get(score), values.get(row.example.id)
        if value is not None and base is not None:
            gains[row.example.id] = sign * (value - base)
    cured = [name for name in gains if name in before and name not in after]
    total, theirs = sum(gains.values()), sum(gains[name] for name in cured)
    if total <= 0 or theirs <= HALF * total:
        return ()
    kinds = Counter(kind for name in cured for kind in before[name])
    by_count = sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))
    named = ", ".join(f"{shown('category', kind)} {n}" for kind, n in by_count)
    share = "All" if theirs >= total else percent(theirs / total)
    sentence = (
        f"{share} of the gain is on {len(cured)} of {len(gains)} answers that were malformed in "
        f"{against} and no longer are ({named}): it may be format more than content."
    )
    figures = {"share": theirs / total, "mended": len(cured), "answers": len(gains)}
    return (Remark("form", sentence, figures),)


def _malformed(labels: Iterable[ErrorLabel], kinds: Collection[str]) -> dict[str, set[str]]:
    """Example id -> the kinds by which its answer is malformed; only those that are."""
    by_answer: dict[str, set[str]] = {}
    for label in labels:
        if label.category in kinds:
            by_answer.setdefault(label.example_id, set()).add(label.category)
    return by_answer
