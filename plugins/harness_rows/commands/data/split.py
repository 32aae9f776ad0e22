"""``harness data split``: rows dealt out to the splits, and written with their own columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.kit.terminal.options import takes
from harness_rows.commands.data.split_request import SplitRequest

if TYPE_CHECKING:
    from rich.console import Console

    from harness_rows.commands.data.dealing import Dealing


@takes(SplitRequest)
def split(request: SplitRequest) -> None:
    """Deal rows out to train, pool, dev and test."""
    from harness_rows.commands.data import writing
    from harness_rows.commands.data.dealing import deal
    from harness_rows.commands.data.printing import answer
    from harness_rows.commands.progress import working

    path = request.output
    writing.need_new("-o", path)
    with working("data split") as begin:
        dealing = deal(request, begin)
        begin("writing")
        if path.suffix in writing.SUFFIXES:
            writing.write([("-o", path, dealing.records)])
            files = [path]
        else:
            files = writing.write_folder("-o", path, dealing.records_by_split)
    document = _document(dealing, files)
    answer(request, dealing, document, lambda console: _show(dealing, files, console))


def _document(dealing: Dealing, files: Sequence[Path]) -> dict[str, Any]:
    return {
        "files": [str(path) for path in files],
        "rows": dealing.counts,
        "groups": dealing.groups,
        "left_over": dealing.left_over,
        "check": asdict(dealing.check),
        "config": dealing.config(files),
    }


def _show(dealing: Dealing, files: Sequence[Path], console: Console) -> None:
    from harness.kit.blocks import table
    from harness.kit.terminal import tables
    from harness.kit.terminal.blocks import draw_rows
    from harness.kit.text import plain
    from harness_rows.yaml_text import value

    titles = ("split", "rows", "share", "groups")
    total = sum(dealing.counts.values())
    rows = (
        (name, f"{count:,}", f"{100 * count / total:.1f} %", f"{dealing.groups[name]:,}")
        for name, count in dealing.counts.items()
    )
    draw_rows(table(titles, rows, right=titles[1:]), console)
    console.print()
    for line in dealing.sentences():
        tables.note(console, line)
    written = ", ".join(str(path) for path in files)
    tables.note(console, f"written: {written}", "bold")
    tables.note(console, "in harness.yaml:")
    data = f"  data: {value(dealing.config(files))}"
    console.print(plain(data), markup=False, highlight=False, soft_wrap=True)
