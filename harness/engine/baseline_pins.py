"""Which answers and scores a run's baselines were given: found again after an upgrade, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.engine.artifacts import Artifact
from harness.engine.run import Run
from harness.kit.files import digest
from harness.kit.log import Log
from harness.records import BASE_ARM, to_json

FILE = "baselines.jsonl"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file: what a baseline was given; the last one counts.

    Attributes:
        of: digest of round 0, as it was closed. Where that is decided again, it counts no more.
        keys: stage, or ``score`` and the metric entry's name -> digest of the artifact.
    """

    of: str
    baseline: str
    keys: Mapping[str, str]


class BaselinePins:
    """Digests of artifacts by baseline and stage, in the run's folder."""

    def __init__(self, run: Run) -> None:
        """Read the file.

        Raises:
            DataError: a line of it is damaged.
        """
        self.run = run
        closed = run.journal.closed(BASE_ARM, 0)
        self._round_0 = "" if closed is None else digest(to_json(closed))
        self._keys: dict[str, Mapping[str, str]] = {}
        self._log = Log(
            run.folder / FILE, Line, schema=1,
            cost="which answers a baseline was given cannot be known",
            hint="take the file from a backup, or remove it: answers that are stored are found, "
            "and others are asked for again",
        )  # fmt: skip
        self._log.read(self._take)

    def of(self, name: str) -> Mapping[str, str]:
        """What a baseline was given; nothing where it was not asked yet."""
        return self._keys.get(name, {})

    def artifact(self, name: str, key: str) -> Artifact | None:
        """What the store has of it; what is gone is made again.

        Args:
            key: ``prompts``, ``generate``, ``detect``, or ``score`` and the metric entry's name.
        """
        pin = self.of(name).get(key)
        return None if pin is None else self.run.artifacts.with_digest(key.split()[0], pin)

    def stored(self, name: str, key: str) -> str | None:
        """The digest of :meth:`artifact`."""
        artifact = self.artifact(name, key)
        return None if artifact is None else artifact.digest

    def keep(self, name: str, keys: Mapping[str, str]) -> None:
        """Pin what a baseline was given."""
        if self.run.writes and self.of(name) != keys:
            line = Line(self._round_0, name, keys)
            self._log.append(line)
            self._take(line)

    def _take(self, line: Line) -> None:
        if line.of == self._round_0:
            self._keys[line.baseline] = line.keys
