"""Let people score answers against a rubric."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from harness.terminal.options import Json, takes
from harness_rating.commands.options import BatchName, Creation, Host, Judging, Port

app = typer.Typer(help=__doc__, no_args_is_help=True)


@app.command()
def lint(
    rubric: Annotated[str, typer.Argument(metavar="RUBRIC", help="a file, or a ready one's name")],
) -> None:
    """Advice on the wording of a rubric."""
    from harness_rating.commands.page import lint as work

    work(rubric)


@app.command()
@takes(Creation)
def create(wanted: Creation) -> None:
    """Make a blind batch of a run's answers, and say what so many ratings can show."""
    from harness_rating.commands.batches import create as work

    work(wanted)


@app.command()
def serve(
    batch: BatchName = None,
    host: Host = "127.0.0.1",
    port: Port = 8642,
    hosts: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--allow-host", metavar="HOST", help="by which browsers may know the page"),
    ] = None,
    https: Annotated[
        bool, typer.Option("--https", help="browsers come through a proxy that encrypts")
    ] = False,
) -> None:
    """Serve the rating page and print a link for each rater."""
    from harness_rating.commands.page import serve as work

    work(batch, host, port, hosts or [], https=https)


@app.command()
def pack(
    rater: Annotated[str, typer.Option("--rater", help="for whom")],
    target: Annotated[Path, typer.Option("-o", metavar="FILE", help="where to write it")],
    batch: BatchName = None,
) -> None:
    """Write the rating page as one file that works from disk."""
    from harness_rating.commands.page import pack as work

    work(batch, rater, target)


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="a packed page's export, or CSV")],
    batch: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--batch", metavar="BATCH", help="refuse a file of any other batch"),
    ] = None,
    all_raters: Annotated[
        bool, typer.Option("--all-raters", help="the team's own export, of several people")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take in ratings from a file; twice does no harm."""
    from harness_rating.commands.batches import import_ as work

    work(path, batch, as_json, all_raters=all_raters)


@app.command()
def export(
    batch: BatchName = None,
    to: Annotated[
        str, typer.Option("--to", help="csv, sheet (to fill in), jsonl, label-studio or argilla")
    ] = "csv",
    rater: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--rater", metavar="NAME", help="whose sheet to fill in (default: of all)"),
    ] = None,
    target: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("-o", metavar="FILE", help="default: standard output"),
    ] = None,
) -> None:
    """Hand the ratings on, or a sheet of what is open."""
    from harness_rating.commands.batches import export as work

    work(batch, to, target, rater)


@app.command()
def status(batch: BatchName = None, as_json: Json = False) -> None:
    """How far each rater is."""
    from harness_rating.commands.status import status as work

    work(batch, as_json)


@app.command()
def agreement(batch: BatchName = None, as_json: Json = False) -> None:
    """How far raters agree, how severe and how steady each is."""
    from harness_rating.commands.agreement import agreement as work

    work(batch, as_json)


@app.command()
def verdict(batch: BatchName = None, as_json: Json = False) -> None:
    """Which round people prefer, and how sure that is."""
    from harness_rating.commands.verdict import verdict as work

    work(batch, as_json)


@app.command()
def validity(batch: BatchName = None, as_json: Json = False) -> None:
    """Which automatic metric orders answers as people do."""
    from harness_rating.commands.validity import validity as work

    work(batch, as_json)


@app.command()
def accept(
    target: Annotated[Path, typer.Option("-o", metavar="FILE", help="made, or added to")],
    batch: BatchName = None,
    items: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--item", metavar="ID", help="only what was typed about this one"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take better answers that raters typed into a file, to correct the data with."""
    from harness_rating.commands.accept import accept as work

    work(batch, target, items or [], as_json)


@app.command()
@takes(Judging)
def judge(wanted: Judging) -> None:
    """Let a model rate a batch, and say how far it agrees with people."""
    from harness_rating.commands.judge import judge as work

    work(wanted)


@app.command()
def adjudicate(
    who: Annotated[str, typer.Option("--who", help="who settles")],
    batch: BatchName = None,
    apart: Annotated[
        float, typer.Option("--apart", min=0, max=1, help="share of the scale that counts as apart")
    ] = 0.5,
    host: Host = "127.0.0.1",
    port: Port = 8643,
) -> None:
    """Serve what raters disagree on, names hidden, to be settled."""
    from harness_rating.commands.page import adjudicate as work

    work(batch, who, apart, host, port)
