"""Commands that installed packages add: entry points of the group ``harness.commands``.

An entry point is a command's name and ``module:app``, where ``app`` is a :class:`typer.Typer`. The
line of a command in ``harness --help`` is the first one of its module's docstring, and its place
is below the command that the module's constant ``AFTER`` names. Both are read from the file: help
imports no module of a command.
"""

from __future__ import annotations

import ast
import contextlib
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec

import typer

from harness.errors import STOPPING, HarnessError, PluginError, reason
from harness.errors.machine import raise_trouble
from harness.kit.installing import DISTRIBUTION
from harness.kit.text import one_line

GROUP = "harness.commands"
SHIPPED = (
    "advise", "compare", "data", "demo", "doctor", "errors", "export", "init", "plan", "plugins",
    "query", "rate", "score", "try", "why",
)  # fmt: skip
"""Commands that iteration-harness ships in packages of their own."""

_TOLD = (
    *STOPPING, HarnessError, SystemExit, OSError, EOFError, typer.Exit, typer.Abort,
    typer.BadParameter.__mro__[2],  # ClickException, of click or of the copy that typer has
)  # fmt: skip
"""What a command may raise as those of the core do: each has its message and exit code."""

_BODY = re.compile(rb"^(?=@|def |async def |class )", re.MULTILINE)

Claims = Sequence[EntryPoint]
"""All that claim one name; more than one, and none of them has it."""


@dataclass(frozen=True, slots=True)
class Description:
    """What help needs to know of a command.

    Attributes:
        line: what it says of the command.
        after: the command below which this one stands; empty where its module names none.
    """

    line: str
    after: str = ""


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


def described(claims: Claims) -> Description:
    """What help says of a command; no code of its package is run."""
    if len(claims) > 1:
        return Description(f"(claimed by both {_both(claims)})")
    source = _source(claims[0].module)
    if source is None:
        return Description(f"(there is no module {one_line(claims[0].module, 80)})")
    try:
        module = _parsed(source)
        line = (ast.get_docstring(module) or "").partition("\n\n")[0]
    except (SyntaxError, ValueError):
        return Description("(its module cannot be read)")
    return Description(one_line(line, 200), _after(module))


def _parsed(source: bytes) -> ast.Module:
    """The part of a module above its first function or class, which takes a tenth of the time."""
    head = _BODY.split(source, maxsplit=1)[0]
    if b"\nAFTER" not in source[len(head) :]:
        with contextlib.suppress(SyntaxError):  # a docstring has a line that begins like one
            return ast.parse(head)
    return ast.parse(source)


def _after(module: ast.Module) -> str:
    """The text that a module assigns to ``AFTER``."""
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="AFTER")], value=ast.Constant(value=str(name))):
                return name
    return ""


def ordered(core: Iterable[str], after: Mapping[str, str], last: str) -> list[str]:
    """The names of all commands as help lists them.

    Args:
        core: the core's own, in order.
        after: contributed command -> the command below which it stands. One whose place is not
            there stands at the end, above ``last``.
        last: a command of the core.
    """
    order, waiting = list(core), dict(after)
    while ready := [name for name in sorted(waiting) if waiting[name] in order]:
        for name in reversed(ready):
            order.insert(order.index(waiting.pop(name)) + 1, name)
    end = order.index(last)
    return [*order[:end], *sorted(waiting), *order[end:]]


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
            told = f"note: {origin(point)} adds a command '{name}', which harness has itself"
            print(one_line(told, 300), file=sys.stderr)


def home(name: str) -> str:
    """Where a command that iteration-harness ships is, or an empty string for any other."""
    for point in entry_points(group=GROUP, name=name):
        if _is_absent(point):
            package = point.module.partition(".")[0]
            return f"It is in the package {package}, which {DISTRIBUTION} ships."
    if name in SHIPPED:
        return f"{DISTRIBUTION} ships it: install {DISTRIBUTION} again to have the command."
    return ""


def _is_absent(point: EntryPoint) -> bool:
    """Whether it is one of iteration-harness itself, whose package is not there."""
    if _source(point.module) is not None:
        return False
    return point.dist is not None and point.dist.name == DISTRIBUTION


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
