"""Whether the best round is better than the base model under another prompt: is training needed?

Each prompt is one comparison, by the rule of the rounds' verdicts. Training is worth it if the best
round beats each of them, an intersection-union test: as every one has to be beaten, none of the
comparisons has to allow for the others (Berger, *Multiparameter hypothesis testing and acceptance
sampling*, 1982).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from harness.records import Measurement, Verdict
from harness.stats.decision import alpha_of
from harness.verdicts import rule
from harness.verdicts.rule import DecidingScore


def judge(
    score: DecidingScore,
    best: Sequence[Measurement],
    asked: Sequence[Measurement],
    name: str,
    *,
    round_: int,
    rounds: int,
    min_gain: float = 0.0,
) -> Verdict:
    """The best round against the base model under one prompt.

    The round was chosen on the same rows as the best of several, which each bound allows for: its
    error is .05 / ``rounds``, so that the best of all rounds is wrongly called better in 5 % at
    most, for each prompt.

    Args:
        best, asked: measurements of the same examples by the score's metric.
        name: the prompt's.
        round_: the best round; 0: none improved, and the base model as it is asked stands for it.
        rounds: that are planned.
    """
    found = rule.judge(score, best, asked, alpha=alpha_of(rounds), min_gain=min_gain)
    who = f"round {round_}" if round_ else "the base model without it"
    heads = {
        "improved": f"{who} is better than {name}",
        "regressed": f"the prompt is better: {name} beats {who}",
    }
    head = heads.get(found.label, f"{who} is not shown to be better than {name}")
    told = found.sentence.removeprefix(f"{found.label}: ")
    sentence = f"{found.label}: {head}: {told}"
    return dataclasses.replace(found, against=name, sentence=sentence)
