"""Forms: what is one, and which answers keep to it."""

from __future__ import annotations

from typing import Any

import pytest

from harness.kit.forms import is_form, keeps_to

DEEP: dict[str, Any] = {}
for _ in range(100_000):
    DEEP = {"items": DEEP}


@pytest.mark.parametrize("form", [["yes"], ("yes", "no"), {"type": "object"}])
def test_texts_and_schemas_are_forms(form: object) -> None:
    assert is_form(form)


@pytest.mark.parametrize(
    "other",
    [
        None, "yes", [], ["yes", "yes"], ["yes", " "], [True, False], ["yes", 1], {}, 3,
        {"minimum": float("nan")}, {"const": object()}, DEEP,
    ],
)  # fmt: skip
def test_what_is_no_form(other: object) -> None:
    assert not is_form(other)


@pytest.mark.parametrize(
    ("form", "text", "keeps"),
    [
        (["yes", "no"], "yes", True),
        (["yes", "no"], "yes.", False),
        ({"type": "object"}, '{"a": 1}', True),
        ({"type": "null"}, "null", True),
        ({"type": "object"}, '{"a": "cut he', False),
        ({"type": "object"}, "", False),
        ({"type": "object"}, "[" * 100_000, False),
    ],
)
def test_answers_keep_to_a_form_as_whole_json_or_as_one_of_the_texts(form, text, keeps) -> None:
    assert keeps_to(form, text) == keeps
