"""The small data set, run and rubric on which plugins are called."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.records import (
    Checkpoint,
    Dataset,
    Example,
)
from harness.records.analysis import Analysis
from harness.records.context import Context
from harness.records.rubrics import Criterion, Item, Overall, Rubric, Scale, Show
from harness.stages import AnnotatedRun, AnswerValues, Evidence
from harness.stages.baseline import Held
from harness_testing.sample_rows import SCORE, SampleRows
from harness_testing.subject import Subject

if TYPE_CHECKING:
    from rich.console import Console

    from harness.opened import Branches


class Sample(SampleRows):
    """What plugins are given, by the names of what the calls of their kinds take.

    New for each call: a plugin may have changed the last one. A kind whose call takes something
    else needs a property here.
    """

    def __init__(self, folder: Path, subject: Subject) -> None:
        super().__init__(folder)
        self._subject = subject
        # A probe, so that nothing is told to trackers and services.
        self.context = Context(
            self.folder, self.seed, subject.stage, round=1, run="sample", probe=True
        )
        self.data = Dataset((*self.train, *self.pool))
        self.asked = tuple(
            replace(row, group=full.group)
            for row, full in zip(self.examples, self.rows_of("dev"), strict=True)
        )
        self.run = AnnotatedRun("sample", self.folder, 0.95, self._values)

    def _values(self) -> AnswerValues:
        from harness_testing import sample_run

        return sample_run.values(self)

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

        return sample_run.document(self, self.database)

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
