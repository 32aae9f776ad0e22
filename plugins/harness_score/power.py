"""One sentence on what scores over so many rows can show, and what they cannot."""

from __future__ import annotations

from collections.abc import Mapping

from harness import Comparison, Scorecard, stats
from harness.kit.numbers import percent, sized
from harness.kit.text import one_line, titled
from harness.stats.decision import ALPHA, POWER, usable


def minimum_detectable_effect(
    card: Scorecard, compared: Mapping[str, Mapping[str, Comparison]], primary: str | None
) -> str:
    """The smallest difference that these rows can be expected to show.

    Args:
        card: of one system; its scores are used where nothing is compared.
        compared: system -> score name -> comparison.
        primary: the score that decides; None: the first one that can be judged.
    """
    if compared:
        return _of_differences(compared, card, primary)
    names = _scored_groups(card, next(iter(card.scores)))
    doubt = usable(names)
    if doubt:
        return f"These scores describe these rows only: {doubt}. No difference can be judged."
    return _of_one_system(card, sized(len(names), len(set(names))))


def _scored_groups(card: Scorecard, score: str) -> list[str]:
    """The group of each row that has the score."""
    entry = next(entry for entry in card.metrics if score in entry.score_names)
    measured = card.measurements[entry.name]
    return [card.groups[m.example_id] for m in measured if m.statistics is not None]


def _of_differences(
    compared: Mapping[str, Mapping[str, Comparison]], card: Scorecard, primary: str | None
) -> str:
    """Of the score that decides; where none is named, of the first one that can be judged."""
    every = [difference for scores in compared.values() for difference in scores.values()]
    asked = [difference for difference in every if primary in (None, difference.name)]
    shown = next((difference for difference in asked if difference.detectable), asked[0])
    called = titled(shown.name, card.scores[shown.name].caveat)
    if len(compared) == 1:
        return shown.power_and_need(called)
    needs = [
        f"{scores[shown.name].rows_needed:,} rows ({one_line(system, 60)})"
        for system, scores in compared.items()
        if scores[shown.name].lacks_rows
    ]
    sentences = [shown.power(called)]
    if needs:
        sentences.append(f"True differences of the sizes seen would take about {', '.join(needs)}.")
    if shown.detectable:
        sentences.append("All of this is before the correction for several systems.")
    return " ".join(sentences)


def _of_one_system(card: Scorecard, size: str) -> str:
    with_interval = [
        s for s in card.scores.values() if s.se and s.low is not None and s.high is not None
    ]
    if not with_interval:
        return f"{size}: none of these scores has an interval, so no difference can be judged."
    first = with_interval[0]
    names = _scored_groups(card, first.name)
    within = ((first.high or 0.0) - (first.low or 0.0)) / 2
    worth = stats.effective_groups(names)
    least = stats.detectable(first.se or 0.0, 1 - ALPHA / 2, worth, POWER)
    return (
        f"With {sized(len(names), len(set(names)))}, "
        f"{titled(first.name, first.caveat)} is known to within {within:.3g} (95 %). Between two "
        "systems whose differences vary as much as these scores do, the minimum detectable effect "
        f"is {least:.3g} at {percent(POWER)} power."
    )
