"""What ``harness init`` takes, and the options of source and model that follow from it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from harness import UsageError

LISTS = ("references", "meta")
"""Roles that several columns may play."""
LIST_RECIPES = ""
"""The value of ``--recipe`` without a name."""
_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
_FILE = re.compile(r"\.(jsonl?|ndjson|csv|tsv|txt|parquet|arrow|gz|zip)$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Request:
    """The command line."""

    data: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(metavar="[FILE|FOLDER|HUB-ID]", help="your rows"),
    ] = None
    recipe: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--recipe", metavar="[NAME]", help="sixty rows to start from; no name lists them"
        ),
    ] = None
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--model", metavar="HUB-ID|FOLDER", help="base model (default: smollm2-135m-instruct)"
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
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="the config to write")
    ] = Path("harness.yaml")

    @property
    def reads(self) -> dict[str, Any]:
        """How the rows are read, as options of the source ``rows``, without the place.

        Raises:
            UsageError: a ``--column`` is no ``ROLE=NAME``.
        """
        given = {
            "config": self.subset, "revision": self.revision, "format": self.format_,
            "columns": _columns(self.column or ()), "prompt": _lines(self.prompt),
            "system": _lines(self.system),
        }  # fmt: skip
        return {name: value for name, value in given.items() if value}

    @property
    def command(self) -> str:
        """The command line, as it would be typed again."""
        words = ["harness", "init"]
        if self.recipe is not None:
            words += ["--recipe", self.recipe]
        if self.data is not None:
            words.append(self.data)
        for flag, value in (("--model", self.model), ("--format", self.format_)):
            words += [flag, value] if value else []
        for one in self.column or ():
            words += ["--column", one]
        for flag, value in (("--prompt", self.prompt), ("--system", self.system)):
            words += [flag, value] if value else []
        for flag, value in (("--subset", self.subset), ("--revision", self.revision)):
            words += [flag, value] if value else []
        return shlex.join(words)


def _lines(text: str | None) -> str | None:
    r"""A text in which ``\n`` typed on a command line is the end of a line."""
    return text.replace("\\n", "\n") if text else text


def _columns(given: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in given:
        role, mark, name = text.partition("=")
        role = role.strip()
        if not mark or not role or not name:
            raise UsageError(
                f"--column takes ROLE=NAME, not {text!r}", hint="--column prompt=question"
            )
        if role in LISTS:
            found.setdefault(role, []).append(name)
        elif role in found:
            raise UsageError(f"--column {role}= is given twice")
        else:
            found[role] = name
    return found


def place(data: str) -> dict[str, str]:
    """Where rows are, as an option of the source: a file or folder, else a data set of the hub.

    Raises:
        UsageError: there is no such file or folder, and it is no id of the hub.
    """
    if Path(data).expanduser().exists():
        return {"path": str(Path(data).expanduser())}
    if _HUB_ID.fullmatch(data) and not _FILE.search(data):
        return {"hub": data}
    raise UsageError(
        "there is no such file or folder, and it is no id of the hub (owner/name)", where=data
    )


def model_of(name: str | None) -> Mapping[str, str]:
    """The config's ``model`` for what ``--model`` says.

    Raises:
        UsageError: there is no such folder, and it is no id of the hub.
    """
    if name is None or name.casefold() in ("smollm2", "smollm2-135m-instruct"):
        return {"source": "pypi", "name": "smollm2-135m-instruct"}
    if Path(name).expanduser().is_dir():
        return {"source": "local", "path": str(Path(name).expanduser())}
    if _HUB_ID.fullmatch(name):
        return {"source": "hub", "id": name}
    raise UsageError(
        "there is no such folder, and it is no id of the hub (owner/name)", where=f"--model {name}"
    )
