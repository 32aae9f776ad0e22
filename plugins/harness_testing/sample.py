"""The small data set, run and rubric on which plugins are called."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.records import (
    Checkpoint,
    Condition,
    Dataset,
    Example,
    PlanItem,
    Prediction,
    ScoredExample,
    Slice,
    Verdict,
)
from harness.records.analysis import Analysis
from harness.records.context import Context
from harness.records.rounds import SUMMARY_SCHEMA as SCHEMA
from harness.records.rubrics import Criterion, Item, Overall, Rubric, Scale, Show
from harness.records.summary import Data, Dates, MainRound, Model, ShownScore, Summary
from harness.stages import AnnotatedRun, AnswerValues, Evidence
from harness.stages.baseline import Held
from harness_testing.subject import Subject

if TYPE_CHECKING:
    from rich.console import Console

    from harness.opened import Branches

SCORE = "score"
_ROWS = (
    ("train", "billing", "When will my refund arrive?", "Your refund arrives within five days."),
    ("train", "billing", "Can I pay by card?", "Yes, all common cards are accepted."),
    ("train", "billing", "Where do I find last year's invoices?", "Open Account, then Invoices."),
    ("train", "delivery", "Why is my parcel late?", "Snow has closed the road to your town."),
    ("train", "delivery", "Do you ship to Norway?", "Yes, within eight working days."),
    ("train", "delivery", "How do I return a broken lamp?", "Print the label that we sent you."),
    ("valid", "billing", "Which currencies do you take?", "Euro, pound and Swedish krona."),
    ("valid", "delivery", "Who signs when nobody is at home?", "A neighbour, or the shop."),
    ("pool", "billing", "How long is a voucher valid?", "Three years from the day of purchase."),
    ("pool", "billing", "Is there a fee for small orders?", "Two euro, for less than ten."),
    ("pool", "delivery", "Can a courier come on Saturday?", "Yes, from nine to one."),
    ("pool", "delivery", "What does the green dot on the map mean?", "There is a pick-up point."),
    ("dev", "billing", "Was my October bill paid twice?", "No, the second one was cancelled."),
    ("dev", "billing", "May I split the amount over months?", "Yes, over three at most."),
    ("dev", "delivery", "Which company brings frozen food?", "Our own vans do."),
    ("dev", "delivery", "Has the ship with my sofa left Genoa?", "It left on Monday."),
)
_ANSWERS = (
    ("No, the second one was cancelled.", 1.0),
    ("Yes.", 0.0),
    ("", 0.0),
    ("Has the ship with my sofa left Genoa?", None),
)


class Sample:
    """What plugins are given, by the names of what the calls of their kinds take.

    New for each call: a plugin may have changed the last one. A kind whose call takes something
    else needs a property here.

    Attributes:
        rows: of all splits but test.
        scored: answers to dev: a right one, a wrong one, an empty one, and the prompt, not scored.
        plan: of an augmenter: a slice, and rows from everywhere.
    """

    seed = 7

    def __init__(self, folder: Path, subject: Subject) -> None:
        """Files go below ``folder``, an empty one."""
        self.folder, self._subject = folder / "output", subject
        self.folder.mkdir()
        self.rows = tuple(_row(number, *row) for number, row in enumerate(_ROWS))
        self.scored = tuple(
            ScoredExample(row, Prediction(row.id, text, "stop", 9, 7), {SCORE: value})
            for row, (text, value) in zip(self.rows[-len(_ANSWERS) :], _ANSWERS, strict=True)
        )
        weak = Slice((Condition("topic", "=", "billing"),), 2, 2, 0.1, 0.4, 0.1, 0.7, 0.01)
        self.item = PlanItem(weak, 2, "add rows")
        self.plan = (self.item, PlanItem(None, 1, "explore"))
        # A probe, so that nothing is told to trackers and services.
        self.context = Context(
            self.folder, self.seed, subject.stage, round=1, run="sample", probe=True
        )
        self.train, self.valid, self.pool = map(self.rows_of, ("train", "valid", "pool"))
        self.data = Dataset((*self.train, *self.pool))
        self.examples = tuple(row.as_asked() for row in self.rows_of("dev"))
        self.asked = tuple(
            replace(row, group=full.group)
            for row, full in zip(self.examples, self.rows_of("dev"), strict=True)
        )
        self.run = AnnotatedRun("sample", self.folder, 0.95, self._values)

    def _values(self) -> AnswerValues:
        from harness_testing import sample_run

        return sample_run.values(self)

    def rows_of(self, split: str) -> tuple[Example, ...]:
        return tuple(row for row in self.rows if row.split == split)

    @cached_property
    def base(self) -> Checkpoint:
        """The model that the author gave, or one that has no files."""
        folder = self.folder.parent / "base"
        folder.mkdir()
        return self._subject.checkpoint or Checkpoint("base", str(folder), "sample", "sample")

    @property
    def checkpoint(self) -> Checkpoint:
        return self.base

    @property
    def evidence(self) -> Evidence:
        right = {row.example.id: row.values[SCORE] == 1.0 for row in self.scored}
        return Evidence(
            self.scored, SCORE, True, right=right, base=self.scored, base_right=dict(right),
            train=self.train, seed=self.seed,
        )  # fmt: skip

    @property
    def held(self) -> Held:
        """Prompts that must not be shown."""
        said = {row.prompt: (row.group,) for row in self.train}
        return Held({row.prompt for row in self.examples}, said)

    @property
    def rubric(self) -> Rubric:
        """A rubric with one question."""
        right = Criterion("right", "Right", "Is the answer right?", Scale("binary"))
        return Rubric(
            id="sample", version=1, title="Sample", language="en", instructions="Rate the answer.",
            show=Show(), criteria=(right,), overall=Overall(), judge=None, digest="sample",
        )  # fmt: skip

    @property
    def row(self) -> Example:
        """A row as an augmenter would propose it."""
        return replace(self.train[0], id="proposed", parent=self.train[0].id)

    @property
    def items(self) -> tuple[Item, ...]:
        """Two answers to rate."""
        return tuple(
            Item(f"{number:012x}", scored.example.messages, (scored.prediction.text,))
            for number, scored in enumerate(self.scored[:2])
        )

    @cached_property
    def database(self) -> Path:
        """That of a run of two rounds, with answers."""
        from harness_testing import sample_run

        return sample_run.database(self)

    @cached_property
    def document(self) -> Analysis:
        """What its reporters are given."""
        from harness_testing import sample_run

        return sample_run.document(self)

    @property
    def job(self) -> Path:
        """The folder of one that asks no plugin for its environment."""
        from harness.run.job import write_question

        folder = self.folder / "job"
        folder.mkdir()
        write_question([], [], folder)
        return folder

    @property
    def branches(self) -> Branches:
        """Of a run whose rounds are closed."""
        from harness_testing.experiments import SampleBranches

        return SampleBranches(self, self.folder)

    @property
    def console(self) -> Console:
        from rich.console import Console

        return Console(file=io.StringIO(), width=80)


def _row(number: int, split: Any, topic: str, question: str, answer: str) -> Example:
    system = {"role": "system", "content": "You help customers of a shop."}
    user = {"role": "user", "content": question}
    turns = (system, user) if number % 3 == 0 else (user,)
    meta = {"topic": topic, "urgent": number % 2 == 0, "orders": number}
    return Example(f"row-{number}", turns, (answer,), split, f"customer-{number}", meta)


_SCORE = ShownScore(0.5, None, None, 3, 0, "score|v:1", True, "")
_ROUND = MainRound(
    round=0, train_rows=0, kept=True, scores={SCORE: _SCORE},
    verdict=Verdict("baseline", "", None, None, None, 0.95, None, "The base model.", 3, 3),
    errors={}, slices=(), strategy="none", plan=(), added=0, added_by={}, refused={}, log=(),
    course=None, guards=(), replayed=0, forgetting=None,
)  # fmt: skip
SUMMARY = Summary(
    schema=SCHEMA, run="sample", primary=SCORE, model=Model("sample", None, 0, ()),
    dates=Dates(None, None), settings={}, data=Data({"dev": 3}, 3, {}, None), rounds=(_ROUND,),
    kept_round=0, best_prompt=None, beats_prompts=None, forgot=None, test=None, sealed=None,
    objective=None, examples=(), notes=(), seconds={}, cached=(), next_command="",
    arms=(), experiments={}, chosen=None,
)  # fmt: skip
"""The summary of a run that has closed its first round and knows no more."""
