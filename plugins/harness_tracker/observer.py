"""What of a run has to be sent where, and that nothing is sent twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import harness
from harness.kit import trackers
from harness_tracker import figures
from harness_tracker.figures import Entry
from harness_tracker.sender import Sender
from harness_tracker.sent import Sent

FOLDER = Path(".harness", "tracker")
"""What was sent, and what the trackers printed, by run."""


class Observer:
    """Told of one run after another; a tracker that fails is an error of the hook, no more."""

    def __init__(self) -> None:
        self._trackers: list[Tracker] = []
        self._seconds: dict[tuple[str, int], dict[str, float]] = {}

    def begin(self, run: str, config: Mapping[str, Any]) -> None:
        """A run starts or goes on.

        Raises:
            EnvironmentFailure: ``report_to`` names trackers that rounds are not sent to.
        """
        for tracker in self._trackers:
            tracker.sender.close()
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
        if self._trackers:
            self._seconds.setdefault((arm, round_), {})[stage] = seconds

    def round(self, result: harness.RoundResult) -> None:
        """A round was closed, now or before the run went on."""
        if self._trackers:
            seconds = self._seconds.get((result.arm, result.round), {})
            self._send(figures.of_round(result, seconds))

    def end(self, summary: Mapping[str, Any]) -> None:
        """The run is finished."""
        ending, self._trackers = self._trackers, []
        entry = figures.of_test(summary)
        failures = [tracker.end(entry) for tracker in ending]
        _raise([failure for failure in failures if failure])

    def _send(self, entry: Entry) -> None:
        failures = [tracker.send(entry) for tracker in self._trackers]
        _raise([failure for failure in failures if failure])


def reported_to(config: Mapping[str, Any]) -> list[str]:
    """The trackers that ``train.args.report_to`` names; ``all`` are those that are installed."""
    import importlib.util

    args = config.get("train", {}).get("args")
    given = args.get("report_to") if isinstance(args, Mapping) else None
    names = trackers.named(given)
    if trackers.ALL in names:
        return [name for name in trackers.FULL if importlib.util.find_spec(name) is not None]
    return names


class Tracker:
    """One tracker, what it has of the run, and what it is still owed."""

    def __init__(self, name: str, run: str, config: Mapping[str, Any]) -> None:
        self.name = name
        self.sent = Sent(FOLDER / f"{run}.json", name)
        self.owed: list[Entry] = []
        self._told: dict[str, Entry] = {}
        args = config["train"]["args"]
        self.sender = Sender(
            name,
            {
                "run": run,
                "settings": figures.of_settings(config),
                "args": {k: v for k, v in args.items() if k in ("project", "trackio_space_id")},
            },
            FOLDER / f"{run}.{name}.log",
        )

    def send(self, entry: Entry) -> str:
        """Send what is owed; returns what went wrong, in a sentence, or an empty string."""
        self._told[entry.key] = entry
        if self.sent.knows(entry):
            return ""
        if self.sent.decided_again(entry):
            self.sender.close()
            self.sent.begin_again()
            self.owed = list(self._told.values())
        else:
            self.owed.append(entry)
        return self._deliver()

    def end(self, entry: Entry | None) -> str:
        """Send what is left, and end the tracker's run.

        One that has everything and was not ended, since a process was killed, is begun for that.
        """
        failure = ""
        if entry is not None and not self.sent.knows(entry):
            self.owed.append(entry)
        if self.owed or (self.sent.id and not self.sent.ended):
            failure = self._deliver() or self.sender.end()
            if not failure:
                self.sent.end()
        if failure and self.owed:
            missing = ", ".join(entry.words for entry in self.owed)
            failure += f"; not sent: {missing}"
        return failure

    def _deliver(self) -> str:
        if failure := self.sender.begin(self.sent.id, self.sent.attempt):
            return failure
        self.sent.keep_id(self.sender.id)
        while self.owed:
            if failure := self.sender.send(self.owed[0]):
                return failure
            self.sent.add(self.owed.pop(0))
        return ""


def _raise(failures: list[str]) -> None:
    if failures:
        raise harness.EnvironmentFailure("; ".join(failures))
