"""What a summary tells of a search of settings."""

from __future__ import annotations

import math

from harness import Trial
from harness_levers.document import shown_trial


def test_a_number_stays_one_what_is_not_set_is_null_and_all_else_text() -> None:
    values = {"a": 8, "b": 0.5, "c": None, "d": True, "e": "cosine", "f": [1], "g": math.inf}
    trial = shown_trial(Trial(0, values))
    told = {"a": 8, "b": 0.5, "c": None, "d": "true", "e": "cosine", "f": "[1]", "g": "Infinity"}
    assert trial.values == told
