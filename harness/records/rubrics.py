"""A rubric as data: what people or a judge are asked about an answer, and what they said.

The records hold JSON-like values only, so that a batch can keep its rubric
(:func:`harness.records.to_json`, :func:`harness.records.from_json`). Values of a criterion, by
the kind of its scale:

    binary     True or False              ordinal   a whole number in min..max
    number     a number in min..max       choice    one of the choices
    choices    a list of choices          text      text that is not blank
    pairwise   "A", "B" or "tie"

None means *cannot judge* and is a value only where ``allow_na`` says so. In a mapping of values a
criterion that has not been answered is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.errors import DataError
from harness.records import Message

ScaleKind = Literal["binary", "ordinal", "number", "choice", "choices", "text", "pairwise"]
SCALE_KINDS: tuple[ScaleKind, ...] = (
    "binary", "ordinal", "number", "choice", "choices", "text", "pairwise",
)  # fmt: skip
LONGEST_TEXT = 20_000
"""Characters at most of a text that a person types."""
SCORED_KINDS = ("binary", "ordinal", "number", "pairwise")
"""Scales whose values count in the overall score."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The values that a criterion may take.

    Attributes:
        least, most: the ends of ``ordinal`` and ``number``.
        anchors: what a value means, by its text (``"1"``, ``"yes"``, a choice, ``"A"``).
        choices: of ``choice`` and ``choices``, in the order shown.
        good: the better answer to a ``binary`` question.
    """

    kind: ScaleKind
    least: float | None = None
    most: float | None = None
    anchors: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    good: Literal["yes", "no"] = "yes"

    @property
    def scores(self) -> bool:
        """Whether its values can count in the overall score."""
        return self.kind in SCORED_KINDS


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question about an answer.

    Attributes:
        weight: its part in the overall score; without effect on scales that give no score.
        fail_below: a value below it makes the overall score 0, whatever the rest says; for
            ``binary`` the better answer counts 1, the other 0.
        allow_na: *cannot judge* is an answer.
        ask_if: the condition under which it is asked, as the file has it:
            ``{"accuracy": {"below": 3}}``.
        keys: one key for each value, instead of the digits.
        use_as: what else becomes of the value.
    """

    id: str
    title: str
    question: str
    scale: Scale
    weight: float = 1.0
    fail_below: float | None = None
    allow_na: bool = False
    ask_if: Mapping[str, Any] | None = None
    keys: tuple[str, ...] = ()
    use_as: Literal["error_category", "reference"] | None = None

    @property
    def scores(self) -> bool:
        """Whether its values count in the overall score."""
        return self.scale.scores and self.weight > 0

    @property
    def required(self) -> bool:
        """Whether an item stays open without it (where it is asked)."""
        return self.scale.kind not in ("choices", "text")


@dataclass(frozen=True, slots=True)
class Show:
    """What a rater sees beside the prompt and the answer.

    Attributes:
        system_prompt: True: open, False: folded, and no part of what a judge reads.
    """

    reference: Literal["always", "after_first_score", "never"] = "after_first_score"
    system_prompt: bool | Literal["never"] = False
    meta: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overall:
    """How the criteria become one score, in 0..1.

    Attributes:
        right_at: the overall score from which an answer passes.
    """

    how: Literal["weighted_mean"] = "weighted_mean"
    right_at: float = 0.75


@dataclass(frozen=True, slots=True)
class Rubric:
    """A rubric file, checked.

    Attributes:
        judge: settings of a model judge, with every default; None if the file has none.
        digest: content digest of everything else in this record.
    """

    id: str
    version: int
    title: str
    language: str
    instructions: str
    show: Show
    criteria: tuple[Criterion, ...]
    overall: Overall
    judge: Mapping[str, Any] | None
    digest: str

    @property
    def pairwise(self) -> bool:
        """Whether two answers are compared, rather than one rated."""
        return any(criterion.scale.kind == "pairwise" for criterion in self.criteria)

    def criterion(self, name: str) -> Criterion:
        """The criterion with this id.

        Raises:
            DataError: there is none.
        """
        for criterion in self.criteria:
            if criterion.id == name:
                return criterion
        known = ", ".join(criterion.id for criterion in self.criteria)
        raise DataError(f"rubric {self.id} has no criterion {name!r}; it has {known}")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to rate, as raters see it.

    Attributes:
        id: opaque, 12 hex digits; says nothing about where it came from.
        messages: the conversation; the last turn is the one that was answered.
        answers: one, or two (A, then B) where answers are compared.
        references: good answers, empty where the rubric never shows them.
        meta: only the fields that the rubric shows.
    """

    id: str
    messages: tuple[Message, ...]
    answers: tuple[str, ...]
    references: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge says to one criterion of one item.

    Attributes:
        value: in its stored form; None says "cannot judge", or that there is an error.
        samples: the value of each sample; of pairs they come two by two, the first asked in the
            order shown and the second in the other one, turned back.
        evidence: why, in the judge's words.
        error: why there is no value, where what the judge said could not be read; else empty.
    """

    item: str
    criterion: str
    value: Any = None
    samples: tuple[Any, ...] = ()
    evidence: str = ""
    error: str = ""

    @property
    def each(self) -> tuple[Any, ...]:
        """The samples, or the one value of a judge that gives no samples."""
        return self.samples or (self.value,)
