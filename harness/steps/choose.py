"""Which of the checkpoints that a training leaves is kept: the one that scores best on valid."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.splits import groups_of, rows_digest
from harness.errors import ConfigError
from harness.kit.draws import drawn
from harness.kit.files import digest, write_jsonl
from harness.kit.numbers import number
from harness.records import Checkpoint, Choice, Example
from harness.records.context import STEPS
from harness.run.artifacts import Artifact
from harness.run.at import At
from harness.run.pins import TRAIN
from harness.stages.trainer import left_steps, training_log
from harness.stats.choice import luck
from harness.steps.answer import generate
from harness.steps.measure import score, scores
from harness.steps.shared import Shared

LOG = "log.jsonl"
ENOUGH = 30
"""Rows of valid from which a choice is left alone; with fewer, it is said what gives more."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A checkpoint that a training left, and how it answers valid.

    Attributes:
        score: None where it cannot be scored.
        values: the score's own value of each row, None where it has none.
    """

    step: int
    score: float | None
    values: Sequence[float | None]


def rows_of(steps: Shared, choice: Choice, valid: Sequence[Example]) -> list[Example]:
    """The rows of valid that are answered: the same ones in each round.

    Raises:
        ConfigError: there are none that the primary score can be told of.
    """
    needed = steps.primary_entry().metric.needs_references
    usable = [row for row in valid if row.references or not needed]
    if not usable:
        raise ConfigError(
            "asks which checkpoint answers the rows of valid best, and there are none",
            where="train.by",
            hint="valid: 0.2 sets a fifth of train aside",
        )
    return drawn(usable, choice.rows)


def depends_on(steps: Shared, rows: Sequence[Example]) -> dict[str, Any]:
    """What a choice depends on beside the training, as JSON."""
    config = steps.config
    metric = _metric(steps)
    return {
        "rows": rows_digest(rows),
        "primary": config.settings.primary,
        "metric": {"name": metric.name, "entry": steps.run.key_of(metric)},
        "generate": steps.run.key_of(config.generate),
        "environment": dict(steps.run.environment(config.generate)),
        "seed": steps.seed("generate valid", 0),
    }


def choose(
    steps: Shared,
    trained: Artifact,
    checkpoint: Checkpoint,
    rows: Sequence[Example],
    at: At,
    folder: Path,
) -> Mapping[str, Any]:
    """Lay the best checkpoint of a training into a folder, with what was seen in its log.

    Where several score equally, the latest of them is the best.

    Args:
        trained: what the training left.
        checkpoint: that it returned.
        rows: of valid.

    Returns:
        Facts for the artifact: those of the training, and a remark on the choice.
    """
    on_valid = replace(at, split="valid")
    checked = []
    for step in left_steps(trained.path):
        made = replace(
            checkpoint,
            path=str(trained.path / STEPS / str(step)),
            digest=digest([checkpoint.digest, trained.digest, step]),
        )
        checked.append(_checked(steps, made, step, rows, on_valid))
    scored = [each for each in checked if each.score is not None]
    lower = not steps.primary_entry().metric.higher_is_better
    best = max(
        scored or checked[-1:],
        key=lambda each: ((each.score or 0.0) * (-1 if lower else 1), each.step),
    )
    shutil.copytree(trained.path / STEPS / str(best.step), folder / "output", dirs_exist_ok=True)
    log = training_log(trained.path / LOG)
    epochs = {line["step"]: line.get("epoch") for line in log if "step" in line}
    seen = [
        {"step": each.step, "epoch": epochs.get(each.step), "score": each.score,
         "score_rows": len(rows)}
        for each in checked
    ]  # fmt: skip
    kept = {"step": best.step, "epoch": epochs.get(best.step), "kept": True}
    write_jsonl(folder / "output" / LOG, [*log, *seen, kept])
    remark = f"{at.label(TRAIN)}: {_sentence(steps, checked, best, rows)}"
    remarks = [*trained.facts.get("remarks", ()), remark]
    return {**trained.facts, "kept_step": best.step, "remarks": remarks}


def _sentence(
    steps: Shared, checked: Sequence[Checked], best: Checked, rows: Sequence[Example]
) -> str:
    """Which one is kept, and what chance alone gives such a choice."""
    name = steps.config.settings.primary
    if best.score is None:
        return f"{name} of valid cannot be told, so that the last checkpoint is kept"
    said = (
        f"the checkpoint after step {best.step} is kept, the best of {len(checked)} by {name} "
        f"on {len(rows)} rows of valid ({number(best.score)})"
    )
    lower = not steps.primary_entry().metric.higher_is_better
    gain = _luck(checked, rows, steps.seed("choice", 0), -1 if lower else 1)
    if gain is not None:
        said += f". Were all equally good, chance alone would lift the best by {number(gain)}"
    if len(rows) < ENOUGH:
        said += (
            ". So few rows hardly tell them apart: give valid a larger share (valid: 0.2 is a "
            "fifth of train)"
        )
    return said


def _luck(
    checked: Sequence[Checked], rows: Sequence[Example], seed: int, sign: int
) -> float | None:
    """None where a row has no value of its own, as with scores of the whole text."""
    table = np.array([[np.nan if v is None else v for v in each.values] for each in checked])
    if len(checked) < 2 or len(rows) < 2 or not np.isfinite(table).all():
        return None
    groups = groups_of(rows)
    return luck(sign * table.T, [groups[row.id] for row in rows], seed)


def _metric(steps: Shared) -> Any:
    name = steps.primary_entry().name
    return next(entry for entry in steps.config.metrics if entry.name == name)


def _checked(
    steps: Shared, checkpoint: Checkpoint, step: int, rows: Sequence[Example], at: At
) -> Checked:
    primary, entry = steps.config.settings.primary, _metric(steps)
    predictions, generated = generate(steps, checkpoint, rows, at)
    measured, key = score(steps, entry, predictions, generated, rows, at)
    of_metric = {entry.name: measured}
    split = scores(steps, [entry], of_metric, predictions, rows, {entry.name: key}, at)
    return Checked(step, split[primary].value, [each.values.get(primary) for each in measured])
