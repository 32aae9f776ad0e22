"""``harness iterate`` and ``harness check``, as the command line takes them."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from harness.terminal.options import ConfigFile, Json, Rounds, RunName, Sets

app = typer.Typer(rich_markup_mode=None)


@app.command()
def iterate(
    config: ConfigFile = None,
    rounds: Rounds = None,
    sets: Sets = None,
    require: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--require", metavar="improved", help="exit 1 unless the test verdict is so"),
    ] = None,
    no_test: Annotated[
        bool, typer.Option("--no-test", help="end before the sealed test set is opened")
    ] = False,
    as_new_run: Annotated[
        bool,
        typer.Option("--as-new-run", help="begin another run of this config, beside those there"),
    ] = False,
    reopen: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--reopen", metavar="ROUND", min=0, help="decide this round and all later ones again"
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure, train, generate, score, judge, analyse, augment; round after round.

    The same command again goes on where it was stopped; a finished run answers at once.
    """
    from harness.cli.iterate import Asked, iterate as work

    asked = Asked(require, not no_test, as_new_run, reopen, as_json)
    raise typer.Exit(work(config, rounds, sets or [], asked))


@app.command("test")
def open_test(
    run: RunName = None,
    require: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--require", metavar="improved", help="exit 1 unless the test verdict is so"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Open the sealed test set of a run that ended with --no-test; the look is counted."""
    from harness.cli.iterate import open_test as work

    raise typer.Exit(work(run, require, as_json))


@app.command()
def check(config: ConfigFile = None, rounds: Rounds = None, sets: Sets = None) -> None:
    """Check a config whole (keys, plugins, options, data files) without loading a model."""
    from harness.cli.inspect import check as work

    work(config, rounds, sets or [])
