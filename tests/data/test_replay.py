"""How many general rows are learned beside those of the task, and which."""

from __future__ import annotations

from hypothesis import given, strategies as st

from harness.data import replay
from harness.records import Example


@given(st.integers(0, 10_000), st.floats(0, 0.99))
def test_they_are_the_share_of_all_that_is_asked_for(rows: int, share: float) -> None:
    general = replay.wanted(rows, share)
    assert general >= 0
    if rows:
        # One row more or less would not come nearer, up to rounding.
        assert abs(general - share * (rows + general)) <= 0.5 * (1 - share) + 1e-6


def test_the_order_depends_on_the_seed_alone() -> None:
    rows = [Example(str(n), ()) for n in range(30)]
    found = replay.ordered(rows, 7)
    assert found == replay.ordered(rows[::-1], 7) != replay.ordered(rows, 8)
    assert sorted(row.id for row in found) == sorted(row.id for row in rows)
