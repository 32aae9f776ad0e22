"""What ``harness init`` takes, and the options of source and model that follow from it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Optional

import typer

from harness import UsageError
from harness_rows.commands.row_options import RowOptions, is_hub_id

CONFIG = Path("harness.yaml")
LIST_RECIPES = ""
"""The value of ``--recipe`` without a name."""


@dataclass(frozen=True, kw_only=True)
class Request(RowOptions):
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
    train_share: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--train-share", min=0.1, max=0.9, metavar="S",
            help="share of the rows for train, whatever dev can show then",
        ),
    ] = None  # fmt: skip
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="the config to write")
    ] = CONFIG

    @property
    def command(self) -> str:
        """The command line, as it would be typed again."""
        recipe = ["--recipe", self.recipe] if self.recipe is not None else []
        data = [self.data] if self.data is not None else []
        options = (
            ("-o", str(self.output) if self.output != CONFIG else ""), ("--model", self.model),
            ("--format", self.format_), ("--encoding", self.encoding),
            *(("--column", column) for column in self.column or ()), ("--prompt", self.prompt),
            ("--system", self.system), ("--subset", self.subset), ("--revision", self.revision),
            ("--train-share", f"{self.train_share:g}" if self.train_share else ""),
        )  # fmt: skip
        given = [word for flag, value in options if value for word in (flag, value)]
        drop = ["--drop-incomplete"] if self.drop_incomplete else []
        return shlex.join(["harness", "init", *recipe, *data, *given, *drop])


def model_of(name: str | None) -> Mapping[str, str]:
    """The config's ``model`` for what ``--model`` says.

    Raises:
        UsageError: there is no such folder, and it is no id of the hub.
    """
    if name is None or name.casefold() in ("smollm2", "smollm2-135m-instruct"):
        return {"source": "pypi", "name": "smollm2-135m-instruct"}
    if Path(name).expanduser().is_dir():
        return {"source": "local", "path": str(Path(name).expanduser())}
    if is_hub_id(name):
        return {"source": "hub", "id": name}
    raise UsageError(
        "there is no such folder, and it is no id of the hub (owner/name)", where=f"--model {name}"
    )
