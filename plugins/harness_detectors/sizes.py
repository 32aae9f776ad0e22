"""Length and likeness of an answer against its references."""

from __future__ import annotations

from collections import Counter

from harness_detectors.reading import Reading, count, words


def too_short(reading: Reading, part: float) -> str:
    """Fewer words than ``part`` of the shortest reference's."""
    have, want = count(reading.whole), min(map(count, reading.wanted), default=0)
    return f"{have} words, references {want}" if have < part * want else ""


def too_long(reading: Reading, times: float) -> str:
    """More words than ``times`` the longest reference's."""
    have, want = count(reading.whole), max(map(count, reading.wanted), default=0)
    return f"{have} words, references {want}" if want and have > times * want else ""


def low_overlap(reading: Reading, least: float) -> str:
    """The best word overlap, where it is under ``least``."""
    if not reading.references:
        return ""
    best = max(overlap(reading.words, words(text)) for text in reading.references)
    return f"word overlap {best:.2f}" if best < least else ""


def overlap(mine: list[str], theirs: list[str]) -> float:
    """F1 of the two bags of words, 0 to 1."""
    bag, other = Counter(mine), Counter(theirs)
    common = (bag & other).total()
    return 2 * common / (bag.total() + other.total()) if common else 0.0
