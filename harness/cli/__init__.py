"""The command line. Each command's work is imported when it is called, so that help is fast."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated, Optional

import typer

from harness.cli.rate_app import app as rate_app

app = typer.Typer(
    name="harness",
    help="Fine-tune a language model in rounds, and be told the truth about each.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ConfigFile = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads it at run time
    typer.Option("--config", "-c", help="config file (default: ./harness.yaml, else shipped)"),
]
Sets = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--set", metavar="KEY=VALUE", help="override one key, as train.epochs=3"),
]
Rounds = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--rounds", min=1, help="rounds of training"),
]
Json = Annotated[bool, typer.Option("--json", help="one JSON document on standard output")]
RunName = Annotated[
    Optional[str],  # noqa: UP045
    typer.Argument(metavar="[RUN]", help="name of a run (default: the latest)"),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        from harness import __version__

        typer.echo(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    debug: Annotated[
        bool, typer.Option("--debug", help="show tracebacks (may stand anywhere)")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="print the version", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Options of all commands; ``--debug`` was taken out by :func:`main` before."""


@app.command()
def iterate(
    config: ConfigFile = None,
    rounds: Rounds = None,
    sets: Sets = None,
    require: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--require", metavar="improved", help="exit 1 unless the test verdict is so"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure, train, generate, score, judge, analyse, augment; round after round.

    The same command again goes on where it was stopped; a finished run answers at once.
    """
    from harness.cli.iterate import iterate as work

    raise typer.Exit(work(config, rounds, sets or [], require, as_json))


@app.command()
def check(config: ConfigFile = None, rounds: Rounds = None, sets: Sets = None) -> None:
    """Check a config whole (keys, plugins, options, data files) without loading a model."""
    from harness.cli.inspect import check as work

    work(config, rounds, sets or [])


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


@app.command()
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
) -> None:
    """Ask a run's database in SQL; nothing can be written.

    A run in progress may be asked too: it is not disturbed.
    """
    from harness.cli.query import Question, work

    work(Question(sql, run, as_json, as_csv, limit, seconds, examples))


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


@app.command()
def score(
    predictions: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--predictions",
            "-p",
            metavar="FILE[:COLUMN]",
            help="answers; repeat for several systems; - is standard input",
        ),
    ] = None,
    references: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--references",
            "-r",
            metavar="FILE[:COLUMN]",
            help="good answers; repeat for several for each example",
        ),
    ] = None,
    baseline: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--baseline",
            "-b",
            metavar="FILE[:COLUMN]",
            help="answers of the system to compare with",
        ),
    ] = None,
    metrics: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--metrics",
            "-m",
            metavar="NAMES",
            help="parted by commas; NAME=METRIC names one (default: bleu,chrf,rouge,meteor)",
        ),
    ] = None,
    options: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--option",
            "-o",
            metavar="METRIC.KEY=VALUE",
            help="an option of a metric, as rouge.stemmer=true",
        ),
    ] = None,
    plugin: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option("--plugin", metavar="FILE", help="a one-file plugin to load"),
    ] = None,
    config: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--config", "-c", help="take the references (and metrics) of this config"),
    ] = None,
    sets: Sets = None,
    run: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--run", metavar="RUN", help="score the stored answers of a run again"),
    ] = None,
    split: Annotated[
        str, typer.Option("--split", help="with --config or --run: which rows")
    ] = "dev",
    open_test: Annotated[
        bool, typer.Option("--open-test", help="look at the sealed test set; the look is counted")
    ] = False,
    by: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--by", metavar="FIELD", help="scores for each value of a field of the references"
        ),
    ] = None,
    group: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--group",
            metavar="FIELD",
            help="rows with the same value belong together (default: field 'group')",
        ),
    ] = None,
    per_example: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--per-example", metavar="FILE", help="write each answer's scores (.jsonl or .parquet)"
        ),
    ] = None,
    test: Annotated[
        str, typer.Option("--test", help="where p comes from: auto, bootstrap or randomisation")
    ] = "auto",
    seed: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--seed", min=0, help="of the resampling (default: 7)"),
    ] = None,
    workers: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--workers", min=1, help="most processes (default: one for each core)"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Score answers against references, alone or against a baseline."""
    from harness.cli.request import Request
    from harness.cli.score import score as work

    request = Request(
        predictions or [], references or [], baseline, metrics, options or [], plugin or [],
        config, sets or [], run, split, open_test, by or [], group, per_example, test, seed,
        workers, as_json,
    )  # fmt: skip
    raise typer.Exit(work(request))


plugins_app = typer.Typer(
    help="List, check and write plugins.", invoke_without_command=True, no_args_is_help=False
)
app.add_typer(plugins_app, name="plugins")


@plugins_app.callback()
def plugins(context: typer.Context, as_json: Json = False) -> None:
    """List the installed plugins by stage, and those that could not be loaded."""
    if context.invoked_subcommand is None:
        from harness.cli.inspect import plugins as work

        work(as_json)


@plugins_app.command("check")
def plugins_check(
    target: Annotated[str, typer.Argument(metavar="NAME|FILE", help="a plugin, or a file of them")],
    options: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="an option of the plugin"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold a plugin against the rules of its stage, one line for each."""
    from harness.cli.plugins import check as work

    raise typer.Exit(work(target, options or [], as_json))


@plugins_app.command("new")
def plugins_new(
    kind: Annotated[str, typer.Argument(metavar="metric", help="what to write")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="lower case, with dashes")],
    folder: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--folder", help="where to write it (default: ./NAME)"),
    ] = None,
) -> None:
    """Write a small package with a metric that works and a test that passes."""
    from harness.cli.plugins import new as work

    raise typer.Exit(work(kind, name, folder))


app.add_typer(rate_app, name="rate")

config_app = typer.Typer(help="Look at the configuration.", no_args_is_help=True)
app.add_typer(config_app, name="config")


@config_app.command("show")
def config_show(
    config: ConfigFile = None,
    rounds: Rounds = None,
    sets: Sets = None,
    origin: Annotated[bool, typer.Option("--origin", help="say where each value is from")] = False,
) -> None:
    """Print the whole configuration with every default."""
    from harness.cli.inspect import config_show as work

    work(config, rounds, sets or [], origin)


def main() -> None:
    """The ``harness`` command: errors for people, exit codes for programs."""
    import sys

    from harness.errors import Cancelled, HarnessError

    debug = "--debug" in sys.argv
    sys.argv[1:] = [argument for argument in sys.argv[1:] if argument != "--debug"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Reports hold any character; a terminal that lacks one shows a question mark.
            stream.reconfigure(errors="replace")
    try:
        app()
    except HarnessError as error:
        from harness.cli.failure import show

        sys.exit(show(error, debug=debug))
    except (Cancelled, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        from harness.cli.failure import show_os_error

        sys.exit(show_os_error(error, debug=debug))
