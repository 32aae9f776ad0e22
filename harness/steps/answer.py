"""The calls that find out how good a checkpoint is: generate, score, name the errors."""

from __future__ import annotations

import functools
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.config.plugin_entries import PluginEntry
from harness.data.splits import rows_digest
from harness.errors import ConfigError, Waiting
from harness.kit.files import read_jsonl, write_jsonl
from harness.kit.forms import keeps_to
from harness.kit.inside import inside
from harness.records import (
    Checkpoint,
    ErrorLabel,
    Example,
    Form,
    Measurement,
    Prediction,
    Score,
    ScoredExample,
)
from harness.run import scratch
from harness.run.artifacts import Artifact
from harness.run.at import At
from harness.run.job import ANSWERED, ANSWERS, BESIDE
from harness.run.pins import DETECT, GENERATE
from harness.stages.generator import Generator, form_of, shares_of
from harness.steps.call import artifact_of_job
from harness.steps.detect import detect
from harness.steps.measure import score_all, scores, waits
from harness.steps.shared import Shared

ANSWER_LOSSES = "answer losses"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One checkpoint on one split.

    Attributes:
        measurements: metric entry -> one measurement per example.
        scores: score name -> score of the split.
        scored: the examples with answers and values.
        labels: kinds of errors found.
        keys: stage -> artifact digest.
    """

    predictions: tuple[Prediction, ...]
    measurements: Mapping[str, tuple[Measurement, ...]]
    scores: Mapping[str, Score]
    scored: tuple[ScoredExample, ...]
    labels: tuple[ErrorLabel, ...]
    keys: Mapping[str, str]

    @property
    def errors(self) -> dict[str, int]:
        """Category -> number of answers, the most frequent first."""
        answers = {(label.category, label.example_id) for label in self.labels}
        kinds = Counter(category for category, _ in answers)
        return dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0])))


def generate(
    steps: Shared,
    checkpoint: Checkpoint,
    rows: Sequence[Example],
    at: At,
    *,
    beside: Checkpoint | None = None,
    after: str = "",
    form: Form | None = None,
    pinned: str | None = None,
) -> tuple[tuple[Prediction, ...], str]:
    """A checkpoint's answers to rows, whose references it never sees, and their digest.

    Where several jobs share the rows (:meth:`harness.Generator.jobs`), the answers of each are a
    stage of their own.

    Args:
        beside: another checkpoint that answers in the same pass; see :func:`answered_beside`.
        after: digest of the answers that these are given for: for others they are given anew.
        form: what answers are held to; None: what the options of the generator say.
        pinned: digest of the answers that a closed round was given.

    Raises:
        ConfigError: the generator cannot hold answers to that form.
        EnvironmentFailure: what it needs for that is not installed.
    """
    entry, stage = steps.config.generate, at.on_split(GENERATE)
    with steps.run.guard(stage, entry):
        if form is not None:
            entry = replace(entry, instance=held_to(entry, form))
        form = form_of(entry.instance)
    artifact = _generated(
        steps, entry, checkpoint, rows, at, stage, beside=beside, after=after, pinned=pinned
    )
    steps.note_remarks(artifact.facts)
    steps.made_with[artifact.digest] = artifact.facts.get("made_with")
    predictions = artifact.records(Prediction, ANSWERS)
    if form is not None:
        for sentence in _out_of_form(form, predictions):
            steps.note(f"{at.label(stage)}: {sentence}")
    return predictions, artifact.digest


def held_to(entry: PluginEntry, form: Form) -> Generator:
    """The generator of an entry with answers held to a form.

    Raises:
        ConfigError: it cannot hold answers to that form.
        EnvironmentFailure: what it needs for that is not installed.
    """
    generator: Generator | None = entry.instance.held_to(form)
    if generator is None:
        raise ConfigError(
            f"the generator '{entry.plugin}' cannot hold answers to a form",
            where="generate",
            hint="take another generator, or the baseline out that asks for it",
        )
    return generator


def _out_of_form(form: Form, predictions: Sequence[Prediction]) -> Iterator[str]:
    """What a reader has to know of answers that were to be of a form and are not."""
    out = [answer for answer in predictions if not keeps_to(form, answer.text)]
    cut = sum(answer.finish_reason == "length" for answer in out)
    free = sum(answer.finish_reason == "stop" for answer in out)
    if cut:
        yield (
            f"{cut} of {len(predictions)} answers end inside their form, at the most tokens that "
            "an answer may have: give them more (generate.max_new_tokens or max_tokens)"
        )
    if free:
        yield (
            f"{free} of {len(predictions)} answers are not of the form they were to be held to: "
            "the generator, or its server, does not do it"
        )


def _generated(
    steps: Shared,
    entry: PluginEntry,
    checkpoint: Checkpoint,
    rows: Sequence[Example],
    at: At,
    stage: str,
    *,
    whole: bool = True,
    beside: Checkpoint | None = None,
    after: str = "",
    pinned: str | None = None,
) -> Artifact:
    """The answers of a stage.

    Args:
        entry: the generator.
        whole: whether the rows are those of a pass, and not one job's share of them.
    """
    run = steps.run
    seed = steps.seed(stage, at.round)
    # References stay behind: a generator must not be able to look at them.
    prompts = [row.as_asked() for row in rows]
    made_with = run.made_with(steps.config.generate)
    inputs = {
        "checkpoint": checkpoint.digest,
        "prompts": rows_digest(prompts),
        "environment": made_with["environment"],
    }
    if beside is not None:
        inputs["beside"] = beside.digest
    if after:
        inputs["after"] = after

    def make(folder: Path) -> Mapping[str, Any]:
        shares = shares_of(entry.instance, prompts) if whole and beside is None else []
        if len(shares) > 1:
            return shared(shares, folder)
        examples = {"examples": prompts}
        result = run.job(
            folder, stage, entry, at, checkpoint=checkpoint, rows=examples, seed=seed, beside=beside
        )
        return {**result["facts"], "made_with": made_with}

    def shared(shares: Sequence[Sequence[int]], folder: Path) -> Mapping[str, Any]:
        def answered_share(number: int, share: Sequence[int]) -> Artifact:
            asked = [rows[place] for place in share]
            name = f"{stage} {number}"
            artifact = _generated(
                steps, entry, checkpoint, asked, at, name, whole=False, after=after
            )
            # Time until here counts where the pass is interrupted, and goes on.
            inside(scratch.of(folder), str(number)).touch()
            return artifact

        tasks = [functools.partial(answered_share, *share) for share in enumerate(shares, start=1)]
        parts = list(run.workers.side_by_side(tasks))
        for number in range(1, 1 + len(parts)):
            run.seconds.pop(f"{stage} {number}", None)  # within those of the whole
        answers = {
            place: line
            for share, part in zip(shares, parts, strict=True)
            for place, line in zip(share, read_jsonl(part.path / ANSWERS), strict=True)
        }
        write_jsonl(folder / "output" / ANSWERS, [answers[place] for place in range(len(rows))])
        # What a job remarks is of its share: figures in it are not those of the pass.
        jobs = Counter(remark for part in parts for remark in {*part.facts.get("remarks", ())})
        remarks = [
            f"{'each' if count == len(parts) else count} of {len(parts)} jobs: {remark}"
            for remark, count in sorted(jobs.items())
        ]
        return {**parts[0].facts, **({"remarks": remarks} if remarks else {})}

    return run.stage(stage, entry, inputs, make, at, seed=seed, pinned=pinned)


def answered_beside(
    steps: Shared, generated: str, checkpoint: Checkpoint, at: At, *, pinned: str | None = None
) -> tuple[tuple[Prediction, ...], str]:
    """The other side's answers of a pass as an artifact of their own, and their digest.

    Args:
        generated: digest of the pass.
        checkpoint: that gave them.
        at: where they belong.
    """
    run, entry, stage = steps.run, steps.config.generate, at.on_split(GENERATE)

    def make(folder: Path) -> Mapping[str, Any]:
        whole = run.artifacts.with_digest(stage, generated)
        assert whole is not None, "it was made, or found, a moment ago"
        shutil.copyfile(whole.path / BESIDE, folder / "output" / ANSWERS)
        return {"made_with": whole.facts.get("made_with")}

    inputs = {"checkpoint": checkpoint.digest, "of": generated}
    artifact = run.stage(stage, entry, inputs, make, at, pinned=pinned)
    steps.made_with[artifact.digest] = artifact.facts.get("made_with")
    return artifact.records(Prediction, ANSWERS), artifact.digest


def answer_losses(
    steps: Shared, checkpoint: Checkpoint, rows: Sequence[Example], at: At
) -> list[list[float]]:
    """What a checkpoint loses (nats) on each token of each row's first reference."""
    artifact = artifact_of_job(
        steps, ANSWER_LOSSES, steps.config.generate, at,
        {"checkpoint": checkpoint.digest, "rows": rows_digest(rows)},
        checkpoint=checkpoint, rows={ANSWERED: rows}, seed=steps.seed(ANSWER_LOSSES, at.round),
    )  # fmt: skip
    return list(read_jsonl(artifact.path / "losses.jsonl"))


