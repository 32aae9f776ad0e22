"""The call that finds where a model is weak, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.boundary.lending import Lent
from harness.data.splits import rows_digest
from harness.kit.files import digest, read_json, write_json
from harness.records import Example, Findings, from_json, to_json
from harness.run.at import At
from harness.run.pins import ANALYZE, DETECT
from harness.stages import Evidence
from harness.stages.analyzer import analyzed
from harness.steps import Steps
from harness.steps.answer import Evaluation
from harness.steps.call import results_of
from harness.steps.detect import right


def analyze(
    steps: Steps,
    evaluation: Evaluation,
    at: At,
    *,
    base: Evaluation | None = None,
    train: Sequence[Example] = (),
    pinned: str | None = None,
) -> Findings:
    """Where the model is weak on dev, and why; a failing analyzer is noted, the rest stands.

    Args:
        base: the base model on the same rows; None in round 0.
        train: the rows that the round's model has learned.
        pinned: digest of the findings that a closed round was given.
    """
    evidence = _evidence(steps, evaluation, base, train)
    seed = steps.seed(ANALYZE, at.round)
    inputs = {
        "analyzers": [steps.run.key_of(entry) for entry in steps.config.analyze],
        "score": evidence.score,
        "from": _without_labels(evaluation),
        "higher": evidence.higher_is_better,
        "right": dict(evidence.right),
        "base": _without_labels(base) if base else {},
        "train": rows_digest(train),
        "rows": rows_digest([row.example for row in evaluation.scored]),
        "labels": digest([to_json(label) for label in evaluation.labels]),
    }

    def make(folder: Path) -> Mapping[str, Any]:
        context = steps.run.context(folder, ANALYZE, at, seed)
        results, failed = results_of(
            steps, ANALYZE, steps.config.analyze, at,
            lambda plugin: analyzed(plugin, _own(evidence), context),
            Lent(evidence.scored, evidence.labels, evidence.base, evidence.train),
        )  # fmt: skip
        findings = _joined([*results, Findings(failed=failed)])
        write_json(folder / "output" / "findings.json", to_json(findings))
        return {"failed": dict(findings.failed)}

    artifact = steps.run.stage(ANALYZE, None, inputs, make, at, seed=seed, pinned=pinned)
    findings = from_json(Findings, read_json(artifact.path / "findings.json"))
    for name, reason in findings.failed.items():
        steps.note(f"{at.label(ANALYZE)}: analyzer '{name}' failed: {reason}")
    return findings


def _evidence(
    steps: Steps, evaluation: Evaluation, base: Evaluation | None, train: Sequence[Example]
) -> Evidence:
    name = steps.config.settings.primary
    return Evidence(
        scored=evaluation.scored,
        score=name,
        higher_is_better=evaluation.scores[name].higher_is_better,
        labels=evaluation.labels,
        right=right(steps, evaluation.scored),
        base=base.scored if base else (),
        base_right=right(steps, base.scored) if base else {},
        train=tuple(train),
        seed=steps.seed("findings", 0),
    )


def _own(evidence: Evidence) -> Evidence:
    """The same rows, with mappings that an analyzer may write to."""
    right, base_right = dict(evidence.right), dict(evidence.base_right)
    return dataclasses.replace(evidence, right=right, base_right=base_right)


def _without_labels(evaluation: Evaluation) -> dict[str, str]:
    """The keys of answers and scores; labels count by their content."""
    return {name: key for name, key in evaluation.keys.items() if name != DETECT}


def _joined(results: Sequence[Findings]) -> Findings:
    return Findings(
        tuple(each for findings in results for each in findings.slices),
        tuple(each for findings in results for each in findings.diagnoses),
        tuple(each for findings in results for each in findings.notes),
        {name: why for findings in results for name, why in findings.failed.items()},
    )
