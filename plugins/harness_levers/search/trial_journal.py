"""The trials of a search, in the run's folder: one fsynced line for each part that was measured.

A part that is written down is not measured again, and a trial that has ended stays as it ended.
Both are about one reference round and one search, and count no more where either is another.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import harness
from harness.kit.log import Log

FILE = "trials.jsonl"
SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the journal: a trial as far as it has come, or that there is no further one.

    Attributes:
        of: digest of the reference round, as it was closed.
        search: what makes the search the same one.
        exhausted: whether the searcher had no more to propose.
    """

    of: str
    search: str
    trial: harness.Trial | None = None
    exhausted: bool | None = None


class TrialJournal:
    """What is known of the trials of one search.

    Args:
        reference: digest of the reference round, as it was closed.
        search: what makes the search the same one.

    Attributes:
        trials: by number; those of the last places alone may be open.
        exhausted: whether the searcher had no more to propose.
    """

    def __init__(self, folder: Path, reference: str, search: str) -> None:
        self.path = folder / FILE
        self.reference, self.search = reference, search
        self.trials: list[harness.Trial] = []
        self.exhausted = False
        self._log: Log[Line] = Log(
            self.path, Line, schema=SCHEMA,
            cost="what it said of a trial cannot be known",
            hint="take the file from a backup, or remove it: the search begins anew then, and what "
            "was trained is found in the store",
        )  # fmt: skip
        self._log.read(self._take)

    def keep(self, trial: harness.Trial) -> None:
        """Write a trial down, as far as it has come."""
        self._write(Line(self.reference, self.search, trial))

    def end(self) -> None:
        """Write down that the searcher has no more to propose."""
        self._write(Line(self.reference, self.search, exhausted=True))

    def _write(self, line: Line) -> None:
        self._log.append(line)
        self._take(line)

    def _take(self, line: Line) -> None:
        if (line.of, line.search) != (self.reference, self.search):
            return
        self.exhausted = self.exhausted or bool(line.exhausted)
        if line.trial is not None:
            self._put(line.trial)

    def _put(self, trial: harness.Trial) -> None:
        if trial.number > len(self.trials):
            raise ValueError(f"trial {trial.number} follows trial {len(self.trials) - 1}")
        self.trials[trial.number : trial.number + 1] = [trial]
