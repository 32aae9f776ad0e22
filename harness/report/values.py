"""Values as the documents of a run hold them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from harness.kit.text import one_line

TEXT_LIMIT = 2_000
"""Characters of a text of data or of a model."""
SETTING = 120
"""Characters of a value of the config."""


def finite(value: Any) -> float | None:
    """The number, or None for None, NaN, infinities and whatever is no number."""
    if value is None or not isinstance(value, (int, float)):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an integer beyond any float
        return None


def as_json(value: Any) -> Any:
    """A setting as a document holds it: what JSON lacks, as an infinity or a date, as text."""
    if isinstance(value, Mapping):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(inner) for inner in value]
    known = value is None or isinstance(value, (str, int))
    return value if known or finite(value) is not None else str(value)


def shown(value: Any) -> str:
    """A setting in one line: text as it is, everything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return one_line(text, SETTING)
