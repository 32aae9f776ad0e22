"""A training's log as numbers: losses by step, and losses of the same rows at several points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.stats import Floats

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Side:
    """The rows of one split.

    Attributes:
        sums: (points, rows), the losses over each row's learned tokens, in nats.
        tokens: (rows,).
        of: rows that the split has; None where the log does not say.
    """

    sums: Floats
    tokens: Floats
    of: int | None

    @property
    def means(self) -> Floats:
        """The mean loss per token at each point."""
        means: Floats = self.sums.sum(axis=1) / self.tokens.sum()
        return means


@dataclass(frozen=True, slots=True)
class Losses:
    """What a log tells.

    Attributes:
        steps, epochs, by_step: the training loss of each step, before the step changed the model.
        points: steps at which both sides were measured, with their ``point_epochs``.
        time: of each point, the sum of the learning rates up to it as a share of that of the whole
            training; steps where the log has no learning rates.
        valid, train: None where the log has no losses of single rows.
        kept, stopped: the steps of lines that say so.
        scored: whether the one that was kept was chosen by a score.
    """

    steps: Sequence[int]
    epochs: Sequence[float]
    by_step: Floats
    points: Sequence[int]
    point_epochs: Sequence[float]
    time: Floats
    valid: Side | None
    train: Side | None
    kept: int | None
    stopped: int | None
    scored: bool


def read(log: Sequence[Line]) -> Losses:
    """The numbers of a log whose lines :func:`harness.stages.trainer.training_log` accepted.

    Points that measured other rows than the last one are left out.
    """
    lines = [line for line in log if isinstance(line.get("step"), int)]
    learned = [line for line in lines if line.get("loss") is not None]
    measured = _comparable([line for line in lines if line.get("eval_loss") is not None])
    points = [line["step"] for line in measured]
    return Losses(
        steps=[line["step"] for line in learned],
        epochs=[_epoch(line) for line in learned],
        by_step=np.array([line["loss"] for line in learned], float),
        points=points,
        point_epochs=[_epoch(line) for line in measured],
        time=_time(learned, points),
        valid=_side(measured, "eval_rows"),
        train=_side(measured, "train_rows"),
        kept=next((line["step"] for line in lines if line.get("kept")), None),
        stopped=next((line["step"] for line in lines if line.get("stopped")), None),
        scored=any(line.get("score") is not None for line in lines),
    )


def final(log: Sequence[Line]) -> float | None:
    """The validation loss of the weights that a training left; None where the log has none."""
    measured = [line for line in log if line.get("eval_loss") is not None]
    if log and log[-1].get("kept"):  # and nothing was measured after they were taken back
        measured = [entry for entry in measured if entry.get("step") == log[-1].get("step")]
    return float(measured[-1]["eval_loss"]) if measured else None


def at_shares(log: Sequence[Line]) -> tuple[float, ...]:
    """The validation losses that were measured to compare trainings, in order."""
    return tuple(float(line["share_loss"]) for line in log if line.get("share_loss") is not None)


def ended(log: Sequence[Line]) -> bool:
    """Whether a training ended since its loss lay above a limit."""
    return any(line.get("ended") for line in log)


def _epoch(line: Line) -> float:
    return float(line.get("epoch") or 0.0)


def _comparable(lines: Sequence[Line]) -> list[Line]:
    """Those that measured the same rows as the last, one for each step."""
    if not lines:
        return []
    wanted = _rows(lines[-1])
    by_step = {line["step"]: line for line in lines if _rows(line) == wanted}
    return [by_step[step] for step in sorted(by_step)]


def _rows(line: Line) -> list[Any]:
    return [(line.get(side) or {}).get("tokens") for side in ("eval_rows", "train_rows")]


def _side(lines: Sequence[Line], name: str) -> Side | None:
    if not lines or not (lines[-1].get(name) or {}).get("tokens"):
        return None
    last = lines[-1][name]
    sums = np.array([line[name]["losses"] for line in lines], float)
    return Side(sums, np.array(last["tokens"], float), last.get("of"))


def _time(learned: Sequence[Line], points: Sequence[int]) -> Floats:
    """Of each point, as :class:`Losses` has it. Steps may be counted in tokens: none is walked."""
    rates = {line["step"]: line.get("learning_rate") or 0.0 for line in learned}
    steps = sorted(step for step in rates if 0 < step <= max(points, default=0))
    sums = np.cumsum([0.0, *(rates[step] for step in steps)])
    passed = sums[np.searchsorted(np.array(steps, float), np.array(points, float), side="right")]
    if not sums.any():
        passed = np.maximum(np.array(points, float), 0.0)
    whole = float(passed[-1]) if points else 0.0
    shares: Floats = passed / (whole or 1.0)
    return shares
