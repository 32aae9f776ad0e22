"""What a tracker has of a run, kept so that a run that goes on sends nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.kit.files import digest, read_json, write_json
from harness_tracker.figures import Entry


class Sent:
    """One tracker's part of the file.

    Attributes:
        id: of the tracker's run; empty before there is one.
        attempt: 1, or more where rounds were decided again (``--reopen``): each has a run.
        ended: whether the tracker's run was ended as a finished one since the last entry.
    """

    def __init__(self, path: Path, tracker: str) -> None:
        self.path, self.tracker = path, tracker
        known = self._all().get(tracker, {})
        self.id: str = known.get("id", "")
        self.attempt: int = known.get("attempt", 1)
        self.ended: bool = known.get("ended", False)
        self._entries: dict[str, str] = dict(known.get("entries", {}))

    def knows(self, entry: Entry) -> bool:
        """Whether it was sent, as it is."""
        return self._entries.get(entry.key) == _digest(entry)

    def decided_again(self, entry: Entry) -> bool:
        """Whether something else was sent in its place."""
        return not self.knows(entry) and entry.key in self._entries

    def begin_again(self) -> None:
        """The tracker gets another run, with all rounds."""
        self.id, self.attempt, self.ended, self._entries = "", self.attempt + 1, False, {}

    def keep_id(self, id_: str) -> None:
        if self.id != id_:
            self.id = id_
            self._write()

    def add(self, entry: Entry) -> None:
        """It was sent."""
        self._entries[entry.key], self.ended = _digest(entry), False
        self._write()

    def end(self) -> None:
        """The tracker's run was ended as a finished one."""
        self.ended = True
        self._write()

    def _write(self) -> None:
        mine = {
            "id": self.id, "attempt": self.attempt, "ended": self.ended, "entries": self._entries,
        }  # fmt: skip
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.path, {**self._all(), self.tracker: mine})

    def _all(self) -> dict[str, Any]:
        try:
            known = read_json(self.path)
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def _digest(entry: Entry) -> str:
    """Of what was decided; seconds differ where a stage had to be made again."""
    return digest([{name: entry.numbers.get(name) for name in entry.outcome}, dict(entry.texts)])
