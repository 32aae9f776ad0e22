"""The trainings beside the rounds of a run, one fsynced line each, and the verdicts on them.

A training that is written down is not made again, and a verdict that was given stands: both are
about one reference round, and count no more where that was decided again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from harness.kit.files import append_line, scan_lines
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

    verdict: harness.Verdict
    earlier: int
    together: int


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
        for line in scan_lines(self.path):
            try:
                self._take(line.value, line.trouble)
            except (KeyError, TypeError, ValueError) as error:
                raise harness.DataError(
                    f"this line is damaged ({error}), and which arm it spoke of cannot be known",
                    where=f"{self.path}:{line.number}",
                    hint="take the file from a backup, or remove it: what was trained is stored, "
                    "and verdicts on arms are given again",
                ) from None

    def earlier(self, planned: Sequence[Arm]) -> list[Arm]:
        """The arms that were tried and are not planned any more, each under a name of its own."""
        now, names = {identity(arm) for arm in planned}, {arm.name for arm in planned}
        found = []
        for key, arm in self._arms.items():
            if key in now:
                continue
            if arm.name in names:
                arm = dataclasses.replace(arm, name=f"{arm.name} (earlier, {key[:6]})")
            names.add(arm.name)
            found.append(arm)
        return found

    def tried(self, arm: Arm, seed: int) -> harness.BranchTraining | None:
        """A training, if it was made and gave answers."""
        return self._tried.get((identity(arm), seed))

    def judged(self, arm: Arm) -> Judged | None:
        """The verdict on an arm, if it was given."""
        return self._judged.get((identity(arm), arm.seeds))

    def keep(self, arm: Arm, tried: harness.BranchTraining) -> None:
        """Write a training down."""
        self._write(arm=harness.to_json(arm), tried=harness.to_json(tried))
        self._arms[identity(arm)] = arm
        self._tried[identity(arm), tried.seed] = tried

    def judge(self, arms: Sequence[tuple[Arm, Judged]]) -> None:
        """Write verdicts down that were given together, in one line: none of them or all.

        One that was given before stands.
        """
        new = [(arm, judged) for arm, judged in arms if self.judged(arm) is None]
        if new:
            self._write(
                judged=[{"arm": harness.to_json(arm), **harness.to_json(one)} for arm, one in new]
            )
            self._judged |= {(identity(arm), arm.seeds): one for arm, one in new}

    def _write(self, **said: Any) -> None:
        append_line(self.path, {"schema": SCHEMA, "of": self.reference, **said})

    def _take(self, line: Mapping[str, Any] | None, trouble: str) -> None:
        if line is None:
            raise ValueError(trouble)
        if line["schema"] != SCHEMA:
            raise ValueError(f"it has schema {line['schema']}, this version reads {SCHEMA}")
        if line["of"] != self.reference:
            return
        if "tried" in line:
            arm, tried = (
                harness.from_json(Arm, line["arm"]),
                harness.from_json(harness.BranchTraining, line["tried"]),
            )
            self._arms[identity(arm)] = arm
            self._tried[identity(arm), tried.seed] = tried
            return
        for said in line["judged"]:
            arm = harness.from_json(Arm, said["arm"])
            judged = harness.from_json(Judged, {key: said[key] for key in said if key != "arm"})
            self._judged.setdefault((identity(arm), arm.seeds), judged)
