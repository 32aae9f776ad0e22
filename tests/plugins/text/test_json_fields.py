"""``json``: fields of answers against those of references."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, strategies as st

import harness
from harness_text.json_fields import JsonFields
from tests.support.effort import effort

ORDER = '{"item": "cake", "count": 2, "who": {"name": "Ada"}}'


def test_score(measure):
    for answer, references, score in [
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
        ('{"[]": 1}', ["[1]"], 0.0),
        ('{"a": {"[]": 1}}', ['{"a": [1]}'], 0.0),
        ('[{"a": 1, "b": 2}, {"a": 3, "b": 4}]', ['[{"a": 3, "b": 4}, {"a": 1, "b": 2}]'], 1.0),
        ('[{"a": 1, "b": 2}, {"a": 3, "b": 4}]', ['[{"a": 1, "b": 4}, {"a": 3, "b": 2}]'], 0.5),
        ('[{"a": 1, "b": 2}]', ['[{"a": 1}, {"b": 2}]'], 0.5),
        ('[{"a": 1}, {"a": 1}]', ['[{"a": 1}]'], 2 / 3),
        ("[[1, 2], [3]]", ["[[3], [2, 1]]"], 1.0),
        ("[[1, 2], [3]]", ["[[1], [2, 3]]"], 2 / 3),
        (
            '{"l": [{"n": "x", "t": ["p", "q"]}, {"n": "y", "t": []}]}',
            ['{"l": [{"n": "y", "t": ["p"]}, {"n": "x", "t": ["q"]}]}'],
            6 / 9,
        ),
        (
            '[{"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "c": 1}]',
            ['[{"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 1, "c": 3}]'],
            8 / 12,
        ),
    ]:
        found = measure(JsonFields(), answer, references)
        assert found == (None if score is None else pytest.approx(score)), answer


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["x", " x", ""])
FLAT = st.lists(SCALARS, max_size=5) | st.dictionaries(st.sampled_from("abc"), SCALARS)


@given(FLAT | st.dictionaries(st.sampled_from("abc"), FLAT), st.data())
def test_lists_and_objects_of_single_values_count_each_value_as_often_as_in_both(one, data):
    """As bags of fields, which is what revision 1 did with all values."""

    def fields(value, path=()):
        if isinstance(value, dict) and value:
            return [leaf for key, one in value.items() for leaf in fields(one, (*path, key))]
        if isinstance(value, list) and value:
            return [leaf for one in value for leaf in fields(one, (*path, None))]
        return [(path, type(value), value.strip() if isinstance(value, str) else repr(value))]

    other = data.draw(FLAT | st.dictionaries(st.sampled_from("abc"), FLAT))
    given, wanted = Counter(fields(one)), Counter(fields(other))
    expected = 2 * (given & wanted).total() / (given.total() + wanted.total())
    example = harness.Example("1", (), (json.dumps(other),))
    prediction = harness.Prediction("1", json.dumps(one))
    assert JsonFields().measure(prediction, example) == pytest.approx(expected)


@given(VALUES, VALUES)
def test_equal_values_score_one_and_the_score_is_symmetric(one, other):
    def score(answer, reference):
        example = harness.Example("1", (), (json.dumps(reference),))
        return JsonFields().measure(harness.Prediction("1", json.dumps(answer)), example)

    assert score(one, one) == 1.0
    assert score(one, other) == score(other, one) <= 1.0


@pytest.mark.nightly
@pytest.mark.parametrize("value", [
    [{"a": n} for n in range(3000)],
    [[{"a": n, "b": [n, m]} for n in range(60)] for m in range(60)],
    json.loads("[" * 90 + "1" + "]" * 90),
], ids=["long", "nested", "deep"])  # fmt: skip
def test_great_values_take_no_time_beyond_their_size(value):
    text, other = json.dumps(value), json.dumps([value, {"a": -1}])
    example = harness.Example("1", (), (text, other))

    def measured():
        assert JsonFields().measure(harness.Prediction("1", text), example) == 1.0
        changed = text.replace("1", "8")
        assert JsonFields().measure(harness.Prediction("1", changed), example) < 1.0

    assert effort(measured) < 400


def test_remarks_count_what_is_no_json():
    def pair(answer, *references):
        return harness.Prediction("1", answer), harness.Example("1", (), references)

    pairs = [pair("x", "{}"), pair("{}", "{}"), pair("{}", "y"), pair("{}")]
    assert JsonFields().remarks(pairs) == ["1 of 2 answers are no JSON, and score 0"]
    assert JsonFields().remarks(pairs[1:]) == []
