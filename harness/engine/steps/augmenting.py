"""The call that finds the next training rows: plan, propose, take through the gate, review."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.boundary.lending import Lent
from harness.context import Context
from harness.data.splits import rows_digest
from harness.engine.artifacts import Artifact
from harness.engine.at import At
from harness.engine.pins import AUGMENT, DETECT
from harness.engine.steps.evaluating import Evaluation
from harness.engine.steps.reviewing import changed_name, reviewed
from harness.kit.features import addresses
from harness.kit.files import digest, read_json, read_jsonl, write_json, write_jsonl
from harness.records import (
    CONTROL_ARM,
    Dataset,
    Example,
    Findings,
    Growth,
    Plan,
    PlanItem,
    from_json,
    to_json,
)

if TYPE_CHECKING:
    from harness.engine.steps import Steps

PROPOSE = "propose"
"""The part before a review, kept by itself: what people are asked about stays what it is."""


@dataclass(frozen=True, slots=True)
class AugmentedRows:
    """What augmentation gave after a round."""

    plan: Plan
    growth: Growth
    rows: tuple[Example, ...]


def augment(
    steps: Steps,
    data: Dataset,
    train: Sequence[Example],
    findings: Findings,
    evaluation: Evaluation,
    budgets: Mapping[str, int],
    strategy: str,
    at: At,
    *,
    pinned: str | None = None,
) -> AugmentedRows:
    """Plan under each augmenter's budget, take rows through the gate, and have them reviewed where
    an entry asks for it.

    Args:
        train: the rows to grow from.
        evaluation: of dev, from which the findings come.
        budgets: augment entry -> rows wanted.
        strategy: the planner's.
        pinned: digest of the plan and rows that a closed round was given.

    Raises:
        Waiting: a review waits for people.
    """
    seed = steps.seed(AUGMENT, at.round)
    inputs = {
        "data": data.digest,
        "train": rows_digest(train, lineage=True),
        "findings": digest(to_json(findings.slices)),
        "labels": evaluation.keys[DETECT],
        "budgets": dict(budgets),
        "strategy": strategy,
        "explore": steps.config.settings.plan.explore,
        "gate": steps.gating.key,
        "augmenters": [steps.run.key_of(entry) for entry in steps.config.augment],
    }
    if at.arm == CONTROL_ARM:
        inputs["arm"] = at.arm  # what an augmenter that writes rows proposes there is otherwise

    def propose(folder: Path) -> Mapping[str, Any]:
        context = steps.run.context(folder, AUGMENT, at, seed)
        plans = [
            _with_errors(plan, evaluation)
            for plan in _plans(steps, findings, budgets, strategy, seed)
        ]
        items = tuple(item for plan in plans for item in plan.items if item.rows)
        rows, growth = _collected(steps, data, train, plans, at, context)
        return _written(folder, AugmentedRows(Plan(strategy, items), growth, rows))

    def review(folder: Path) -> Mapping[str, Any]:
        proposals = _read(steps.run.stage(PROPOSE, None, inputs, propose, at, seed=seed))
        pool = _pool(data, train)
        rows, growth, remarks = reviewed(
            steps, proposals.rows, proposals.growth, steps.gating.gate(data, train, pool),
            frozenset(row.id for row in pool), folder, at, seed,
        )  # fmt: skip
        added = dataclasses.replace(proposals, growth=growth, rows=rows)
        return {**_written(folder, added), "remarks": remarks}

    asked = [[e.name, steps.run.key_of(e.review)] for e in steps.config.augment if e.review]
    if at.round == steps.config.settings.rounds:
        asked = []  # nothing is trained on these rows: nobody's time is asked for
    if at.arm == CONTROL_ARM and steps.config.control == "real":
        asked = []  # rows of the pool as they are, which nobody wrote
    work, key_inputs = (review, {**inputs, "review": asked}) if asked else (propose, inputs)
    artifact = steps.run.stage(AUGMENT, None, key_inputs, work, at, seed=seed, pinned=pinned)
    steps.note_remarks(artifact.facts)
    return _read(artifact)


def _written(folder: Path, added: AugmentedRows) -> dict[str, Any]:
    write_jsonl(folder / "output" / "rows.jsonl", map(to_json, added.rows))
    write_json(folder / "output" / "plan.json", to_json(added.plan))
    return {"growth": to_json(added.growth)}


def _read(artifact: Artifact) -> AugmentedRows:
    return AugmentedRows(
        from_json(Plan, read_json(artifact.path / "plan.json")),
        from_json(Growth, artifact.facts["growth"]),
        tuple(from_json(Example, row) for row in read_jsonl(artifact.path / "rows.jsonl")),
    )


def _plans(
    steps: Steps, findings: Findings, budgets: Mapping[str, int], strategy: str, seed: int
) -> list[Plan]:
    """One plan for each augmenter, under its budget."""
    from harness.data.planner import plan

    explore = steps.config.settings.plan.explore
    return [
        plan(findings, budgets.get(entry.name, 0), strategy, explore, seed, entry.instance.remedy)
        for entry in steps.config.augment
    ]


def _with_errors(plan: Plan, evaluation: Evaluation) -> Plan:
    """The plan, each item with the kinds of errors in its slice: counts, and no row of dev."""
    kinds: dict[str, set[str]] = {}
    for label in evaluation.labels:
        kinds.setdefault(label.example_id, set()).add(label.category)
    failing = [scored.example for scored in evaluation.scored if scored.example.id in kinds]

    def counted(item: PlanItem) -> PlanItem:
        conditions = item.slice.conditions if item.slice else ()
        errors = Counter(
            kind
            for example in failing
            if addresses(conditions, example)
            for kind in kinds[example.id]
        )
        return dataclasses.replace(item, errors=dict(sorted(errors.items())))

    return dataclasses.replace(plan, items=tuple(map(counted, plan.items)))


def _pool(data: Dataset, train: Sequence[Example]) -> list[Example]:
    """The rows that may still be drawn: neither they nor what a review made of them is in train."""
    taken = {row.id for row in train}
    return [row for row in data.split("pool") if taken.isdisjoint((row.id, changed_name(row.id)))]


def _collected(
    steps: Steps,
    data: Dataset,
    train: Sequence[Example],
    plans: Sequence[Plan],
    at: At,
    context: Context,
) -> tuple[tuple[Example, ...], Growth]:
    """The accepted rows, and their counts."""
    from harness.data.augmentation import AugmenterPlan, collect

    pool = _pool(data, train)
    work = []
    for entry, plan in zip(steps.config.augment, plans, strict=True):
        lent = Lent(train, pool, plan.items)
        guard = functools.partial(steps.run.guard, AUGMENT, entry, at, lent=lent)
        work.append(AugmenterPlan(entry.name, entry.instance, plan, guard))
    gate = steps.gating.gate(data, train, pool)
    return collect(work, Dataset((*train, *pool)), gate, context)
