"""Rows of any format, read once: the rows, the records that they come from, what is wrong."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice

from harness import DataError, Example
from harness_rows import files, hub, problems
from harness_rows.converting import Converter
from harness_rows.formats import Recognised, recognise
from harness_rows.options import RowsOptions, template_names
from harness_rows.readers.base import Reader
from harness_rows.records import Chained, Record, Records

HEAD = 200
"""Records of each file by which the format is recognised."""
TOLD = 20_000
"""Rows after which the progress is told again."""

Told = Callable[[int], None]
_HINT = "formats with an example of each: harness docs formats"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        rows: those that can be used; ``split`` is empty where no file or column says one.
        records: the original of each row, in the same order, column -> value.
        format: ``messages``, ``sharegpt``, ``alpaca``, ``prompt-completion`` or ``columns``.
        columns: role -> the columns that play it.
        unused: columns that play none.
        problems: one line for each kind, with a count and the first places.
        wrong: how many problems these are.
        said: sentences: which format was recognised, and by what.
        where: what was read, as people call it.
    """

    rows: tuple[Example, ...]
    records: Records
    format: str
    columns: Mapping[str, tuple[str, ...]]
    unused: tuple[str, ...]
    problems: tuple[str, ...]
    wrong: int
    said: tuple[str, ...]
    where: str

    def refuse(self) -> None:
        """Raise where anything is wrong.

        Raises:
            DataError: with a line for each kind of problem.
        """
        problems.refuse(self.problems, self.wrong, self.where, _HINT)


def read(options: RowsOptions, told: Told = lambda count: None) -> Reading:
    """Read all rows.

    Args:
        told: is told now and then how many rows there are so far.

    Raises:
        DataError: there is no row at all, or no format fits; problems of single rows are kept
            in the :class:`Reading`.
    """
    found = problems.Problems()
    opened = _opened(options, found)
    where = opened.where
    heads = [_Head(reader) for reader in opened.readers]
    records = [record for head in heads for _, record in head.rows]
    if not records:
        problems.refuse(found.lines, found.count, where, _HINT)
        raise DataError("there is no row", where=where, hint=_HINT)
    columns = list(dict.fromkeys(name for reader in opened.readers for name in reader.columns))
    form = recognise(options, columns, records, where)
    form = replace(form, said=(*opened.said, *form.said))
    return _converted(options, heads, form, found, where, told)


@dataclass(frozen=True, slots=True)
class _Opened:
    """Readers of all there is to read; ``said`` is what people should know of it."""

    where: str
    readers: tuple[Reader, ...]
    said: tuple[str, ...] = ()


def _opened(options: RowsOptions, found: problems.Problems) -> _Opened:
    if options.path is None:
        made, commit = hub.readers(options, found)
        revision = f"commit {commit}" if commit else "as it is in the cache of this machine"
        return _Opened(
            options.hub, tuple(made), (f"data set {options.hub} of the hub: {revision}",)
        )
    made = [one for file in files.found(options.path) for one in files.readers(file, found)]
    return _Opened(files.shown(options.path), tuple(made))


class _Head:
    """A reader of which the first rows have been read ahead."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._rest = reader.rows()
        self.rows = list(islice(self._rest, HEAD))

    def __iter__(self) -> Iterator[tuple[int, Record]]:
        return chain(self.rows, self._rest)


def _converted(
    options: RowsOptions, heads: Iterable[_Head], form: Recognised,
    found: problems.Problems, where: str, told: Told,
) -> Reading:  # fmt: skip
    converter = Converter(options, form, found)
    heads = list(heads)
    rows: list[Example] = []
    which, places = array("I"), array("Q")
    for part, head in enumerate(heads):
        file = head.reader.file
        for at, (number, record) in enumerate(head):
            row = converter.example(record, file.label, number, file.split)
            if row is None:
                continue
            rows.append(row)
            which.append(part)
            places.append(at)
            if len(rows) % TOLD == 0:
                told(len(rows))
    played = form.roles.columns(template_names(options.prompt))
    used = {name for names in played.values() for name in names}
    columns = dict.fromkeys(name for head in heads for name in head.reader.columns)
    return Reading(
        rows=tuple(rows),
        records=Chained([head.reader.records for head in heads], which, places),
        format=form.format,
        columns=played,
        unused=tuple(name for name in columns if name not in used),
        problems=found.lines,
        wrong=found.count,
        said=form.said,
        where=where,
    )
