"""The closed rounds of a run: what was decided, until a user has a round decided again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from harness.errors import DataError, UsageError
from harness.kit.files import digest, read_json, write_json
from harness.kit.log import Log
from harness.records import BASE_ARM, RoundResult, to_json

SCHEMA = 2

Place = tuple[str, int]
"""Arm and round."""
OF_BASELINE = "baseline "
"""How the name begins that stages of a baseline have in place of an arm."""
TestedName = Annotated[str, Field(pattern=f"^([0-9]+|(?s:{OF_BASELINE}.*))$")]
"""Number of a round, or name of a baseline's stages, as lines have it."""
Tested = Mapping[int | str, Mapping[str, str]]
"""Round, or baseline -> pins."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A line of the journal: a round was closed."""

    result: RoundResult


@dataclass(frozen=True, slots=True)
class Reopened:
    """A line of the journal: rounds are decided again.

    Attributes:
        reopen: the first of them.
        lost: numbers of damaged lines that are done without from then on.
    """

    reopen: int
    lost: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A line of the journal: the test set was opened.

    Attributes:
        test: what was evaluated -> pins.
    """

    test: Mapping[TestedName, Mapping[str, str]]


Line = Closed | Reopened | Opened


class ClosedRounds:
    """The closed rounds of one run, to be read.

    Attributes:
        reopened: whether rounds were closed once and are decided again.
        tested: round, or baseline (as its stages call it) -> what its evaluation on the test set
            rests on, once that was opened.
    """

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            DataError: a line is damaged, is no line of a journal, or is missing.
        """
        self.path, self._log = path, _log(path)
        self._waiting = path.with_name("waiting.json")
        reading = _Reading(self._log)
        reading.check()
        self._closed = reading.closed
        self.reopened = reading.reopened
        self.tested: Tested = reading.tested

    @property
    def digest(self) -> str:
        """Of all closed rounds: what a summary of the run is true of."""
        return digest([to_json(result) for result in self._closed.values()])

    def closed(self, arm: str, round_: int) -> RoundResult | None:
        """The round as it was closed, or None if it still is open."""
        return self._closed.get((arm, round_))

    def rounds(self, arm: str) -> list[RoundResult]:
        """The arm's closed rounds, in order."""
        results = [result for (name, _), result in self._closed.items() if name == arm]
        return sorted(results, key=lambda result: result.round)

    def waiting(self) -> tuple[str, int, str] | None:
        """Arm, round and digest of the answers that people are asked about, while it is open."""
        try:
            document = read_json(self._waiting)
            arm, number, generated = document["arm"], document["round"], document["generate"]
            open_ = self.closed(arm, number) is None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (arm, number, generated) if open_ else None


class Journal(ClosedRounds):
    """The closed rounds of one run, one fsynced line each; for whoever holds the run's lock."""

    def wait(self, arm: str, round_: int, generated: str) -> None:
        """Say which answers an open round has that people are asked about."""
        write_json(self._waiting, {"arm": arm, "round": round_, "generate": generated})

    def close(self, result: RoundResult) -> RoundResult:
        """Pin a round; closing it a second time gives what was pinned first."""
        closed_before = self.closed(result.arm, result.round)
        if closed_before is not None:
            return closed_before
        self._log.append(Closed(result))
        self._closed[result.arm, result.round] = result
        return result

    def test(self, pins: Tested) -> None:
        """Pin what the opening of the test set gave. The first one stands."""
        if not self.tested:
            self._log.append(Opened({str(number): keys for number, keys in pins.items()}))
            self.tested = pins


def reopen(path: Path, first: int) -> None:
    """Have this round and all later ones decided again, of all arms; their lines stay.

    Damaged lines that can only have closed such rounds are done without from then on.

    Raises:
        UsageError: the round is not closed.
        DataError: a damaged line may have closed an earlier round.
    """
    reading = _Reading(_log(path))
    lost = [damage.number for damage in reading.damaged]
    last = max((number for _, number in reading.closed), default=-1)
    if not lost and not 0 <= first <= last:
        closed = f"rounds 0 to {last} are" if last > 0 else "round 0 is" if last == 0 else "none is"
        raise UsageError(f"--reopen: round {first} is not closed ({closed})")
    if any(damage.earliest < first for damage in reading.damaged):
        reading.check()
    reading.log.append(Reopened(first, tuple(lost)))


