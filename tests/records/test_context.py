"""Numbers that a stage tells with its steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.records.context import Context, values_in


def test_numbers_of_a_step_are_told_in_its_text_and_found_there(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    context = Context(tmp_path, report=lambda *step: told.append(step))
    context.progress(1, 3, "steps")
    context.progress(2, 3, "steps", loss=0.83456, eval_loss=-2e-9, rate=12_345.0)
    context.progress(3, 3, loss=float("nan"))
    assert told == [
        (1, 3, "steps"), (2, 3, "steps, loss 0.8346, eval_loss -2e-09, rate 1.234e+04"),
        (3, 3, ", loss nan"),
    ]  # fmt: skip
    assert [list(values_in(what)) for _, _, what in told] == [
        [], [("loss", 0.8346), ("eval_loss", -2e-9), ("rate", 12_340.0)], [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "what",
    ["", "loss 0.8", "steps,loss 0.8", "waiting, 12 s", "rows, 3 of 4", "a, b c 1", ", loss"],
)
def test_other_texts_hold_no_number(what: str) -> None:
    assert list(values_in(what)) == []
