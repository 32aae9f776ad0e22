"""What was decided, and never is again: closed rounds of a run, and openings of test sets."""

from __future__ import annotations

from pathlib import Path

from harness.files import append_line, read_json, read_lines, write_json
from harness.records import RoundResult, from_json, to_json

SCHEMA = 2


class Journal:
    """The closed rounds of one run, one fsynced line each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting = path.with_name("waiting.json")
        self._closed = {
            (line["result"]["arm"], line["result"]["round"]): from_json(RoundResult, line["result"])
            for line in read_lines(path)
        }

    def closed(self, arm: str, round_: int) -> RoundResult | None:
        """The round as it was closed, or None if it still is open."""
        return self._closed.get((arm, round_))

    def rounds(self, arm: str) -> list[RoundResult]:
        """The arm's closed rounds, in order."""
        found = [result for (name, _), result in self._closed.items() if name == arm]
        return sorted(found, key=lambda result: result.round)

    def wait(self, arm: str, round_: int, generated: str) -> None:
        """Say which answers an open round has that people are asked about."""
        write_json(self._waiting, {"arm": arm, "round": round_, "generate": generated})

    def waiting(self) -> tuple[str, int, str] | None:
        """Arm, round and digest of the answers that :meth:`wait` told of, while it is open."""
        try:
            found = read_json(self._waiting)
        except (OSError, ValueError):
            return None
        arm, number = found["arm"], found["round"]
        return None if self.closed(arm, number) else (arm, number, found["generate"])

    def close(self, result: RoundResult) -> RoundResult:
        """Pin a round; closing it a second time gives what was pinned first."""
        known = self.closed(result.arm, result.round)
        if known is not None:
            return known
        append_line(self.path, {"schema": SCHEMA, "result": to_json(result)})
        self._closed[result.arm, result.round] = result
        return result


class Ledger:
    """Every opening of a sealed test set, by its content digest, across all runs of a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, test_digest: str, run: str) -> int:
        """Count an opening before it happens; a run that is resumed counts once.

        Returns:
            which opening of this test set this is, over all runs (1 for the first).
        """
        opened = self.runs(test_digest)
        if run not in opened:
            append_line(self.path, {"schema": SCHEMA, "test": test_digest, "run": run})
            opened.append(run)
        return opened.index(run) + 1

    def runs(self, test_digest: str) -> list[str]:
        """The runs that have opened the test set, in order."""
        seen: dict[str, None] = {}
        for line in read_lines(self.path):
            if line.get("test") == test_digest:
                seen.setdefault(line["run"])
        return list(seen)
