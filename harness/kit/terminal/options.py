"""Options that several commands take, and commands that take many."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional, TypeVar, get_type_hints

import typer

T = TypeVar("T")

ConfigFile = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads it at run time
    typer.Option("--config", "-c", help="config file (default: ./harness.yaml, else shipped)"),
]
Sets = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--set", metavar="KEY=VALUE", help="override one key, as train.epochs=3"),
]
Rounds = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--rounds", min=1, help="rounds of training"),
]
SHOWN = 50
"""Runs that a list for people shows."""
Last = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--last", min=1, metavar="N", help=f"the latest N runs (default: {SHOWN}; JSON has all)"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="one JSON document on standard output")]
Brief = Annotated[
    bool, typer.Option("--brief", help="print a comment for a pull request, as Markdown")
]
JUnit = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--junit", metavar="FILE", help="write the verdicts as a JUnit file"),
]
RunName = Annotated[
    Optional[str],  # noqa: UP045
    typer.Argument(metavar="[RUN]", help="name of a run (default: the latest)"),
]


Host = Annotated[str, typer.Option("--host", help="address to listen at")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="port to listen at")]
AllowHosts = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--allow-host", metavar="HOST", help="by which browsers may know the page"),
]
Https = Annotated[
    bool, typer.Option("--https", help="browsers come through a proxy that encrypts")
]  # fmt: skip


def takes(request: type[T]) -> Callable[[Callable[[T], int | None]], Callable[..., None]]:
    """A command whose options are the fields of a dataclass, listed there and nowhere else.

    Under ``@app.command()``; the function gets the request, and may return an exit code.

    Args:
        request: a dataclass whose fields are annotated as parameters of a command are.
    """

    def command(work: Callable[[T], int | None]) -> Callable[..., None]:
        def run(**options: Any) -> None:
            code = work(request(**options))
            if code:
                raise typer.Exit(code)

        run.__name__, run.__doc__ = work.__name__, work.__doc__
        hints = get_type_hints(request, include_extras=True)
        run.__annotations__ = hints
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [_parameter(field, hints[field.name]) for field in dataclasses.fields(request)]  # type: ignore[arg-type]
        )
        return run

    return command


def _parameter(field: dataclasses.Field[Any], annotation: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty
    if field.default is not dataclasses.MISSING:
        default = field.default
    elif field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(field.name, kind, default=default, annotation=annotation)
