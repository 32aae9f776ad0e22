"""The values of a scale: which there are, how they read, and which of them a rater gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness import LONGEST_TEXT, Criterion, DataError, Scale
from harness.kit.text import one_line, storable

SIDES = ("A", "tie", "B")
"""Values of a pairwise scale: which answer is better."""
TAKEN_KEYS = "0usfcrd?"
"""Keys that the page itself uses; no criterion may be given them."""
NA_KEY, OTHER_NA_KEY = "0", "n"
"""Keys for "cannot judge": the other one where 0 is a level, or part of a number to be typed."""


@dataclass(frozen=True, slots=True)
class Option:
    """A value that can be picked.

    Attributes:
        label: the value as text (``4``, ``yes``, ``wrong facts``, ``A``).
        words: its anchor, perhaps empty.
        key: the key that picks it, or empty.
    """

    value: Any
    label: str
    words: str
    key: str


def options(criterion: Criterion) -> tuple[Option, ...]:
    """The values to pick from, in the order shown; none for ``number`` and ``text``."""
    values = _values(criterion.scale)
    keys = criterion.keys or _digits(criterion.scale, values)
    anchors = criterion.scale.anchors
    return tuple(
        Option(value, label(value), anchors.get(label(value), ""), key)
        for value, key in zip(values, keys, strict=True)
    )


def na_key(criterion: Criterion) -> str:
    """The key for "cannot judge", which no value of the criterion has."""
    typed = criterion.scale.kind == "number"
    return OTHER_NA_KEY if typed or any(o.key == NA_KEY for o in options(criterion)) else NA_KEY


def label(value: Any) -> str:
    """A value as raters read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return "; ".join(value)
    if value is None:
        return "cannot judge"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _values(scale: Scale) -> tuple[Any, ...]:
    if scale.kind == "binary":
        return (True, False)
    if scale.kind == "pairwise":
        return SIDES
    if scale.kind == "ordinal" and scale.least is not None and scale.most is not None:
        return tuple(range(int(scale.least), int(scale.most) + 1))
    return scale.choices


def _digits(scale: Scale, values: Sequence[Any]) -> tuple[str, ...]:
    """Default keys: a level itself, any other value's place; none where that is no digit."""
    numbers = values if scale.kind == "ordinal" else range(1, len(values) + 1)
    return tuple(str(number) if 0 <= number <= 9 else "" for number in numbers)


def check(criterion: Criterion, value: Any) -> Any:
    """A value in its one form, as it is stored.

    ``yes`` and ``no`` become True and False, 4.0 becomes 4, choices come in the scale's order.
    An empty list of choices is a value: none of them. Blank text is not: it is to be cleared.

    Raises:
        DataError: the scale does not know the value.
    """
    if value is None and criterion.allow_na:
        return None
    stored = _stored(criterion.scale, value)
    if stored is None:
        raise DataError(
            f"criterion {criterion.id} takes {expected(criterion)}; not {_in_message(value)}"
        )
    return stored


def _stored(scale: Scale, value: Any) -> Any:
    """A value in its one form; None where the scale does not know it."""
    if scale.kind == "binary":
        if value in ("yes", "no"):
            return bool(value == "yes")
        return value if isinstance(value, bool) else None
    if scale.kind == "choices":
        if not isinstance(value, (list, tuple)):
            return None
        if any(choice not in scale.choices for choice in value):
            return None
        return [choice for choice in scale.choices if choice in value]
    if scale.kind == "text":
        text = value.strip() if isinstance(value, str) and len(value) <= LONGEST_TEXT else ""
        return storable(text) or None
    if scale.kind in ("choice", "pairwise"):
        values = scale.choices if scale.kind == "choice" else SIDES
        return value if isinstance(value, str) and value in values else None
    # What is left are numbers; True is an int for Python, and no rating.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if scale.least is None or scale.most is None or not scale.least <= value <= scale.most:
        return None  # also NaN
    if value == int(value):
        return int(value)
    return value if scale.kind == "number" else None


def expected(criterion: Criterion) -> str:
    """The values of a criterion in words, for messages and forms."""
    scale = criterion.scale
    if scale.kind in ("ordinal", "number"):
        number = "a whole number" if scale.kind == "ordinal" else "a number"
        values = f"{number} from {scale.least:g} to {scale.most:g}"
    elif scale.kind == "text":
        values = f"text of 1 to {LONGEST_TEXT:,} characters"
    else:
        labels = ", ".join(option.label for option in options(criterion))
        quantity = "a list of some of" if scale.kind == "choices" else "one of"
        values = f"{quantity}: {labels}"
    return f"{values}, or null (cannot judge)" if criterion.allow_na else values


def _in_message(value: Any) -> str:
    if value is None:
        return "null (cannot judge)"
    if isinstance(value, str):
        return repr(one_line(value, 60))
    if isinstance(value, int) and abs(value) > 10**15:
        return "a number of more than 15 digits"  # Python refuses to write out the longest
    return str(value) if isinstance(value, (bool, int, float)) else f"a {type(value).__name__}"