def _log(path: Path) -> Log[Line]:
    return Log(
        path, Closed, Reopened, Opened, schema=SCHEMA,
        cost="what it said of a round or the test set cannot be known",
        hint="take the file from a backup",
    )  # fmt: skip


@dataclass
class _Damage:
    """A line that is not believed, and the earliest round that it may have spoken of."""

    number: int
    trouble: str
    earliest: int


class _Reading:
    """What the lines of a journal come to."""

    def __init__(self, log: Log[Line]) -> None:
        self.log = log
        self.closed: dict[Place, RoundResult] = {}
        self.damaged: list[_Damage] = []
        self.reopened = False
        self.tested: dict[int | str, Mapping[str, str]] = {}
        for number, trouble in log.scan(self._take):
            self.damaged.append(_Damage(number, trouble, self._next()))
        if missing := self._missing():
            for damage in self.damaged:
                damage.earliest = min(damage.earliest, missing[0])

    def check(self) -> None:
        """Nothing is damaged and no round is missing.

        Raises:
            DataError: names the line and what it cost.
        """
        if self.damaged:
            first, earliest = self.damaged[0], min(damage.earliest for damage in self.damaged)
            raise DataError(
                f"this line is damaged ({first.trouble}), and what it said of round "
                f"{first.earliest}, a later one or the test set cannot be known",
                where=f"{self.log.path}:{first.number}",
                hint="take the file from a backup, or have all from there on decided again: "
                f"harness iterate --reopen {earliest}",
            )
        if missing := self._missing():
            number, arm = missing
            raise DataError(
                f"the line that closed round {number} ({arm}) is missing",
                where=str(self.log.path),
                hint="take the file from a backup, or have this round and all later ones decided "
                f"again: harness iterate --reopen {number}",
            )

    def _missing(self) -> tuple[int, str] | None:
        """The first round that is not closed though a later one of its arm is, and the arm."""
        gaps: list[tuple[int, str]] = []
        for arm, last in self._last().items():
            numbers = range(0 if arm == BASE_ARM else 1, last)  # other arms share the baseline
            gaps += [(number, arm) for number in numbers if (arm, number) not in self.closed]
        return min(gaps, default=None)

    def _take(self, line: Line) -> None:
        """Believe one line.

        Raises:
            ValueError: it says what no journal says.
        """
        if isinstance(line, Closed):
            self._close(line.result)
        elif isinstance(line, Reopened):
            self._reopen(line)
        else:
            self.tested = {
                name if name.startswith(OF_BASELINE) else int(name): pins
                for name, pins in line.test.items()
            }

    def _close(self, result: RoundResult) -> None:
        # A later line closes an earlier round: the damaged one may have had that decided again.
        for damage in self.damaged:
            damage.earliest = min(damage.earliest, result.round)
        place = result.arm, result.round
        if place in self.closed:
            raise ValueError(f"round {result.round} ({result.arm}) was closed before")
        self.closed[place] = result

    def _reopen(self, line: Reopened) -> None:
        first = line.reopen
        self.reopened, self.tested = True, {}
        self.closed = {place: result for place, result in self.closed.items() if place[1] < first}
        self.damaged = [damage for damage in self.damaged if damage.number not in line.lost]

    def _last(self) -> dict[str, int]:
        """Arm -> its last closed round."""
        # Pairs of arm and round in order: of each arm the last one stays in the dict.
        return dict(sorted(self.closed))

    def _next(self) -> int:
        """The earliest round that the next line may close."""
        last = self._last()
        return min([last.get(BASE_ARM, -1), *last.values()]) + 1
