"""The two sides of a verdict where answers depend on the process that gives them.

A generator says so (:meth:`harness.Generator.holds_both`, :meth:`harness.Generator.asked_again`).
One process then answers both sides in one pass, if it can hold both. If not, rows of the base model
are asked again beside each round, in a process of their own, and compared with its first answers.

If the two processes answer alike, it is chance which of them gave which of two answers. So the
sides of each row are swapped at random (:func:`harness.stats.randomisation`), and a difference that
few swaps reach is one between the processes. Rows are swapped one by one, in groups or not: what
differs between two processes with the same weights is rounding, row by row.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.boundary.calls import plainly
from harness.kit.numbers import counted
from harness.records import BASE_ARM, Checkpoint, Example, Measurement, Prediction, Remark
from harness.run.at import At
from harness.run.pins import AGAIN, GENERATE
from harness.stages.generator import holds_both, rows_asked_again
from harness.stats.decision import alpha_of
from harness.steps import Steps
from harness.steps.answer import Evaluation, evaluate, generate
from harness.steps.measure import score
from harness.verdicts.comparison import compare_measurements
from harness.verdicts.rule import DecidingScore
from harness.verdicts.sentences import change

_SCORE = f"score {AGAIN}"
ONE_PASS = "Both sides were asked in one pass of one process."
_ASKED = "the base model, asked {} again in a process of its own"


@dataclass(frozen=True, slots=True)
class Processes:
    """What is known of the processes that have answered the two sides.

    Attributes:
        doubt: why nothing can be concluded from the sides' difference, or empty.
        remarks: on the verdict.
        keys: stage -> artifact digest.
    """

    doubt: str = ""
    remarks: tuple[Remark, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)


SAME = Processes()
"""Nothing needs to be known: a prompt is answered alike in each process."""
ONE = Processes(remarks=(Remark("one pass", ONE_PASS),))
"""One pass of one process has answered both sides."""


def beside(steps: Steps, checkpoint: Checkpoint) -> Checkpoint | None:
    """The checkpoint, if it answers in the pass of the one that is compared with it."""
    entry = steps.config.generate
    with plainly(entry.named):
        both = holds_both(entry.instance)
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
    # An arm of its own, or the digests of the round's first answers would be overwritten.
    beside_round = At(against, f"beside round {at.round}{arm}", at.split)
    old = evaluate(steps, checkpoint, rows, beside_round, learned=learned, of=new)
    primary = steps.config.settings.primary
    values = tuple(side.scores[primary].value for side in (old, first))
    remark = one_pass(
        f"round {against}", _changed(old.predictions, first.predictions), len(rows), *values
    )
    return old, Processes(remarks=(remark,))


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
        count = min(rows_asked_again(entry.instance), len(rows))
    metric = next(each for each in steps.config.metrics if each.name == name)
    if not count or metric.instance.by_people:
        return SAME
    indices = random.Random(steps.seed(AGAIN, at.round)).sample(range(len(rows)), count)
    sample, pins = [rows[index] for index in indices], pinned or {}
    again = At(at.round, AGAIN, at.split)
    predictions, digest = generate(
        steps, base, sample, again, after=new.keys[GENERATE], pinned=pins.get(AGAIN)
    )
    measured, of_score = score(
        steps, metric, predictions, digest, sample, again, pinned=pins.get(_SCORE)
    )
    settings, sampled = steps.config.settings, {row.id for row in sample}
    doubt, remarks = compare_processes(
        DecidingScore(steps.primary_entry(), settings.primary, {}, steps.seed(AGAIN, at.round)),
        measured,
        [
            measurement
            for measurement in plain.measurements[name]
            if measurement.example_id in sampled
        ],
        changed=_changed(predictions, plain.predictions),
        alpha=alpha_of(settings.rounds + 1),  # each round, and test
    )
    return Processes(doubt, remarks, {AGAIN: digest, _SCORE: of_score})


def _changed(now: Sequence[Prediction], before: Sequence[Prediction]) -> int:
    """How many answers are others than those first given to the same rows."""
    texts = {prediction.example_id: prediction.text for prediction in before}
    return sum(prediction.text != texts[prediction.example_id] for prediction in now)


def compare_processes(
    score: DecidingScore,
    again: Sequence[Measurement],
    before: Sequence[Measurement],
    *,
    changed: int,
    alpha: float,
) -> tuple[str, tuple[Remark, ...]]:
    """Whether the base model's scores are others than before.

    Args:
        score: the deciding one; rows are taken one by one.
        again, before: measurements of the same rows.
        changed: answers that are others than before.
        alpha: of this test; all checks of a run may err in 5 % together.

    Returns:
        Why there is no verdict, or an empty text; and what is remarked on one.
    """
    rows = counted(len(again), "row")
    comparison = compare_measurements(
        score.entry, {"again": again}, before, score.groups,
        seed=score.seed, test="randomisation", alpha=alpha, draws=score.draws,
    )["again"][score.name]  # fmt: skip
    asked = _ASKED.format(rows)
    figures: dict[str, float | None] = {"rows": len(again), "changed": changed}
    if comparison.p is None or comparison.difference is None:
        why = comparison.doubt or "its score cannot be computed"
        sentence = f"Whether processes answer alike is not known: {asked}, {why}."
        return "", (Remark("asked again", sentence, figures),)
    moved = change(score.entry, score.title, "", comparison.difference)
    if comparison.label != "no evidence":
        return (
            f"{asked}, does not score as before ({moved}, "
            f"p {comparison.p:.2g}, limit {alpha:.2g}): the difference may be one between processes"
        ), ()
    same = f"gave {changed} other answers than before" if changed else "answered all as before"
    shown = f"; no difference is shown ({moved}, p {comparison.p:.2g})" if changed else ""
    sentence = f"{asked[0].upper()}{asked[1:]}, {same}{shown}."
    figures |= {"difference": comparison.difference, "p": comparison.p}
    return "", (Remark("asked again", sentence, figures),)


def one_pass(
    name: str, changed: int, rows: int, value: float | None, before: float | None
) -> Remark:
    """What is remarked on a verdict whose two sides were answered in one pass.

    Args:
        name: of the older side.
        changed: answers of it, of so many rows, that are others than those first given.
        value, before: its scores, in this pass and first.
    """
    if not changed or value is None or before is None:
        return ONE.remarks[0]
    sentence = (
        f"{ONE_PASS} There {changed} of {rows} answers of {name} are others than those it gave "
        f"first (a score of {value:.4g}, first {before:.4g})."
    )
    figures = {"rows": rows, "changed": changed, "value": value, "first": before}
    return Remark("one pass", sentence, figures)
