"""Commands that installed packages add: entry points of the group ``harness.commands``.

An entry point is a command's name and ``module:app``, where ``app`` is a :class:`typer.Typer`. What
``harness --help`` says of a command that iteration-harness ships stands in a table; of any other it
is the first paragraph of the command's own help, for which its module is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec

import typer
from typer.core import TyperCommand, TyperGroup

from harness.cli.commands import HELP, built
from harness.errors import STOPPING, HarnessError, PluginError, reason
from harness.errors.machine import raise_trouble
from harness.kit.installing import DISTRIBUTION
from harness.kit.text import one_line

GROUP = "harness.commands"

_TOLD = (
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
        text = load(name, claims).help or ""
    except HarnessError as error:
        return one_line(f"({error.what})", 200)
    return one_line(text.partition("\n\n")[0], 200)


def load(name: str, claims: Claims) -> TyperCommand | TyperGroup:
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
    if isinstance(error, _TOLD) or not claims:
        return
    raise_trouble(error)
    what = f"the command '{one_line(name, 80)}' failed: {reason(error)}"
    raise PluginError(what, where=origin(claims[0])) from error


def note_taken(core: Collection[str], installed: Mapping[str, Claims]) -> None:
    """Say on standard error which packages offer a command that is the core's."""
    for name, claims in installed.items():
        for point in claims if name in core else ():
            note = f"note: {origin(point)} adds a command '{name}', which harness has itself"
            print(one_line(note, 300), file=sys.stderr)


def home(name: str) -> str:
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
