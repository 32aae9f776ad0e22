"""What gain the dev rows of a proposed config can show, before any model has answered them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.kit.numbers import counted, percent
from harness.stats.assumed import assumed_effect
from harness.stats.decision import POWER, usable

HUNDREDS = ("chrf", "bleu", "ter")
"""Scores that go to 100."""


def sentence(groups: Sequence[str], primary: str, graded: bool, rounds: int) -> str:
    """The minimum detectable effect and what it rests on, or why there is none."""
    shown = gain(groups, primary, graded, rounds)
    if usable(groups):
        return shown
    basis = f"{percent(POWER)} power, {counted(rounds, 'round')} planned"
    return (
        f"{shown} in {primary} ({basis}): the less if training changes few rows, the more "
        "if old and new scores are unrelated"
    )


def gain(groups: Sequence[str], primary: str, graded: bool, rounds: int) -> str:
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
    if graded:
        scale, places = (100, 1) if primary in HUNDREDS else (1, 2)
        ends, unit = [f"{end * scale:.{places}f}" for end in (least, most)], ""
    else:
        ends, unit = [f"{100 * end:.0f}" for end in (least, most)], " points"
    return f"a gain of {' to '.join(dict.fromkeys(ends))}{unit}"
