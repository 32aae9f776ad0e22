"""What preference tuning learns from, and the adapter that it begins."""

from __future__ import annotations

import harness
from harness_transformers import checks

USUAL = {"r": 16, "alpha": 32.0, "target_modules": checks.ALL_LINEAR}
"""Of an adapter that is begun here, as the trainer ``lora`` has them."""


def pairs(row: harness.Example) -> list[tuple[str, str]]:
    """The row's pairs of a chosen and a rejected answer; two answers that are equal are none."""
    return [
        (row.references[0], text) for text in row.rejected
        if row.references and text.strip() != row.references[0].strip()
    ]  # fmt: skip
