"""What was decided, and never is again: the closed rounds of a run."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import DataError, UsageError
from harness.kit.files import (
    Line,
    append_line,
    canonical,
    digest,
    read_json,
    scan_lines,
    write_json,
)
from harness.kit.text import storable_json
from harness.records import BASE_ARM, RoundResult, from_json, to_json

SCHEMA = 2

Place = tuple[str, int]
"""Arm and round."""
OF_BASELINE = "baseline "
"""How the name begins that stages of a baseline have in place of an arm."""
Tested = Mapping[int | str, Mapping[str, str]]
"""Round, or baseline -> pins."""


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
        self.path = path
        self._waiting = path.with_name("waiting.json")
        reading = _Reading(scan_lines(path))
        reading.check(path)
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
        known = self.closed(result.arm, result.round)
        if known is not None:
            return known
        append_line(self.path, {"schema": SCHEMA, "result": to_json(result)})
        self._closed[result.arm, result.round] = result
        return result

    def test(self, pins: Tested) -> None:
        """Pin what the opening of the test set gave. The first one stands."""
        if not self.tested:
            shown = {str(number): dict(keys) for number, keys in pins.items()}
            append_line(self.path, {"schema": SCHEMA, "test": shown})
            self.tested = pins


def reopen(path: Path, first: int) -> None:
    """Have this round and all later ones decided again, of all arms; their lines stay.

    Damaged lines that can only have closed such rounds are done without from then on.

    Raises:
        UsageError: the round is not closed.
        DataError: a damaged line may have closed an earlier round.
    """
    reading = _Reading(scan_lines(path))
    lost = [damage.number for damage in reading.damaged]
    last = max((number for _, number in reading.closed), default=-1)
    if not lost and not 0 <= first <= last:
        known = f"rounds 0 to {last} are" if last > 0 else "round 0 is" if last == 0 else "none is"
        raise UsageError(f"--reopen: round {first} is not closed ({known})")
    if any(damage.earliest < first for damage in reading.damaged):
        reading.check(path)
    append_line(path, {"schema": SCHEMA, "reopen": first, "lost": lost})


@dataclass
class _Damage:
    """A line that is not believed, and the earliest round that it may have spoken of."""

    number: int
    trouble: str
    earliest: int


class _Reading:
    """What the lines of a journal come to."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.closed: dict[Place, RoundResult] = {}
        self.damaged: list[_Damage] = []
        self.reopened = False
        self.tested: dict[int | str, dict[str, str]] = {}
        for line in lines:
            try:
                self._take(line)
            except ValueError as error:
                self.damaged.append(_Damage(line.number, str(error), self._next()))
        if missing := self._missing():
            for damage in self.damaged:
                damage.earliest = min(damage.earliest, missing[0])

    def check(self, path: Path) -> None:
        """Nothing is damaged and no round is missing.

        Raises:
            DataError: names the line and what it cost.
        """
        if self.damaged:
            first, earliest = self.damaged[0], min(damage.earliest for damage in self.damaged)
            raise DataError(
                f"this line is damaged ({first.trouble}), and what it said of round "
                f"{first.earliest}, a later one or the test set cannot be known",
                where=f"{path}:{first.number}",
                hint="take the file from a backup, or have all from there on decided again: "
                f"harness iterate --reopen {earliest}",
            )
        if missing := self._missing():
            number, arm = missing
            raise DataError(
                f"the line that closed round {number} ({arm}) is missing",
                where=str(path),
                hint="take the file from a backup, or have this round and all later ones decided "
                f"again: harness iterate --reopen {number}",
            )

    def _missing(self) -> tuple[int, str] | None:
        """The first round that is not closed though a later one of its arm is, and the arm."""
        return min(
            (
                (number, arm)
                for arm, last in self._last().items()
                for number in range(0 if arm == BASE_ARM else 1, last)
                if (arm, number) not in self.closed
            ),
            default=None,
        )

    def _take(self, line: Line) -> None:
        """Believe one line.

        Raises:
            ValueError: it is damaged, or says what no journal says.
        """
        value = line.value
        if value is None:
            raise ValueError(line.trouble)
        if value.get("schema") != SCHEMA:
            raise ValueError(f"it has schema {value.get('schema')}, this version reads {SCHEMA}")
        kind = value.keys() - {"schema"}
        if kind == {"result"}:
            self._close(_result(value["result"]))
        elif kind == {"reopen", "lost"}:
            self._reopen(value["reopen"], value["lost"])
        elif kind == {"test"}:
            self.tested = _pins(value["test"])
        else:
            raise ValueError("it is no line of a journal")

    def _close(self, result: RoundResult) -> None:
        for damage in self.damaged:
            damage.earliest = min(damage.earliest, result.round)
        place = result.arm, result.round
        if place in self.closed:
            raise ValueError(f"round {result.round} ({result.arm}) was closed before")
        self.closed[place] = result

    def _reopen(self, first: Any, lost: Any) -> None:
        if type(first) is not int or not isinstance(lost, list):
            raise ValueError("it is no line of a journal")
        self.reopened, self.tested = True, {}
        self.closed = {place: result for place, result in self.closed.items() if place[1] < first}
        self.damaged = [damage for damage in self.damaged if damage.number not in lost]

    def _last(self) -> dict[str, int]:
        """Arm -> its last closed round."""
        return dict(sorted(self.closed))

    def _next(self) -> int:
        """The earliest round that the next line may close."""
        last = self._last()
        return min([last.get(BASE_ARM, -1), *last.values()]) + 1


def _pins(value: Any) -> dict[int | str, dict[str, str]]:
    """Round, or baseline -> pins.

    Raises:
        ValueError: it is something else.
    """
    try:
        pins: dict[str, dict[str, str]] = _adapter(dict[str, dict[str, str]]).validate_python(value)
        return {
            name if name.startswith(OF_BASELINE) else int(name): keys for name, keys in pins.items()
        }
    except ValueError:
        raise ValueError("it is no line of a journal") from None


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _result(value: Any) -> RoundResult:
    """The record of a closed round.

    Raises:
        ValueError: it is none: a type is wrong, or a key is missing or unknown.
    """
    try:
        # The types are checked without lone surrogates, which that reader takes for no JSON.
        _adapter(RoundResult).validate_json(canonical(storable_json(value)), strict=True)
        return from_json(RoundResult, value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"it is no round: {place or 'result'}: {first['msg']}") from None
    except (TypeError, RecursionError) as error:
        raise ValueError(f"it is no round: {error}") from None
