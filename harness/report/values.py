"""Values as the documents of a run hold them."""

from __future__ import annotations

import json
import math
from typing import Any

from harness.kit.text import one_line

TEXT_LIMIT = 2_000
"""Characters of a text of data or of a model."""
SETTING = 120
"""Characters of a value of the config."""


def finite(value: Any) -> float | None:
    """The number, or None for None, NaN, infinities and whatever is no number."""
    if value is None or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value


def shown(value: Any) -> str:
    """A setting in one line: text as it is, everything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return one_line(text, SETTING)
