"""A forecast as plain records."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import harness
from harness.kit.numbers import moment

SCHEMA = "harness.plan/1"

OWN = "earlier stages of this run"
"""What seconds come from where a training of the run itself is stored."""

Level = Literal["problem", "warning", "note"]


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """One training, or the answers to one split by one model.

    Attributes:
        round: None for the best one, whichever it will be.
        stage: ``train``, ``generate`` (dev) or ``generate test``.
        rows, steps, tokens, learned: counts, None where they are not known.
        passes: how often training goes through the rows.
        exact: whether ``rows`` and ``steps`` are exact; else they are upper bounds, and tokens an
            estimate from the mean row of the pool.
        stored: whether the store has it, so that it costs nothing.
        seconds: that it is expected to take where it is not stored; None where nothing is measured.
    """

    arm: str
    round: int | None
    stage: str
    rows: int
    exact: bool
    steps: int | None = None
    passes: float | None = None
    tokens: int | None = None
    learned: int | None = None
    stored: bool = False
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PlannedArm:
    """What is left to be trained beside the rounds: of one arm, or of the trials of a search.

    Attributes:
        name: of the arm, or ``search trials``.
        trainings: how many are left, those of whole loops included; 0 where only dev is answered.
        loops: how many whole loops that is; 0 for single trainings.
        rows, steps: of the largest training; steps are None where they are not known.
        exact: whether rows and steps are exact; else they are upper bounds.
        at_most: whether less may do, as trials may end early.
        seconds: of all trainings and their answers; None where they are not known.
        unknown: settings that differ, and by which a row takes another time than was measured.
    """

    name: str
    trainings: int
    loops: int
    rows: int
    exact: bool
    at_most: bool
    steps: int | None = None
    seconds: float | None = None
    unknown: tuple[str, ...] = ()


Asked = tuple[str, harness.Requests]
"""What asks a model behind a server (``metric judge``), and what is left to be asked."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run takes of the machine, and what the machine has; bytes, None where not known.

    Attributes:
        memory: greatest memory of one process, as the probe measured it.
        disk: that is written below the working folder.
    """

    memory: int | None
    memory_free: int | None
    memory_whole: int | None
    disk: int | None
    disk_free: int | None


@dataclass(frozen=True, slots=True)
class Power:
    """The gain in the primary score that dev can show.

    Attributes:
        detectable: None before the base model has answered dev.
        sentence: the same in words; before that, what may be assumed.
    """

    detectable: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence; a ``problem`` means that the run cannot come to its end here."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast of a run.

    Attributes:
        run: its name.
        model: the base model's.
        rounds: planned ones.
        rows: split -> rows, ``valid`` being cut from train.
        stages: trainings and answers in the order of the run.
        beside: what is left of that which is trained beside the rounds.
        requests: what is left to be asked of servers, replies that are kept included.
        seconds: of all work that is not stored, with the start of the run and without scoring and
            reports; None where not known. Arms with ``unknown`` settings are not in it.
        measured: where seconds come from: when it was measured, or :data:`OWN`, or None.
        refused: whether training refuses rows, which is among the remarks.
    """

    run: str
    model: str
    rounds: int
    rows: dict[str, int]
    stages: tuple[PlannedWork, ...]
    beside: tuple[PlannedArm, ...]
    requests: tuple[Asked, ...]
    seconds: float | None
    measured: str | None
    needs: Needs
    dev: Power
    remarks: tuple[Remark, ...]
    refused: bool = False

    @property
    def since(self) -> str:
        """What the seconds come from, in words; empty where they are not known."""
        if self.measured is None:
            return ""
        known = self.measured == OWN
        return f"by {OWN}" if known else f"as measured {moment(self.measured)}"

    @property
    def works(self) -> bool:
        """Whether the run can come to its end on this machine and rows, as far as is known."""
        return not any(remark.level == "problem" for remark in self.remarks)

    def document(self) -> dict[str, Any]:
        """One JSON document: ``harness plan --json``.

        Seconds are seconds, sizes are bytes, and null is what is not known.
        """
        fields = asdict(self)
        fields["requests"] = [{"what": what, **asked} for what, asked in fields["requests"]]
        del fields["refused"]  # by the exit code
        head = {"schema": SCHEMA, "harness": harness.__version__}
        return {**head, **fields, "works": self.works}
