"""A slice as a condition in SQL on the run's database, where that holds what it is made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.database.contents import RunContents
from harness.kit.features import prompt_features, reply_features
from harness.kit.text import storable
from harness.records import Condition, Prediction, Slice

ASKED = 500
"""Examples that are asked for the names of features."""


def where_sql(slice_: Slice) -> str:
    """The slice as a condition on ``examples JOIN predictions USING (id, split)``."""
    own = () if slice_.from_prompt else tuple(reply_features(Prediction("", "")))
    return " AND ".join(_condition(c, own) for c in slice_.conditions) or "true"


def stored_features(contents: RunContents) -> frozenset[str]:
    """The names of the features that the database holds."""
    known = set(reply_features(Prediction("", "")))
    for row in contents.examples[:ASKED]:
        known.update(prompt_features(row))
    return frozenset(known)


def is_stored(slice_: Slice, features: Collection[str]) -> bool:
    """Whether the database holds what the slice is made of.

    (Distances to training rows and topics, say, are known to their analyzer alone.)
    """
    return all(condition.feature in features for condition in slice_.conditions)


def _condition(condition: Condition, own: Sequence[str]) -> str:
    name, value = condition.feature, condition.value
    # Other names go as a JSON pointer: DuckDB's own paths cannot hold a quotation mark.
    key = name if name.isidentifier() else "/" + name.replace("~", "~0").replace("/", "~1")
    column = name if name in own else f"(features->>{_quoted(key)})"
    if isinstance(value, bool):
        return f"{column} {condition.op} {_quoted(str(value).lower())}"
    if isinstance(value, str):
        return f"{column} {condition.op} {_quoted(value)}"
    return f"TRY_CAST({column} AS DOUBLE) {condition.op} {value!r}"


def _quoted(text: str) -> str:
    return "'" + storable(text).replace("'", "''") + "'"
