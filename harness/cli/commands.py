"""All commands by name: help knows a line of each, and a command's module waits until it is run.

The line of each command that iteration-harness ships stands in :data:`HELP`, so that help imports
none of them. Of a command that another package adds help says the first paragraph of the command's
own help, for which its module is imported.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from harness.errors import STOPPING, HarnessError, PluginError, reason
from harness.errors.machine import raise_trouble
from harness.kit.installing import DISTRIBUTION
from harness.kit.text import one_line

GROUPS = {
    "A first day": {
        "init": "Look at your rows, and write a first config for them.",
        "iterate": "Train, evaluate, analyse and augment, round after round.",
        "report": "Show the report of a run, or write it as a page.",
        "advise": "Say what to do next, and what is not known yet.",
    },
    "Before a run": {
        "data": "Look at rows, check, split and clean them.",
        "check": "Validate a config with its plugins and data; loads no model.",
        "plan": "Say what a run will do, how long it takes and what it needs.",
        "doctor": "Look at this machine, and at what the config lacks here.",
        "config": "Look at the configuration.",
    },
    "After a run": {
        "errors": "List the failing answers on dev, the worst first.",
        "why": "Show one row: its answers in all rounds, and why they fail.",
        "compare": "Compare two rounds of a run, or two runs: is B better than A?",
        "query": "Ask a run's database in SQL; read-only, without the test rows.",
        "test": "Evaluate the sealed test set of a run that ended with --no-test.",
        "try": "Put your prompts to the base model and the best round.",
        "export": "Write the tuned model as a folder that loads without harness.",
        "runs": "List the runs of this folder, the latest first.",
        "pull": "Have a run of the shared store here.",
        "rebuild": "Make a run's database and reports again from what it has stored.",
        "clean": "Say what takes the space, and remove what nothing needs.",
        "jobs": "Show which jobs run or wait where, and cancel them.",
    },
    "Answers, people, live rows": {
        "score": "Score answers against references, alone or against a baseline.",
        "rate": "Let raters score answers against a rubric.",
        "drift": "Say whether live rows differ from those that a run was judged on.",
    },
    "To learn and to extend": {
        "demo": "Show what a verdict is worth: simulated loops, in half a minute.",
        "docs": "Show a page of the documentation, list the pages, or search them.",
        "plugins": "List, check and write plugins.",
    },
}
"""Group -> name -> the first line of its help, in the order of the help."""

HELP = {name: line for group in GROUPS.values() for name, line in group.items()}

CORE = ("check", "clean", "config", "docs", "iterate", "pull", "rebuild", "report", "runs", "test")
"""Commands with a module of their name in this package; no other package takes one of these names.

All others are entry points, those that iteration-harness ships, too.
"""


class Deferred(TyperCommand):
    """A command of which only the name and a line are known until it is run.

    Attributes:
        load: makes the command itself, as if it had been there from the start; raises PluginError
            where the package that adds it cannot be used.
    """

    def __init__(self, name: str, line: str, load: Callable[[], TyperCommand | TyperGroup]) -> None:
        super().__init__(name, help=line, rich_markup_mode=None)
        self.load = load

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        return self.load().make_context(*args, **kwargs)


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


# -- commands of packages ------------------------------------------------------------------------

GROUP = "harness.commands"
"""Entry points: a command's name and ``module:app``, where ``app`` is a :class:`typer.Typer`."""

_SHOWN_AS_THEY_ARE = (
    *STOPPING, HarnessError, SystemExit, OSError, EOFError, typer.Exit, typer.Abort,
    typer.BadParameter.__mro__[2],  # ClickException, of click or of the copy that typer has
)  # fmt: skip
"""What a command may raise as those of the core do: each has its message and exit code."""

Claims = Sequence[EntryPoint]
"""All that claim one name; more than one, and none of them has it."""


