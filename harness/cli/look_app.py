"""The commands that look at runs, as the command line takes them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from typer.core import TyperCommand

from harness.terminal.options import Json, RunName

app = typer.Typer(rich_markup_mode=None)


@app.command()
def report(
    run: RunName = None,
    html: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--html", metavar="FILE", help="write it as one HTML page"),
    ] = None,
    markdown: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--md", metavar="FILE", help="write it as Markdown"),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="show the page in a browser")] = False,
    as_json: Json = False,
) -> None:
    """Show the report of a run, or write it as a page."""
    from harness.cli.inspect import report as work

    work(run, html, markdown, open_, as_json)


@app.command()
def errors(
    run: RunName = None,
    round_: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--round", metavar="K", help="answers of this round (default: the kept one)"),
    ] = None,
    category: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--category", metavar="C", help="answers that show this, right ones too"),
    ] = None,
    slice_: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--slice", metavar="S", help="answers of this slice, as the report names it"),
    ] = None,
    cause: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--cause", metavar="C", help="of this cause, with the training rows it names"),
    ] = None,
    broken_by: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--broken-by", metavar="K", help="right before round K, and wrong after it"),
    ] = None,
    limit: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--limit", min=1, metavar="N", help="most answers (default: 20; with --json all)"
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the wrong answers on dev, the worst first."""
    from harness.cli.errors import work
    from harness.inspection.errors import Wanted

    work(run, Wanted(round_, category, slice_, cause, broken_by, limit), as_json)


@app.command()
def why(
    name: Annotated[str, typer.Argument(metavar="ID", help="of a row, as harness errors lists it")],
    run: RunName = None,
    open_test: Annotated[
        bool, typer.Option("--open-test", help="look at the sealed test set; the look is counted")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show one row: its answers in all rounds, and why they are wrong."""
    from harness.cli.why import work

    work(name, run, open_test, as_json)


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="a round of a run, or a run")],
    second: Annotated[str, typer.Argument(metavar="B", help="what is compared with it")],
    run: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--run", metavar="RUN", help="whose rounds (default: the latest run's)"),
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", min=1, metavar="N", help="most ids, keys and rows of each list shown"
        ),
    ] = 10,
    as_json: Json = False,
) -> None:
    """Compare two rounds of a run, or two runs: is B better than A?

    Of two runs the kept rounds are compared, on the rows of dev that both have.
    """
    from harness.cli.compare import work

    work(first, second, run, limit, as_json)


class _Query(TyperCommand):
    """Takes SQL that begins with a comment for SQL, and for no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [_COMMENT.sub("\n--", one) for one in args])


_COMMENT = re.compile(r"\A--(?=\s)")


@app.command(cls=_Query)
def query(
    sql: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="SQL", help='such as "FROM rounds"'),
    ] = None,
    run: RunName = None,
    as_json: Annotated[bool, typer.Option("--json", help="a list of objects")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV, safe to open as a sheet")] = False,
    limit: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--limit", min=1, metavar="N", help="most rows (default: 100; written 100,000)"
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.001, metavar="S", help="time limit")
    ] = 30.0,
    examples: Annotated[bool, typer.Option("--examples", help="print ready questions")] = False,
    open_test: Annotated[
        bool, typer.Option("--open-test", help="with the sealed test rows; the look is counted")
    ] = False,
) -> None:
    """Ask a run's database in SQL; nothing can be written, and rows of test are left out.

    A run in progress may be asked too: it is not disturbed.
    """
    from harness.cli.query import Question, work

    work(Question(sql, run, as_json, as_csv, limit, seconds, examples, open_test))


@app.command()
def rebuild(run: RunName = None) -> None:
    """Make a run's database and reports again from what it has stored."""
    from harness.cli.rebuild import rebuild as work

    work(run)


@app.command()
def runs(as_json: Json = False) -> None:
    """List the runs of this folder, the latest first."""
    from harness.cli.inspect import runs as work

    work(as_json)
