"""The call that trains a checkpoint: one trainer, or several that follow one another."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.boundary.calls import plainly
from harness.config.plugin_entries import PluginEntry
from harness.data.splits import rows_digest
from harness.errors import DataError
from harness.kit.files import digest, write_json
from harness.records import Checkpoint, Example, from_json
from harness.records.context import Limits
from harness.run.artifacts import Artifact
from harness.run.at import At
from harness.run.pins import TRAIN, steps_of
from harness.run.trust import as_allowed
from harness.stages import trainer
from harness.steps import Steps, choose
from harness.steps.call import artifact_of_job

FILELESS = "checkpoint.json"
"""Stands in place of a model that has no files here: what tells it from another one."""


def train(
    steps: Steps,
    base: Checkpoint,
    rows: Sequence[Example],
    valid: Sequence[Example],
    at: At,
    *,
    pinned: str | None = None,
    whole_valid: bool = False,
    limits: Limits = (),
) -> Checkpoint:
    """A checkpoint that learned ``rows``, and general ones beside them, from ``base``.

    Each trainer of the config starts from what the one before it made, and is given the rows that
    have something to learn for it; one for which there are none is passed over.

    Args:
        whole_valid: whether its log ends with the loss of all rows of ``valid``.
        limits: where the training may end without (:attr:`harness.records.context.Context.limits`).
        pinned: digest of the artifact that a closed round was given.

    Raises:
        DataError: no row has anything to learn for any trainer.
    """
    due = _due(steps, rows, at)
    for number, (entry, its) in enumerate(due[:-1], start=1):
        stage, held = f"{TRAIN} {number}", learned(entry, valid)
        base = _trained(steps, entry, base, its, held, at, stage)
    entry, its = due[-1]
    return _trained(
        steps, entry, base, its, learned(entry, valid), at, TRAIN, pinned=pinned,
        whole_valid=whole_valid, limits=limits,
    )  # fmt: skip


def learned(entry: PluginEntry, rows: Sequence[Example]) -> list[Example]:
    """The rows that have something to learn for a trainer."""
    with plainly(f"{entry.named}, learns()"):
        return trainer.learned(entry.instance, rows)


def _due(steps: Steps, rows: Sequence[Example], at: At) -> list[tuple[PluginEntry, list[Example]]]:
    """The trainers that have something to learn, each with its rows: general ones the first."""
    trainers = steps.config.trainers
    whole = [*rows, *steps.general_rows.replayed(rows)]
    given = [(entry, rows if entry.index else whole) for entry in trainers]
    due = [(entry, its) for entry, each in given if (its := learned(entry, each))]
    idle = [entry.plugin for entry in trainers if entry not in [busy for busy, _ in due]]
    if not due:
        raise DataError(
            f"of {len(rows)} rows none has anything to learn for {', '.join(idle)}",
            where=at.label(TRAIN),
            hint="harness docs training says which rows a trainer learns from",
        )
    for name in idle:
        steps.note(f"{at.label(TRAIN)}: '{name}' is passed over, as no row of train is for it")
    return due


def _trained(
    steps: Steps,
    entry: PluginEntry,
    base: Checkpoint,
    rows: Sequence[Example],
    valid: Sequence[Example],
    at: At,
    stage: str,
    *,
    pinned: str | None = None,
    whole_valid: bool = False,
    limits: Limits = (),
) -> Checkpoint:
    """What one trainer makes of a checkpoint."""
    inputs: dict[str, Any] = {
        "base": base.digest,
        "train": rows_digest(rows),
        "valid": rows_digest(valid),
    }
    if whole_valid:
        inputs["whole_valid"] = True
    if limits:
        inputs["limits"] = limits

    def finish(folder: Path, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        output = folder / "output"
        if not any(output.iterdir()):
            # A prompt, or a model at a service: only the answer tells it from another one.
            identity = {name: answer.get(name) for name in ("kind", "name", "template", "info")}
            write_json(output / FILELESS, identity)
        return {"checkpoint": answer}

    def learn(name: str, pin: str | None) -> Artifact:
        return artifact_of_job(
            steps, name, entry, at, inputs, checkpoint=base, rows={"train": rows, "valid": valid},
            seed=steps.seed(TRAIN, at.round), pinned=pin, finish=finish,
            whole_valid=whole_valid, limits=limits,
        )  # fmt: skip

    with plainly(f"{entry.named}, choice()"):
        choice = trainer.choice_of(entry.instance)
    if choice is None or whole_valid:  # trainings that are compared by their loss
        return _published(steps, base, learn(stage, pinned))
    checked = choose.rows_of(steps, choice, valid)

    def make(folder: Path) -> Mapping[str, Any]:
        trained = learn(steps_of(stage), None)
        checkpoint = _published(steps, base, trained)
        facts = choose.choose(steps, trained, checkpoint, checked, at, folder)
        for within in (steps_of(stage), "generate valid", "score valid"):
            steps.run.seconds.pop(within, None)
        return facts

    artifact = steps.run.stage(
        stage, entry, {**inputs, "choice": choose.depends_on(steps, checked)}, make, at,
        seed=steps.seed(TRAIN, at.round), pinned=pinned,
    )  # fmt: skip
    steps.note_remarks(artifact.facts)
    return _published(steps, base, artifact)


def _published(steps: Steps, base: Checkpoint, artifact: Artifact) -> Checkpoint:
    """The checkpoint of an artifact, by its place and content."""
    checkpoint = from_json(Checkpoint, artifact.facts["checkpoint"])
    checkpoint = as_allowed(checkpoint, steps.config)
    return dataclasses.replace(
        checkpoint, path=str(artifact.path), digest=digest([base.digest, artifact.digest])
    )


def training_log(checkpoint: Checkpoint) -> list[Any]:
    """The trainer's loss curve, if it left one."""
    if checkpoint.kind == "base":
        return []
    return list(trainer.training_log(Path(checkpoint.path) / "log.jsonl"))
