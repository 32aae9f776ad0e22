"""Rows dealt to several that share the work on them."""

from __future__ import annotations

from harness.kit.shares import deal


def test_shares_are_alike_and_cover_every_row() -> None:
    assert deal([5, 1, 1, 1, 4], 2) == [[0, 2], [1, 3, 4]]
    assert deal([7], 3) == [[0], [], []]
    assert deal([], 2) == [[], []]
