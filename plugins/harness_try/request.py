"""What ``harness try`` is asked for, checked before any work."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Optional

import typer

from harness import Example, UsageError
from harness.kit.terminal.options import Json, RunName
from harness.kit.text import storable
from harness_try import prompts


@dataclass(frozen=True, slots=True)
class Request:
    """The command line."""

    run: RunName = None
    prompt: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option("--prompt", "-p", metavar="TEXT", help="one prompt"),
    ] = None
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--file", "-f", metavar="FILE", help="prompts: lines of text, or JSONL; - for stdin"
        ),
    ] = None
    round: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--round", min=0, metavar="K", help="which round (default: the best)"),
    ] = None
    system: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--system", metavar="TEXT", help="in place of the run's system turn; empty: none"
        ),
    ] = None
    marks: Annotated[
        bool, typer.Option("--marks", help="mark words that only one of the two answers has")
    ] = False
    as_json: Json = False

    def rows(self) -> Sequence[Example]:
        """The prompts; none where they will be typed.

        Raises:
            UsageError: there is no prompt, or more than one way to it.
            DataError: a file has wrong lines, or none.
        """
        if self.prompt is not None and self.file is not None:
            raise UsageError("--prompt is one prompt and --file many: one of them")
        if self.prompt is not None:
            if not self.prompt.strip():
                raise UsageError("--prompt is blank")
            return [prompts.of_text(storable(self.prompt), self.system_turn)]
        if self.file is not None:
            return prompts.of_file(self.file, self.system_turn)
        if self.as_json or not sys.stdin.isatty():
            why = "--json prints a document" if self.as_json else "standard input is no terminal"
            raise UsageError(
                f"there is no prompt, and {why}",
                hint="--prompt TEXT, --file FILE, or --file - for prompts on standard input",
            )
        return ()

    @property
    def system_turn(self) -> str | None:
        return None if self.system is None else storable(self.system)
