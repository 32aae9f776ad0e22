"""What work costs on one machine: by what a run has made, or by one short measurement."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import harness
from harness.kit.files import digest, read_json, write_json
from harness_plan.listing import DEV, TRAIN, Item, size
from harness_plan.records import OWN

FOLDER = "probes"
SCHEMA = 3


@dataclass(frozen=True, slots=True)
class Rate:
    """Seconds of one kind of work.

    Attributes:
        once: before its first step and after its last one.
        per_character: of a row with its answer, each time that it is gone through.
    """

    once: float
    per_character: float

    def seconds(self, item: Item) -> float:
        return round(self.once + self.per_character * item.passed, 1)


@dataclass(frozen=True, slots=True)
class Rates:
    """What was measured.

    Attributes:
        begin: seconds that a run takes before its first training or answer: reading rows, finding
            the model, starting the worker and loading its libraries.
        base, tuned: answers of the base model, and of a model that has learned to answer as train.
        memory: bytes of the greatest process.
        checkpoint: bytes that one training leaves; None where the measured one was stopped.
        longest: characters of the longest row that was trained on.
        at: when it was measured, as ISO 8601.
    """

    begin: float
    train: Rate
    base: Rate
    tuned: Rate
    memory: int | None
    checkpoint: int | None
    longest: int
    at: str = ""


class Times:
    """What each training and each answering costs.

    The last stage of the same kind that this run has stored says it, start-up included; where
    there is none, what was measured does.
    """

    def __init__(self, items: Iterable[Item], rates: Rates | None) -> None:
        self._rates = rates
        self._own = {
            _kind(item): Rate(0.0, item.took / item.passed)
            for item in items if item.took is not None and item.rows
        }  # fmt: skip

    @property
    def source(self) -> str:
        """Where the seconds come from: when it was measured, or the run's own stages."""
        return OWN if TRAIN in self._own or self._rates is None else self._rates.at

    def of(self, item: Item) -> float | None:
        """Seconds of making it; None where nothing is known."""
        if own := self._own.get(_kind(item)):
            return own.seconds(item)
        if self._rates is None:
            return None
        if item.stage == TRAIN:
            return self._rates.train.seconds(item)
        return (self._rates.tuned if item.tuned else self._rates.base).seconds(item)

    def of_all(self, work: Sequence[tuple[int, Item]]) -> float | None:
        """Seconds of making each so often."""
        each = [(times, self.of(item)) for times, item in work]
        return _total([None if seconds is None else times * seconds for times, seconds in each])

    def with_start(self, parts: Sequence[float | None]) -> float | None:
        """The sum of seconds with what comes before all; None where one is not known."""
        return _total([*parts, self._rates.begin if self._rates and parts else 0.0])


def _total(parts: Sequence[float | None]) -> float | None:
    """The sum of seconds; None where one of them is not known."""
    known = [seconds for seconds in parts if seconds is not None]
    return round(sum(known), 1) if len(known) == len(parts) else None


def _kind(item: Item) -> str:
    return TRAIN if item.stage == TRAIN else DEV


def write(run: harness.PlannedRun, rates: Rates) -> Rates:
    """Store rates below the working folder; returns them with the date."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    dated = dataclasses.replace(rates, at=now)
    path = _path(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, harness.to_json(dated))
    return dated


def read(run: harness.PlannedRun, train: Iterable[harness.Example]) -> Rates | None:
    """What was measured in this folder with the same model, options and machine.

    None where a row of ``train`` is longer than those that were measured: it may take more memory.
    """
    try:
        rates = harness.from_json(Rates, read_json(_path(run)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return rates if max(map(size, train), default=0) <= rates.longest else None


def _path(run: harness.PlannedRun) -> Path:
    """Named for what decides the rates: the model, the options, the libraries, the machine."""
    machine = {"launcher": launcher(run), "cores": os.cpu_count()}
    key = digest([SCHEMA, *run.pace(), machine])
    return run.machine / FOLDER / f"{key[:24]}.json"


def launcher(run: harness.PlannedRun) -> str:
    """How the run does its jobs: ``local``, ``inline`` in this process, or a plugin elsewhere."""
    key = "execution.launcher"
    return str(run.variants.own([key])[key])
