"""``harness iterate``: the loop at the terminal."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.boundary.calls import plainly
from harness.config import loading as configuration
from harness.config.loading import Config
from harness.context import Quiet
from harness.engine import resume_command
from harness.engine.run import REPORTS_FOLDER, Run, name_of
from harness.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_REQUIREMENT,
    Cancelled,
    PluginError,
    UsageError,
    reason,
)
from harness.kit.files import remove
from harness.kit.lock import exclusive
from harness.kit.text import one_line, plain
from harness.records import BASE_ARM
from harness.report.reading import FILE_NAME as ANALYSIS, read
from harness.report.sections import with_always
from harness.terminal.interrupts import way_on


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks of a run.

    Attributes:
        require: the verdict on the test set without which the exit code is 1.
        test: whether the sealed test set is opened at the end.
        anew: whether another run of the config is begun.
        reopen: the round from which on all are decided again.
    """

    require: str | None = None
    test: bool = True
    anew: bool = False
    reopen: int | None = None
    as_json: bool = False

    def check(self) -> None:
        """Whether it fits together.

        Raises:
            UsageError: it does not.
        """
        if self.require not in (None, "improved"):
            raise UsageError(f"--require takes 'improved', not '{self.require}'")
        if self.require and not self.test:
            raise UsageError(
                "--require asks for a verdict on the test set, and --no-test leaves that sealed",
                hint="harness test RUN --require improved",
            )
        if self.anew and self.reopen is not None:
            raise UsageError(
                "--as-new-run leaves a run as it is and --reopen decides its rounds again: one only"
            )


def iterate(path: Path | None, rounds: int | None, sets: Sequence[str], asked: Asked) -> int:
    """Run or go on; returns the exit code."""
    asked.check()
    config = configuration.load(path, sets=sets, flags={"rounds": rounds})
    if not asked.test:
        config = dataclasses.replace(config, given=(*config.given, "--no-test"))
    return _to_the_end(
        lambda stop: Run(config, Quiet(), cancelled=stop.asked, anew=asked.anew), asked
    )


def open_test(name: str | None, require: str | None, as_json: bool) -> int:
    """Open the test set of a run whose rounds are closed; returns the exit code."""
    from harness.cli.inspect import folder_of
    from harness.stored import opened

    asked = Asked(require, as_json=as_json)
    asked.check()
    name = folder_of(name).name
    run = opened(name, Quiet())
    if len(run.journal.rounds(BASE_ARM)) <= run.config.settings.rounds:
        words = resume_command.kept(run.folder) or list(resume_command.PLAIN)
        raise UsageError("its rounds are not all closed", where=name, hint=shlex.join(words))
    return _to_the_end(
        lambda stop: Run(run.config, Quiet(), cancelled=stop.asked, name=name), asked
    )


def _to_the_end(made: Callable[[_Stop], Run], asked: Asked) -> int:
    console = Console(stderr=True)
    stop = _Stop(console)
    run = made(stop)
    try:
        document = _carry_out(run, console, stop, asked)
    except Cancelled:
        console.print("stopped; everything finished is kept. To go on:", highlight=False)
        console.print(Text(f"  {way_on()}"), soft_wrap=True)
        return EXIT_INTERRUPTED
    if asked.as_json:
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        show(run.config, document["run"])
    opened = document["test"]
    label = opened["verdict"]["label"] if opened else "no evidence"
    return EXIT_REQUIREMENT if asked.require and label != asked.require else EXIT_OK


def show(config: Config, run: str) -> None:
    """The report, by the first of the config's reporters that shows one.

    Raises:
        PluginError: a reporter failed at it; the run itself is complete.
    """
    console = Console()
    analysis = with_always(read(Path(REPORTS_FOLDER) / run / ANALYSIS), config.registry)
    for entry in config.report:
        try:
            with plainly(name_of(entry)):
                shown = entry.instance.show(analysis, console)
        except PluginError as error:
            error.hint = error.hint or (
                f"the run is complete: {shlex.join(['harness', 'report', run])}"
            )
            raise
        if shown:
            return


