"""The analysis of a run: what ``analysis.json`` holds, stated once, and what sections are given.

It says all that a :class:`Summary` says, and what the run's database and its plugins add.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from harness.records.plain import IF_SET, from_document
from harness.records.summary import (
    Count,
    DataText,
    RowId,
    ShownBaseline,
    ShownControl,
    ShownExample,
    ShownModel,
    Summary,
)

CellValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval.

    Attributes:
        value: the figure.
        low, high: its bounds.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class BetweenReferences:
    """The primary score of references against the others of their row, and of the best round's
    answers against the same.

    Attributes:
        round: the best one.
        rows, groups: dev rows with several references, and their groups.
        references: score of the references.
        model: score of the answers.
        difference: answers minus references.
    """

    round: Count
    rows: Count
    groups: Count
    references: Estimate
    model: Estimate
    difference: Estimate


@dataclass(frozen=True, slots=True)
class KnownCause:
    """What a cause of failing answers means.

    Attributes:
        definition: in a line.
        remedy: what to do about it.
        by_data: whether new data can cure it.
    """

    definition: str
    remedy: str
    by_data: bool


@dataclass(frozen=True, slots=True)
class RoundAnswer:
    """The answer of one round's model.

    Attributes:
        round: its number.
        text: the answer.
        score: the answer's own value of the primary score.
        right: whether it passes; `null` = cannot be judged.
        finish_reason: why it ended, as of an example.
        errors: the error categories that it shows.
    """

    round: Count
    text: DataText
    score: float | None
    right: bool | None
    finish_reason: str
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownCause:
    """The likeliest cause of a failing answer.

    Attributes:
        cause: its name.
        evidence: in words.
        remedy: what to do about it.
        train_rows: ids of training rows that show it.
    """

    cause: str
    evidence: str
    remedy: str
    train_rows: tuple[RowId, ...]


@dataclass(frozen=True, slots=True)
class AnalysedExample(ShownExample):
    """An example with all that the database knows of its row.

    Attributes:
        references: all of them.
        course: what became of the row over the rounds, as `kind` in the [ledger](database.md).
        answers: of every round.
        cause: why the best round's answer fails; `null` where no analyzer says so.
    """

    references: tuple[DataText, ...] = ()
    course: str = ""
    answers: tuple[RoundAnswer, ...] = ()
    cause: ShownCause | None = None

    def answer_of(self, number: int) -> RoundAnswer | None:
        """The answer of a round; None where it is not known."""
        return next((answer for answer in self.answers if answer.round == number), None)


@dataclass(frozen=True, slots=True)
class Remedy:
    """A suggested action.

    Attributes:
        remedy: what to do.
        why: its reason.
        answers: failing answers that it concerns, an upper limit of its worth; `null` where that is
            not known.
        by_data: whether it is about new data.
    """

    remedy: str
    why: str
    answers: Count | None
    by_data: bool


@dataclass(frozen=True, slots=True)
class ShownQuery:
    """A query behind a table.

    Attributes:
        name: of the table.
        what: it holds, in words.
        sql: the query.
    """

    name: str
    what: str
    sql: str


@dataclass(frozen=True, slots=True)
class ShownSection:
    """What a section of the reports says.

    Attributes:
        name: of the plugin.
        title: its heading.
        order: sections stand by rising numbers.
        columns, rows: its table, at most 50 rows.
        cut: whether the table has more rows.
        blocks: what it says, as JSON of the records of `harness.kit.blocks`
            ([their fields](plugins/section.md)).
        in_short: the same of the short report.
    """

    name: str
    title: str
    order: int
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[CellValue, ...], ...] = ()
    cut: bool = False
    blocks: tuple[Mapping[str, Any], ...] = ()
    in_short: tuple[Mapping[str, Any], ...] = ()


class TableRow(Protocol):
    """A record for the rows of one table: its fields are the table's columns."""

    table: ClassVar[str]