def evaluate(
    steps: Shared,
    checkpoint: Checkpoint,
    rows: Sequence[Example],
    at: At,
    *,
    learned: Sequence[Example] = (),
    against: int | None = None,
    beside: Checkpoint | None = None,
    of: Evaluation | None = None,
    pinned: Mapping[str, str] | None = None,
) -> Evaluation:
    """Generate, score and label one checkpoint's answers to one split.

    Args:
        beside: another checkpoint that answers in the same pass.
        of: the evaluation in whose pass this checkpoint has answered.
        learned: the rows that the checkpoint was trained on.
        against: the round that it will be compared with.
        pinned: what the round was closed with; it keeps these answers, measurements, labels.
    """
    pinned = pinned or {}
    pin = pinned.get(GENERATE)
    if of is None:
        predictions, generated = generate(steps, checkpoint, rows, at, beside=beside, pinned=pin)
    else:
        predictions, generated = answered_beside(
            steps, of.keys[GENERATE], checkpoint, at, pinned=pin
        )
    metrics = steps.config.metrics
    try:
        measured = score_all(steps, metrics, predictions, generated, rows, at, pinned)
    except Waiting as wait:
        raise waits(steps, wait, generated, at, against) from None
    evaluation = evaluation_of(
        steps, metrics, predictions, generated, measured, rows, at, learned=learned, pinned=pinned
    )
    if of is None:  # it has been told what the other side answered first
        tell_scores(steps, evaluation, at)
    return evaluation


