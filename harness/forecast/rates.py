"""What work costs on one machine: measured once, kept in the working folder, and found again."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.engine.run import Run
from harness.errors.machine import storing
from harness.forecast.sizes import answer_size, prompt_size
from harness.kit.files import digest, read_json, write_json
from harness.records import Checkpoint, Example

FOLDER = "probes"
SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Learning:
    """A training, in seconds.

    Attributes:
        start: before its first step, with everything in the worker that it needs.
        per_character: of a training row, for one pass and with validation.
        finish: after its last step.
    """

    start: float
    per_character: float
    finish: float = 0.0

    def seconds(self, characters: float) -> float:
        """Of a training.

        Args:
            characters: of its rows, each counted as often as it is learned.
        """
        return self.start + self.per_character * characters + self.finish


@dataclass(frozen=True, slots=True)
class Answering:
    """Answers, in seconds.

    Attributes:
        start: before the first batch.
        tokens: of an answer of the base model, on average; ``longest``: at most.
        tokens_per_character: of prompts.
    """

    start: float
    per_prompt_character: float
    per_token: float
    tokens: float
    longest: int
    tokens_per_character: float

    def seconds(self, rows: Sequence[Example], learned: float | None) -> float:
        """Of answering these rows.

        Args:
            learned: characters of an answer that was learned, on average; None for the base model.
        """
        tokens = self.tokens
        if learned is not None:  # an end of the turn is written, too
            tokens = min(self.longest, learned * self.tokens_per_character + 1)
        read = self.per_prompt_character * sum(map(prompt_size, rows))
        return self.start + read + self.per_token * tokens * len(rows)


@dataclass(frozen=True, slots=True)
class Rates:
    """What a probe measured.

    Attributes:
        begin: seconds that a run takes before its first training or answer: reading rows, finding
            the model, starting the worker and loading its libraries.
        memory: bytes of the greatest process.
        checkpoint: bytes that one training leaves; None where the probe's did not come to its end.
        at: when it was measured, as ISO 8601.
    """

    begin: float
    train: Learning
    base: Answering
    tuned: Answering
    memory: int | None
    checkpoint: int | None
    at: str = ""


def mean_answer(rows: Sequence[Example]) -> float:
    """Characters of an answer that is learned, on average."""
    return sum(map(answer_size, rows)) / max(1, len(rows))


def key(run: Run, base: Checkpoint) -> str:
    """Of the model, the options, the libraries and the machine: what decides the rates."""
    config = run.config
    execution = {"launcher": config.settings.execution.launcher, "cores": os.cpu_count()}
    makers = [run.key_of(entry) for entry in (config.train, config.generate)]
    machine = [dict(run.environment(entry)) for entry in (config.train, config.generate)]
    return digest([SCHEMA, base.digest, makers, machine, execution])


def keep(run: Run, base: Checkpoint, rates: Rates) -> Rates:
    """Store rates below the working folder; returns them with the date."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    dated = dataclasses.replace(rates, at=now)
    path = _path(run, base)
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"schema": SCHEMA, **asdict(dated)})
    return dated


def kept(run: Run, base: Checkpoint) -> Rates | None:
    """What a probe of the same model, options and machine has measured in this folder."""
    try:
        found: dict[str, Any] = read_json(_path(run, base))
        return Rates(
            float(found["begin"]), Learning(**found["train"]),
            Answering(**found["base"]), Answering(**found["tuned"]),
            found["memory"], found["checkpoint"], str(found["at"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(run: Run, base: Checkpoint) -> Path:
    return run.machine / FOLDER / f"{key(run, base)[:24]}.json"
