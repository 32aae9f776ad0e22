"""The call that trains a checkpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.context import Limits
from harness.data.splits import rows_digest
from harness.engine.at import At
from harness.engine.pins import TRAIN
from harness.engine.trust import as_allowed
from harness.kit.files import digest, write_json
from harness.records import Checkpoint, Example, from_json
from harness.stages import making

if TYPE_CHECKING:
    from harness.engine.steps import Steps

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

    Args:
        whole_valid: whether its log ends with the loss of all rows of ``valid``.
        limits: where the training may end without (:attr:`harness.context.Context.limits`).
        pinned: digest of the artifact that a closed round was given.
    """
    run, entry = steps.run, steps.config.train
    seed, rows = steps.seed(TRAIN, at.round), [*rows, *steps.general_rows.replayed(rows)]
    inputs: dict[str, Any] = {
        "base": base.digest,
        "train": rows_digest(rows),
        "valid": rows_digest(valid),
        "environment": dict(run.environment(entry)),
    }

    if whole_valid:
        inputs["whole_valid"] = True
    if limits:
        inputs["limits"] = limits

    def make(folder: Path) -> Mapping[str, Any]:
        examples = {"train": rows, "valid": valid}
        result = run.job(
            folder, TRAIN, entry, at, checkpoint=base, rows=examples, seed=seed,
            whole_valid=whole_valid, limits=limits,
        )  # fmt: skip
        answer, output = result["answer"], folder / "output"
        if not any(output.iterdir()):
            # A prompt, or a model at a service: only the answer tells it from another one.
            identity = {name: answer.get(name) for name in ("kind", "name", "template", "info")}
            write_json(output / FILELESS, identity)
        return {**result["facts"], "checkpoint": answer}

    made = run.stage(TRAIN, entry, inputs, make, at, seed=seed, pinned=pinned)
    steps.note_remarks(made.facts)
    checkpoint = from_json(Checkpoint, made.facts["checkpoint"])
    checkpoint = as_allowed(checkpoint, steps.config)
    return dataclasses.replace(
        checkpoint, path=str(made.path), digest=digest([base.digest, made.digest])
    )


def training_log(checkpoint: Checkpoint) -> list[Any]:
    """The trainer's loss curve, if it left one."""
    if checkpoint.kind == "base":
        return []
    return list(making.training_log(Path(checkpoint.path) / "log.jsonl"))
