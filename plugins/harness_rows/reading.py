"""Rows of any format, read once: the rows, the records that they come from, what is wrong."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from harness import DataError, Example
from harness.kit.readers import Delimited, Problems, Record, Records
from harness_rows import files, hub
from harness_rows.converting import Converter
from harness_rows.documents import Part
from harness_rows.formats import Recognised, recognise
from harness_rows.options import RowsOptions, template_names

HEAD = 200
"""Records of each file by which the format is recognised."""
WATCHED = 20_000
"""Rows after which the progress is reported again."""
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
        problems: what is wrong with other rows.
        said: sentences: which format was recognised, and by what.
        where: what was read, as people call it.
    """

    rows: tuple[Example, ...]
    records: Records
    format: str
    columns: Mapping[str, tuple[str, ...]]
    unused: tuple[str, ...]
    problems: Problems
    said: tuple[str, ...]
    where: str

    def refuse(self) -> None:
        """Raise where anything is wrong.

        Raises:
            DataError: with a line for each kind of problem.
        """
        self.problems.refuse(self.where, _HINT)


def read(options: RowsOptions, watch: Callable[[int], None] = lambda count: None) -> Reading:
    """Read all rows.

    Args:
        watch: is told now and then how many rows there are so far.

    Raises:
        DataError: there is no row at all, or no format fits; problems of single rows are kept
            in the :class:`Reading`.
    """
    problems = Problems()
    where, parts, notes = _parts(options, problems)
    # The format is known by the first rows of all files, before any row is made.
    heads = [_Head(part) for part in parts]
    records = [record for head in heads for _, _, record in head.rows]
    if not records:
        problems.refuse(where, _HINT)
        raise DataError("there is no row", where=where, hint=_HINT)
    columns = list(dict.fromkeys(name for part in parts for name in part.reader.columns))
    recognised = recognise(options, columns, records, where)
    recognised = replace(recognised, said=(*notes, *recognised.said))
    return _converted(options, heads, recognised, problems, where, watch)


def _parts(options: RowsOptions, problems: Problems) -> tuple[str, list[Part], list[str]]:
    """What is read, as people call it; its files or splits; what people should know of them."""
    if options.path is None:
        parts, commit = hub.parts(options, problems)
        revision = f"commit {commit}" if commit else "as it is in the cache of this machine"
        return options.hub, parts, [f"data set {options.hub} of the hub: {revision}"]
    parts = [
        part
        for file, split in files.files_at(options.path)
        for part in files.parts(file, split, problems, options.encoding)
    ]
    encodings = dict.fromkeys(filter(None, (part.reader.file.encoding for part in parts)))
    notes = [f"texts are read as {', '.join(encodings)}"] if encodings else []
    notes += [part.said for part in parts if part.said]
    return files.shown(options.path), parts, notes


class _Head:
    """A part of which the first rows have been read ahead.

    Iterated once, it gives all of them: place among the part's records, number in the file, record.
    """

    def __init__(self, part: Part) -> None:
        self.reader, self.split = part.reader, part.split
        self._rest = self._rows()
        self.rows = list(islice(self._rest, HEAD))

    def _rows(self) -> Iterator[tuple[int, int, Record]]:
        is_table = isinstance(self.reader, Delimited)
        for at, (number, record) in enumerate(self.reader.rows()):
            # Spreadsheets leave rows of empty cells behind the last one that is filled in.
            if not is_table or any(record.values()):
                yield at, number, record

    def __iter__(self) -> Iterator[tuple[int, int, Record]]:
        return chain(self.rows, self._rest)


def _converted(
    options: RowsOptions, heads: Sequence[_Head], recognised: Recognised,
    problems: Problems, where: str, watch: Callable[[int], None],
) -> Reading:  # fmt: skip
    converter = Converter(options, recognised, problems)
    rows: list[Example] = []
    # Where each row's record is, not the record itself, which is read again when it is asked for.
    parts, places = array("I"), array("Q")
    for part, head in enumerate(heads):
        file = head.reader.file
        for at, number, record in head:
            row = converter.example(record, file.label, number, head.split)
            if row is None:
                continue
            rows.append(row)
            parts.append(part)
            places.append(at)
            if len(rows) % WATCHED == 0:
                watch(len(rows))
    if not rows and converter.incomplete and not problems.count:
        raise DataError(f"no row can be used: {converter.said[0]}", where=where)
    columns_of = recognised.roles.columns(template_names(options.prompt))
    columns = dict.fromkeys(name for head in heads for name in head.reader.columns)
    used = {name for names in columns_of.values() for name in names}
    used |= {name.partition(".")[0] for name in used - columns.keys()}  # of `outer.inner`
    return Reading(
        rows=tuple(rows),
        records=_RecordsOfRows([head.reader.records for head in heads], parts, places),
        format=recognised.format,
        columns=columns_of,
        unused=tuple(name for name in columns if name not in used),
        problems=problems,
        said=(*recognised.said, *converter.said),
        where=where,
    )


class _RecordsOfRows:
    """The record of each row, from the records of several files.

    Args:
        files: the records of each file or split.
        parts, places: of each row, which of these its record is in, and where. Both rise.
    """

    def __init__(self, files: Sequence[Records], parts: array[int], places: array[int]) -> None:
        self._files, self._parts, self._places = files, parts, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, at: int, /) -> Record:
        return self._files[self._parts[at]][self._places[at]]

    def __iter__(self) -> Iterator[Record]:
        """The records; each file is read once, from its front to its end."""
        at = 0
        for part, records in enumerate(self._files):
            if at == len(self) or self._parts[at] != part:
                continue
            for place, record in enumerate(records):
                if at == len(self) or self._parts[at] != part:
                    break
                if self._places[at] == place:
                    yield record
                    at += 1
