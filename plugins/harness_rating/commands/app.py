"""Let raters score answers against a rubric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from harness_rating.commands.accept import accept
from harness_rating.commands.agreement import agreement
from harness_rating.commands.create import create
from harness_rating.commands.exchange import export, import_
from harness_rating.commands.judge import judge
from harness_rating.commands.page import adjudicate, pack, serve
from harness_rating.commands.review import review
from harness_rating.commands.status import status
from harness_rating.commands.validity import validity
from harness_rating.commands.verdict import verdict

COMMANDS: tuple[Callable[..., Any], ...] = (
    create, serve, pack, import_, export, status, agreement, verdict, validity, accept, judge,
    adjudicate, review,
)  # fmt: skip
"""In the order of the help. Their modules load what is heavy when they are run."""

app = typer.Typer(help=__doc__, no_args_is_help=True)
for command in COMMANDS:
    app.command(command.__name__.rstrip("_"))(command)
