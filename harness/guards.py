"""Guards: scores, or slices of dev, that a round must not make significantly worse.

A round that improves the primary score and breaks a guard is not kept, and its verdict says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness import verdicts
from harness.aims import Guard
from harness.records import Example, GuardResult, Measurement, Verdict
from harness.scoring import Entry, Groups


def judge(
    guards: Iterable[Guard],
    entries: Sequence[Entry],
    primary: str,
    rows: Sequence[Example],
    new: Mapping[str, Sequence[Measurement]],
    old: Mapping[str, Sequence[Measurement]],
    groups: Groups,
    *,
    rounds: int,
    against: str,
    seed: int,
) -> tuple[GuardResult, ...]:
    """Each guard's verdict: ``regressed`` is a guard that is broken.

    Args:
        entries: the run's metrics; each guard's score is one of theirs.
        new, old: metric entry -> measurements of the same rows.
        rounds: how many rounds are planned, which sets the level as for the primary score.
    """
    found = []
    for guard in guards:
        score = guard.score or primary
        entry = next(one for one in entries if score in one.score_names)
        ids = {row.id for row in rows if guard.covers(row)}
        sides = [
            [m for m in side[entry.name] if m.example_id in ids] for side in (new, old)
        ]  # fmt: skip
        verdict = verdicts.judge(
            entry,
            score,
            sides[0],
            sides[1],
            groups,
            alpha=verdicts.alpha_of(rounds),
            against=against,
            seed=seed,
        )
        found.append(GuardResult(guard.name(primary), verdict))
    return tuple(found)


def refuse(verdict: Verdict, guards: Iterable[GuardResult]) -> str:
    """What the round's verdict has to add where a guard is broken, or an empty string."""
    broken = [guard for guard in guards if guard.verdict.label == "regressed"]
    if not broken or verdict.label != "improved":
        return ""
    told = "; ".join(f"{guard.name}: {guard.verdict.sentence}" for guard in broken)
    return f" Not kept, since a guard is broken: {told}"
