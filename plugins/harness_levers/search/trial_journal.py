"""The trials of a search, in the run's folder: one fsynced line for each part that was measured.

A part that is written down is not measured again, and a trial that has ended stays as it ended.
Both are about one reference round and one search, and count no more where either is another.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import harness
from harness.kit.files import append_line, scan_lines

FILE = "trials.jsonl"
SCHEMA = 2


class TrialJournal:
    """What is known of the trials of one search.

    Args:
        reference: digest of the reference round, as it was closed.
        search: what makes the search the same one.

    Attributes:
        trials: by number; only the last one may be open.
        exhausted: whether the searcher had no more to propose.
    """

    def __init__(self, folder: Path, reference: str, search: str) -> None:
        self.path = folder / FILE
        self._of = {"schema": SCHEMA, "of": reference, "search": search}
        self.trials: list[harness.Trial] = []
        self.exhausted = False
        for line in scan_lines(self.path):
            try:
                self._take(line.value, line.trouble)
            except (KeyError, TypeError, ValueError) as error:
                raise harness.DataError(
                    f"this line is damaged ({error}), and what it said of a trial cannot be known",
                    where=f"{self.path}:{line.number}",
                    hint="take the file from a backup, or remove it: the search begins anew then, "
                    "and what was trained is found in the store",
                ) from None

    def keep(self, trial: harness.Trial) -> None:
        """Write a trial down, as far as it has come."""
        append_line(self.path, {**self._of, "trial": harness.to_json(trial)})
        self._put(trial)

    def end(self) -> None:
        """Write down that the searcher has no more to propose."""
        append_line(self.path, {**self._of, "exhausted": True})
        self.exhausted = True

    def _take(self, line: Mapping[str, Any] | None, trouble: str) -> None:
        if line is None:
            raise ValueError(trouble)
        if line["schema"] != SCHEMA:
            raise ValueError(f"it has schema {line['schema']}, this version reads {SCHEMA}")
        if any(line[name] != value for name, value in self._of.items()):
            return
        if "exhausted" in line:
            self.exhausted = True
        else:
            self._put(harness.from_json(harness.Trial, line["trial"]))

    def _put(self, trial: harness.Trial) -> None:
        if trial.number > len(self.trials):
            raise ValueError(f"trial {trial.number} follows trial {len(self.trials) - 1}")
        self.trials[trial.number :] = [trial]
