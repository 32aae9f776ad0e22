"""What the commands below ``harness data`` take, and the options of the source from it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

import harness
from harness.terminal.options import ConfigFile, Json, Sets

if TYPE_CHECKING:
    from harness_rows.options import RowsOptions

ROLES = ("prompt", "messages", "references", "system", "id", "group", "split", "meta")
LISTS = ("references", "meta")
"""Roles that several columns may play."""
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_FILE = re.compile(r"\.(jsonl?|ndjson|jsonlines|csv|tsv|txt|parquet|arrow|gz|zip)$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Request:
    """Options that all of them have."""

    data: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(
            metavar="[FILE|FOLDER|HUB-ID]", help="rows (default: the data of the config)"
        ),
    ] = None
    format_: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--format", metavar="F", help="what the columns mean (default: auto)"),
    ] = None
    column: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--column", metavar="ROLE=NAME", help="a column's role, as prompt=question"),
    ] = None
    prompt: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--prompt", metavar="TEMPLATE", help="the prompt, as '{question} {context}'"),
    ] = None
    system: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--system", metavar="TEXT", help="text of the system turn of all rows"),
    ] = None
    config: ConfigFile = None
    sets: Sets = None
    as_json: Json = False

    @property
    def reads(self) -> dict[str, Any]:
        """What it says of how rows are read, as options of the source ``rows``.

        Raises:
            UsageError: a ``--column`` is no ``ROLE=NAME``.
        """
        given: dict[str, Any] = {
            "format": self.format_, "columns": _columns(self.column or ()),
            "prompt": self.prompt, "system": self.system,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value}


def _columns(given: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in given:
        role, mark, name = text.partition("=")
        if not mark or not role.strip() or not name:
            raise harness.UsageError(
                f"--column takes ROLE=NAME, not {text!r}", hint="--column prompt=question"
            )
        role = role.strip()
        if role not in ROLES:
            raise harness.UsageError(
                f"--column: there is no role '{role}'{harness.near(role, ROLES)}",
                hint=f"roles: {', '.join(ROLES)}",
            )
        if role in LISTS:
            found.setdefault(role, []).append(name)
        elif role in found:
            raise harness.UsageError(f"--column {role}= is given twice")
        else:
            found[role] = name
    return found


def source_options(request: Request) -> RowsOptions:
    """The options by which the rows of ``request.data`` are read.

    Raises:
        ConfigError: with all that is wrong with them.
        UsageError: there is no such file or folder, and it is no id of the hub.
    """
    return _made({**_place(request.data or ""), **request.reads})


def of_config(data: Mapping[str, Any], request: Request) -> RowsOptions:
    """The options of a config's ``data`` (``source: rows``), with what the request says."""
    kept = {key: value for key, value in data.items() if key != "source"}
    given = request.reads
    if "columns" in given:
        given["columns"] = {**kept.get("columns", {}), **given["columns"]}
    return _made({**kept, **given})


def _made(raw: dict[str, Any]) -> RowsOptions:
    if stratify := raw.get("stratify"):
        meta = raw.get("columns", {}).get("meta", ())
        if stratify not in meta:
            raw["columns"] = {**raw.get("columns", {}), "meta": [*meta, stratify]}
    options: RowsOptions = harness.make_plugin("source", "rows", raw).options
    return options


def _place(data: str) -> dict[str, str]:
    """Where the rows are: a file or folder, else a data set of the hub."""
    if Path(data).expanduser().exists():
        return {"path": data}
    if _HUB_ID.fullmatch(data) and not _FILE.search(data) and not data.startswith("."):
        return {"hub": data}
    raise harness.UsageError(
        "there is no such file or folder, and it is no id of the hub (owner/name)", where=data
    )
