"""The ledger of openings: who has looked at which sealed rows, across all runs of a folder.

An opening is two lines: one before the rows are looked at, and one with the digest of the answers
that were scored. Rows count one by one, by what the user asks (:mod:`harness.run.row_keys`), so
neither another system turn, reference, id, group, order or field nor a few rows more make a test
set a new one. A run of the folder that chose among its rounds by these rows, under the name of dev,
has looked at them, too.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.data.splits import rows_digest
from harness.errors import DataError
from harness.kit.files import digest
from harness.kit.numbers import counted
from harness.records import Example
from harness.run import dev_ledger
from harness.run.row_keys import RowKeys, keys_of, overlapping, row_keys
from harness.run.shared_log import SharedLog

if TYPE_CHECKING:
    from harness.scoring import MetricEntry

ALPHA = 0.05
SCHEMA, EARLIER = 4, 3


def alpha(looks: int) -> float:
    """Chance of a false *improved* (and of a false *regressed*) that one opening is given.

    .05 at the first one and .05/(k(k-1)) at the k-th, whose sum over all k > 1 is .05: however
    often a set is opened, all later openings together risk no more than the first.
    """
    return ALPHA if looks < 2 else ALPHA / (looks * (looks - 1))


def opening_bound(looks: int) -> str:
    """:func:`alpha` as it is written: ``.05``, ``.05/6`` at the third opening."""
    return f"{ALPHA:g}".removeprefix("0") + (f"/{looks * (looks - 1)}" if looks > 1 else "")


def in_words(looks: int, runs: int = 0, later: int = 0) -> str:
    """How often the rows were opened, what that asks of the verdict, and what it cannot mend.

    Args:
        runs: how many of the looks were runs that chose by these rows as rows of dev.
        later: how many openings came after this one.
    """
    since = f" Since then these rows were opened {counted(later, 'time')} more." if later else ""
    if looks < 2:
        return (
            "First opening of these rows in this folder or its store: each bound of the verdict "
            f"may be wrong with a chance of .05.{since}"
        )
    share = f"{alpha(looks):.2g}".removeprefix("0")
    chose = f", {_chose(runs)}" if runs else ""
    return (
        f"Opening {looks} of these rows, over all runs in this folder or its store{chose}: each "
        f"bound of the verdict may be wrong with a chance of .05/({looks} x {looks - 1}) = {share} "
        "instead of .05. This corrects for how often the rows were opened; it cannot correct for "
        f"choices that were made after seeing what they said.{since}"
    )


def _chose(runs: int) -> str:
    return f"{counted(runs, 'run')} that chose by them as rows of dev among them"


def measuring(who: str, entry: MetricEntry) -> str:
    """Who looks where answers are measured: each metric with its options is a look of its own."""
    options = digest(entry.metric.options.model_dump(mode="json"))
    return f"{who} by {entry.metric.name} {options[:12]}"


class Unopened(DataError):
    """Rows that are only looked at were never opened."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One look at sealed rows.

    Attributes:
        name: of the opening, given by the ledger.
        who: the run, or a run and what it was looked at for.
        test: digest of the whole rows, all fields included.
        rows: keys of the rows.
        runs: how many runs had chosen by these rows, or enough of them, as rows of dev before.
        answers: digest of the answers that were scored; None where they never were.
        looks: which look at these rows it is (1 for the first), such runs included.
    """

    name: str
    who: str
    test: str
    rows: RowKeys = field(compare=False)
    runs: int = 0
    answers: str | None = None
    looks: int = 0

    @property
    def alpha(self) -> float:
        """:func:`alpha` of this opening."""
        return alpha(self.looks)

    @property
    def sentence_on_labels(self) -> str:
        """Which opening it is, and from which p its labels are given."""
        chose = f", {_chose(self.runs)}" if self.runs else ""
        return (
            f"opening {self.looks} of these test rows in this folder or its store{chose}: improved "
            f"and regressed need a p below {opening_bound(self.looks)} = {self.alpha:.2g}"
        )


@dataclass(frozen=True, slots=True)
class OpenedLine:
    """A line of the ledger: rows are about to be looked at.

    Attributes:
        opening: its name.
        run: who looks.
        test: digest of the whole rows, all fields included.
        set: digest of their keys.
        runs: how many runs had chosen by these rows, or enough of them, as rows of dev before.
        before: how many openings stood in the ledger then; None in lines of earlier versions.
        same: how many of these were of these rows, or of enough of them.
        turns: the digests of their turns, parted by blanks, where no line before has these rows.
        words: those of their words.
        rows: as ``turns``, in lines of earlier versions.
    """

    opening: str
    run: str
    test: str
    set: str
    runs: int
    before: int | None = None
    same: int | None = None
    turns: str | None = None
    words: str | None = None
    rows: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AnsweredLine:
    """A line of the ledger: the digest of the answers that were scored."""

    opening: str
    answers: str


class Ledger:
    """The openings in one file, one fsynced line at a time.

    Reading and appending happen under one lock, so two processes that open at once are counted
    one after the other; so are two machines whose folders belong to one shared store.
    """

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self.path, self.writable = path, writable
        self._log: SharedLog[OpenedLine | AnsweredLine] = SharedLog(
            path, OpenedLine, AnsweredLine, schema=SCHEMA, earlier=(EARLIER,),
            cost="how often the test set was opened cannot be known",
            hint="take the file from a backup; what is taken out of it, or moved away with it, "
            "counts no more",
        )  # fmt: skip
        self._rows: Sequence[Example] = ()
        self._keys = ("", row_keys(()))

    def open(self, rows: Sequence[Example], who: str, answers: str | None = None) -> Opening:
        """Count an opening before it happens. The same one by the same ``who`` counts once.

        Args:
            answers: digest of the answers, where it is known beforehand.

        Raises:
            DataError: a line of the ledger is damaged or of another version; or, where only what
                is stored is looked at, these rows were not opened.
        """
        if rows is not self._rows:  # several metrics look at the same ones
            self._rows, self._keys = rows, (rows_digest(rows), row_keys(rows))
        new = Opening("", who, *self._keys, answers=answers)

        def decide() -> Opening:
            openings = self.openings()
            same = [opening for opening in openings if _same(opening, new)]
            if answers is not None:
                same = [opening for opening in same if opening.answers == answers]
            return same[-1] if same else self._append(new, openings)

        return self._alone(decide)

    def answered(self, opening: Opening, answers: str) -> Opening:
        """Write down which answers were scored. Others than before are another look.

        Returns:
            the opening that these answers belong to.
        """

        def decide() -> Opening:
            openings = self.openings()
            same = [earlier for earlier in openings if _same(earlier, opening)]
            for earlier in same:
                if earlier.answers == answers:
                    return earlier
            if not self.writable:
                return opening
            blank = next((earlier for earlier in same if earlier.answers is None), None)
            blank = blank or self._append(dataclasses.replace(opening, answers=None), openings)
            self._log.append(AnsweredLine(blank.name, answers), anywhere=True)
            return dataclasses.replace(blank, answers=answers)

        return self._alone(decide)

    def later(self, opening: Opening) -> int:
        """How many openings of its rows, or of enough of them, came after this one.

        Raises:
            DataError: a line of the ledger is damaged or of another version.
        """
        openings = self.openings()
        place = next(n for n, each in enumerate(openings) if each.name == opening.name)
        return _same_rows(opening.rows, openings[place + 1 :])

    def catch_up(self) -> None:
        """Read what others have opened, where the folder belongs to a shared store."""
        self._log.alone(lambda: None)

    def openings(self) -> list[Opening]:
        """All openings in order, each counted.

        Raises:
            DataError: a line is damaged, or of another version.
        """
        opened: dict[str, Opening] = {}
        counted: dict[str, tuple[int, int | None]] = {}
        sets: dict[str, RowKeys] = {}

        def take(line: OpenedLine | AnsweredLine) -> None:
            if isinstance(line, AnsweredLine):
                if line.opening not in opened:
                    raise ValueError("no line before it has this opening")
                answered = dataclasses.replace(opened[line.opening], answers=line.answers)
                opened[line.opening] = answered
                return
            if (rows := keys_of(line.turns, line.words, line.rows)) is not None:
                sets[line.set] = rows
            if line.set not in sets:
                raise ValueError("no line before it has its rows")
            opened[line.opening] = Opening(
                line.opening, line.run, line.test, sets[line.set], line.runs
            )
            if line.same is not None:
                counted[line.opening] = (line.before or 0, line.same)

        self._log.read(take)
        openings: list[Opening] = []
        for name, opening in opened.items():
            before, same = counted.get(name, (0, None))
            # Lines that another folder has put before it were not counted then.
            if same is None or before != len(openings):
                same = _same_rows(opening.rows, openings)
            openings.append(_looked(opening, same))
        return openings

    def _append(self, new: Opening, earlier: Sequence[Opening]) -> Opening:
        if not self.writable:
            raise Unopened("its test set was not opened yet", hint="harness test RUN opens it")
        name, rows = uuid.uuid4().hex[:12], new.rows
        dev_ledger.catch_up(self.path.parent)
        runs = dev_ledger.runs(self.path.parent, rows)
        same = _same_rows(rows, earlier)
        line = OpenedLine(name, new.who, new.test, rows.digest, runs, len(earlier), same)
        listed = ((opening.rows.turns, opening.rows.words) for opening in earlier)
        if (rows.turns, rows.words) not in listed:
            line = dataclasses.replace(line, turns=rows.listed, words=rows.words)
        self._log.append(line)
        if new.answers is not None:
            self._log.append(AnsweredLine(name, new.answers), anywhere=True)
        return _looked(dataclasses.replace(new, name=name, runs=runs), same)

    def _alone(self, decide: Callable[[], Opening]) -> Opening:
        return self._log.alone(decide) if self.writable else decide()


def _same(opening: Opening, other: Opening) -> bool:
    """Whether two openings are by one run of one set of rows, as these are."""
    return (opening.who, opening.test) == (other.who, other.test)


def _same_rows(rows: RowKeys, earlier: Sequence[Opening]) -> int:
    """How many openings before were of these rows, or of enough of them."""
    return sum(overlapping(rows, [opening.rows for opening in earlier]))


def _looked(opening: Opening, same: int) -> Opening:
    """The opening with which look at its rows it is."""
    return dataclasses.replace(opening, looks=1 + opening.runs + same)
