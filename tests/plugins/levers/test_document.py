"""What a summary tells of a search of settings."""

from __future__ import annotations

import math

from harness import Trial
from harness_levers.document import searched
from harness_levers.records import Search


def test_a_number_stays_one_what_is_not_set_is_null_and_all_else_text() -> None:
    values = {"a": 8, "b": 0.5, "c": None, "d": True, "e": "cosine", "f": [1], "g": math.inf}
    search = Search("loss", False, 1, 120, 2, (Trial(0, values),))
    (trial,) = searched(search).trials
    told = {"a": 8, "b": 0.5, "c": None, "d": "true", "e": "cosine", "f": "[1]", "g": "Infinity"}
    assert trial.values == told
