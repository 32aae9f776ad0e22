"""What is said of a run's answers from outside the run: by people, or by another program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from harness.boundary.results import instance_of, refused, returned
from harness.stages.base import Plugin

AnswerPlace = tuple[str, int, str]
"""Arm, round, example id."""


@dataclass(frozen=True, slots=True)
class AnswerValues:
    """What the automatic metrics say of the answers to dev.

    Attributes:
        scores: score name -> answer -> value; None = not scored.
        lower_is_better: names of scores of which less is better.
    """

    scores: Mapping[str, Mapping[AnswerPlace, float | None]] = field(default_factory=dict)
    lower_is_better: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AnnotatedRun:
    """The run whose answers are annotated.

    Attributes:
        name: of the run.
        folder: the working folder, in which ``.harness`` lies.
        level: confidence of each one-sided bound of the run's verdicts.
        values: computes the values of the automatic metrics; costly, so call it where there is
            something to compare them with.
    """

    name: str
    folder: Path
    level: float
    values: Callable[[], AnswerValues]


@dataclass(frozen=True, slots=True)
class Annotated:
    """What was said of a run's answers.

    Attributes:
        tables: name of a table -> its rows, which have the columns of its layout.
        notes: what a reader of reports has to know, a sentence each.
        names_errors: whether kinds of errors are among what was said.
    """

    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    notes: Sequence[str] = ()
    names_errors: bool = False


class Annotations(Plugin):
    """What is said of a run's answers from outside, and may grow after the run was closed.

    Every installed one is asked about every run; no config names it. What it gives stands in the
    run's database and in the tables of ``analysis.json``, never in a closed round.

    Attributes:
        tables: name of a table -> the order of its rows (as SQL's ORDER BY) and its columns, as
            ``name:kind name:kind …`` with the kinds ``s`` text, ``i`` whole number, ``f`` number,
            ``b`` truth value, ``l`` list of texts, ``n`` list of whole numbers, ``j`` JSON. Where
            a column is called ``split``, rows of test are hidden until test is opened.
        queries: name of a table of ``analysis.json`` -> what it holds in words, and its SQL.
    """

    stage = "annotation"
    always: ClassVar[bool] = True
    tables: ClassVar[Mapping[str, tuple[str, str]]] = {}
    queries: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def digest(self, run: str, folder: Path) -> str | None:
        """Digest of all that :meth:`collect` would read; None where nothing was said.

        Asked whenever a finished run is shown: reports are made again where it has changed. It
        has to be quick (a few milliseconds) and imports nothing heavy.

        Args:
            run: name of the run.
            folder: the working folder, in which ``.harness`` lies.
        """
        raise NotImplementedError

    def collect(self, run: AnnotatedRun) -> Annotated:
        """All that was said of the run's answers so far.

        What cannot be read is named in a note and harms nothing else.
        """
        raise NotImplementedError


def exercise_annotations(annotations: Annotations, run: AnnotatedRun) -> Annotated:
    """All that annotations are asked, in tables that the plugin has declared."""
    returned(Annotations.digest, annotations.digest(run.name, run.folder))
    annotated = instance_of(Annotated, annotations.collect(run), "collect()")
    for name in annotated.tables:
        if name not in annotations.tables:
            raise refused(f"collect() gives a table '{name}', which `tables` does not name")
    return annotated
