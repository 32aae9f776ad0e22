"""Show which jobs run or wait where, and cancel them.

Of all runs of this folder; those of launchers are asked for. Nothing of a run is changed.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from harness.kit.terminal.options import Json

if TYPE_CHECKING:
    from rich.console import Console

    from harness.kit.blocks import Cell
    from harness_launchers.jobs import JobAtWork

app = typer.Typer()
ALL = "all"


@app.command()
def jobs(
    cancel: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--cancel", metavar="ID", help="cancel this job of a launcher, or `all`; may be given "
            "several times",
        ),
    ] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Show which jobs run or wait where, and cancel them."""
    from rich.console import Console

    from harness_launchers.jobs import jobs_at_work

    at_work = jobs_at_work()
    console = Console()
    if cancel:
        _cancel(at_work, cancel, Console(stderr=True))
        at_work = jobs_at_work()
    if as_json:
        rows = [{**dataclasses.asdict(job), "folder": str(job.folder)} for job in at_work]
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    elif at_work:
        _show(at_work, console)
    else:
        console.print("no jobs are at work in this folder")


def _cancel(at_work: Sequence[JobAtWork], ids: Sequence[str], console: Console) -> None:
    """Cancel those of launchers.

    Raises:
        UsageError: an id is none of theirs.
    """
    import harness
    from harness_launchers.jobs import cancel_jobs

    launched = {job.id: job for job in at_work if job.id and job.launcher != "local"}
    wanted = list(launched) if ALL in ids else list(ids)
    if unknown := [name for name in wanted if name not in launched]:
        raise harness.UsageError(
            f"no launcher has a job '{unknown[0]}' of this folder at work",
            hint="harness jobs lists them; jobs of this machine end with Ctrl-C in their run",
        )
    if wanted:
        console.print("jobs end after their present step", highlight=False)
    cancel_jobs([launched[name] for name in wanted])
    for name in wanted:
        console.print(f"cancelled {name}: {launched[name].label}", markup=False, highlight=False)


def _show(at_work: Sequence[JobAtWork], console: Console) -> None:
    from harness.kit.blocks import table
    from harness.kit.terminal.blocks import draw_rows

    draw_rows(table(("job", "where", "since", "how far"), map(_cells, at_work)), console)
    alone = sum(not job.attended for job in at_work)
    if alone:
        console.print(
            f"\n{alone} of them without a run that waits: `harness iterate` finds them again, "
            "`harness jobs --cancel all` ends them",
            highlight=False,
        )


def _cells(job: JobAtWork) -> tuple[Cell, ...]:
    from harness.kit.numbers import duration

    local = job.launcher == "local"
    far = f"{job.done} of {job.total} {job.step}".rstrip() if job.total else ""
    left = f"about {duration(job.left)} left" if job.left else ""
    state = job.state or "unknown"
    return (
        (job.label, job.run),
        (job.launcher if local else f"{job.launcher} {job.id}".rstrip(), job.said),
        duration(job.seconds),
        (far or state, left),
    )
