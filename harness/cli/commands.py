"""All commands by name: help knows a line of each, and a command's module waits until it is run.

The commands of the core stand in :data:`CORE`. All others are entry points, those that
iteration-harness ships, too; what help says of them stands in the file :data:`FILE` of their
package, so that help imports none of them. Of a command that has no line there help says the first
paragraph of the command's own help, for which its module is imported.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from harness.errors import STOPPING, HarnessError, PluginError, reason
from harness.errors.installing import DISTRIBUTION, install_extra
from harness.errors.machine import raise_trouble
from harness.kit.text import one_line

GROUPS = (
    "A first day", "Before a run", "After a run", "Answers, people, live rows",
    "To learn and to extend", "Of other packages",
)  # fmt: skip
"""Headings of the help, in its order. The commands of the first stand alone below ``harness``."""


@dataclass(frozen=True, slots=True)
class Line:
    """What help says of a command.

    Attributes:
        help: the first paragraph of the command's own help.
        group: the heading that it stands below.
        place: among the commands of its group, from 1 on; of two with the same the name decides.
        hint: a sentence below the commands of a first day.
    """

    help: str
    group: str = GROUPS[-1]
    place: int = 0
    hint: str = ""


CORE = {
    "iterate": Line("Train, evaluate, analyse and augment, round after round.", GROUPS[0], 2),
    "report": Line("Show the report of a run, or write it as a page.", GROUPS[0], 3),
    "check": Line("Validate a config with its plugins and data; loads no model.", GROUPS[1], 2),
    "config": Line("Look at the configuration.", GROUPS[1], 5),
    "test": Line(
        "Evaluate the sealed test set of a run that ended with --no-test.", GROUPS[2], 5
    ),
}  # fmt: skip
"""Commands with a module of their name in this package; no other package takes one of these."""


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

FILE = "commands.json"
"""Beside a package's ``__init__.py``: name of a command -> the fields of its :class:`Line`."""

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


def line_of(name: str, claims: Claims) -> Line:
    """What help says of a command, or why it cannot be run."""
    try:
        if len(claims) == 1 and (line := _lines_of(claims[0]).get(name)):
            return line
        text = load_contributed(name, claims).help or ""
    except HarnessError as error:
        return Line(one_line(f"({error.what})", 200))
    return Line(one_line(text.partition("\n\n")[0], 200))


def _lines_of(point: EntryPoint) -> Mapping[str, Line]:
    spec = _package(point)
    folders = spec.submodule_search_locations if spec else None
    return lines_in(Path(folders[0])) if folders else {}


@functools.cache
def lines_in(folder: Path) -> Mapping[str, Line]:
    """What a package says of its commands, by name; nothing where it has no such file.

    Raises:
        PluginError: its file cannot be read.
    """
    path = folder / FILE
    try:
        document = json.loads(path.read_bytes())
        return {name: _line(**values) for name, values in document.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        what = f"{FILE}, which says what help shows of it, cannot be read: {reason(error)}"
        raise PluginError(what, where=str(path)) from error


def _line(help: str, group: str = "", place: int = 0, hint: str = "") -> Line:
    """A line of a file, whose texts may hold anything."""
    heading = group if group in GROUPS else GROUPS[-1]
    return Line(one_line(help, 200), heading, int(place), one_line(hint, 200))


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
    beside = Path(__file__).parents[2]
    shipped = (*beside.glob("plugins/harness_*"), *beside.glob("harness_*"))
    if any(name in lines_in(folder) for folder in shipped):
        return f"{DISTRIBUTION} ships it: install {DISTRIBUTION} again to have the command."
    return ""


def _is_absent(point: EntryPoint) -> bool:
    """Whether it is one of iteration-harness itself, whose package is not there."""
    # The name of its distribution is asked last: that has a whole file of metadata read.
    return _package(point) is None and point.dist is not None and point.dist.name == DISTRIBUTION


def _package(point: EntryPoint) -> ModuleSpec | None:
    spec = find_spec(point.module.partition(".")[0])
    return spec if spec and spec.origin else None  # a folder without modules has no origin


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
            name: Deferred(name, line.help, functools.partial(_of_the_core, name))
            for name, line in CORE.items()
        }

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands and (claims := claims_of(cmd_name)):
            load = functools.partial(load_contributed, cmd_name, claims)
            self.commands[cmd_name] = Deferred(cmd_name, "", load)
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self._lines)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args:
            typer.echo(_first_day(self._lines))
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        width = max(map(len, self._lines))
        by_group = itertools.groupby(self._lines.items(), lambda named: named[1].group)
        for group, lines in by_group:
            with formatter.section(group):
                formatter.write_dl([(name.ljust(width), line.help) for name, line in lines])
        if importlib.util.find_spec("torch") is None:
            formatter.write_paragraph()
            formatter.write_text(f"Training is not installed: {install_extra('train')}")
        note_taken(self._claims)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if self.get_command(ctx, args[0]) is None:
            self.list_commands(ctx)  # so that typer can say which name may have been meant
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

    @functools.cached_property
    def _claims(self) -> Mapping[str, Claims]:
        return installed()

    @functools.cached_property
    def _lines(self) -> Mapping[str, Line]:
        """All commands in the order of the help; those of packages are added to the others."""
        lines = {**CORE}
        for name, claims in self._claims.items():
            if name not in CORE:
                lines[name] = line_of(name, claims)
                load = functools.partial(load_contributed, name, claims)
                self.commands[name] = Deferred(name, lines[name].help, load)
        return dict(sorted(lines.items(), key=_place))


def _place(named: tuple[str, Line]) -> tuple[int, int, str]:
    name, line = named
    return GROUPS.index(line.group), line.place, name


ABOUT = "Fine-tune a language model in rounds, with an honest verdict on each."


def _first_day(lines: Mapping[str, Line]) -> str:
    """What ``harness`` alone shows."""
    first = (
        f"  harness {name:<8} {line.help}"
        for name, line in lines.items()
        if line.group == GROUPS[0]
    )
    hints = " ".join(line.hint for line in lines.values() if line.hint)
    return "\n".join((f"{ABOUT}\n", *first, f"\n{hints}", "All commands: harness --help."))


app = typer.Typer(
    name="harness",
    cls=Commands,
    help=ABOUT,
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
