"""``json``: fields of answers against those of references."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

import harness
from harness_text.json_fields import JsonFields

ORDER = '{"item": "cake", "count": 2, "who": {"name": "Ada"}}'


@pytest.mark.parametrize(
    ("answer", "references", "score"),
    [
        (ORDER, [ORDER], 1.0),
        ('{"who": {"name": " Ada "}, "count": 2.0, "item": "cake"}', [ORDER], 1.0),
        ('{"item": "cake", "count": "2", "who": {"name": "Ada"}}', [ORDER], 2 / 3),
        ('{"item": "cake"}', [ORDER], 0.5),
        ('{"name": "Ada"}', [ORDER], 0.0),
        ("cake for Ada", [ORDER], 0.0),
        (f"```json\n{ORDER}\n```", [ORDER], 0.0),
        ("", [ORDER], 0.0),
        ('{"a": 1, "a": 1}', ['{"a": 1}'], 0.0),
        ('{"a": NaN}', ['{"a": null}'], 0.0),
        ('{"a": true}', ['{"a": 1}'], 0.0),
        ('{"a": 1}', ['{"a": true}', '{"a": 1}'], 1.0),
        ("[1, 2, 2]", ["[2, 1, 2]"], 1.0),
        ("[1, 2]", ["[1, 2, 2]"], 0.8),
        ("[]", ["[]"], 1.0),
        ("{}", ["[]"], 0.0),
        ('{"a": {}}', ['{"a": {}}'], 1.0),
        ('{"a": 1}', ["no JSON", '{"a": 1}'], 1.0),
        ('{"a": 1}', ["no JSON"], 0.0),
        ("no JSON ", ["no JSON"], 1.0),
        ("yes", ['"yes"'], 0.0),
        ('{"a": 1}', [], None),
        ("[" * 100_000, ["[1]"], 0.0),
        ("1" * 5000, ["1"], 0.0),
    ],
)
def test_score(answer, references, score, measure):
    found = measure(JsonFields(), answer, references)
    assert found == (None if score is None else pytest.approx(score))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_equal_values_score_one_and_the_score_is_symmetric(one, other):
    def score(answer, reference):
        example = harness.Example("1", (), (json.dumps(reference),))
        return JsonFields().measure(harness.Prediction("1", json.dumps(answer)), example)

    assert score(one, one) == 1.0
    assert score(one, other) == score(other, one) <= 1.0


def test_remarks_count_what_is_no_json():
    def pair(answer, *references):
        return harness.Prediction("1", answer), harness.Example("1", (), references)

    pairs = [pair("x", "{}"), pair("{}", "{}"), pair("{}", "y"), pair("{}")]
    assert JsonFields().remarks(pairs) == ["1 of 2 answers are no JSON, and score 0"]
    assert JsonFields().remarks(pairs[1:]) == []
