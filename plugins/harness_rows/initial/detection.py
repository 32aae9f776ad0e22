"""What gain the dev rows of a proposed config can show, before any model has answered them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.kit.numbers import counted, percent
from harness.stats.assumed import CHANGED, GRADED, assumed_effect
from harness.stats.decision import POWER, usable

HUNDREDS = ("chrf", "bleu", "ter")
"""Scores that go to 100."""


def sentence(groups: Sequence[str], primary: str, graded: bool, rounds: int) -> str:
    """The minimum detectable effect, or why there is none.

    Computed by :func:`harness.stats.assumed.assumed_effect`.

    Args:
        groups: that of each dev row.
        graded: whether the score has values between pass and fail.
        rounds: planned ones, which set the level of a verdict.
    """
    if doubt := usable(groups):
        return f"nothing: {doubt}"
    least, most = assumed_effect(groups, rounds, graded=graded)
    basis = f"{percent(POWER)} power, {counted(rounds, 'round')} planned"
    if not graded:
        low, high = round(100 * least), round(100 * most)
        size = f"{low} points" if low == high else f"{low} to {high} points"
        return (
            f"a gain of {size} in {primary} ({basis}), if training changes whether "
            f"{percent(CHANGED)} of the rows pass"
        )
    scale, places = (100, 1) if primary in HUNDREDS else (1, 2)
    size = f"{least * scale:.{places}f} to {most * scale:.{places}f}"
    return (
        f"a gain of {size} in {primary} ({basis}), "
        f"if the differences of rows have a standard deviation of {GRADED[0] * scale:g} to "
        f"{GRADED[1] * scale:g}"
    )
