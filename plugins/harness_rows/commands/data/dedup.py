"""``harness data dedup``: rows that repeat another one, exactly or nearly, taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

import harness
from harness.kit.terminal.options import takes
from harness_rows.commands.data.request import Request

if TYPE_CHECKING:
    from rich.console import Console

    from harness.kit.blocks import Table
    from harness.kit.readers import Record
    from harness_rows.cleaning.repeated import Repeats
    from harness_rows.commands.data.opening import OpenedRows
    from harness_rows.reading import Reading

LISTED = 10
"""Rows that go and are listed."""
WHY = "removed_because"
"""Column that is added to the rows of ``--removed``."""


@dataclass(frozen=True, kw_only=True)
class DedupRequest(Request):
    """What ``dedup`` takes."""

    output: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option("-o", "--output", metavar="FILE", help="a new .jsonl file; without: report"),
    ] = None
    removed: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--removed", metavar="FILE", help="a new .jsonl file for the rows that go"),
    ] = None
    near: Annotated[
        float, typer.Option("--near", min=0.3, max=1.0, help="likeness of repeats; 1: exact ones")
    ] = 0.8
    by: Annotated[
        str, typer.Option("--by", metavar="row|prompt", help="prompt: whatever the answers are")
    ] = "row"
    with_test: Annotated[
        bool, typer.Option("--with-test", help="take repeats out of the test rows, too")
    ] = False


@takes(DedupRequest)
def dedup(request: DedupRequest) -> None:
    """Take out rows that repeat others.

    Of rows that repeat each other the first stays, a row of test before one of dev, that before one
    of train. Without -o it only reports. Nothing is written over.
    """
    from harness_rows.cleaning.repeated import BY, repeated
    from harness_rows.commands.data import writing
    from harness_rows.commands.data.opening import readable
    from harness_rows.commands.data.printing import answer
    from harness_rows.commands.progress import working

    if request.by not in BY:
        raise harness.UsageError(f"--by takes row or prompt, not {request.by!r}")
    targets = [("-o", request.output), ("--removed", request.removed)]
    paths = [path.resolve() for _, path in targets if path]
    if len(set(paths)) < len(paths):
        raise harness.UsageError("-o and --removed name one file")
    for option, path in targets:
        if path:
            writing.need_new_file(option, path)
    with working("data dedup") as begin:
        data, reading = readable(request, begin)
        report = begin("comparing")
        rule = request.near, request.by, request.with_test
        repeats = repeated(data.rows, *rule, lambda done, total: report(done, total, ""))
        _write(request, data, reading, repeats)
    document = _document(request, data, repeats)
    answer(request, data, document, lambda console: _show(request, data, repeats, console))


def _write(request: DedupRequest, data: OpenedRows, reading: Reading, repeats: Repeats) -> None:
    from harness_rows.commands.data import writing

    if not (request.output or request.removed):
        return
    # Numbers as `sizes` leave rows over, so places among the dealt rows are not those of all rows.
    why = {
        _key(data.rows[removed.place]): _why(data, removed.kept, removed.likeness, removed.by)
        for removed in repeats.removed
    }
    gone: list[Record] = []

    def staying() -> Iterator[Record]:
        for row, record in zip(reading.rows, writing.records(reading), strict=True):
            if (key := _key(row)) in why:
                gone.append({**record, WHY: why[key]})
            else:
                yield record

    # The records that stay are never held all at once; when they are through, `gone` is whole.
    staying_records = staying() if request.output else list(staying())
    files = [("-o", request.output, staying_records), ("--removed", request.removed, gone)]
    writing.write([(option, path, rows) for option, path, rows in files if path])


def _key(row: harness.Example) -> tuple[str, str | None]:
    return row.id, row.place


def _why(data: OpenedRows, kept_at: int, likeness: float, by: str) -> str:
    what = "repeats" if likeness == 1 else f"nearly repeats ({likeness:.2f})"
    of = "the prompt of " if by == "prompt" else ""
    return f"{what} {of}{data.rows[kept_at].place}"


def _document(request: DedupRequest, data: OpenedRows, repeats: Repeats) -> dict[str, Any]:
    return {
        "rows": len(data.rows),
        "kept": len(data.rows) - len(repeats.removed),
        "removed": [
            {
                "row": data.rows[removed.place].id,
                "place": data.rows[removed.place].place,
                "split": data.rows[removed.place].split,
                "repeats": data.rows[removed.kept].id,
                "repeats_place": data.rows[removed.kept].place,
                "likeness": round(removed.likeness, 3),
                "by": removed.by,
            }
            for removed in repeats.removed
        ],
        "near_but_for_figures": repeats.other_figures,
        "near_but_for_a_sentence": repeats.other_sentences,
        "near_prompts_other_answers": repeats.other_answers,
        "files": [str(path) for path in (request.output, request.removed) if path],
    }


def _show(request: DedupRequest, data: OpenedRows, repeats: Repeats, console: Console) -> None:
    from harness.kit.terminal import tables
    from harness.kit.terminal.blocks import draw_rows
    from harness_rows.commands.data.printing import note_written

    if repeats.removed:
        draw_rows(_by_split(data, repeats), console)
        console.print()
        draw_rows(_listed(data, repeats), console)
        console.print()
    for line in _sentences(request, repeats):
        tables.note(console, line)
    total = len(data.rows)
    goes = "goes" if len(repeats.removed) == 1 else "go"
    tables.note(console, f"{len(repeats.removed):,} of {total:,} rows {goes}.", "bold")
    nothing = "Nothing was written: -o FILE writes the rows that stay."
    files = (request.output, request.removed)
    note_written(console, files, nothing if repeats.removed else "")


def _by_split(data: OpenedRows, repeats: Repeats) -> Table:
    from harness.kit.blocks import table
    from harness_rows.commands.data.findings import by_split

    titles = ("split", "rows", "exact repeats", "near repeats", "stay")
    gone = Counter(
        (str(data.rows[removed.place].split), removed.likeness == 1) for removed in repeats.removed
    )
    lines = []
    for split, rows in by_split(data.rows).items():
        exact, near = gone[split, True], gone[split, False]
        counts = (rows, exact, near, rows - exact - near)
        lines.append((split or "no split", *(f"{count:,}" for count in counts)))
    return table(titles, lines, right=titles[1:], caption="rows by split")


def _listed(data: OpenedRows, repeats: Repeats) -> Table:
    from harness.kit.blocks import Column, Table
    from harness_rows.cleaning.exact import prompt_text

    rows = []
    for repeat in repeats.removed:
        row, stays = data.rows[repeat.place], data.rows[repeat.kept]
        sealed = data.sealed and row.split == "test"
        text = "(a test row: not shown)" if sealed else prompt_text(row)
        likeness = "exact" if repeat.likeness == 1 else f"{repeat.likeness:.2f}"
        rows.append((row.place or row.id, stays.place or stays.id, likeness, text or "(empty)"))
    columns = (
        Column("goes", "id"), Column("repeats"), Column("likeness", "number"),
        Column("prompt", "line"),
    )  # fmt: skip
    return Table(columns, tuple(rows), "rows that go", LISTED, "which --removed FILE writes")


def _sentences(request: DedupRequest, repeats: Repeats) -> list[str]:
    sentences = []
    if repeats.other_figures:
        sentences.append(
            f"{repeats.other_figures:,} pairs of rows are near but for a number or an operator, "
            "or the order of these; both stay."
        )
    if repeats.other_sentences:
        sentences.append(
            f"{repeats.other_sentences:,} pairs of rows are near but for a whole sentence; both "
            "stay."
        )
    if repeats.other_answers:
        sentences.append(
            f"{repeats.other_answers:,} pairs have near prompts and other answers; both stay "
            "(--by prompt takes one out)."
        )
    if any(removed.by == "prompt" for removed in repeats.removed) and request.by == "row":
        sentences.append(
            "Rows also go whose prompt repeats one that is held out, whatever the answer."
        )
    return sentences
