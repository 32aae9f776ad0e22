"""Answers that decline to do what was asked."""

from __future__ import annotations

from harness.kit.refusals import declines
from harness_detectors.reading import Reading


def refusal(reading: Reading) -> str:
    """The words that decline, where no reference declines too."""
    words = declines(reading.text)
    return "" if any(map(declines, reading.references)) else words
