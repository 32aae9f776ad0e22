"""The call that gives general rows to be trained on beside those of the task."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.data import replay
from harness.data.splits import rows_digest
from harness.engine.at import At
from harness.kit.files import read_jsonl, write_jsonl
from harness.kit.numbers import percent
from harness.records import Example, from_json, to_json
from harness.stages.probing import rows_of

if TYPE_CHECKING:
    from harness.engine.steps import Steps

REPLAY = "replay"


class Replaying:
    """General rows: they are trained on, and are no rows of the task anywhere else."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self._rows: tuple[Example, ...] | None = None

    def replayed(self, rows: Sequence[Example]) -> tuple[Example, ...]:
        """The general rows that a training on these rows of the task learns, too.

        Raises:
            PluginError: a probe gives no rows that could be used.
        """
        share = self.steps.config.settings.replay
        count = replay.wanted(len(rows), share)
        if not count:
            return ()
        known = self._known()
        if len(known) < count:
            real = percent(len(known) / (len(rows) + len(known)))
            self.steps.note(
                f"replay: {share:g} asks for {count} general rows beside {len(rows)} of the task, "
                f"and there are {len(known)}: they are {real} of what is trained on"
            )
        return known[:count]

    def _known(self) -> tuple[Example, ...]:
        """All that may be trained on, in the order in which they are taken."""
        if self._rows is None:
            self._rows = self._screened()
        return self._rows

    def _screened(self) -> tuple[Example, ...]:
        """The general rows that pass the gate, as proposed rows do."""
        run, at, data = self.steps.run, At(), self.steps.data()
        seed = self.steps.seed(REPLAY, 0)
        given = [row for entry in self.steps.config.entries["probes"] for row in self._given(entry)]
        inputs = {
            "rows": rows_digest(given),
            "data": data.digest,
            "gate": self.steps.gating.key,
        }

        def make(folder: Path) -> Mapping[str, Any]:
            gate = self.steps.gating.gate(data, data.split("train"), given)
            passed, refused = [], Counter[str]()
            for row in replay.ordered(given, seed):
                reason = gate.refuse(row)
                if reason is None:
                    gate.accept(row)
                    passed.append(row)
                else:
                    refused[reason] += 1
            write_jsonl(folder / "output" / "rows.jsonl", map(to_json, passed))
            return {"refused": dict(sorted(refused.items()))}

        made = run.stage(REPLAY, None, inputs, make, at, seed=seed)
        for reason, count in made.facts["refused"].items():
            self.steps.note(f"replay: {count} of {len(given)} general rows were left out: {reason}")
        return tuple(from_json(Example, line) for line in read_jsonl(made.path / "rows.jsonl"))

    def _given(self, entry: Any) -> list[Example]:
        """The rows of a probe, under names that no row of the task has, and marked."""
        with self.steps.run.guard(REPLAY, entry):
            rows = rows_of(entry.instance)
        return [
            dataclasses.replace(
                row, id=f"{entry.name} {row.id}", split="train", group=f"{entry.name} {row.id}",
                meta={**row.meta, REPLAY: entry.name}, parent=None,
                origin={"by": entry.name, "as": REPLAY},
            )
            for row in rows
        ]  # fmt: skip
