"""What has happened in a run so far: fed by the loop, read by the summary and the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.config.plugin_entries import PluginEntry
from harness.records import (
    BASE_ARM,
    CONTROL_ARM,
    Checkpoint,
    Dataset,
    Example,
    Findings,
    RoundResult,
    Sealed,
    TestResult,
)
from harness.run.journal import Place
from harness.stages import AnswerValues, Outcome
from harness.steps.answer import Evaluation
from harness.steps.baselines import BaselineAnswers
from harness.steps.probes import ProbedModels


@dataclass
class ArmState:
    """Where one arm stands.

    Attributes:
        train: round -> the rows that it was trained on (0: the rows that round 1 starts from).
        kept: the round that new ones are compared with.
    """

    name: str
    train: dict[int, tuple[Example, ...]]
    kept: int = 0


@dataclass
class History:
    """Everything that the reports are made from.

    Attributes:
        checkpoints: what each training left; the base model is not among them.
        prompts: baseline -> the rows of dev as it asks them.
        asked: baseline -> the base model under these, or the model that answers in its place.
        outcomes: experiment -> what came of it beside the rounds.
        prompts_on_test: the baseline that was best on dev, and each that another model answers
            -> the answers to test.
        general: the models of rounds on general text, each beside the base model.
    """

    data: Dataset = field(default_factory=lambda: Dataset(()))
    model: str = ""
    arms: dict[str, ArmState] = field(default_factory=dict)
    results: dict[Place, RoundResult] = field(default_factory=dict)
    evaluations: dict[Place, Evaluation] = field(default_factory=dict)
    findings: dict[Place, Findings] = field(default_factory=dict)
    checkpoints: dict[Place, Checkpoint] = field(default_factory=dict)
    logs: dict[Place, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    added: dict[str, list[Example]] = field(default_factory=dict)
    prompts: dict[str, Sequence[Example]] = field(default_factory=dict)
    asked: dict[str, BaselineAnswers] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    general: dict[Place, ProbedModels] = field(default_factory=dict)
    test: TestResult | None = None
    sealed: Sealed | None = None
    test_evaluations: dict[int, Evaluation] = field(default_factory=dict)
    prompts_on_test: dict[str, Evaluation] = field(default_factory=dict)

    def of(self, arm: str) -> list[RoundResult]:
        """The arm's closed rounds in order; the baseline is shared by all arms."""
        by_round: dict[int, RoundResult] = {}
        for (name, number), result in self.results.items():
            if name == arm or (arm == CONTROL_ARM and (name, number) == (BASE_ARM, 0)):
                by_round[number] = result
        return [by_round[number] for number in sorted(by_round)]

    @property
    def kept(self) -> int:
        """The best round of the main arm."""
        return self.arms[BASE_ARM].kept if BASE_ARM in self.arms else 0

    def answer_values(self, metrics: Iterable[PluginEntry]) -> AnswerValues:
        """Every automatic score of every answer to dev, in every round and arm.

        A metric that is made from what people say is left out: it would be compared with itself.
        """
        automatic = [entry.name for entry in metrics if not entry.instance.by_people]
        values: dict[str, dict[tuple[str, int, str], float | None]] = {}
        lower: set[str] = set()
        for (arm, number), evaluation in self.evaluations.items():
            lower |= {n for n, score in evaluation.scores.items() if not score.higher_is_better}
            for metric in automatic:
                for row in evaluation.measurements.get(metric, ()):
                    for name, value in row.values.items():
                        values.setdefault(name, {})[arm, number, row.example_id] = value
        return AnswerValues(values, frozenset(lower & values.keys()))
