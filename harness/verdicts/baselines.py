"""Whether the best round is better than the base model under another prompt: is training needed?

Each prompt is one comparison, by the rule of the rounds' verdicts. Training is worth it if the best
round beats each of them, an intersection-union test: as every one has to be beaten, none of the
comparisons has to allow for the others (Berger, *Multiparameter hypothesis testing and acceptance
sampling*, 1982). For the same reason the gain over both the base model and a prompt is at least the
smaller of the two lower bounds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

from harness.kit.documents import as_document, finite
from harness.kit.numbers import amount, at_least, counted
from harness.kit.text import one_line
from harness.records import Measurement, Score, Verdict
from harness.records.summary import Scores, ShownBestPrompt, ShownUsage
from harness.verdicts import rule
from harness.verdicts.rule import DecidingScore
from harness.verdicts.sentences import number, percent, required


def judge(
    score: DecidingScore,
    best: Sequence[Measurement],
    asked: Sequence[Measurement],
    name: str,
    *,
    round_: int,
    alpha: float,
    min_gain: float = 0.0,
) -> Verdict:
    """The best round against the base model under one prompt.

    Args:
        best, asked: measurements of the same examples by the score's metric.
        name: the prompt's.
        round_: the best round; 0: none improved, and the base model as it is asked stands for it.
        alpha: error allowed to each bound. On dev the round was chosen as the best of several on
            the same rows, so it is .05 / R for R planned rounds: then the best of all rounds is
            wrongly called better in 5 % at most, for each prompt. On test it is the opening's.
    """
    verdict = rule.judge(score, best, asked, alpha=alpha, min_gain=min_gain)
    who = f"round {round_}" if round_ else "the base model without it"
    heads = {
        "improved": f"{who} is better than {name}",
        "regressed": f"the prompt is better: {name} beats {who}",
    }
    head = heads.get(verdict.label, f"{who} is not shown to be better than {name}")
    figures = verdict.sentence.removeprefix(f"{verdict.label}: ")
    sentence = f"{verdict.label}: {head}: {figures}"
    return dataclasses.replace(verdict, against=name, sentence=sentence)


def reached(
    score: DecidingScore, verdict: Verdict, name: str, split: Literal["dev", "test"],
    thousand: ShownUsage | None, *, round_: int,
) -> str:  # fmt: skip
    """Whether the best round reaches another model, and what that one's answers cost.

    Only what is shown to be better is said to reach it: a difference that is not shown is none
    that was excluded.

    Args:
        verdict: of the best round against it.
        round_: the best round; 0: none improved, and the base model stands for it.
    """
    who = f"round {round_}" if round_ else "the base model (no round improved on it)"
    if verdict.difference is None or verdict.low is None or verdict.high is None:
        figures = verdict.sentence.removeprefix(f"{verdict.label}: ")
        outcome = f"Whether {who} reaches {name} cannot be judged: {figures}"
    else:
        show = number(score.entry)
        heads = {
            "improved": f"reaches {name} and is better",
            "regressed": f"does not reach {name}",
        }
        head = heads.get(verdict.label, f"cannot be told from {name}")
        outcome = (
            f"{who[:1].upper()}{who[1:]} {head}: a difference of {show(verdict.difference)} in "
            f"{score.title} on {split}, bounds {show(verdict.low)} to {show(verdict.high)} at "
            f"{percent(verdict.level)} confidence."
        )
    if thousand is None:
        return outcome
    tokens = (
        f"{thousand.prompt_tokens:,} tokens of prompts and {thousand.answer_tokens:,} of answers"
    )
    if thousand.money is None:
        return f"{outcome} 1,000 answers by {name} take {tokens}."
    return f"{outcome} 1,000 answers by {name} cost {amount(thousand.money)} ({tokens})."


@dataclasses.dataclass(frozen=True, slots=True)
class Sides:
    """Values of the primary score on the same rows, and where these are.

    Attributes:
        prompted, best: of the base model under the prompt, and of the best round.
        prompts: how many were asked on dev.
        round_: the best one.
        split: ``dev`` or ``test``.
        train: rows that prompts are made from.
        learned: rows that the best round was trained on.
    """

    prompted: Score
    best: Score
    prompts: int
    round_: int
    split: Literal["dev", "test"]
    train: int
    learned: int


def with_base(
    score: DecidingScore, name: str, scores: Scores, sides: Sides,
    verdict: Verdict, base: Verdict, min_gain: float = 0.0,
) -> ShownBestPrompt:  # fmt: skip
    """The best round against both the base model as it is asked and the best of its prompts.

    Args:
        name: of the prompt.
        scores: of the base model under it.
        verdict: of the best round against the prompt, at the level of ``base``.
        base: against the base model as it is asked, on the same rows.
        min_gain: that both ask for.
    """
    bounds = [side.low for side in (verdict, base)]
    low = None if None in bounds else min(bound for bound in bounds if bound is not None)
    sentence = _sentence(score, name, sides, verdict, base, low, min_gain)
    against = as_document(Verdict, verdict), as_document(Verdict, base)
    return ShownBestPrompt(
        one_line(name), sides.split, scores, *against, finite(low), one_line(sentence)
    )


def _sentence(
    score: DecidingScore, name: str, sides: Sides, verdict: Verdict, base: Verdict,
    low: float | None, min_gain: float,
) -> str:  # fmt: skip
    who = f"round {sides.round_}"
    if verdict.difference is None or verdict.low is None or verdict.high is None:
        figures = verdict.sentence.removeprefix(f"{verdict.label}: ")
        return f"Whether {who} is better than a prompt cannot be judged: {figures}"
    show, sure = number(score.entry), f"{percent(verdict.level)} confidence"
    prompt = f"{name}, the best of {sides.prompts} prompts on dev," if sides.prompts > 1 else name
    gain, wanted = verdict.difference, required(score.entry, min_gain)
    if verdict.label == "regressed":
        outcome = (
            f"A prompt is better than training so far: {prompt} beats {who} by {show(-gain)} in "
            f"{score.title}, by {at_least(-verdict.high, show)} at {sure}."
        )
    elif verdict.label != "improved":
        prompted, best = (
            "no value" if side.value is None else show(side.value)
            for side in (sides.prompted, sides.best)
        )
        outcome = (
            f"Not shown to be better than a prompt: {prompt} has {score.title} {prompted} without "
            f"training, {who} has {best} (a difference of {show(gain)}, bounds "
            f"{show(verdict.low)} to {show(verdict.high)} at {sure}{wanted})."
        )
    elif base.label != "improved" or base.difference is None or low is None:
        outcome = (
            f"{who.capitalize()} beats {prompt} by {show(gain)} in {score.title}, and is not shown "
            f"to be better than the base model as it is asked{wanted}."
        )
    else:
        outcome = (
            f"{who.capitalize()} beats the base model by {show(base.difference)} in {score.title}, "
            f"and {prompt} by {show(gain)}: each by {at_least(low, show)} at {sure}{wanted}."
        )
    return f"{outcome} {_rows_of_train(sides)}{_rows(sides, verdict)}"


def _rows_of_train(sides: Sides) -> str:
    """How many rows either side has seen."""
    if sides.train == sides.learned:
        return f"Both have seen the same {counted(sides.train, 'row')} of train. "
    return (
        f"Prompts are made from {counted(sides.train, 'row')}, round {sides.round_} has learned "
        f"{sides.learned:,}. "
    )


def _rows(sides: Sides, verdict: Verdict) -> str:
    figures = f"All figures are of the same {verdict.n} rows of {sides.split}"
    if sides.split == "test":
        return f"{figures}."
    return f"{figures}, by which the round was chosen; the test set was not opened."
