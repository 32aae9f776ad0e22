"""``harness data redact``: mail addresses, numbers and keys replaced by tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

import harness
from harness.kit.terminal.options import takes
from harness_rows.commands.data.request import Request

if TYPE_CHECKING:
    from rich.console import Console

    from harness import Report
    from harness.kit.readers import Record
    from harness_rows.cleaning.private.finding import Finders
    from harness_rows.cleaning.private.redaction import Redaction, Value
    from harness_rows.commands.data.opening import OpenedRows
    from harness_rows.reading import Reading

LISTED = 5
"""Values of each kind that are listed."""
REPORTED = 500
"""Rows after which the progress is reported again."""
UNSEARCHED = "bytes that are no text in UTF-8: nothing private would be found in them"


@dataclass(frozen=True, kw_only=True)
class RedactRequest(Request):
    """What ``redact`` takes."""

    output: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option("-o", "--output", metavar="FILE", help="a new .jsonl file; without: report"),
    ] = None
    kinds: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--kind", metavar="K", help="key, email, iban, card, phone (all these), ip"),
    ] = None
    regions: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--region", metavar="CC", help="country of numbers without a country code"),
    ] = None


@takes(RedactRequest)
def redact(request: RedactRequest) -> None:
    """Replace mail addresses, phone numbers, IBANs, cards and keys.

    One value becomes one token, such as <EMAIL_1>, in all columns of all rows. Without -o it only
    reports. Nothing is written over. Names and postal addresses are not found.
    """
    from harness_rows.cleaning.private.redaction import Redaction
    from harness_rows.commands.data import writing
    from harness_rows.commands.data.opening import readable
    from harness_rows.commands.data.printing import answer
    from harness_rows.commands.progress import working

    if request.output:
        writing.need_new_file("-o", request.output)
    redaction = Redaction(_finders(request))
    with working("data redact") as begin:
        data, reading = readable(request, begin)
        rows = _redacted(redaction, reading, begin)
        if request.output:
            writing.write([("-o", request.output, rows)])
    document = {
        "rows": len(data.rows),
        "values": [asdict(value) for value in redaction.values],
        "files": [str(request.output)] if request.output else [],
    }
    answer(request, data, document, lambda console: _show(request, data, redaction, console))


def _finders(request: RedactRequest) -> Finders:
    from phonenumbers import SUPPORTED_REGIONS

    from harness_rows.cleaning.private.finding import Finders
    from harness_rows.cleaning.private.phones import REGIONS
    from harness_rows.cleaning.private.values import DEFAULT, KINDS

    kinds = request.kinds or DEFAULT
    regions = [region.upper() for region in request.regions or REGIONS]
    for option, values, known in (
        ("--kind", kinds, KINDS),
        ("--region", regions, sorted(SUPPORTED_REGIONS)),
    ):
        for value in values:
            if value not in known:
                raise harness.UsageError(f"{option} {value}: known are {', '.join(known)}")
    return Finders(kinds, regions)


def _redacted(
    redaction: Redaction, reading: Reading, begin: Callable[[str], Report]
) -> list[Record]:
    """All rows with tokens.

    Raises:
        DataError: a value holds bytes, which would be written as base64 with all that is in them.
    """
    from harness.kit.readers import Fault, Problems
    from harness_rows.cleaning.private.redaction import has_bytes
    from harness_rows.commands.data import writing

    problems = Problems()
    for row, record in zip(reading.rows, reading.records, strict=True):
        redaction.reserve(record)
        for name in (name for name, value in record.items() if has_bytes(value)):
            problems.add(Fault(UNSEARCHED, row.place, column=name))
    problems.refuse(reading.where, "make text of these bytes, or drop the column")
    report, total = begin("redacting"), len(reading.rows)
    rows = []
    for at, (row, record) in enumerate(zip(reading.rows, writing.records(reading), strict=True)):
        if at % REPORTED == 0:
            report(at, total, "rows")
        rows.append(redaction.record(record, row.place or f"row {at + 1}"))
    return rows


def _show(request: RedactRequest, data: OpenedRows, redaction: Redaction, console: Console) -> None:
    from harness.kit.terminal import tables
    from harness_rows.commands.data.printing import note_written

    values = redaction.values
    if values:
        _draw_listed(values, console)
        console.print()
    tables.note(console, _sentence(values, len(data.rows)), "bold")
    tables.note(
        console,
        "Names, postal addresses and passwords are not found, and no rule finds all: look at the "
        "rows before you give them away.",
    )
    otherwise = "Nothing was written: -o FILE writes the rows with tokens." if values else ""
    note_written(console, [request.output], otherwise)


def _draw_listed(values: Sequence[Value], console: Console) -> None:
    from harness.kit.blocks import Column, Table
    from harness.kit.terminal import tables
    from harness.kit.terminal.blocks import draw_rows

    rows = []
    listed: Counter[str] = Counter()
    for value in values:
        listed[value.kind] += 1
        if listed[value.kind] <= LISTED:
            rows.append((value.token, value.shown, value.what, f"{value.times:,}", value.places[0]))
    columns = (
        Column("token", "word"), Column("value"), Column("what", "word", spare=1),
        Column("times", "number"), Column("first place"),
    )  # fmt: skip
    draw_rows(Table(columns, tuple(rows), "values that are replaced"), console)
    more = [f"{n - LISTED:,} more of {kind}" for kind, n in listed.items() if n > LISTED]
    if more:
        tables.note(console, f"and {', '.join(more)}: --json lists all", "dim")


def _sentence(values: Sequence[Value], rows: int) -> str:
    if not values:
        return f"Nothing was found in {rows:,} rows."
    counts = Counter(value.kind for value in values)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    times = sum(value.times for value in values)
    return f"{len(values):,} values ({kinds}), {times:,} times in {rows:,} rows."
