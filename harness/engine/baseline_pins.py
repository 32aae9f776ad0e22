"""Which answers and scores a run's baselines were given: found again after an upgrade, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.engine.artifacts import Artifact
from harness.engine.run import Run
from harness.kit.files import digest, read_json, write_json
from harness.records import BASE_ARM, to_json

FILE = "baselines.json"


class BaselinePins:
    """Digests of artifacts by baseline and stage, in the run's folder.

    They are those of one round 0: where it is decided again, they count no more.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._path = run.folder / FILE
        self._pins = self._read()

    def of(self, name: str) -> Mapping[str, str]:
        """What a baseline was given; nothing where it was not asked yet."""
        found: Mapping[str, str] = self._pins.get(name, {})
        return found

    def artifact(self, name: str, key: str) -> Artifact | None:
        """What the store has of it; what is gone is made again.

        Args:
            key: ``prompts``, ``generate``, ``detect``, or ``score`` and the metric entry's name.
        """
        pin = self.of(name).get(key)
        return None if pin is None else self.run.artifacts.with_digest(key.split()[0], pin)

    def stored(self, name: str, key: str) -> str | None:
        """The digest of :meth:`artifact`."""
        found = self.artifact(name, key)
        return None if found is None else found.digest

    def keep(self, name: str, keys: Mapping[str, str]) -> None:
        """Pin what a baseline was given."""
        if self.run.writes and self._pins.get(name) != keys:
            self._pins[name] = dict(keys)
            write_json(self._path, {"of": self._round_0(), "pins": self._pins})

    def _read(self) -> dict[str, Any]:
        try:
            found = read_json(self._path)
            return dict(found["pins"]) if found["of"] == self._round_0() else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _round_0(self) -> str | None:
        closed = self.run.journal.closed(BASE_ARM, 0)
        return None if closed is None else digest(to_json(closed))