def _carry_out(run: Run, console: Console, stop: _Stop, asked: Asked) -> Mapping[str, Any]:
    from harness.cli.rebuild import refreshed
    from harness.report import publishing

    def say(text: str) -> None:
        console.print(Text(text), highlight=False)

    with exclusive(run.folder / "lock"):
        if asked.reopen is not None:
            run.reopen(asked.reopen)
            for name in (ANALYSIS, "summary.json"):  # they tell of rounds that count no more
                remove(run.reports / name)
            say(
                f"round {asked.reopen} and all later ones are decided again; the journal keeps how "
                "they were closed before"
            )
        document = publishing.stored(run, say, test=asked.test)
        if document is not None:
            refreshed(run.reports)
            return document
        return _walk(run, console, stop, asked.test)


def _walk(run: Run, console: Console, stop: _Stop, test: bool) -> Mapping[str, Any]:
    from harness.config.effects import sealed_note
    from harness.engine.history import History
    from harness.engine.steps import Steps
    from harness.loop import rounds
    from harness.report import publishing
    from harness.terminal.progress import Display, weight_planned

    settings = run.config.settings
    for level, line in run.config.ask_plugins().remarks:
        console.print(Text(f"{level}: {one_line(line)}"), highlight=False, soft_wrap=True)
    note = sealed_note(run.config.settings.primary, run.config.metrics)
    if note:
        console.print(Text(note), highlight=False)
    total = weight_planned(settings.rounds, len(run.config.metrics), run.config.control)
    log = _log_to(run.folder / "harness.log")
    with log, stop.listening(), Display(console, run.name, total) as display:
        run.watcher = display
        run.prepare()
        steps, history = Steps(run), History()
        for result in rounds(steps, history, test=test):
            display.round_closed(result)
            publishing.publish(run, steps, history, final=False)
        return publishing.publish(run, steps, history, final=True)


@contextlib.contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """The log of this run, and of no other one that the same process carries out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("harness")
    before = logger.level, logger.propagate
    hooks = threading.excepthook, sys.unraisablehook, logging.raiseExceptions
    with contextlib.closing(logging.FileHandler(path, encoding="utf-8")) as handler:
        handler.setFormatter(_Plain("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        threading.excepthook, sys.unraisablehook = _thread_failed, _lost
        logging.raiseExceptions = False  # a plugin that logs wrongly
        try:
            yield
        finally:
            threading.excepthook, sys.unraisablehook, logging.raiseExceptions = hooks
            logger.removeHandler(handler)
            logger.level, logger.propagate = before


class _Plain(logging.Formatter):
    """Lines that do nothing in a terminal, and that UTF-8 can hold."""

    def format(self, record: logging.LogRecord) -> str:
        return plain(super().format(record))


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    """A thread of a plugin raised: that ends the thread, and nothing else."""
    name = failed.thread.name if failed.thread else "a thread"
    what = reason(failed.exc_value) if failed.exc_value else failed.exc_type.__name__
    text = "".join(traceback.format_tb(failed.exc_traceback))
    logging.getLogger("harness.run").error("thread %s failed: %s\n%s", name, what, text)


def _lost(lost: Any) -> None:
    """What cannot be raised anywhere, such as from the end of an object."""
    what = reason(lost.exc_value) if lost.exc_value else lost.exc_type.__name__
    logging.getLogger("harness.run").error("ignored: %s", what)


class _Stop:
    """Ctrl-C: the first asks to stop after the present step, the second ends at once."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._asked = False

    def asked(self) -> bool:
        return self._asked

    def listening(self) -> _Stop:
        return self

    def __enter__(self) -> None:
        self._before = {
            number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)
        }

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: object) -> None:
        if self._asked:
            os._exit(EXIT_INTERRUPTED)
        self._asked = True
        self.console.print("stopping after this step; Ctrl-C again ends at once", highlight=False)
