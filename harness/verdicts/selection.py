"""That the best round was chosen on dev, which its scores on dev have to say wherever they stand.

The best round is the best of several by the very rows that it is shown on, so its score there is
optimistic: the best of three equally good rounds looks 2.1 points better with 200 rows. The test
set had no part in the choice, and its score stands beside the mark once it was opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.kit.terms import CHOSEN
from harness.kit.text import one_line, titled

SMALL = 1.5
"""Scores up to 1 have three decimals, others one."""


def chosen(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """What stands beside the dev scores of a summary's best round; None where nothing was chosen.

    The base model is what every run begins with, so round 0 is not chosen.

    Returns:
        ``round``; ``mark``, for tables; ``short``, the mark with test's primary score where there
        is one; ``sentence``.
    """
    best = document.get("kept_round")
    if not best:
        return None
    test = _test(document)
    head = f"Round {best} was {CHOSEN} of dev, so its scores on them are optimistic"
    if test is None:
        return {
            "round": best, "mark": CHOSEN, "short": CHOSEN,
            "sentence": f"{head}; the test set was not opened.",
        }  # fmt: skip
    value, bounds = test
    caveat = document["test"]["kept"][document["primary"]].get("caveat")
    name = titled(one_line(document["primary"], 80), one_line(caveat or "", 40))
    return {
        "round": best, "mark": CHOSEN, "short": f"{CHOSEN}; test: {value}",
        "sentence": f"{head}; on the test set it has {name} {value}{bounds}.",
    }  # fmt: skip


def _test(document: Mapping[str, Any]) -> tuple[str, str] | None:
    """The best round's primary score on test, and its interval in words."""
    score = ((document.get("test") or {}).get("kept") or {}).get(document["primary"]) or {}
    value, low, high = (score.get(key) for key in ("value", "low", "high"))
    if value is None:
        return None
    known = [number for number in (value, low, high) if number is not None]
    digits = 3 if all(abs(number) <= SMALL for number in known) else 1
    if low is None or high is None:
        return f"{value:.{digits}f}", ""
    return f"{value:.{digits}f}", f" (95 % interval {low:.{digits}f} to {high:.{digits}f})"
