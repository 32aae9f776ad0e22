"""Which artifacts of a run a trainer made, and which of them hold what was not chosen."""

from __future__ import annotations

import pytest

from harness.run.pins import steps_of
from harness.run.uses import Use


@pytest.mark.parametrize(
    ("stage", "trained", "to_choose_from"),
    [
        ("train", True, False),
        ("train 1", True, False),
        (steps_of("train"), True, True),
        (steps_of("train 1"), True, True),
        ("generate", False, False),
        ("training", False, False),
    ],
)
def test_kinds_of_trainings(stage: str, trained: bool, to_choose_from: bool) -> None:
    use = Use(stage, "0a", "main", 1)
    assert (use.trained, use.to_choose_from) == (trained, to_choose_from)
