"""What the commands below ``harness data`` take, and the options of the source from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

import harness
from harness.kit.terminal.options import ConfigFile, Json, Sets
from harness_rows.commands.row_options import RowOptions, place

if TYPE_CHECKING:
    from harness_rows.options import RowsOptions


@dataclass(frozen=True, kw_only=True)
class Request(RowOptions):
    """Options that all of them have."""

    data: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(
            metavar="[FILE|FOLDER|HUB-ID]", help="rows (default: the data of the config)"
        ),
    ] = None
    config: ConfigFile = None
    sets: Sets = None
    as_json: Json = False


def source_options(request: Request) -> RowsOptions:
    """The options by which the rows of ``request.data`` are read.

    Raises:
        ConfigError: with all that is wrong with them.
        UsageError: there is no such file or folder, and it is no id of the hub.
    """
    return _made({**place(request.data or ""), **request.reads})


def of_config(data: Mapping[str, Any], request: Request) -> RowsOptions:
    """The options of a config's ``data`` (``source: rows``), with what the request says."""
    options = {key: value for key, value in data.items() if key != "source"}
    reads = request.reads
    if "columns" in reads:
        reads["columns"] = {**options.get("columns", {}), **reads["columns"]}
    return _made({**options, **reads})


def _made(raw: dict[str, Any]) -> RowsOptions:
    if stratify := raw.get("stratify"):
        meta = raw.get("columns", {}).get("meta", ())
        if stratify not in meta:
            raw["columns"] = {**raw.get("columns", {}), "meta": [*meta, stratify]}
    options: RowsOptions = harness.make_plugin("source", "rows", raw).options
    return options
