"""The options of a run in their order: what has shown most for its cost comes first.

First comes *stop*, where nothing is left to gain: then nothing is asked that takes time to find
out. Then what the model lost beside the task; then more ratings, where few give the score that all
gains are told in; then what can be had now, without a row more (a prompt, an arm that was trained),
by its gain; then what puts the primary score in doubt; then what is shown or likely, by its
expected gain for an hour; then what is not known, by how many signs ask for it and what it costs to
find out; last what is not worth it.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness import Analysis
from harness_levers.advise.evidence import arms, ceiling, data, forgetting, metric, prompts
from harness_levers.advise.options import Option
from harness_levers.advise.run import Run

SOURCES = (
    ceiling.ceiling, forgetting.replay, prompts.prompts, arms.settings, arms.models, arms.seeds,
    data.labels, data.rows, data.written, data.another_round, metric.metric, metric.ratings,
)  # fmt: skip
FREE = ("prompt", "settings", "model")
"""Levers that take no row more."""


def ranked(document: Analysis, words: Sequence[str] = ("harness", "iterate")) -> list[Option]:
    """All options, the best first; none for a run without a trained round.

    Args:
        words: of the command that goes on with the run.
    """
    if len(document.rounds) < 2:
        return []
    run = Run(document, words)
    options = [option for source in SOURCES for option in source(run)]
    if any(option.lever == "stop" for option in options):
        options = [option for option in options if option.state != "open"]
    return sorted(options, key=_order)


def _order(option: Option) -> tuple[int, float, float]:
    if option.lever == "stop":
        return 0, 0.0, 0.0
    if option.lever == "replay":
        return 1, 0.0, 0.0
    if option.state == "likely" and option.lever == "ratings":
        return 2, 0.0, 0.0
    if option.state == "shown" and option.lever in FREE:
        return 3, -(option.gain or 0.0), 0.0
    if option.state == "likely" and option.lever == "metric":
        return 4, 0.0, 0.0
    if option.state in ("shown", "likely"):
        return 5, -option.worth, option.hours
    if option.state == "open":
        return 6, -option.urgency, option.hours
    return 7, 0.0, 0.0
