"""The call that finds the next training rows: plan, propose, take through the gate, review."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.boundary.lending import Lent
from harness.data.augmentation import AugmenterPlan, collect
from harness.data.filters import RowGate
from harness.data.planner import plan
from harness.data.splits import rows_digest
from harness.errors import Waiting
from harness.kit.features import addresses
from harness.kit.files import digest, read_json, write_json, write_jsonl
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
from harness.records.context import Context
from harness.run.artifacts import Artifact
from harness.run.at import At
from harness.run.pins import AUGMENT, DETECT
from harness.stages import Verification, verified
from harness.steps import Steps
from harness.steps.answer import Evaluation

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
        return _write(folder, AugmentedRows(Plan(strategy, items), growth, rows))

    def review(folder: Path) -> Mapping[str, Any]:
        proposals = _read(steps.run.stage(PROPOSE, None, inputs, propose, at, seed=seed))
        pool = _pool(data, train)
        rows, growth, remarks = _reviewed(
            steps, proposals.rows, proposals.growth, steps.gating.gate(data, train, pool),
            frozenset(row.id for row in pool), folder, at, seed,
        )  # fmt: skip
        added = dataclasses.replace(proposals, growth=growth, rows=rows)
        return {**_write(folder, added), "remarks": remarks}

    reviews = [[e.name, steps.run.key_of(e.review)] for e in steps.config.augment if e.review]
    if at.round == steps.config.settings.rounds:
        reviews = []  # nothing is trained on these rows: nobody's time is asked for
    if at.arm == CONTROL_ARM and steps.config.control == "real":
        reviews = []  # rows of the pool as they are, which nobody wrote
    # Without a review the key stays what it was before there were reviews.
    work, key_inputs = (review, {**inputs, "review": reviews}) if reviews else (propose, inputs)
    artifact = steps.run.stage(AUGMENT, None, key_inputs, work, at, seed=seed, pinned=pinned)
    steps.note_remarks(artifact.facts)
    return _read(artifact)


def _write(folder: Path, added: AugmentedRows) -> dict[str, Any]:
    write_jsonl(folder / "output" / "rows.jsonl", map(to_json, added.rows))
    write_json(folder / "output" / "plan.json", to_json(added.plan))
    return {"growth": to_json(added.growth)}


def _read(artifact: Artifact) -> AugmentedRows:
    return AugmentedRows(
        from_json(Plan, read_json(artifact.path / "plan.json")),
        from_json(Growth, artifact.facts["growth"]),
        artifact.records(Example, "rows.jsonl"),
    )


def _plans(
    steps: Steps, findings: Findings, budgets: Mapping[str, int], strategy: str, seed: int
) -> list[Plan]:
    """One plan for each augmenter, under its budget."""
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
        errors: Counter[str] = Counter()
        for example in failing:
            if addresses(conditions, example):
                errors.update(kinds[example.id])
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
    pool = _pool(data, train)
    work = []
    for entry, of_entry in zip(steps.config.augment, plans, strict=True):
        lent = Lent(train, pool, of_entry.items)
        guard = functools.partial(steps.run.guard, AUGMENT, entry, at, lent=lent)
        work.append(AugmenterPlan(entry.name, entry.instance, of_entry, guard))
    gate = steps.gating.gate(data, train, pool)
    return collect(work, Dataset((*train, *pool)), gate, context)


# -- review: a verifier sees what the gate let in before it is trained on -------------------------


def changed_name(row: str) -> str:
    """Under which id a row of the pool goes on that a review changed: both are rows of the run."""
    return f"{row}~reviewed"


def _reviewed(
    steps: Steps,
    rows: Sequence[Example],
    growth: Growth,
    gate: RowGate,
    source: frozenset[str],
    folder: Path,
    at: At,
    seed: int,
) -> tuple[tuple[Example, ...], Growth, list[str]]:
    """The rows that may be trained on, their counts, and what a reader has to know of them.

    A row that was changed says what it was, and passes the gate once more.

    Args:
        gate: that has not seen these rows.
        source: ids of rows of the pool.

    Raises:
        Waiting: people have not seen all rows; each entry was asked by then.
    """
    verifications: dict[str, Verification] = {}
    remarks: list[str] = []
    waiting: list[Waiting] = []
    for entry in steps.config.augment:
        own = [row for row in rows if (row.origin or {})["by"] == entry.name]
        if entry.review is None or not own:
            continue
        context = steps.run.context(folder, f"{AUGMENT} {entry.name}", at, seed)
        try:
            with steps.run.guard(AUGMENT, entry.review, at, lent=Lent(own)):
                of_entry = verified(entry.review.instance, own, context)
        except Waiting as wait:
            waiting.append(wait)
            continue
        verifications |= dict(zip((row.id for row in own), of_entry, strict=True))
        label = f"{at.label(AUGMENT)}: {entry.name}"
        remarks += [f"{label}: {sentence}" for sentence in context.facts.get("remarks", ())]
    if waiting:
        what = "; ".join(wait.what for wait in waiting)
        commands = [command for wait in waiting for command in wait.commands]
        raise Waiting(f"{at.label(AUGMENT)}: {what}", commands)
    refused: Counter[str] = Counter(growth.refused)
    accepted = []
    for row in rows:
        verification = verifications.get(row.id)
        if verification is not None and not verification.passes:
            refused[f"review: {verification.said}"] += 1
            continue
        final = row if verification is None else _with_review(row, verification, source)
        if _lesson(final) != _lesson(row) and (reason := gate.refuse(final)):
            refused[reason] += 1
            continue
        gate.accept(final)
        accepted.append(final)
    by = Counter(str((row.origin or {})["by"]) for row in accepted)
    grown = Growth(len(accepted), dict(by), dict(sorted(refused.items())))
    return tuple(accepted), grown, remarks


def _with_review(row: Example, verification: Verification, source: frozenset[str]) -> Example:
    """The row as it is trained on; one that was changed says what it was before."""
    origin = {**(row.origin or {}), "review": verification.said}
    if verification.row is None or _lesson(verification.row) == _lesson(row):
        return dataclasses.replace(row, origin=origin)
    new = verification.row
    if new.prompt != row.prompt:
        origin["prompt before"] = row.prompt
    if new.references != row.references and row.references:
        origin["answer before"] = row.references[0]
    final = dataclasses.replace(
        row, messages=new.messages, references=new.references, thought=new.thought, origin=origin
    )
    if row.id not in source:
        return final
    return dataclasses.replace(final, id=changed_name(row.id), parent=row.id)


def _lesson(row: Example) -> tuple[object, ...]:
    return row.messages, row.references, row.thought
