"""The two sides of a verdict where answers depend on the process that gives them.

A generator says so (:meth:`harness.Generator.holds_both`, :meth:`harness.Generator.asked_again`).
One process then answers both sides in one pass, if it can hold both. If not, rows of the base model
are asked again beside each round, in a process of their own, and compared with its first answers.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.boundary.calls import plainly
from harness.engine.at import At
from harness.engine.pins import AGAIN, GENERATE
from harness.engine.steps.evaluating import Evaluation, evaluate, generate
from harness.engine.steps.measuring import score
from harness.records import BASE_ARM, Checkpoint, Example, Prediction
from harness.stages import making
from harness.stats.decision import alpha_of
from harness.verdicts import again
from harness.verdicts.rule import DecidingScore

if TYPE_CHECKING:
    from harness.engine.steps import Steps

_SCORE = f"score {AGAIN}"


@dataclass(frozen=True, slots=True)
class Processes:
    """What is known of the processes that have answered the two sides.

    Attributes:
        doubt: why nothing can be concluded from the sides' difference, or empty.
        sentence: what follows the verdict's own, or empty.
        keys: stage -> artifact digest.
    """

    doubt: str = ""
    sentence: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)


SAME = Processes()
"""Nothing needs to be known: a prompt is answered alike in each process."""
ONE = Processes(sentence=again.ONE_PASS)
"""One pass of one process has answered both sides."""


def beside(steps: Steps, checkpoint: Checkpoint) -> Checkpoint | None:
    """The checkpoint, if it answers in the pass of the one that is compared with it."""
    entry = steps.config.generate
    with plainly(entry.named):
        both = making.holds_both(entry.instance)
    # People rate the answers that each round gave.
    rated = any(metric.instance.by_people for metric in steps.config.metrics)
    return checkpoint if both and not rated else None


def in_one(
    steps: Steps,
    first: Evaluation,
    new: Evaluation,
    checkpoint: Checkpoint,
    rows: Sequence[Example],
    at: At,
    against: int,
    learned: Sequence[Example],
) -> tuple[Evaluation, Processes]:
    """The other side of a pass, and how it differs from what the same checkpoint answered first.

    Args:
        first: these answers of the round ``against``.
        new: the side that has a round of its own, ``at``.
    """
    arm = "" if at.arm == BASE_ARM else f", {at.arm}"
    place = At(against, f"beside round {at.round}{arm}", at.split)
    old = evaluate(steps, checkpoint, rows, place, learned=learned, of=new)
    primary = steps.config.settings.primary
    values = tuple(side.scores[primary].value for side in (old, first))
    sentence = again.beside(
        f"round {against}", _changed(old.predictions, first.predictions), len(rows), *values
    )
    return old, Processes(sentence=sentence)


def asked_again(
    steps: Steps,
    base: Checkpoint,
    plain: Evaluation,
    new: Evaluation,
    rows: Sequence[Example],
    at: At,
    pinned: Mapping[str, str] | None = None,
) -> Processes:
    """Whether the base model answers rows as before, beside a round that is about to be judged.

    Args:
        plain: what the base model answered to all rows.
        new: the round's answers, for which it is asked again.
        at: of the round.
        pinned: what was found when test was opened.
    """
    entry, name = steps.config.generate, steps.primary_entry().name
    with plainly(entry.named):
        count = min(making.rows_asked_again(entry.instance), len(rows))
    metric = next(each for each in steps.config.metrics if each.name == name)
    if not count or metric.instance.by_people:
        return SAME
    places = random.Random(steps.seed(AGAIN, at.round)).sample(range(len(rows)), count)
    sample, pins = [rows[place] for place in places], pinned or {}
    place = At(at.round, AGAIN, at.split)
    predictions, digest = generate(
        steps, base, sample, place, after=new.keys[GENERATE], pinned=pins.get(AGAIN)
    )
    measured, of_score = score(
        steps, metric, predictions, digest, sample, place, pinned=pins.get(_SCORE)
    )
    settings, known = steps.config.settings, {row.id for row in sample}
    doubt, sentence = again.compare(
        DecidingScore(steps.primary_entry(), settings.primary, {}, steps.seed(AGAIN, at.round)),
        measured,
        [
            measurement
            for measurement in plain.measurements[name]
            if measurement.example_id in known
        ],
        changed=_changed(predictions, plain.predictions),
        alpha=alpha_of(settings.rounds + 1),  # each round, and test
    )
    return Processes(doubt, sentence, {AGAIN: digest, _SCORE: of_score})


def _changed(now: Sequence[Prediction], before: Sequence[Prediction]) -> int:
    """How many answers are others than those first given to the same rows."""
    texts = {prediction.example_id: prediction.text for prediction in before}
    return sum(prediction.text != texts[prediction.example_id] for prediction in now)
