"""``harness clean``: what takes the space, and what of it may go."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from rich.console import Console
from rich.text import Text

import harness
from harness.kit.blocks import table
from harness.kit.numbers import counted, gigabytes
from harness.kit.text import one_line

if TYPE_CHECKING:
    from harness_runs.space import Part, Space

PATHS = 20
"""Paths that are listed before the question."""
LISTED = 50
"""Parts of one kind that are listed."""
app = typer.Typer()

Runs = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer reads it at run time
    typer.Argument(metavar="[RUN]...", help="runs to remove whole"),
]
Adapters = Annotated[
    bool, typer.Option("--adapters", help="weights of rounds that were not kept, too")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="remove nothing")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
AsJson = Annotated[bool, typer.Option("--json", help="the list as JSON; removes nothing")]


@app.command()
def clean(
    runs: Runs = None,
    adapters: Adapters = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Say what takes the space, and remove what nothing needs.

    Without RUN that is what interrupted work has left, and what no run has used; with RUN it is
    these runs, and what they alone have used. Openings of test sets, counts of dev and what raters
    said are never removed. Nothing of a run in progress is.
    """
    from harness_runs.space import LEFT, left_behind, remove_part, remove_run, space

    root = Path()
    used = space(root)
    if as_json:
        sys.stdout.write(json.dumps(_document(used), indent=1) + "\n")
        return
    console = Console()
    chosen = _runs(runs or [], used)
    parts = [part for part in used.interrupted if not runs or part.what == LEFT]
    parts += () if runs else used.unneeded
    parts += used.adapters if adapters else ()
    _show(used, [*chosen, *parts], console)
    if not (chosen or parts) or dry_run or not _agreed(yes, chosen, parts, console):
        return
    now = space(root)  # a run may have begun while the question stood
    _runs(runs or [], now)
    there = {*now.interrupted, *now.unneeded, *now.adapters}
    parts = [part for part in parts if part in there]
    for part in chosen:
        remove_run(root, part.what)
    if chosen:
        parts += left_behind(root, now)
    for part in parts:
        remove_part(root, part)
    freed = sum(part.size for part in (*chosen, *parts))
    console.print(f"removed {_size(freed)}", highlight=False)


def _runs(names: Sequence[str], used: Space) -> list[Part]:
    """The runs of these names.

    Raises:
        UsageError: there is none of that name.
        EnvironmentFailure: it is in progress.
    """
    known = {part.what: part for part in used.runs}
    for name in names:
        if name in used.busy:
            raise harness.EnvironmentFailure(
                f"run {name} is in progress", hint="wait for it, or stop it first"
            )
        if name not in known:
            hint = "harness clean lists the runs"
            raise harness.UsageError(
                f"no run is called '{one_line(name, 80)}'{harness.near(name, [*known])}", hint=hint
            )
    return [known[name] for name in dict.fromkeys(names)]


def _show(used: Space, going: Sequence[Part], console: Console) -> None:
    from harness.kit.terminal.blocks import draw_rows

    kinds = [
        ("interrupted work", used.interrupted, "it begins anew"),
        ("used by no run", used.unneeded, "made again if a run asks for it"),
        ("weights not kept", used.adapters, "reports stay; try needs them"),
        ("run", used.runs, "the run and its reports are gone"),
    ]
    goes = {*going}
    lines: list[tuple[str, ...]] = []
    for title, parts, cost in kinds:
        ordered = sorted(parts, key=lambda part: (part not in goes, -part.size, part.what))
        lines += [
            (title, part.what, _size(part.size), "goes" if part in goes else "", cost)
            for part in ordered[:LISTED]
        ]
        if others := ordered[LISTED:]:
            more = f"and {len(others):,} more: --json lists all"
            going_too = f"{len(goes & {*others}):,} go" if goes & {*others} else ""
            lines.append((title, more, _size(sum(p.size for p in others)), going_too, ""))
    if lines:
        draw_rows(table(("", "what", "size", "now", "then"), lines), console)
    else:
        _say("nothing may go here", console)
    paths = [path for part in going for path in part.paths]
    for path in paths[:PATHS]:
        _say(f"goes: {path}", console)
    if len(paths) > PATHS:
        _say(f"and {counted(len(paths) - PATHS, 'path')} more: --json lists all", console)
    for name in used.busy:
        _say(f"run {name} is in progress: nothing of it is listed, and no artifact goes", console)
    if used.unclear:
        names = ", ".join(used.unclear[:3])
        _say(f"artifacts stay: {names} does not say which ones it has used", console)
    for path in used.links:
        _say(f"{path} is a link, which is not followed", console)
    if not going and (used.adapters or used.runs):
        _say("harness clean --adapters, or harness clean RUN, removes more", console)


def _agreed(yes: bool, runs: Sequence[Part], parts: Sequence[Part], console: Console) -> bool:
    """Whether the user wants it.

    Raises:
        UsageError: there is nobody to ask.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise harness.UsageError("nobody is there to be asked", hint="--yes removes without asking")
    size = _size(sum(part.size for part in (*runs, *parts)))
    what = (
        f"{counted(len(runs), 'run')} ({', '.join(part.what for part in runs)}), " if runs else ""
    )
    console.print(Text(one_line(f"Remove {what}{size}? [y/N] ", 400)), end="")
    # Ctrl-D says nothing, which is no yes.
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _size(count: int) -> str:
    return gigabytes(count) if count >= 1_000_000 else f"{-(-count // 1000)} kB"


def _say(text: str, console: Console) -> None:
    console.print(Text(one_line(text, 300), "dim"), highlight=False, soft_wrap=True)


def _document(used: Space) -> dict[str, object]:
    def listed(parts: Sequence[Part]) -> list[dict[str, object]]:
        return [
            {"what": part.what, "bytes": part.size, "paths": [str(path) for path in part.paths]}
            for part in parts
        ]

    return {
        "interrupted": listed(used.interrupted), "unneeded": listed(used.unneeded),
        "adapters": listed(used.adapters), "runs": listed(used.runs),
        "busy": list(used.busy), "unclear": list(used.unclear),
        "links": [str(path) for path in used.links],
    }  # fmt: skip
