"""``harness iterate``: the loop at the terminal."""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from rich.console import Console
from rich.text import Text

from harness.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_REQUIREMENT,
    Cancelled,
    HarnessError,
    PluginError,
    UsageError,
)
from harness.kit.files import remove
from harness.kit.numbers import counted
from harness.kit.terminal import tables
from harness.kit.terminal.interrupts import Stop, way_on
from harness.kit.terminal.options import ConfigFile, Json, Rounds, Sets
from harness.kit.terminal.requirements import Require, Requirement
from harness.kit.terminal.streams import plugins_on_stderr
from harness.kit.text import one_line
from harness.records import to_json
from harness.records.context import Quiet
from harness.run.places import REPORTS_FOLDER

if TYPE_CHECKING:
    from harness.config.loading import Config
    from harness.records.summary import Summary
    from harness.run.run import Run

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the command line asks of a run.

    Attributes:
        require: the verdict on the test set without which the exit code is 1.
        test: whether the sealed test set is opened at the end.
        anew: whether another run of the config is begun.
        reopen: the round from which on all are decided again.
        view: whether its page is served while it is at work.
    """

    require: str | None = None
    test: bool = True
    anew: bool = False
    reopen: int | None = None
    as_json: bool = False
    view: bool = False

    def streams(self) -> AbstractContextManager[None]:
        """Around work of plugins: with --json standard output is for the one document alone."""
        return plugins_on_stderr() if self.as_json else nullcontext()

    def check(self) -> None:
        """Whether it fits together.

        Raises:
            UsageError: it does not.
        """
        Requirement(self.require, None).check()
        if self.require and not self.test:
            raise UsageError(
                "--require asks for a verdict on the test set, and --no-test leaves that sealed",
                hint="harness test RUN --require improved",
            )
        if self.anew and self.reopen is not None:
            raise UsageError(
                "--as-new-run leaves a run as it is and --reopen decides its rounds again: one only"
            )


@app.command()
def iterate(
    config: ConfigFile = None,
    rounds: Rounds = None,
    sets: Sets = None,
    require: Require = None,
    no_test: Annotated[
        bool, typer.Option("--no-test", help="end before the sealed test set is opened")
    ] = False,
    as_new_run: Annotated[
        bool,
        typer.Option("--as-new-run", help="start another run of this config; earlier runs stay"),
    ] = False,
    reopen: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--reopen", metavar="ROUND", min=0, help="decide this round and all later ones again"
        ),
    ] = None,
    view: Annotated[
        bool, typer.Option("--view", help="serve a page to look at while it runs (harness view)")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train, evaluate, analyse and augment, round after round.

    Run the same command again to resume; a finished run answers at once.
    """
    from harness.config import loading
    from harness.run.run import Run

    request = RunRequest(require, not no_test, as_new_run, reopen, as_json, view)
    request.check()
    with request.streams():
        loaded = loading.load(config, sets=sets or [], flags={"rounds": rounds})
    if no_test:
        # Part of the command that is told to resume with; it changes no result.
        loaded = dataclasses.replace(loaded, given=(*loaded.given, "--no-test"))
    code = to_the_end(
        lambda stop: Run(loaded, Quiet(), cancelled=stop.asked, anew=request.anew), request
    )
    raise typer.Exit(code)


def to_the_end(make_run: Callable[[Stop], Run], request: RunRequest) -> int:
    """Carry a run out, or answer at once if it is finished; returns the exit code."""
    console = Console(stderr=True)
    stop = Stop(lambda message: console.print(message, highlight=False))
    with request.streams():
        run = make_run(stop)
    try:
        with request.streams():
            summary = _carry_out(run, console, stop, request)
    except Cancelled as end:
        _ask_of_jobs_that_go_on(run, console)
        message = f"{str(end) or 'stopped'}; finished work is saved. To resume:"
        console.print(Text(message), highlight=False, soft_wrap=True)
        console.print(Text(f"  {way_on()}"), soft_wrap=True)
        return EXIT_INTERRUPTED
    if request.as_json:
        sys.stdout.write(json.dumps(to_json(summary), indent=1) + "\n")
    else:
        _show(run.config, summary.run)
    label = summary.test.verdict.label if summary.test else "no evidence"
    return EXIT_REQUIREMENT if request.require and label != request.require else EXIT_OK


def _ask_of_jobs_that_go_on(run: Run, console: Console) -> None:
    """Let the runner say, or ask, what becomes of them."""

    def ask(question: str) -> str:
        if not (console.is_terminal and sys.stdin.isatty()):
            return ""
        console.print(question, end=" ", highlight=False)
        return sys.stdin.readline().strip()

    def say(sentence: str) -> None:
        console.print(sentence, highlight=False)

    run.workers.runner.interrupted(run.name, ask, say)


