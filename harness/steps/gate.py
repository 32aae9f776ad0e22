"""The gate of a run: the rows of its source are screened once, and proposals as they come."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.filters import REVISION, RowGate
from harness.data.likeness import Likeness
from harness.data.screening import (
    MOST_COMPARED,
    Screening,
    parted,
    refuse_repeats,
    sampled,
    screen,
)
from harness.data.splits import rows_digest
from harness.data.threshold import MOST_HELD_OUT
from harness.kit.files import read_json, write_json
from harness.records import Dataset, Example, from_json, to_json
from harness.records.context import derive_seed
from harness.run.at import At
from harness.run.run import Run

STAGE = "screen"


def screening_seed(seed: int) -> int:
    """The seed of the copies on which the gate is tried, from the run's."""
    return derive_seed(seed, STAGE, 0)


class Gating:
    """Keeps dev and test out of what is trained on.

    Attributes:
        screening: what was found in the rows of the source; None until they were screened.
        key: of all that the gate's answers depend on: the rows, the settings, its revision.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rules = run.config.settings.filters.rules()
        self.screening: Screening | None = None
        self.key = ""
        self._source: Sequence[Example] = ()
        self._likeness: Likeness | None = None  # of the same rows in every round

    def screen(self, rows: Sequence[Example]) -> tuple[Example, ...]:
        """The rows of the source that may be trained on, in order.

        Raises:
            DataError: too many of them repeat a held-out row.
        """
        config, rules, at = self.run.config, self.rules, At()
        seed = screening_seed(config.settings.seed)
        inputs = {
            "rows": rows_digest(rows, lineage=True),
            "filters": dataclasses.asdict(rules),
            "revision": REVISION,
        }
        if sampled(rows, rules):
            inputs["sampled"] = [MOST_COMPARED, MOST_HELD_OUT]

        def make(folder: Path) -> Mapping[str, Any]:
            context = self.run.context(folder, STAGE, at, seed)
            leaving, screening = screen(rows, rules, seed=seed, check=context.check)
            write_json(folder / "output" / "leaving.json", leaving)
            return {"screening": to_json(screening)}

        artifact = self.run.stage(STAGE, None, inputs, make, at, seed=seed)
        screening = from_json(Screening, artifact.facts["screening"])
        self.screening, self.key, self._source = screening, artifact.key, rows
        refuse_repeats(screening, rules.most_repeats, f"source '{config.data.plugin}'")
        leaving = set(read_json(artifact.path / "leaving.json"))
        trainable = (row for place, row in enumerate(rows) if place not in leaving)
        return tuple(row for row in trainable if row.split not in ("dev", "test"))

    def gate(self, data: Dataset, train: Sequence[Example], pool: Sequence[Example]) -> RowGate:
        """The gate for proposals.

        Args:
            train: the rows that are trained on so far.
            pool: the rows that may still be drawn.
        """
        held_out, source = parted(self._source or data.examples)
        if self._likeness is None:
            self._likeness = Likeness(held_out, source, self.rules.limits)
        # Rows of valid count as trained on: a copy of one in train would spoil its loss.
        trained = [*train, *data.split("valid")]
        usual = self.screening.usual if self.screening else None
        return RowGate(held_out, trained, known=pool, likeness=self._likeness, usual=usual)
