"""The command line. Each command's work is imported when it is called, so that help is fast."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated, Optional

import typer

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
def report(run: RunName = None, as_json: Json = False) -> None:
    """Show the report of a run."""
    from harness.cli.inspect import report as work

    work(run, as_json)


@app.command()
def runs(as_json: Json = False) -> None:
    """List the runs of this folder, the latest first."""
    from harness.cli.inspect import runs as work

    work(as_json)


@app.command()
def plugins(as_json: Json = False) -> None:
    """List the installed plugins by stage, and those that could not be loaded."""
    from harness.cli.inspect import plugins as work

    work(as_json)


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
