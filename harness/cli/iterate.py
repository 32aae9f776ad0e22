"""``harness iterate``: the loop at the terminal."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from harness import config as configuration
from harness.analysis.reading import FILE_NAME as ANALYSIS
from harness.analysis.reading import read
from harness.config import Config
from harness.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_REQUIREMENT,
    Cancelled,
    UsageError,
)
from harness.lock import exclusive
from harness.run import REPORTS_FOLDER, Run
from harness.text import one_line
from harness.watcher import Quiet


def iterate(
    path: Path | None, rounds: int | None, sets: Sequence[str], require: str | None, as_json: bool
) -> int:
    """Run or go on; returns the exit code."""
    if require not in (None, "improved"):
        raise UsageError(f"--require takes 'improved', not '{require}'")
    config = configuration.load(path, sets=sets, flags={"rounds": rounds})
    console = Console(stderr=True)
    stop = _Stop(console)
    try:
        document = _carry_out(config, console, stop)
    except Cancelled:
        console.print("stopped; everything finished is kept. To go on:", highlight=False)
        console.print(Text(f"  {_command()}"), soft_wrap=True)
        return EXIT_INTERRUPTED
    if as_json:
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        show(config, document["run"])
    test = document["test"]
    label = test["verdict"]["label"] if test else "no evidence"
    return EXIT_REQUIREMENT if require and label != require else EXIT_OK


def show(config: Config, run: str) -> None:
    """The report, by the first of the config's reporters that shows one."""
    console = Console()
    analysis = read(Path(REPORTS_FOLDER) / run / ANALYSIS)
    any(entry.instance.show(analysis, console) for entry in config.report)


def _carry_out(config: Config, console: Console, stop: _Stop) -> Mapping[str, Any]:
    from harness import finish
    from harness.cli.rebuild import refreshed

    run = Run(config, Quiet(), cancelled=stop.asked)
    with exclusive(run.folder / "lock"):
        document = finish.stored(run, lambda text: console.print(Text(text), highlight=False))
        if document is not None:
            refreshed(run.reports)
            return document
        return _walk(run, console, stop)


def _walk(run: Run, console: Console, stop: _Stop) -> Mapping[str, Any]:
    from harness import finish
    from harness.history import History
    from harness.loop import rounds
    from harness.people import sealed_note
    from harness.progress import Display, weight_planned
    from harness.steps import Steps

    settings = run.config.settings
    for level, line in run.config.ask_plugins().remarks:
        console.print(Text(f"{level}: {one_line(line)}"), highlight=False, soft_wrap=True)
    note = sealed_note(run.config)
    if note:
        console.print(Text(note), highlight=False)
    total = weight_planned(settings.rounds, len(run.config.metrics), run.config.control)
    log = _log_to(run.folder / "harness.log")
    with log, stop.listening(), Display(console, run.name, total) as display:
        run.watcher = display
        run.prepare()
        steps, history = Steps(run), History()
        for result in rounds(steps, history):
            display.round_closed(result)
            finish.publish(run, steps, history, final=False)
        return finish.publish(run, steps, history, final=True)


@contextlib.contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """The log of this run, and of no other one that the same process carries out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("harness")
    before = logger.level, logger.propagate
    with contextlib.closing(logging.FileHandler(path, encoding="utf-8")) as handler:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.level, logger.propagate = before


def _command() -> str:
    return shlex.join(["harness", *sys.argv[1:]])


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
