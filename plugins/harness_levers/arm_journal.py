"""The trainings beside the rounds of a run, one fsynced line each, and the verdicts on them.

A training that is written down is not made again, and a verdict that was given stands: both are
about one reference round, and count no more where that was decided again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import harness
from harness.kit.log import Log
from harness_levers.planning import identity
from harness_levers.records import Arm

FILE = "arms.jsonl"
SCHEMA = 3


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on an arm, and what it was given among all arms tried on this dev set.

    Attributes:
        earlier: arms that were judged on it before.
        together: arms that were planned with it, it included.
    """

    arm: Arm
    verdict: harness.Verdict
    earlier: int
    together: int


@dataclass(frozen=True, slots=True)
class TriedLine:
    """A line of the journal: a training was made.

    Attributes:
        of: digest of the reference round, as it was closed.
    """

    of: str
    arm: Arm
    tried: harness.BranchTraining


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """A line of the journal: verdicts that were given together.

    Attributes:
        of: digest of the reference round, as it was closed.
    """

    of: str
    judged: tuple[Judged, ...]


class ArmJournal:
    """What is known of the arms of one run.

    An arm is known by its settings, whatever it is called by now; a verdict is on so many seeds.

    Args:
        reference: digest of the reference round, as it was closed.
    """

    def __init__(self, folder: Path, reference: str) -> None:
        self.path, self.reference = folder / FILE, reference
        self._arms: dict[str, Arm] = {}
        self._tried: dict[tuple[str, int], harness.BranchTraining] = {}
        self._judged: dict[tuple[str, int], Judged] = {}
        self._log: Log[TriedLine | JudgedLine] = Log(
            self.path, TriedLine, JudgedLine, schema=SCHEMA,
            cost="which arm it spoke of cannot be known",
            hint="take the file from a backup, or remove it: what was trained is stored, and "
            "verdicts on arms are given again",
        )  # fmt: skip
        self._log.read(self._take)

    def earlier(self, planned: Sequence[Arm]) -> list[Arm]:
        """The arms that were tried and are not planned any more, each under a name of its own."""
        identities, names = {identity(arm) for arm in planned}, {arm.name for arm in planned}
        arms = []
        for key, arm in self._arms.items():
            if key in identities:
                continue
            if arm.name in names:
                arm = dataclasses.replace(arm, name=f"{arm.name} (earlier, {key[:6]})")
            names.add(arm.name)
            arms.append(arm)
        return arms

    def tried(self, arm: Arm, seed: int) -> harness.BranchTraining | None:
        """A training, if it was made and gave answers."""
        return self._tried.get((identity(arm), seed))

    def judged(self, arm: Arm) -> Judged | None:
        """The verdict on an arm, if it was given."""
        return self._judged.get((identity(arm), arm.seeds))

    def keep(self, arm: Arm, tried: harness.BranchTraining) -> None:
        """Write a training down."""
        self._write(TriedLine(self.reference, arm, tried))

    def judge(self, judged: Sequence[Judged]) -> None:
        """Write verdicts down that were given together, in one line: none of them or all.

        One that was given before stands.
        """
        new = tuple(verdict for verdict in judged if self.judged(verdict.arm) is None)
        if new:
            self._write(JudgedLine(self.reference, new))

    def _write(self, line: TriedLine | JudgedLine) -> None:
        self._log.append(line)
        self._take(line)

    def _take(self, line: TriedLine | JudgedLine) -> None:
        if line.of != self.reference:
            return
        if isinstance(line, TriedLine):
            self._arms[identity(line.arm)] = line.arm
            self._tried[identity(line.arm), line.tried.seed] = line.tried
        else:
            for judged in line.judged:
                self._judged.setdefault((identity(judged.arm), judged.arm.seeds), judged)
