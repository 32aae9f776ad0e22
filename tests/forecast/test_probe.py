"""What the probe makes of what it measured."""

from __future__ import annotations

import pytest

from harness.forecast.probe import lengths
from harness.records import Prediction


@pytest.mark.parametrize(
    ("prompt", "completion", "expected"),
    [
        (25, 3, ([3, 3], 0.25)),
        # A mean of tokens beside one of characters would be wrong by what a token has of these.
        (25, None, ([12, 4], 1.0)),
        (None, 3, ([12, 4], 1.0)),
        (None, None, ([12, 4], 1.0)),
    ],
)
def test_answers_and_prompts_are_counted_in_one_unit(prompt, completion, expected):
    answers = [Prediction("a", "twelve chars", "stop", prompt, completion),
               Prediction("b", "four", "stop", prompt, completion)]  # fmt: skip
    assert lengths(answers, 200) == expected
