"""What was found weak, what was planned about it, and what came of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Condition:
    """One test on a feature: ``op`` is one of ``=``, ``<=``, ``>``."""

    feature: str
    op: Literal["=", "<=", ">"]
    value: str | float | bool

    @property
    def words(self) -> str:
        return f"{self.feature} {self.op} {self.value}"


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows that share conditions, compared with all other rows on the primary score.

    Attributes:
        conditions: all must hold.
        n, groups: support on dev.
        score: the slice's mean of the primary score per example.
        gap: rest minus slice, oriented so that positive = the slice is weaker. Where several
            slices are weak, a finder may say what each takes off beside the others.
        low, high: interval of the gap, of 95 % or more.
        q: rate of false finds (family-wise, or false discovery rate) at which it would be called
            weak, or None.
        from_prompt: True if every condition is about the prompt, so that rows can be
            addressed by it (only such slices enter a Plan).
        holds: whether the finder stands by its being weak; None leaves it to q.
        half: rows of the slice among those that gap, low and high come from, where these are
            not all of its rows.
        shrunken: gap after what so many slices show by chance is taken off it; 0 where the
            slices differ no more than that. None where the finder does not say.
        weight: share of all rows that are like this; None leaves it to n.
    """

    conditions: tuple[Condition, ...]
    n: int
    groups: int
    score: float | None
    gap: float | None
    low: float | None
    high: float | None
    q: float | None = None
    from_prompt: bool = True
    holds: bool | None = None
    half: int | None = None
    shrunken: float | None = None
    weight: float | None = None

    @property
    def words(self) -> str:
        return " and ".join(condition.words for condition in self.conditions) or "everywhere"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The likeliest cause of one wrong answer.

    Attributes:
        cause: short name, such as ``gap`` or ``conflict``.
        evidence: what speaks for it, in a sentence that quotes nothing of dev.
        remedy: what to do about it.
        rows: ids of training rows that it speaks of, the most important first.
    """

    example_id: str
    cause: str
    evidence: str
    remedy: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What the analyzers found: aggregates only, never a prompt or an answer of dev."""

    slices: tuple[Slice, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    notes: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanItem:
    """So many rows for one slice; ``slice`` None is exploration (rows from everywhere).

    Attributes:
        errors: category -> failing answers of dev in the slice, as the detectors counted them.
    """

    slice: Slice | None
    rows: int
    remedy: str
    reason: str = ""
    errors: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """The planner's answer to the findings, under a budget of rows."""

    strategy: str
    items: tuple[PlanItem, ...] = ()

    @property
    def rows(self) -> int:
        return sum(item.rows for item in self.items)


@dataclass(frozen=True, slots=True)
class Growth:
    """What augmentation did to the training data after a round."""

    added: int
    by: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
