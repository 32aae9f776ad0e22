"""Where rows are and how they are read, as commands take it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from harness import UsageError, near

ROLES = (
    "prompt", "messages", "completion", "choices", "references", "good", "system", "id", "group",
    "split", "meta",
)  # fmt: skip
LISTS = ("references", "meta")
"""Roles that several columns may play."""
_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
_FILE = re.compile(
    r"\.(jsonl?|ndjson|jsonlines|csv|tsv|txt|parquet|pq|arrow|feather|ipc|gz|zip)$", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class RowOptions:
    """Options of all commands that read rows."""

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
    encoding: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--encoding", metavar="E", help="of text files that are not UTF-8, as cp1252"),
    ] = None
    drop_incomplete: Annotated[
        bool,
        typer.Option("--drop-incomplete", help="leave rows without a prompt or an answer out"),
    ] = False
    subset: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--subset", metavar="NAME", help="which configuration of a data set of the hub"
        ),
    ] = None
    revision: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--revision", metavar="R", help="which commit, tag or branch of it"),
    ] = None

    @property
    def reads(self) -> dict[str, Any]:
        """How the rows are read, as options of the source ``rows``, without the place.

        Raises:
            UsageError: a ``--column`` is no ``ROLE=NAME``.
        """
        options = {
            "config": self.subset, "revision": self.revision, "format": self.format_,
            "encoding": self.encoding, "columns": columns_of(self.column or ()),
            "prompt": _lines(self.prompt), "system": _lines(self.system),
            "incomplete": "drop" if self.drop_incomplete else "",
        }  # fmt: skip
        return {name: value for name, value in options.items() if value}


def _lines(text: str | None) -> str | None:
    r"""A text in which ``\n`` typed on a command line is the end of a line."""
    return text.replace("\\n", "\n") if text else text


def columns_of(arguments: Sequence[str]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for text in arguments:
        role, mark, name = text.partition("=")
        role = role.strip()
        if not mark or not role or not name:
            raise UsageError(
                f"--column takes ROLE=NAME, not {text!r}", hint="--column prompt=question"
            )
        if role not in ROLES:
            raise UsageError(
                f"--column: there is no role '{role}'{near(role, ROLES)}",
                hint=f"roles: {', '.join(ROLES)}",
            )
        if role in LISTS:
            columns.setdefault(role, []).append(name)
        elif role in columns:
            raise UsageError(f"--column {role}= is given twice")
        else:
            columns[role] = name
    return columns


def place(data: str) -> dict[str, str]:
    """Where rows are, as an option of the source: a file or folder, else a data set of the hub.

    Raises:
        UsageError: there is no such file or folder, and it is no id of the hub.
    """
    if Path(data).expanduser().exists():
        return {"path": str(Path(data).expanduser())}
    if is_hub_id(data):
        return {"hub": data}
    raise UsageError(
        "there is no such file or folder, and it is no id of the hub (owner/name)", where=data
    )


def is_hub_id(text: str) -> bool:
    """Whether something of the hub can be called so: ``owner/name``, and no file."""
    return _HUB_ID.fullmatch(text) is not None and not _FILE.search(text)
