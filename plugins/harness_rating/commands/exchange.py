"""``harness rate import`` and ``harness rate export``: ratings from files and to files."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console

from harness import UsageError, to_json
from harness.kit.terminal import tables
from harness.kit.terminal.options import Json
from harness.kit.terminal.targets import check_target, write_target
from harness_rating.commands.options import BatchName, chosen, write_json
from harness_rating.ratings.folder import RatingsFolder


def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="a packed page's export, or CSV")],
    batch: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--batch", metavar="BATCH", help="refuse a file of any other batch"),
    ] = None,
    all_raters: Annotated[
        bool, typer.Option("--all-raters", help="the team's own export, of several raters")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take in ratings from a file; twice does no harm."""
    from harness_rating.exchange.importing import import_file

    result = import_file(path, RatingsFolder(), expected=batch, all_raters=all_raters)
    if as_json:
        write_json(to_json(result))
        return
    console = Console()
    for rater, count in result.new.items():
        known = f", {result.known[rater]} were known" if result.known[rater] else ""
        tables.note(console, f"{result.batch}: {count} new events of {rater}{known}.")
    if not result.new:
        tables.note(console, f"{result.batch}: nothing new.")
    tables.next_command(console, shlex.join(["harness", "rate", "status", result.batch]))


def export(
    name: BatchName = None,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="csv, sheet (to fill in), jsonl, label-studio, argilla, rows; of live rows train, "
            "pool",
        ),
    ] = "csv",
    rater: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--rater", metavar="NAME", help="whose sheet to fill in (default: of all)"),
    ] = None,
    target: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("-o", metavar="FILE", help="default: standard output"),
    ] = None,
) -> None:
    """Hand the ratings on, or a sheet of what is open."""
    from harness_rating.exchange.exporting import export_batch
    from harness_rating.exchange.other_tools import labelling_config

    folder = RatingsFolder()
    batch = chosen(name, folder)
    data = export_batch(batch, to, folder, rater)
    if to == "sheet" and data.count(b"\n") == 1:
        tables.note(Console(stderr=True), "Nothing is open: the sheet has no row.")
    if target is None:
        sys.stdout.write(data.decode())
        return
    check_target("-o", target)
    files: dict[Path, bytes] = {target: data}
    if to == "label-studio":
        config = target.with_suffix(".xml")
        files[config] = labelling_config(batch).encode()
        _check_config(target, config, files[config])
    for path, content in files.items():
        write_target("-o", path, content)
        tables.note(Console(stderr=True), f"written: {path}")
    if to in ("train", "pool"):
        note = f"Rows of {to}: data.also takes the file where the source is rows."
        tables.note(Console(stderr=True), note)
        also = shlex.join(["harness", "check", "--set", f"data.also={target}"])
        tables.next_command(Console(stderr=True), also)
    if to == "sheet":
        back = shlex.join(["harness", "rate", "import", str(target)])
        tables.next_command(Console(stderr=True), back)


def _check_config(target: Path, config: Path, content: bytes) -> None:
    """Raises UsageError where the configuration would be written over another file."""
    if target.suffix.casefold() == config.suffix:
        raise UsageError(
            f"-o {target}: the labelling configuration is written to {config}",
            hint=f"-o {target.with_suffix('.json')}",
        )
    if config.exists() and (config.is_dir() or config.read_bytes() != content):
        raise UsageError(
            f"-o {target}: the labelling configuration goes to {config}, where something else is",
            hint="move that away, or choose another name",
        )
