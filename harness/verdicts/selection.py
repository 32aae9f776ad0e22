"""That the best round was chosen on dev, which its scores on dev have to say wherever they stand.

The best round is the best of several by the very rows that it is shown on, so its score there is
optimistic: the best of three equally good rounds looks 2.1 points better with 200 rows. The test
set had no part in the choice, and its score stands beside the mark once it was opened.
"""

from __future__ import annotations

from harness.kit.terms import CHOSEN
from harness.kit.text import one_line, titled
from harness.records.summary import Chosen, ShownScore, Summary

SMALL = 1.5
"""Scores up to 1 have three decimals, others one."""


def chosen(summary: Summary) -> Chosen | None:
    """What stands beside the dev scores of a summary's best round; None where nothing was chosen.

    The base model is what every run begins with, so round 0 is not chosen.
    """
    best, primary = summary.kept_round, summary.primary
    if not best:
        return None
    score = summary.test.kept.get(primary) if summary.test else None
    head = f"Round {best} was {CHOSEN} of dev, so its scores on them are optimistic"
    if score is None or score.value is None:
        return Chosen(best, CHOSEN, CHOSEN, f"{head}; the test set was not opened.")
    value, bounds = _in_words(score)
    name = titled(one_line(primary, 80), one_line(score.caveat, 40))
    return Chosen(
        best, CHOSEN, f"{CHOSEN}; test: {value}",
        f"{head}; on the test set it has {name} {value}{bounds}.",
    )  # fmt: skip


def _in_words(score: ShownScore) -> tuple[str, str]:
    """A score, and its interval in words."""
    known = [number for number in (score.value, score.low, score.high) if number is not None]
    digits = 3 if all(abs(number) <= SMALL for number in known) else 1
    value = f"{score.value:.{digits}f}"
    if score.low is None or score.high is None:
        return value, ""
    return value, f" (95 % interval {score.low:.{digits}f} to {score.high:.{digits}f})"
