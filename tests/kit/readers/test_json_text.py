"""The columns of a line of JSON are true, and what is wrong with one has a column."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, strategies as st

from harness.kit import strict_json
from harness.kit.readers import json_text

TEXTS = st.text(st.characters(exclude_categories=("Cs",)))
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=12
)
SPACED = st.sampled_from([(", ", ": "), (",", ":"), (" ,\t", " :\r")])


@given(VALUES, SPACED)
def test_places_are_where_keys_and_values_begin(value: Any, separators: tuple[str, str]) -> None:
    text = json.dumps(value, separators=separators)
    for place in json_text.walk(text):
        found, _ = json.JSONDecoder().raw_decode(text, place.column - 1)
        target = value
        for step in place.path[:-1] if place.is_key else place.path:
            target = target[step]
        assert found == (place.path[-1] if place.is_key else target)
        assert json_text.column(text, place.path, key=place.is_key) == place.column


@given(st.binary(max_size=40))
def test_any_bytes_give_a_value_or_faults_with_their_columns(raw: bytes) -> None:
    try:
        strict_json.parse(raw)
    except strict_json.Fault:
        faults = json_text.faults(raw)
        assert faults and all(column >= 1 and reason for column, reason in faults)
    else:
        assert not json_text.faults(raw)


def test_a_place_that_is_not_there_is_that_of_its_surroundings() -> None:
    text = '{"messages": [{"role": "user"}]}'
    assert json_text.column(text, ("messages", 0, "content")) == 15
    assert json_text.column(text, ("meta",)) == 1
