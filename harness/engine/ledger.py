"""The ledger of openings: who has looked at which sealed rows, across all runs of a folder.

An opening is two lines: one before the rows are looked at, and one with the digest of the answers
that were scored. Rows count one by one, by prompt and references, so neither another id, group,
order or field nor a few rows more make a test set a new one.
"""

from __future__ import annotations

import dataclasses
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.data.splits import rows_digest
from harness.errors import DataError
from harness.kit.files import append_line, canonical, digest, read_lines
from harness.kit.lock import turn
from harness.records import Example

SCHEMA = 2
SHARED = 0.1
"""Share of the smaller of two sets of rows from which looking at one is looking at the other."""
ALPHA = 0.05
_OLD = {"schema", "test", "run"}
_COST = "how often the test set was opened cannot be known"
_HINT = "take the file from a backup; if the line is taken out, its opening counts no more"


def alpha(looks: int) -> float:
    """Chance of a false *improved* (and of a false *regressed*) that one opening is given.

    .05 at the first one and .05/(k(k-1)) at the k-th, whose sum over all k > 1 is .05: however
    often a set is opened, all later openings together risk no more than the first.
    """
    return ALPHA if looks < 2 else ALPHA / (looks * (looks - 1))


def bound(looks: int) -> str:
    """:func:`alpha` as it is written: ``.05``, ``.05/6`` at the third opening."""
    return f"{ALPHA:g}".removeprefix("0") + (f"/{looks * (looks - 1)}" if looks > 1 else "")


def in_words(looks: int) -> str:
    """How often the rows were opened, what that asks of the verdict, and what it cannot mend."""
    if looks < 2:
        return (
            "First opening of these rows in this folder: each bound of the verdict may be wrong "
            "with a chance of .05."
        )
    share = f"{alpha(looks):.2g}".removeprefix("0")
    return (
        f"Opening {looks} of these rows, over all runs in this folder: each bound of the verdict "
        f"may be wrong with a chance of .05/({looks} x {looks - 1}) = {share} instead of .05. This "
        "corrects for how often the rows were opened; it cannot correct for choices that were made "
        "after seeing what they said."
    )


def row_key(row: Example) -> str:
    """16 hex digits that prompt and references decide; case and white space do not count."""
    prompt = [[message.get("role"), _plain(message.get("content"))] for message in row.messages]
    return digest([prompt, sorted(_plain(text) for text in row.references)])[:16]