def tell_scores(steps: Shared, evaluation: Evaluation, at: At) -> None:
    """Tell whoever watches the run; those of test are told by its verdict alone."""
    if at.split == "dev":
        steps.run.watcher.scored(at.in_round(at.split), evaluation.scores)


def evaluation_of(
    steps: Shared,
    metrics: Sequence[PluginEntry],
    predictions: tuple[Prediction, ...],
    generated: str,
    measured: tuple[dict[str, tuple[Measurement, ...]], dict[str, str]],
    rows: Sequence[Example],
    at: At,
    *,
    learned: Sequence[Example],
    pinned: Mapping[str, str],
) -> Evaluation:
    """Answers that are measured, with their scores and kinds of errors.

    Args:
        generated: digest of the answers.
        measured: what :func:`harness.steps.measure.score_all` gave of these metrics.
        learned: the rows that the checkpoint was trained on.
        pinned: what the answers were given before.
    """
    measurements, digests = measured
    scored = _scored_rows(rows, predictions, measurements)
    labels, detected = detect(
        steps, scored, learned, [generated, *digests.values()], at, pinned=pinned.get(DETECT)
    )
    of_split = scores(steps, metrics, measurements, predictions, rows, digests, at)
    of_scores = {f"score {name}": digest for name, digest in digests.items()}
    keys = {GENERATE: generated, **of_scores, DETECT: detected}
    return Evaluation(predictions, measurements, of_split, scored, labels, keys)


def _scored_rows(
    rows: Sequence[Example],
    predictions: Sequence[Prediction],
    measurements: Mapping[str, Sequence[Measurement]],
) -> tuple[ScoredExample, ...]:
    """Each row with its answer and all values of that."""
    values: list[dict[str, float | None]] = [{} for _ in rows]
    for of_metric in measurements.values():
        names = sorted({name for measurement in of_metric for name in measurement.values})
        for place, measurement in enumerate(of_metric):
            values[place] |= {name: measurement.values.get(name) for name in names}
    return tuple(
        ScoredExample(row, prediction, own)
        for row, prediction, own in zip(rows, predictions, values, strict=True)
    )
