"""``harness data split``: rows dealt out to the splits, and written with their own columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from harness import SPLITS, UsageError
from harness.kit.terminal.options import takes
from harness_rows.commands.data.request import Request

if TYPE_CHECKING:
    from rich.console import Console

    from harness_rows.commands.data.dealing import Dealing

SIZES = "train=.6,pool=.1,dev=.15,test=.15"


@dataclass(frozen=True, kw_only=True)
class SplitRequest(Request):
    """What ``split`` takes."""

    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE|DIR", help="a new .jsonl file, or a folder"),
    ]
    sizes: Annotated[
        str, typer.Option("--sizes", metavar="SPLIT=N,…", help="shares, or numbers of rows")
    ] = SIZES
    stratify: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option("--stratify", metavar="FIELD", help="all splits share its values alike"),
    ] = None
    group: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--group", metavar="auto", help="auto: near-equal prompts stay together"),
    ] = None
    draw: Annotated[int, typer.Option("--draw", help="another number deals otherwise")] = 0
    anew: Annotated[
        bool, typer.Option("--anew", help="also deal out rows that have a split already")
    ] = False

    @property
    def reads(self) -> dict[str, Any]:
        """How rows are read and dealt out, as options of the source ``rows``."""
        options = {"stratify": self.stratify, "group": self.group, "draw": self.draw}
        sizes = {"sizes": sizes_of(self.sizes)}
        return {
            **super().reads,
            **sizes,
            **{name: value for name, value in options.items() if value},
        }


def sizes_of(text: str) -> dict[str, int | float]:
    """``train=.6,dev=.4`` as split -> share or number.

    Raises:
        UsageError: it is not written so.
    """
    sizes: dict[str, int | float] = {}
    for part in text.split(","):
        name, mark, size = map(str.strip, part.partition("="))
        try:
            sizes[name] = int(size) if size.isdecimal() else float(size)
        except ValueError:
            mark = ""
        if not mark or name not in SPLITS:
            raise UsageError(
                f"--sizes takes SPLIT=NUMBER with commas, not {part.strip()!r}",
                hint=f"--sizes {SIZES}",
            )
    return sizes


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
            files = writing.write_folder("-o", path, dealing.by_split)
    document = _document(dealing, files)
    answer(request, document, lambda console: _show(dealing, files, console))


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
