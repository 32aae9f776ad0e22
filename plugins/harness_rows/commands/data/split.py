"""``harness data split``: rows dealt out to the splits, and written with their own columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.terminal.options import takes
from harness_rows.commands.data.split_request import SplitRequest

if TYPE_CHECKING:
    from rich.console import Console

    from harness_rows.commands.data.dealing import Dealing


@takes(SplitRequest)
def split(request: SplitRequest) -> None:
    """Deal rows out to train, pool, dev and test."""
    from harness_rows.commands.data import writing
    from harness_rows.commands.data.dealing import deal
    from harness_rows.commands.data.printing import write_json
    from harness_rows.commands.progress import working

    target = writing.Target.of(request.output)
    with working("data split") as begin:
        dealing = deal(request, begin)
        begin("writing")
        files = target.write(dealing)
    if request.as_json:
        write_json(_document(dealing, files))
        return
    from rich.console import Console

    _show(dealing, files, Console())


def _document(dealing: Dealing, files: Sequence[Path]) -> dict[str, Any]:
    return {
        "data": dealing.where,
        "format": dealing.said,
        "files": [str(path) for path in files],
        "rows": dealing.counts,
        "groups": dealing.groups,
        "left_over": dealing.left_over,
        "check": asdict(dealing.check),
        "config": dealing.config(files),
    }


def _show(dealing: Dealing, files: Sequence[Path], console: Console) -> None:
    from harness.kit.text import plain
    from harness.terminal import tables
    from harness_rows.yaml_text import value

    for sentence in dealing.said:
        tables.note(console, sentence, "dim")
    shown = tables.table("split", "rows", "share", "groups", right=("rows", "share", "groups"))
    total = sum(dealing.counts.values())
    for name, count in dealing.counts.items():
        shown.add_row(
            name, f"{count:,}", f"{100 * count / total:.1f} %", f"{dealing.groups[name]:,}"
        )
    console.print(shown)
    console.print()
    for line in dealing.sentences():
        tables.note(console, line)
    written = ", ".join(str(path) for path in files)
    tables.note(console, f"written: {written}", "bold")
    tables.note(console, "in harness.yaml:")
    data = f"  data: {value(dealing.config(files))}"
    console.print(plain(data), markup=False, highlight=False, soft_wrap=True)