def _show(config: Config, run: str) -> None:
    """The report, by the first of the config's reporters that shows one.

    Raises:
        PluginError: a reporter failed at it; the run itself is complete.
    """
    from harness.boundary.calls import plainly
    from harness.report.reading import read_analysis
    from harness.report.sections import for_reporters

    console = Console()
    analysis = for_reporters(read_analysis(Path(REPORTS_FOLDER) / run), Path(), config.registry)
    for name in sorted({*config.registry.names("section")} & {*analysis.failed}):
        line = f"note: section '{name}' is left out: {analysis.failed[name]}"
        tables.note(Console(stderr=True), line)
    for entry in config.report:
        try:
            with plainly(entry.named):
                shown = entry.instance.show(analysis, console)
        except PluginError as error:
            error.hint = error.hint or (
                f"the run is complete: {shlex.join(['harness', 'report', run])}"
            )
            raise
        if shown:
            return


def _carry_out(run: Run, console: Console, stop: Stop, request: RunRequest) -> Summary:
    from harness.report.finished import finished
    from harness.report.folders import refreshed
    from harness.report.reading import FILE_NAME
    from harness.run.shared_run import driving

    def say(text: str) -> None:
        console.print(Text(one_line(text)), highlight=False, soft_wrap=True)

    with driving(run, say, anew=request.anew):
        if request.reopen is not None:
            run.reopen(request.reopen)
            for name in (FILE_NAME, "summary.json"):  # they tell of rounds that count no more
                remove(run.reports / name)
            say(
                f"round {request.reopen} and all later ones are decided again; the journal keeps "
                "how they were closed before"
            )
        summary = finished(run, say, test=request.test)
        if summary is not None:
            refreshed(run.reports, run.config.registry)
            return summary
        return _walk(run, console, stop, request)


def _walk(run: Run, console: Console, stop: Stop, request: RunRequest) -> Summary:
    from harness.cli.run_log import log_to
    from harness.config import experiments
    from harness.config.effects import sealed_note
    from harness.kit.remote.spending import counting
    from harness.kit.telling import telling
    from harness.kit.terminal.progress import Display, weight_planned
    from harness.loop import rounds
    from harness.opened import branches
    from harness.opened.planned import said_before
    from harness.report import publishing
    from harness.run.live import LiveFile
    from harness.steps import Steps, baselines
    from harness.steps.history import History

    settings, test = run.config.settings, request.test
    beside = nullcontext("")
    if request.view:
        beside = run.config.registry.only("beside_run", run=run.name)
    for level, line in run.config.ask_plugins().remarks:
        tables.note(console, f"{level}: {line}")
    note = sealed_note(run.config.settings.primary, run.config.metrics)
    if note:
        console.print(Text(note), highlight=False)
    config = run.config
    counts = len(config.metrics), bool(config.control), len(baselines.entries(config))
    trainings = sum(intent.trainings for intent in experiments.checked(config))
    total = weight_planned(
        settings.rounds, *counts, trainings, len(config.beside()), len(config.trainers)
    )
    log = log_to(run.folder / "harness.log")
    display = Display(console, run.name, total, elsewhere=run.workers.runner.elsewhere)
    live = LiveFile(run, display)
    said = telling(lambda sentence: live.say(f"note: {sentence}"))
    with log, beside as where, live, stop, run.workers, counting(run.spending), display, said:
        run.watcher = live
        if where:
            display.say(where)
        run.prepare()
        steps, history = Steps(run), History()
        for sentence in said_before(run, steps, test=test):
            live.say(sentence)
        for result in rounds(steps, history, test=test):
            live.round_closed(result)
            publishing.publish(run, steps, history, final=False)
        if trainings:  # what is known so far can be read while they are trained
            publishing.publish(run, steps, history, final=True)
        failures = branches.carry_out(steps, history)
        summary = publishing.publish(run, steps, history, final=True)
        if failures:
            raise some_failed(failures)
    return summary


def some_failed(failures: Sequence[HarnessError]) -> HarnessError:
    """The first failure beside the rounds, of a training or of the search, as one of several."""
    first = failures[0]
    which = "; the first one" if len(failures) > 1 else ""
    count = counted(len(failures), "failure")
    first.what = f"{count} beside the rounds, all else stands{which}: {first.what}"
    first.hint = first.hint or "the same command tries again"
    return first