def installed() -> dict[str, list[EntryPoint]]:
    """Name -> who claims it. Those of iteration-harness whose package is absent are left out."""
    claims: dict[str, list[EntryPoint]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        if not _is_absent(point):
            claims.setdefault(point.name, []).append(point)
    return claims


def claims_of(name: str) -> list[EntryPoint]:
    """Who claims one name; nobody if it is no command."""
    points = sorted(entry_points(group=GROUP, name=name), key=lambda point: point.value)
    return [point for point in points if not _is_absent(point)]


def line_of(name: str, claims: Claims) -> str:
    """What help says of a command, or why it cannot be run."""
    if name in HELP and len(claims) == 1:
        return HELP[name]
    try:
        text = load_contributed(name, claims).help or ""
    except HarnessError as error:
        return one_line(f"({error.what})", 200)
    return one_line(text.partition("\n\n")[0], 200)


def load_contributed(name: str, claims: Claims) -> TyperCommand | TyperGroup:
    """A command as it stands below ``harness``.

    Raises:
        PluginError: it cannot be imported, is no app, or two packages claim its name.
    """
    if len(claims) > 1:
        both = " and ".join(map(origin, claims))
        raise PluginError(
            f"the command '{one_line(name, 80)}' is claimed by both {both}",
            hint="uninstall one of them, or rename one",
        )
    [point] = claims
    try:
        app = point.load()
        if isinstance(app, typer.Typer):
            return built(app, name)
    except STOPPING:
        raise
    except BaseException as error:
        raise_trouble(error)
        what = f"the command '{one_line(name, 80)}' cannot be loaded: {reason(error)}"
        raise PluginError(what, where=origin(point)) from error
    what = f"the command '{one_line(name, 80)}' is of type {type(app).__name__}"
    raise PluginError(what, where=origin(point), hint="it has to be a typer.Typer")


def raise_failure(name: str, error: BaseException) -> None:
    """Raise what a package's command raised as its failure; return if it is told as it is.

    Raises:
        PluginError: nothing but the command's code can have failed.
        EnvironmentFailure: the machine's memory, disk or limits did not suffice.
    """
    claims = claims_of(name)
    if isinstance(error, _SHOWN_AS_THEY_ARE) or not claims:
        return
    raise_trouble(error)
    what = f"the command '{one_line(name, 80)}' failed: {reason(error)}"
    raise PluginError(what, where=origin(claims[0])) from error


def note_taken(claims: Mapping[str, Claims]) -> None:
    """Say on standard error which packages offer a command that is the core's."""
    for name in CORE:
        for point in claims.get(name, ()):
            note = f"note: {origin(point)} adds a command '{name}', which harness has itself"
            print(one_line(note, 300), file=sys.stderr)


def home_of(name: str) -> str:
    """Where a command that iteration-harness ships is, or an empty string for any other."""
    for point in entry_points(group=GROUP, name=name):
        if _is_absent(point):
            package = point.module.partition(".")[0]
            return f"It is in the package {package}, which {DISTRIBUTION} ships."
    if name in HELP:
        return f"{DISTRIBUTION} ships it: install {DISTRIBUTION} again to have the command."
    return ""


def _is_absent(point: EntryPoint) -> bool:
    """Whether it is one of iteration-harness itself, whose package is not there."""
    package = find_spec(point.module.partition(".")[0])
    if package is not None and package.origin is not None:  # a folder without modules has none
        return False
    return point.dist is not None and point.dist.name == DISTRIBUTION


def origin(point: EntryPoint) -> str:
    """The module of an entry point and the distribution that has it."""
    whose = f" ({point.dist.name} {point.dist.version})" if point.dist else ""
    return one_line(f"{point.value}{whose}", 200)


# -- the group of all ----------------------------------------------------------------------------


def _of_the_core(name: str) -> TyperCommand | TyperGroup:
    return built(importlib.import_module(f"harness.cli.{name}").app, name)


class Commands(TyperGroup):
    """The core's commands; those of other packages are looked for when they are needed."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {
            name: Deferred(name, HELP[name], functools.partial(_of_the_core, name)) for name in CORE
        }
        self._claims: Mapping[str, Claims] | None = None

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands and (claims := claims_of(cmd_name)):
            load = functools.partial(load_contributed, cmd_name, claims)
            self.commands[cmd_name] = Deferred(cmd_name, HELP.get(cmd_name, ""), load)
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        self._contribute()
        return super().list_commands(ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args:
            typer.echo(FIRST_DAY)
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        self._contribute()
        others = {
            name: command.help or "" for name, command in self.commands.items() if name not in HELP
        }
        width = max(map(len, self.commands))
        for group, lines in {**GROUPS, "Of other packages": others}.items():
            rows = [
                (name.ljust(width), line) for name, line in lines.items() if name in self.commands
            ]
            if rows:
                with formatter.section(group):
                    formatter.write_dl(rows)
        note_taken(self._claims or {})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if self.get_command(ctx, args[0]) is None:
            self._contribute()  # so that typer can say which name may have been meant
            if home := home_of(args[0]):
                ctx.fail(f"No such command '{args[0]}'. {home}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the line names; what one of a package raises names the package."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")  # of pydantic, for itself
            raise
        except BaseException as error:
            if ctx.invoked_subcommand and ctx.invoked_subcommand not in CORE:
                raise_failure(ctx.invoked_subcommand, error)
            raise

    def _contribute(self) -> None:
        """Add all commands of other packages, and put all in the order of the help."""
        if self._claims is not None:
            return
        self._claims = installed()
        for name, claims in self._claims.items():
            if name not in CORE:
                line = line_of(name, claims)
                load = functools.partial(load_contributed, name, claims)
                self.commands[name] = Deferred(name, line, load)
        shipped = (name for name in HELP if name in self.commands)
        others = sorted(self.commands.keys() - HELP.keys())
        self.commands = {name: self.commands[name] for name in (*shipped, *others)}


FIRST_DAY = "\n".join(
    (
        "Fine-tune a language model in rounds, with an honest verdict on each.\n",
        *(f"  harness {name:<8} {line}" for name, line in GROUPS["A first day"].items()),
        "\nNo rows yet: harness init --recipe. A tutorial: harness docs tutorial.",
        "All commands: harness --help.",
    )
)
"""What ``harness`` alone shows."""

app = typer.Typer(
    name="harness",
    cls=Commands,
    help="Fine-tune a language model in rounds, with an honest verdict on each.",
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
            "--trust",
            help="start, ask, read and import what a run of somebody else names (anywhere, too)",
        ),
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="print the version", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Options of all commands; :func:`harness.cli.main` has taken out the first two before."""