def overlap(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sets of rows, by their keys, share so many that one is the other."""
    return len(one & other) >= SHARED * min(len(one), len(other))


class Unopened(DataError):
    """Rows that are only looked at were never opened."""


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else canonical(value).decode()
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True, slots=True)
class Opening:
    """One look at sealed rows.

    Attributes:
        name: of the opening, given by the ledger.
        who: the run, or a run and what it was looked at for.
        test: digest of the whole rows, all fields included.
        rows: keys of the rows; None for openings of old ledgers, which kept the digest alone.
        answers: digest of the answers that were scored; None where they never were.
        looks: which opening of these rows it is (1 for the first).
    """

    name: str
    who: str
    test: str
    rows: frozenset[str] | None
    answers: str | None = None
    looks: int = 0

    def shares(self, other: Opening) -> bool:
        """Whether this opening and another one looked at the same rows, or enough of them."""
        if self.rows is None or other.rows is None:
            return self.test == other.test
        return overlap(self.rows, other.rows)


class Ledger:
    """The openings in one file, one fsynced line at a time.

    Reading and appending happen under one lock, so two processes that open at once are counted
    one after the other.
    """

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self.path, self.writable = path, writable

    def open(self, rows: Sequence[Example], who: str, answers: str | None = None) -> Opening:
        """Count an opening before it happens. The same one by the same ``who`` counts once.

        Args:
            answers: digest of the answers, where it is known beforehand.

        Raises:
            DataError: a line of the ledger is damaged; or, where only what is stored is looked
                at, these rows were not opened.
        """
        new = Opening("", who, rows_digest(rows), frozenset(map(row_key, rows)), answers)
        with self._locked():
            same = [opening for opening in self.openings() if _same(opening, new)]
            if answers is not None:
                same = [opening for opening in same if opening.answers == answers]
            # An old line does not know the rows.
            return dataclasses.replace(same[-1], rows=new.rows) if same else self._append(new)

    def answered(self, opening: Opening, answers: str) -> Opening:
        """Write down which answers were scored. Others than before are another look.

        Returns:
            the opening that these answers belong to.
        """
        with self._locked():
            same = [known for known in self.openings() if _same(known, opening)]
            for known in same:
                if known.answers == answers:
                    return known
            if not self.writable:
                return opening
            blank = next((known for known in same if known.answers is None), None)
            blank = blank or self._append(dataclasses.replace(opening, answers=None))
            self._write({"schema": SCHEMA, "opening": blank.name, "answers": answers})
            return dataclasses.replace(blank, answers=answers)

    def openings(self) -> list[Opening]:
        """All openings in order, each counted.

        Raises:
            DataError: a line is damaged.
        """
        opened: dict[str, Opening] = {}
        sets: dict[str, frozenset[str]] = {}
        for number, line in enumerate(read_lines(self.path, cost=_COST, hint=_HINT), start=1):
            try:
                _take(line, opened, sets)
            except (KeyError, TypeError, ValueError):
                what = f"this line is no opening, and {_COST}"
                raise DataError(what, where=f"{self.path}:{number}", hint=_HINT) from None
        return list(_counted(opened.values()))

    def _append(self, new: Opening) -> Opening:
        if not self.writable:
            raise Unopened("its test set was not opened yet", hint="harness test RUN opens it")
        earlier = self.openings()
        name, rows = uuid.uuid4().hex[:12], sorted(new.rows or ())
        known = any(opening.rows == new.rows for opening in earlier)
        line: dict[str, Any] = {
            "schema": SCHEMA, "opening": name, "run": new.who, "test": new.test,
            "set": digest(rows),
        }  # fmt: skip
        if not known:
            line["rows"] = rows
        self._write(line)
        if new.answers is not None:
            self._write({"schema": SCHEMA, "opening": name, "answers": new.answers})
        return next(opening for opening in self.openings() if opening.name == name)

    def _write(self, line: dict[str, Any]) -> None:
        append_line(self.path, line)

    def _locked(self) -> AbstractContextManager[None]:
        return turn(self.path.with_suffix(".lock")) if self.writable else nullcontext()


def _same(opening: Opening, other: Opening) -> bool:
    """Whether two openings are by one run of one set of rows."""
    if opening.who != other.who:
        return False
    return opening.test == other.test if opening.rows is None else opening.rows == other.rows


def _take(
    line: dict[str, Any], opened: dict[str, Opening], sets: dict[str, frozenset[str]]
) -> None:
    """Add what a line says; raises what a line that says nothing leads to."""
    if set(line) == _OLD:
        name = digest([line["test"], line["run"]])[:12]
        opened.setdefault(name, Opening(name, _text(line["run"]), _text(line["test"]), None))
        return
    if line["schema"] != SCHEMA:
        raise ValueError(line["schema"])
    name = _text(line["opening"])
    if "answers" in line:
        opened[name] = dataclasses.replace(opened[name], answers=_text(line["answers"]))
        return
    if "rows" in line:
        sets[line["set"]] = frozenset(map(_text, line["rows"]))
    opened[name] = Opening(name, _text(line["run"]), _text(line["test"]), sets[line["set"]])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _counted(openings: Iterable[Opening]) -> Iterator[Opening]:
    earlier: list[Opening] = []
    for opening in openings:
        yield dataclasses.replace(
            opening, looks=1 + sum(opening.shares(other) for other in earlier)
        )
        earlier.append(opening)
