"""All commands by name: help knows a line of each, and a command's module waits until it is run.

The core's commands stand in :data:`CORE`. Installed packages add theirs
(:mod:`harness.cli.contributed`), and take no name that is the core's.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

CORE = {
    "iterate": "Train, evaluate, analyse and augment, round after round.",
    "test": "Evaluate the sealed test set of a run that ended with --no-test.",
    "check": "Validate a config with its plugins and data; loads no model.",
    "report": "Show the report of a run, or write it as a page.",
    "rebuild": "Make a run's database and reports again from what it has stored.",
    "runs": "List the runs of this folder, the latest first.",
    "docs": "Show a page of the documentation, or list the pages.",
    "config": "Look at the configuration.",
}
"""Name -> the first line of its help, in the order of the help; its module has its name."""

LAST = "config"
"""Stands below the commands of packages that name no other place."""


class Deferred(TyperCommand):
    """A command of which only the name and a line are known until it is run."""

    def __init__(self, name: str, line: str, load: Callable[[], typer.Typer]) -> None:
        super().__init__(name, help=line, rich_markup_mode=None)
        self._load = load

    def loaded(self) -> TyperCommand | TyperGroup:
        """The command itself, as if it had been there from the start.

        Raises:
            PluginError: the package that adds it cannot be used.
        """
        return built(self._load(), self.name or "")

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        return self.loaded().make_context(*args, **kwargs)


def built(app: typer.Typer, name: str) -> TyperCommand | TyperGroup:
    """What an app is below ``harness``; one of a single command is that command."""
    outer = typer.Typer(add_completion=False, rich_markup_mode=None)
    single = len(app.registered_commands) == 1 and not app.registered_groups
    if single and not app.registered_callback:
        outer.registered_commands = app.registered_commands
        command: Any = typer.main.get_command(outer)
        return command  # type: ignore[no-any-return]
    outer.add_typer(app, name=name)
    group: Any = typer.main.get_command(outer)
    return group.commands[name]  # type: ignore[no-any-return]


def _of_the_core(name: str) -> typer.Typer:
    app: typer.Typer = importlib.import_module(f"harness.cli.{name}").app
    return app


class Commands(TyperGroup):
    """The core's commands; those of other packages are looked for when they are needed."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {
            name: Deferred(name, line, functools.partial(_of_the_core, name))
            for name, line in CORE.items()
        }
        self._claims: Mapping[str, Sequence[EntryPoint]] | None = None

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands:
            from harness.cli import contributed

            if claims := contributed.claims_of(cmd_name):
                self.commands[cmd_name] = _contributed(cmd_name, claims, "")
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        self._contribute()
        return super().list_commands(ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        from harness.cli import contributed

        super().format_commands(ctx, formatter)
        contributed.note_taken(CORE, self._claims or {})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if self.get_command(ctx, args[0]) is None:
            from harness.cli import contributed

            self._contribute()  # names that may have been meant
            if home := contributed.home(args[0]):
                ctx.fail(f"No such command '{args[0]}'. {home}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the line names; what one of a package raises names the package."""
        try:
            return super().invoke(ctx)
        except BaseException as error:
            if ctx.invoked_subcommand and ctx.invoked_subcommand not in CORE:
                from harness.cli import contributed

                contributed.raise_failure(ctx.invoked_subcommand, error)
            raise

    def _contribute(self) -> None:
        if self._claims is not None:
            return
        from harness.cli import contributed

        after = {}
        self._claims = contributed.installed()
        for name, claims in self._claims.items():
            if name not in CORE:
                description = contributed.described(claims)
                self.commands[name] = _contributed(name, claims, description.line)
                after[name] = description.after
        order = contributed.ordered(CORE, after, LAST)
        self.commands = {name: self.commands[name] for name in order}


def _contributed(name: str, claims: Sequence[EntryPoint], line: str) -> Deferred:
    from harness.cli import contributed

    return Deferred(name, line, functools.partial(contributed.load, name, claims))


app = typer.Typer(
    name="harness",
    cls=Commands,
    help="Fine-tune a language model in rounds, with an honest verdict on each.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from harness import __version__

        typer.echo(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    debug: Annotated[
        bool,
        typer.Option("--debug", help="show tracebacks (accepted anywhere on the command line)"),
    ] = False,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust", help="run the code that a stored run names (accepted anywhere, too)"
        ),
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="print the version", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Options of all commands; :func:`harness.cli.main` has taken out the first two before."""
