"""The call that names the kinds of errors that answers show."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import scoring
from harness.boundary.lending import Lent
from harness.data.splits import rows_digest
from harness.kit.files import write_jsonl
from harness.records import ErrorLabel, Example, ScoredExample, to_json
from harness.run.at import At
from harness.run.pins import DETECT
from harness.stages.detector import detected
from harness.steps.call import results_of
from harness.steps.shared import Shared

UNEXPLAINED = "unexplained"


def detect(
    steps: Shared,
    scored: Sequence[ScoredExample],
    learned: Sequence[Example],
    inputs: Sequence[str],
    at: At,
    *,
    pinned: str | None = None,
) -> tuple[tuple[ErrorLabel, ...], str]:
    """The kinds of errors of all answers, and the digest of what the detectors found.

    Wrong answers that show no kind are *unexplained*.

    Args:
        learned: the rows that the checkpoint was trained on.
        inputs: digests of the answers and measurements.
        pinned: digest of the labels that a closed round was given.
    """
    stage = at.on_split(DETECT)

    def make(folder: Path) -> Mapping[str, Any]:
        results, failed = results_of(
            steps, stage, steps.config.detect, at,
            lambda plugin: detected(plugin, scored, learned), Lent(scored, learned),
        )  # fmt: skip
        labels = itertools.chain.from_iterable(results)
        write_jsonl(folder / "output" / "labels.jsonl", map(to_json, labels))
        return {"failed": failed}

    parts = {
        "detectors": [steps.run.key_of(entry) for entry in steps.config.detect],
        "rows": rows_digest([row.example for row in scored]),
        "from": list(inputs),
        "learned": rows_digest(learned),
    }
    artifact = steps.run.stage(stage, None, parts, make, at, pinned=pinned)
    for name, reason in artifact.facts["failed"].items():
        steps.note(f"{at.label(stage)}: detector '{name}' failed: {reason}")
    labels = artifact.records(ErrorLabel, "labels.jsonl")
    return (*labels, *_unexplained(right(steps, scored), labels)), artifact.digest


def malformed(steps: Shared) -> frozenset[str]:
    """The kinds of errors that mean that an answer has not the form that was asked for."""
    kinds: set[str] = set()
    for entry in steps.config.detect:
        with steps.run.guard(DETECT, entry):
            kinds.update(entry.instance.malformed())
    return frozenset(kinds)


def right(steps: Shared, scored: Sequence[ScoredExample]) -> dict[str, bool | None]:
    """Example id -> whether its answer counts as right by the primary score."""
    name, metric = steps.config.settings.primary, steps.primary_entry().metric
    return {row.example.id: scoring.right(metric, row.values.get(name)) for row in scored}


def _unexplained(
    right: Mapping[str, bool | None], labels: Sequence[ErrorLabel]
) -> Iterator[ErrorLabel]:
    """Wrong answers that no detector had anything to say of."""
    explained = {label.example_id for label in labels}
    for name, is_right in right.items():
        if is_right is False and name not in explained:
            yield ErrorLabel(name, UNEXPLAINED, found_by="harness")
