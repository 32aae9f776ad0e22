"""Values written as YAML read back as they were."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from harness.kit import yaml_file
from harness_rows.yaml_text import value

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    TEXTS | st.integers() | st.integers(1, 999).map(lambda n: n / 1000),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_round_trip(of):
    assert yaml_file.scalar(f"key: {value(of)}") == {"key": of}


@pytest.mark.parametrize(
    ("of", "shown"),
    [
        ("rows.jsonl", "rows.jsonl"),
        ("no", '"no"'),
        ("a: b", '"a: b"'),
        ("12", '"12"'),
        ("", '""'),
        ("a\u2028b\x07\U000e0001", '"a\\u2028b\\u0007\\U000e0001"'),
        ({"train": 0.6, "dev": 20}, "{train: .6, dev: 20}"),
        (["a", 1], "[a, 1]"),
    ],
)
def test_form(of, shown):
    assert value(of) == shown
