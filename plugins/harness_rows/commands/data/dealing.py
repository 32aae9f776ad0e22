"""Rows dealt out to splits, with what the result was checked for."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import harness
from harness import Example, Report, Screening, previewed
from harness.kit.readers import Record
from harness_rows.cleaning import exact
from harness_rows.commands.data.findings import by_split, counted
from harness_rows.commands.data.opening import options_of, reading_of
from harness_rows.dealing import torn
from harness_rows.formats import folded_name
from harness_rows.options import RowsOptions
from harness_rows.reading import Reading
from harness_rows.splitting import dealt

if TYPE_CHECKING:
    from harness_rows.commands.data.split_request import SplitRequest

NO_SPLIT: Any = ""


@dataclass(frozen=True, slots=True)
class DealingCheck:
    """What was looked for after dealing.

    Attributes:
        torn: groups with rows on two sides.
        exact: rows of train and pool that ask what a held-out row asks.
        near: those that nearly repeat one, as ``harness check`` counts them.
        compared: rows that were compared for these; None where that is all of them.
    """

    torn: int
    exact: int
    near: int
    compared: int | None


@dataclass(frozen=True, slots=True)
class Dealing:
    """Rows in their splits.

    Attributes:
        records: the original columns of each, with its split, and its group where one was made.
        left_over: rows that are in no split: numbers were asked for, or they cannot be scored.
        not_scorable: those of them that have rejected answers alone.
        kept: rows that had a split and keep it.
    """

    where: str
    said: tuple[str, ...]
    options: RowsOptions
    rows: tuple[Example, ...]
    records: tuple[Record, ...]
    left_over: int
    not_scorable: int
    kept: int
    check: DealingCheck

    @property
    def counts(self) -> dict[str, int]:
        """Split -> rows, in the usual order."""
        return by_split(self.rows)

    @property
    def records_by_split(self) -> dict[str, list[Record]]:
        """Split -> its records, in the usual order."""
        records: dict[str, list[Record]] = {name: [] for name in self.counts}
        for row, record in zip(self.rows, self.records, strict=True):
            records[row.split].append(record)
        return records

    @property
    def groups(self) -> dict[str, int]:
        """Split -> groups."""
        groups = {(row.split, row.group) for row in self.rows}
        counts = Counter(str(split) for split, _ in groups)
        return {name: counts[name] for name in self.counts}

    def sentences(self) -> Iterator[str]:
        """What was checked, and what is to be known."""
        check = self.check
        torn = "No group is torn" if not check.torn else f"{check.torn:,} groups are torn"
        exact = "no prompt is on two sides"
        if check.exact:
            exact = f"{counted(check.exact, 'asks', 'ask')} what a held-out row asks"
        yield f"{torn}, {exact}."
        some = "" if check.compared is None else f" of {check.compared:,} compared"
        if check.near:
            advice = "" if self.options.group else "; --group auto keeps such prompts together"
            near = counted(check.near, "nearly repeats", "nearly repeat")
            yield f"{near}{some} a row of dev or test{advice}."
        else:
            yield f"No row{some} nearly repeats one of dev or test."
        if self.kept:
            yield f"{counted(self.kept, 'had', 'had')} a split and kept it (--anew deals all)."
        if over := self.left_over - self.not_scorable:
            yield f"{counted(over)} over: not written, as sizes are numbers of rows."
        if self.not_scorable:
            rows = counted(self.not_scorable, "has", "have")
            yield f"{rows} rejected answers alone and no place in dev or test: not written."

    def config(self, files: Sequence[Path]) -> dict[str, Any]:
        """The config's ``data`` section that reads the result."""
        path = files[0] if len(files) == 1 else files[0].parent
        data: dict[str, Any] = {"source": "rows", "path": str(path)}
        options = self.options.model_dump(mode="json", exclude_defaults=True)
        columns = {
            role: name for role, name in options.get("columns", {}).items() if role != "split"
        }
        if columns:
            data["columns"] = columns
        return data | {
            key: options[key] for key in ("format", "prompt", "system") if key in options
        }


def deal(request: SplitRequest, begin: Callable[[str], Report]) -> Dealing:
    """Read the rows and deal them out.

    Raises:
        UsageError: the sizes cannot be read, or the data are not read by the source ``rows``.
        DataError: rows cannot be read or dealt out; nothing is written then.
    """
    view = None if request.data else harness.open_config(request.config, request.sets or ())
    options = options_of(request, view)
    if options is None:
        raise harness.UsageError(
            "the config's data are of a source without columns that could be written",
            hint="harness data split FILE -o OUT",
        )
    begin("reading")
    reading = reading_of(options, view)
    reading.refuse()
    _need_room(reading, options)
    report = begin("dealing")
    bare = reading
    if request.anew:
        without_split = tuple(dataclasses.replace(row, split=NO_SPLIT) for row in reading.rows)
        bare = dataclasses.replace(reading, rows=without_split)
    rows = tuple(dealt(bare, options, lambda done, of: report(done, of, "")))
    before = {row.id: row.split for row in bare.rows}
    after = {row.id for row in rows}
    left_over = [row for row in bare.rows if row.id not in after]
    return Dealing(
        where=reading.where,
        said=reading.said,
        options=options,
        rows=rows,
        records=tuple(_records(reading, rows)),
        left_over=len(left_over),
        not_scorable=sum(not row.references for row in left_over),
        kept=sum(row.split == before[row.id] for row in rows),
        check=_checked(rows, previewed(rows, report=begin("comparing prompts"))),
    )


def _need_room(reading: Reading, options: RowsOptions) -> None:
    """Raises UsageError where a column of another meaning would be written over."""
    columns = [*reading.unused, *(name for names in reading.columns.values() for name in names)]
    written = {"split": _split_column(reading), **({"group": ""} if options.group else {})}
    taken = [name for name in columns if written.get(folded_name(name), name) != name]
    if taken:
        raise harness.UsageError(
            f"the rows have a column '{taken[0]}', and it would be written over",
            where=reading.where, hint="give that column another name first",
        )  # fmt: skip


def _split_column(reading: Reading) -> str:
    """The column that has the splits, if it is called so, in its own letters; else empty."""
    played = reading.columns.get("split", ())
    return next((name for name in played if folded_name(name) == "split"), "")


def _records(reading: Reading, rows: Sequence[Example]) -> Iterator[Record]:
    """The original columns of each row, in the order in which they were read."""
    after = {row.id: row for row in rows}
    column = _split_column(reading) or "split"
    grouped = any(after[row.id].group != row.group for row in reading.rows if row.id in after)
    for before, record in zip(reading.rows, reading.records, strict=True):
        row = after.get(before.id)
        if row is None:
            continue
        written = {**record, column: row.split}
        if grouped:
            written["group"] = row.group
        yield written


def _checked(rows: Sequence[Example], screening: Screening) -> DealingCheck:
    return DealingCheck(
        torn=len({row.group for row in torn(rows)}),
        exact=sum(1 for _ in exact.exact_leaks(exact.by_prompt(rows))),
        near=sum(screening.near.values()),
        compared=sum(screening.compared.values()) or None,
    )
