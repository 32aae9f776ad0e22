"""JSON, lists, code and plain text."""

from __future__ import annotations

import pytest

from harness_detectors.formats import kind_of

JSON = '{"city": "Lisbon", "age": 34}'
CODE = "def add(a, b):\n    return a + b"
LIST = "- bread\n- butter"
PLAIN = "Bread and butter are needed."


def test_what_a_text_is():
    for text, kind in [
        (JSON, "JSON"), ("[1, 2]", "JSON"), ("[]", "JSON"), ('{"a": [', "JSON"),
        (f"```json\n{JSON}\n```", "JSON"), ("[1] See there [2]", "plain text"),
        ("[see below]", "plain text"), (LIST, "a list"), ("1. a\n2. b\nThat is all.", "a list"),
        ("- only one", "plain text"), (CODE, "code"), ("x = f(3)\ny = 2", "code"),
        ("print(5)", "code"), ("for n in range(5): print(n)", "code"),
        ("SELECT name FROM people", "code"), ("int main() {\n  return 0;\n}", "code"),
        (f"```\n{CODE}", "code"), (f"Here it is:\n```\n{CODE}\n```", "code"),
        (f"```\nx\n```\nThis function does a lot more than {PLAIN}", "plain text"),
        (PLAIN, "plain text"), ("Answer: Paris", "plain text"), ("Total = 15", "plain text"),
        ("12 * 12 = 120", "plain text"), ("Name: Maria\nCity: Lisbon", "plain text"),
        ("Lisbon (Portugal)", "plain text"), ("global warming", "plain text"),
        ("apples;\npears;\nplums;", "plain text"), ("Return True if x.", "plain text"),
        ("", "plain text"),
    ]:  # fmt: skip
        assert kind_of(text) == kind, text


@pytest.mark.parametrize(
    ("answer", "reference", "evidence"),
    [
        (PLAIN, JSON, "plain text instead of JSON: Bread and butter are needed."),
        (JSON, PLAIN, f"JSON instead of plain text: {JSON}"),
        (f"```python\n{CODE}\n```", PLAIN, "code instead of plain text: ```python def add(a, b):"),
        (PLAIN, LIST, "plain text instead of a list: Bread and butter are needed."),
        ('{"age": 34 5}', JSON, "JSON that does not parse: Expecting ',' delimiter"),
        ('{"age": NaN}', JSON, "JSON that does not parse: NaN is no JSON"),
        ("def add(a, b:\n    return a + b", CODE, "code that does not parse:"),
    ],
)
def test_another_format_than_the_references(labels, answer, reference, evidence):
    assert labels(answer, reference)["wrong format"].startswith(evidence)


@pytest.mark.parametrize(
    ("answer", "references"),
    [
        (f"```json\n{JSON}\n```", (JSON,)),
        ("1. bread\n2. butter", (LIST,)),
        (f"```python\n{CODE}\n```", (CODE,)),
        (PLAIN, (JSON, PLAIN)),
        ("int f() { return 1 }", ("int f() { return 1; }",)),
        ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", (JSON,)),
        (f'{{"n": {"9" * 6000}}}', (JSON,)),
    ],
)
def test_what_is_no_wrong_format(labels, answer, references):
    assert "wrong format" not in labels(answer, *references)


def test_a_cut_answer_need_not_parse(labels):
    assert "wrong format" not in labels('{"city": "Lis', JSON, finish="length")
    assert "wrong format" in labels('{"city": "Lis', JSON)


@pytest.mark.parametrize(
    ("prompt", "right", "wrong"),
    [
        ("Answer as JSON.", JSON, PLAIN),
        ("Give me a bulleted list of what I need.", LIST, PLAIN),
        ("Write a function that adds. Code only.", CODE, PLAIN),
    ],
)
def test_without_references_the_prompt_says_what_is_wanted(labels, prompt, right, wrong):
    assert "wrong format" not in labels(right, prompt=prompt)
    assert "wrong format" in labels(wrong, prompt=prompt)
    assert "wrong format" not in labels(wrong, prompt="What is JSON?")
