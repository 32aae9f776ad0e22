"""Axes of drawings."""

from __future__ import annotations

from hypothesis import given, strategies as st

from harness.kit.html.axes import Scale, tick_labels, ticks


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_hold_the_values_and_can_be_told_apart(low: float, span: float) -> None:
    marks = ticks(low, low + span)
    slack = 1e-6 * (marks[1] - marks[0]) + 1e-9 * abs(low)
    assert marks[0] <= low + slack and marks[-1] >= low + span - slack
    assert 2 <= len(marks) <= 7
    if span > 1e-4 * (1 + abs(low)):
        assert len(set(tick_labels(marks))) == len(marks)


def test_one_value_alone_has_an_axis() -> None:
    marks = ticks(0.0, 0.0)
    assert marks[0] < 0 < marks[-1]
    assert Scale(1, 1, 0, 10)(1) == 5
