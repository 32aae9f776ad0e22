"""One sentence on what scores over so many rows can show, and what they cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from harness import Comparison, Scorecard, stats
from harness.kit.numbers import percent
from harness.kit.text import titled
from harness.stats.decision import ALPHA, POWER, usable


def minimum_detectable_effect(
    card: Scorecard, compared: Mapping[str, Mapping[str, Comparison]]
) -> str:
    """The smallest difference that these rows can be expected to show.

    Args:
        card: of one system; its scores are used where nothing is compared.
        compared: system -> score name -> comparison.
    """
    if compared:
        every = list(chain.from_iterable(scores.values() for scores in compared.values()))
        return _of_differences(every, {name: score.caveat for name, score in card.scores.items()})
    names = _scored_groups(card, next(iter(card.scores)))
    doubt = usable(names)
    if doubt:
        return f"These scores describe these rows only: {doubt}. No difference can be judged."
    return _of_one_system(card, _size(len(names), len(set(names))))


def _scored_groups(card: Scorecard, score: str) -> list[str]:
    """The group of each row that has the score."""
    entry = next(entry for entry in card.metrics if score in entry.score_names)
    measured = card.measurements[entry.name]
    return [card.groups[m.example_id] for m in measured if m.statistics is not None]


def _of_differences(every: Sequence[Comparison], caveats: Mapping[str, str]) -> str:
    def named(score: str) -> str:
        return titled(score, caveats.get(score))

    known = next((comparison for comparison in every if comparison.detectable), None)
    if known is not None:
        systems = len(every) > len({comparison.name for comparison in every})
        more = " (before the correction for several systems)" if systems else ""
        return (
            f"With {_size(known.n, known.groups)}, the minimum detectable effect in "
            f"{named(known.name)} is {known.detectable:.3g} at {percent(POWER)} power{more}. "
            "Smaller ones mostly read no evidence, which does not mean that the systems are equal."
        )
    first = every[0]
    if first.doubt:
        return f"No difference between these systems can be judged: {first.doubt}."
    return (
        f"The differences in {named(first.name)} do not vary over "
        f"{_size(first.n, first.groups)}, so these rows do not tell what smaller "
        "difference they could show."
    )


def _of_one_system(card: Scorecard, size: str) -> str:
    known = [s for s in card.scores.values() if s.se and s.low is not None and s.high is not None]
    if not known:
        return f"{size}: none of these scores has an interval, so no difference can be judged."
    first = known[0]
    names = _scored_groups(card, first.name)
    within = ((first.high or 0.0) - (first.low or 0.0)) / 2
    worth = stats.effective_groups(names)
    least = stats.detectable(first.se or 0.0, 1 - ALPHA / 2, worth, POWER)
    return (
        f"With {_size(len(names), len(set(names)))}, "
        f"{titled(first.name, first.caveat)} is known to within {within:.3g} (95 %). Between two "
        "systems whose differences vary as much as these scores do, the minimum detectable effect "
        f"is {least:.3g} at {percent(POWER)} power."
    )


def _size(rows: int, groups: int) -> str:
    """``200 rows in 40 groups``; no groups where each row is one of its own."""
    return f"{rows} rows" if rows == groups else f"{rows} rows in {groups} groups"
