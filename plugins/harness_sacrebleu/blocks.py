"""Pairs handed to a metric's counting in blocks, without those that have no reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import harness

Pair = tuple[harness.Prediction, harness.Example]
Statistics = list[float] | list[int]
Count = Callable[[Sequence[str], Sequence[Sequence[str]]], Sequence[Statistics]]

_BLOCK = 512


def measured(count: Count, pairs: Sequence[Pair]) -> list[Statistics | None]:
    """Statistics of each pair; None where the example has no reference.

    Args:
        count: answers and the references of each (one or more) to statistics.
    """
    results: list[Statistics | None] = [None] * len(pairs)
    places = [place for place, (_, example) in enumerate(pairs) if example.references]
    for start in range(0, len(places), _BLOCK):
        block = places[start : start + _BLOCK]
        answers = [pairs[place][0].text for place in block]
        references = [pairs[place][1].references for place in block]
        for place, statistics in zip(block, count(answers, references), strict=True):
            results[place] = statistics
    return results
