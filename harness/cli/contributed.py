"""Commands that installed packages add: entry points of the group ``harness.commands``.

An entry point is a command's name and ``module:app``, where ``app`` is a :class:`typer.Typer`. The
line of a command in ``harness --help`` is the first one of its module's docstring, which is read
from the file: help imports nothing of anybody's.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Sequence
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec

import typer

from harness.errors import STOPPING, PluginError, reason
from harness.errors.machine import raise_trouble
from harness.kit.text import one_line

GROUP = "harness.commands"
KNOWN = {"rate": "harness_rating"}
"""Commands that iteration-harness ships and the core has not: name -> the package that has it."""

Claims = Sequence[EntryPoint]
"""All that claim one name; more than one, and none of them has it."""


def installed() -> dict[str, list[EntryPoint]]:
    """Name -> who claims it. A known one whose package is off the path is not there."""
    found: dict[str, list[EntryPoint]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda one: (one.name, one.value)):
        if point.name not in KNOWN or _source(KNOWN[point.name]) is not None:
            found.setdefault(point.name, []).append(point)
    return found


def line(claims: Claims) -> str:
    """What help says of a command; no code of its package is run."""
    if len(claims) > 1:
        return f"(claimed by both {_both(claims)})"
    source = _source(claims[0].module)
    if source is None:
        return f"(there is no module {one_line(claims[0].module, 80)})"
    try:
        doc = ast.get_docstring(ast.parse(source))
    except (SyntaxError, ValueError):
        return "(its module cannot be read)"
    return one_line((doc or "").partition("\n\n")[0], 200)


def load(name: str, claims: Claims) -> typer.Typer:
    """The app of a command.

    Raises:
        PluginError: it cannot be imported, is no app, or two packages claim its name.
    """
    if len(claims) > 1:
        raise PluginError(
            f"the command '{one_line(name, 80)}' is claimed by both {_both(claims)}",
            hint="uninstall one of them, or rename one",
        )
    [point] = claims
    try:
        app = point.load()
    except STOPPING:
        raise
    except BaseException as error:
        raise_trouble(error)
        what = f"the command '{one_line(name, 80)}' cannot be loaded: {reason(error)}"
        raise PluginError(what, where=origin(point)) from error
    if not isinstance(app, typer.Typer):
        what = f"the command '{one_line(name, 80)}' is of type {type(app).__name__}"
        raise PluginError(what, where=origin(point), hint="it has to be a typer.Typer")
    return app


def note_taken(core: Collection[str]) -> None:
    """Say on standard error which packages offer a command that is the core's."""
    for name, claims in installed().items():
        for point in claims if name in core else ():
            told = f"note: {origin(point)} adds a command '{name}', which harness has itself"
            print(one_line(told, 300), file=sys.stderr)


def home(name: str) -> str:
    """A sentence on where a known command is to be had."""
    if _source(KNOWN[name]) is None:
        return f"It is in the package {KNOWN[name]}, which iteration-harness ships."
    return (
        f"Its package {KNOWN[name]} is here: install iteration-harness again to have the command."
    )


def origin(point: EntryPoint) -> str:
    """The module of an entry point and the distribution that has it."""
    whose = f" ({point.dist.name} {point.dist.version})" if point.dist else ""
    return one_line(f"{point.value}{whose}", 200)


def _both(claims: Claims) -> str:
    return " and ".join(map(origin, claims))


def _source(module: str) -> bytes | None:
    """The text of a module; none of the packages that it is in are imported."""
    top, *rest = module.split(".")
    try:
        spec = find_spec(top)
        for part in rest:
            if spec is None or spec.submodule_search_locations is None:
                return None
            path = list(spec.submodule_search_locations)
            spec = PathFinder.find_spec(f"{spec.name}.{part}", path)
        if spec is None or spec.origin is None:
            return None
        with open(spec.origin, "rb") as file:
            return file.read()
    except (ImportError, OSError, ValueError):
        return None
