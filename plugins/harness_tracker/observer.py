"""What of a run is sent to which tracker, and that nothing is sent twice.

A tracker's library is called in the run's own process. What it raises is an error of the hook,
which costs the run a note; while it waits for a network, the run waits too.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import harness
from harness.kit import trackers
from harness.kit.files import digest, read_json, write_json
from harness.kit.inside import inside
from harness.kit.privacy import of_this_user
from harness.kit.text import one_line
from harness_tracker import backends, figures
from harness_tracker.figures import Entry

FOLDER = Path(".harness", "tracker")
"""What was sent, by run and tracker."""


class Observer:
    """Told of one run after another, and sends it to the trackers of ``report_to``."""

    def __init__(self) -> None:
        self._trackers: list[Tracker] = []
        self._seconds: dict[tuple[str, int], dict[str, float]] = {}

    def begin(self, run: str, config: Mapping[str, Any]) -> None:
        """A run starts or goes on.

        Raises:
            EnvironmentFailure: ``report_to`` names trackers that rounds are not sent to.
        """
        with contextlib.suppress(harness.EnvironmentFailure):
            # A run that failed before in this process: its trackers' runs are open still.
            self._each(lambda tracker: tracker.end(None))
        self._seconds = {}
        names = reported_to(config)
        self._trackers = [Tracker(name, run, config) for name in names if name in trackers.FULL]
        if others := [name for name in names if name not in trackers.FULL]:
            raise harness.EnvironmentFailure(
                f"rounds are not sent to {', '.join(others)}, which gets the trainings alone",
                hint=f"rounds are sent to {', '.join(trackers.FULL)}",
            )

    def stage(self, stage: str, round_: int, arm: str, seconds: float) -> None:
        """A stage took so long."""
        self._seconds.setdefault((arm, round_), {})[stage] = seconds

    def round(self, result: harness.RoundResult) -> None:
        """A round was closed, now or before the run went on."""
        seconds = self._seconds.get((result.arm, result.round), {})
        self._each(lambda tracker: tracker.send(figures.of_round(result, seconds)))

    def end(self, summary: harness.Summary) -> None:
        """The run is finished."""
        entry = figures.of_test(summary)
        try:
            self._each(lambda tracker: tracker.end(entry))
        finally:
            self._trackers = []

    def _each(self, work: Callable[[Tracker], None]) -> None:
        """Do it with every tracker, whatever another one does.

        Raises:
            EnvironmentFailure: with all that failed; keys and passwords are taken out.
        """
        failures = []
        for tracker in self._trackers:
            try:
                work(tracker)
            except (Exception, SystemExit) as error:
                reason = one_line(of_this_user().text(f"{type(error).__name__}: {error}"), 300)
                failures.append(f"{tracker.name} does not get the figures of the run: {reason}")
        if failures:
            raise harness.EnvironmentFailure("; ".join(failures), hint="the run goes on")


def reported_to(config: Mapping[str, Any]) -> list[str]:
    """The trackers that ``train.args.report_to`` names; ``all`` are those that are installed."""
    names = trackers.named(_arguments(config).get("report_to"))
    if trackers.ALL in names:
        return [name for name in trackers.FULL if importlib.util.find_spec(name) is not None]
    return names


def _arguments(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """``args`` of the first trainer."""
    args = next(iter(harness.trainers_in(config)), {}).get("args")
    return args if isinstance(args, Mapping) else {}


class Tracker:
    """One tracker of a run: what it has by now, which a file says, and what it has to get."""

    def __init__(self, name: str, run: str, config: Mapping[str, Any]) -> None:
        self.name, self.run, self.config = name, run, config
        self.path = inside(FOLDER, f"{run}.{name}.json")
        try:
            state = read_json(self.path)
            self.id, self.sent = str(state["id"]), dict(state["sent"])
        except (OSError, ValueError, KeyError, TypeError):  # never sent to, or damaged: all again
            self.id, self.sent = "", {}
        self._entries: dict[str, Entry] = {}
        self._tracked: backends.Tracked | None = None

    def send(self, entry: Entry) -> None:
        """Send it, after all that could not be sent before.

        A round that was decided again is sent again.
        """
        self._entries[entry.key] = entry
        for key, owed in self._entries.items():
            result = digest([dict(owed.numbers), dict(owed.texts)])
            if self.sent.get(key) == result:
                continue
            tracked = self._begun()
            tracked.send(owed.step, {**owed.numbers, **owed.beside}, owed.texts)
            self.sent[key] = result
            self._write()

    def end(self, entry: Entry | None) -> None:
        """Send what is left, and end the tracker's run, if anything was sent by this process."""
        if entry is not None:
            self.send(entry)
        if self._tracked is not None:
            self._tracked.end()

    def _begun(self) -> backends.Tracked:
        """The tracker's run, begun when there is something to send."""
        if self._tracked is None:
            settings, args = figures.of_settings(self.config), _arguments(self.config)
            asked = backends.Asked(self.run, self.id, settings, args)
            self._tracked = backends.begin(self.name, asked)
            self.id = self._tracked.id
            self._write()
        return self._tracked

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.path, {"id": self.id, "sent": self.sent})