Row = TypeVar("Row", bound=TableRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis(Summary):
    """The analysis of a run: all of its summary, and these.

    Attributes:
        schema: the number rises when a key changes its meaning or goes.
        control: `null` where a summary leaves the key out.
        baselines, models: empty where a summary leaves the key out.
        annotations: plugin of [annotations](plugins/annotation.md) -> digest of what it had read.
        right_at: value of the primary score from which an answer passes; `null`: none.
        bounds: least and greatest value of the primary score; `null` where it has none.
        by_people: whether the primary score comes from raters.
        between_references: the primary score of references against the others of their row, and of
            answers against the same; `null` where that says nothing.
        definitions: error category -> its definition.
        causes_known: cause -> what it means.
        not_looked_for: a sentence: what no rule of this run could see.
        tables: table -> rows, from the run's database ([Tables](analysis.md#tables)).
        examples: up to 200 dev rows, failing answers of the best round first, the worst first.
        better: up to three answers that got better than the base model's.
        not_better: the worst that did not.
        remedies: suggested actions, the one that concerns most answers first.
        queries: of each table.
        failed: section -> why it could not be made.
        sections: those that the config names. A reporter is given all.
        model_lost: whether files of the best round's model are gone, on the day that the report is
            shown; in no file.
    """

    # The keys of a summary are those of a file that is read for years; this one is made anew with
    # the reports, so it has every key.
    schema: Literal["harness.analysis/4"]  # type: ignore[assignment]
    control: ShownControl | None = None
    baselines: tuple[ShownBaseline, ...] = ()
    models: tuple[ShownModel, ...] = ()
    examples: tuple[AnalysedExample, ...]
    annotations: Mapping[str, str]
    right_at: float | None
    bounds: tuple[float | None, ...]
    by_people: bool
    between_references: BetweenReferences | None = None
    definitions: Mapping[str, str]
    causes_known: Mapping[str, KnownCause]
    not_looked_for: str
    tables: Mapping[str, tuple[Mapping[str, Any], ...]]
    better: tuple[AnalysedExample, ...]
    not_better: AnalysedExample | None
    remedies: tuple[Remedy, ...]
    queries: tuple[ShownQuery, ...]
    failed: Mapping[str, str]
    sections: tuple[ShownSection, ...] = ()
    model_lost: bool = field(default=False, metadata=IF_SET)

    def rows(self, kind: type[Row]) -> tuple[Row, ...]:
        """The rows of a table; none where it could not be made.

        Args:
            kind: the record of its rows, which says the table and has its columns as fields. A
                table of a plugin's own ([annotations](plugins/annotation.md)) has one of its own.
        """
        return tuple(from_document(kind, row) for row in self.tables.get(kind.table, ()))


# -- rows of the tables that the core makes --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RightCount:
    """Dev answers of a round that pass, fail, or cannot be judged."""

    table: ClassVar[str] = "right"
    round: int
    is_right: int
    wrong: int
    unknown: int


@dataclass(frozen=True, slots=True)
class ChangeCount:
    """Dev rows that a round fixed or broke, against the round of its verdict."""

    table: ClassVar[str] = "changes"
    round: int
    against: int | None
    fixed: int
    broken: int


@dataclass(frozen=True, slots=True)
class CourseCount:
    """Dev rows of one course over the rounds."""

    table: ClassVar[str] = "ledger"
    kind: str
    answers: int


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """Dev answers of a round of one error category."""

    table: ClassVar[str] = "categories"
    round: int
    category: str
    answers: int


@dataclass(frozen=True, slots=True)
class UnexplainedCount:
    """Failing dev answers of a round of no known error category."""

    table: ClassVar[str] = "unexplained"
    round: int
    answers: int


@dataclass(frozen=True, slots=True)
class CauseCount:
    """Failing answers of the best round that have one cause, and the ids of five of them."""

    table: ClassVar[str] = "causes"
    cause: str
    remedy: str
    answers: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SliceErrorCount:
    """Answers of one error category within a slice of the best round."""

    table: ClassVar[str] = "slice_errors"
    slice: str
    category: str
    answers: int
    slice_rows: int


@dataclass(frozen=True, slots=True)
class AnswerLength:
    """Dev answers of a round with ``words`` to ``words + 9`` words; the last bin is open."""

    table: ClassVar[str] = "answer_lengths"
    round: int
    words: int
    answers: int


@dataclass(frozen=True, slots=True)
class ReferenceLength:
    """First references of dev with so many words, in the same bins."""

    table: ClassVar[str] = "reference_lengths"
    words: int
    answers: int


@dataclass(frozen=True, slots=True)
class TargetScore:
    """A slice that rows were added for after a round, with its mean score in another round."""

    table: ClassVar[str] = "targets"
    round: int
    slice: str
    rows: int
    answered: int
    score: float | None
    n: int


@dataclass(frozen=True, slots=True)
class AddedRows:
    """Rows that were added after a round, by augmenter and slice; ``written`` by a teacher."""

    table: ClassVar[str] = "added"
    round: int
    made_by: str | None
    slice: str | None
    rows: int
    written: int = 0  # tables of before there were teachers are read, too
