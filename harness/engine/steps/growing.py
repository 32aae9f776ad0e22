"""The calls that find the next training rows: analyse, plan, augment."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.boundary import results
from harness.data.splits import rows_digest
from harness.engine.pins import DETECT
from harness.engine.steps.calls import STOP, label
from harness.engine.steps.evaluating import Evaluating, Evaluation
from harness.engine.steps.gating import Gating
from harness.errors import HarnessError
from harness.kit.files import digest, read_json, read_jsonl, write_json, write_jsonl
from harness.records import Dataset, Example, Findings, Growth, Plan, from_json, to_json
from harness.stages import Evidence


@dataclass(frozen=True, slots=True)
class Harvest:
    """What augmentation gave after a round."""

    plan: Plan
    growth: Growth
    rows: tuple[Example, ...]


class Growing(Gating, Evaluating):
    """Findings and new rows."""

    def analyze(
        self, evaluation: Evaluation, round_: int, arm: str, *,
        base: Evaluation | None = None, train: Sequence[Example] = (), pinned: str | None = None,
    ) -> Findings:  # fmt: skip
        """Where the model is weak on dev, and why; a failing analyzer is noted, the rest stands.

        Args:
            base: the untouched model on the same rows; None in round 0.
            train: the rows that the round's model has learned.
            pinned: digest of the findings that a closed round was given.
        """
        name = self.config.settings.primary
        evidence = Evidence(
            scored=evaluation.scored,
            score=name,
            higher_is_better=evaluation.scores[name].higher_is_better,
            labels=evaluation.labels,
            right=self.right(evaluation.scored),
            base=base.scored if base else (),
            base_right=self.right(base.scored) if base else {},
            train=tuple(train),
            seed=self.seed("halves", 0),
        )
        seed = self.seed("analyze", round_)
        keys = [self.run.key_of(entry) for entry in self.config.analyze]
        inputs = {
            "analyzers": keys, "score": name, "from": _measured(evaluation),
            "higher": evidence.higher_is_better, "right": dict(evidence.right),
            "base": _measured(base) if base else {}, "train": rows_digest(train),
            "rows": rows_digest([row.example for row in evaluation.scored]),
            "labels": digest([to_json(label) for label in evaluation.labels]),
        }  # fmt: skip

        def make(folder: Path) -> Mapping[str, Any]:
            context = self.run.context(folder, "analyze", round_, arm, seed)
            findings = Findings()
            for entry in self.config.analyze:
                try:
                    with self.run.guard("analyze", entry, round_, arm):
                        results.causes(entry.instance.causes())
                        found = results.findings(entry.instance.analyze(evidence, context))
                except STOP:
                    raise
                except HarnessError as error:
                    found = Findings(failed={entry.name: error.what})
                findings = _joined(findings, found)
            write_json(folder / "output" / "findings.json", to_json(findings))
            return {"failed": dict(findings.failed)}

        made = self.run.stage(
            "analyze", None, inputs, make, round_=round_, arm=arm, seed=seed, pinned=pinned
        )
        findings = from_json(Findings, read_json(made.path / "findings.json"))
        for failed, reason in findings.failed.items():
            self.note(f"{label('analyze', round_, arm)}: analyzer '{failed}' failed: {reason}")
        return findings

    def augment(
        self, data: Dataset, train: Sequence[Example], findings: Findings,
        budgets: Mapping[str, int], strategy: str, round_: int, arm: str,
        *, pinned: str | None = None,
    ) -> Harvest:  # fmt: skip
        """Plan under each augmenter's budget, and take rows through the gate.

        Args:
            train: the rows to grow from.
            budgets: augment entry -> rows wanted.
            strategy: the planner's.
            pinned: digest of the plan and rows that a closed round was given.
        """
        seed = self.seed("augment", round_)
        settings = self.config.settings
        inputs = {
            "data": data.digest, "train": rows_digest(train, lineage=True),
            "findings": digest(to_json(findings.slices)), "budgets": dict(budgets),
            "strategy": strategy, "explore": settings.plan.explore,
            "gate": self.gate_key,
            "augmenters": [self.run.key_of(entry) for entry in self.config.augment],
        }  # fmt: skip

        def make(folder: Path) -> Mapping[str, Any]:
            context = self.run.context(folder, "augment", round_, arm, seed)
            plan, growth, rows = self._collect(data, train, findings, budgets, strategy, context)
            write_jsonl(folder / "output" / "rows.jsonl", map(to_json, rows))
            write_json(folder / "output" / "plan.json", to_json(plan))
            return {"growth": to_json(growth)}

        made = self.run.stage(
            "augment", None, inputs, make, round_=round_, arm=arm, seed=seed, pinned=pinned
        )
        return Harvest(
            from_json(Plan, read_json(made.path / "plan.json")),
            from_json(Growth, made.facts["growth"]),
            tuple(from_json(Example, row) for row in read_jsonl(made.path / "rows.jsonl")),
        )

    def _collect(
        self, data: Dataset, train: Sequence[Example], findings: Findings,
        budgets: Mapping[str, int], strategy: str, context: Any,
    ) -> tuple[Plan, Growth, tuple[Example, ...]]:  # fmt: skip
        from harness.data import augmentation
        from harness.data.planner import plan

        explore = self.config.settings.plan.explore
        entries = [
            augmentation.Entry(
                entry.name,
                entry.instance,
                plan(
                    findings, budgets.get(entry.name, 0), strategy, explore, context.seed,
                    entry.instance.remedy,
                ),
                functools.partial(
                    self.run.guard, "augment", entry, context.round, context.arm
                ),
            )
            for entry in self.config.augment
        ]  # fmt: skip
        taken = {row.id for row in train}
        pool = [row for row in data.split("pool") if row.id not in taken]
        gate = self.gate(data, train, pool)
        rows, growth = augmentation.collect(entries, Dataset((*train, *pool)), gate, context)
        items = tuple(item for entry in entries for item in entry.plan.items if item.rows)
        return Plan(strategy, items), growth, rows


def _measured(evaluation: Evaluation) -> dict[str, str]:
    """The keys of answers and scores; labels count by their content."""
    return {name: key for name, key in evaluation.keys.items() if name != DETECT}


def _joined(first: Findings, second: Findings) -> Findings:
    return Findings(
        (*first.slices, *second.slices),
        (*first.diagnoses, *second.diagnoses),
        (*first.notes, *second.notes),
        {**first.failed, **second.failed},
    )
