"""What ``harness data split`` is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from harness import SPLITS, UsageError
from harness_rows.commands.data.request import Request

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
