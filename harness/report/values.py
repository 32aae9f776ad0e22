"""Values as the documents of a run hold them."""

from __future__ import annotations

import math
from typing import Any

TEXT_LIMIT = 2_000
"""Characters of a text of data or of a model."""


def finite(value: Any) -> float | None:
    """The number, or None for None, NaN, infinities and whatever is no number."""
    if value is None or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value
