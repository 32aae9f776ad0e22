"""Look at rows, check, split and clean them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from harness_rows.commands.data.check import check
from harness_rows.commands.data.dedup import dedup
from harness_rows.commands.data.preview import preview
from harness_rows.commands.data.redact import redact
from harness_rows.commands.data.split import split
from harness_rows.commands.data.stats import stats
from harness_rows.commands.data.suspects import suspects

COMMANDS: tuple[Callable[..., Any], ...] = (
    check, stats, preview, split, dedup, redact, suspects,
)  # fmt: skip
"""In the order of the help. Their modules load what is heavy when they are run."""

app = typer.Typer(help=__doc__, no_args_is_help=True)
for command in COMMANDS:
    app.command(command.__name__.rstrip("_"))(command)
