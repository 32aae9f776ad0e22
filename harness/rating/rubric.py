"""A rubric: what people are asked about an answer, and how their values add up.

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

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.errors import ConfigError, DataError, near
from harness.kit.files import digest as digest_of
from harness.rating import ask_if
from harness.records import to_json

SCHEMA = "harness.rubric/1"
Kind = Literal["binary", "ordinal", "number", "choice", "choices", "text", "pairwise"]
KINDS: tuple[Kind, ...] = (
    "binary", "ordinal", "number", "choice", "choices", "text", "pairwise",
)  # fmt: skip
SCORING = ("binary", "ordinal", "number", "pairwise")
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

    kind: Kind
    least: float | None = None
    most: float | None = None
    anchors: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    good: Literal["yes", "no"] = "yes"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question about an answer.

    Attributes:
        weight: its part in the overall score; without effect on scales that give no score.
        fail_below: a value below it makes the overall score 0, whatever the rest says; for
            ``binary`` the better answer counts 1, the other 0.
        allow_na: *cannot judge* is an answer.
        ask_if: the condition under which it is asked (:mod:`harness.rating.ask_if`).
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
    ask_if: str | None = None
    keys: tuple[str, ...] = ()
    use_as: Literal["error_category", "reference"] | None = None

    @property
    def scores(self) -> bool:
        """Whether its values count in the overall score."""
        return self.scale.kind in SCORING and self.weight > 0

    @property
    def required(self) -> bool:
        """Whether an item stays open without it (where it is asked)."""
        return self.scale.kind not in ("choices", "text")


@dataclass(frozen=True, slots=True)
class Show:
    """What a rater sees beside the prompt and the answer."""

    reference: Literal["always", "after_first_score", "never"] = "after_first_score"
    system_prompt: bool = False
    meta: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overall:
    """How the criteria become one score, in 0..1.

    Attributes:
        right_at: the overall score from which an answer counts as right.
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


def load(path: Path) -> Rubric:
    """The rubric that a file holds.

    Raises:
        ConfigError: the file cannot be read or is no valid rubric; all problems are named at
            once, each with its line.
    """
    from harness.rating import rubric_file

    return rubric_file.read(path)[0]


def find(name: str) -> Path:
    """The file that a person means: a path, or the id of a rubric that comes with the harness.

    Raises:
        ConfigError: it is neither.
    """
    from harness.config.finding import shipped

    path = Path(name)
    known = {found.stem: found for found in sorted(shipped("rubrics").glob("*.yaml"))}
    if path.is_file():
        return path
    if name not in known:
        hint = f"name a file, or one of {', '.join(known)}"
        raise ConfigError(f"there is no rubric {name!r}{near(name, list(known))}", hint=hint)
    return known[name]


def applies(criterion: Criterion, values: Mapping[str, Any]) -> bool:
    """Whether a criterion is asked, going by these values alone (see :func:`asked`)."""
    if criterion.ask_if is None:
        return True
    return ask_if.evaluate(ask_if.parse(criterion.ask_if), values) is True


def asked(rubric: Rubric, values: Mapping[str, Any]) -> tuple[Criterion, ...]:
    """The criteria that are asked, in order.

    A value left over from a criterion that is no longer asked decides nothing.
    """
    standing: dict[str, Any] = {}
    found: set[str] = set()
    left: Sequence[Criterion] = rubric.criteria
    while left:  # conditions have no cycle, so each pass settles one criterion or more
        unsettled = {criterion.id for criterion in left}
        later = [criterion for criterion in left if unsettled & _asks_about(criterion)]
        for criterion in left:
            name = criterion.id
            if unsettled & _asks_about(criterion) or not applies(criterion, standing):
                continue
            found.add(name)
            if name in values:
                standing[name] = values[name]
        left = later if len(later) < len(left) else ()
    return tuple(criterion for criterion in rubric.criteria if criterion.id in found)


def _asks_about(criterion: Criterion) -> frozenset[str]:
    return frozenset() if criterion.ask_if is None else _names_in(criterion.ask_if)


@functools.lru_cache(maxsize=256)
def _names_in(condition: str) -> frozenset[str]:
    return frozenset(test.criterion for test in ask_if.tests(ask_if.parse(condition)))


def missing(rubric: Rubric, values: Mapping[str, Any]) -> tuple[Criterion, ...]:
    """The criteria that must still be answered before an item is done."""
    return tuple(c for c in asked(rubric, values) if c.required and c.id not in values)


def normal(criterion: Criterion, value: Any) -> float | None:
    """A value in 0..1, 1 being best; None for NA and for scales that give no score.

    For ``pairwise`` it is the preference for A: 1, 0.5 (tie) or 0.
    """
    scale = criterion.scale
    if value is None or scale.kind not in SCORING:
        return None
    if scale.kind == "pairwise":
        return {"A": 1.0, "tie": 0.5, "B": 0.0}[value]
    if scale.kind == "binary":
        return float(value is (scale.good == "yes"))
    if scale.least is None or scale.most is None:
        return None
    return float((value - scale.least) / (scale.most - scale.least))


def fails(criterion: Criterion, value: Any) -> bool:
    """Whether a value fails the item, whatever the rest says."""
    if criterion.fail_below is None or value is None:
        return False
    if criterion.scale.kind == "binary":
        return bool((normal(criterion, value) or 0.0) < criterion.fail_below)
    return bool(value < criterion.fail_below)


def overall(rubric: Rubric, values: Mapping[str, Any]) -> float | None:
    """The overall score of one rater's values, in 0..1.

    It is the mean of the normalised values, weighted by the criteria's weights. Unanswered
    criteria, *cannot judge* and criteria that are not asked are left out. A value below
    ``fail_below`` makes it 0, also where that criterion has no weight. For a pairwise rubric it
    is the preference for A.

    Returns:
        None where nothing that counts has been answered.
    """
    total, weights, failed = [], [], False
    for criterion in asked(rubric, values):
        value = normal(criterion, values.get(criterion.id))
        if value is None:
            continue
        failed = failed or fails(criterion, values[criterion.id])
        total.append(criterion.weight * value)
        weights.append(criterion.weight)
    if failed:
        return 0.0
    weight = math.fsum(weights)
    return min(1.0, max(0.0, math.fsum(total) / weight)) if weight else None


def check_value(criterion: Criterion, value: Any) -> Any:
    """A value in its one form, as it is stored; see :func:`harness.rating.scales.check`.

    Raises:
        DataError: the scale does not know the value.
    """
    from harness.rating import scales

    return scales.check(criterion, value)


def content_digest(rubric: Rubric) -> str:
    """What :attr:`Rubric.digest` is made of: the whole content but the digest."""
    content = {key: value for key, value in to_json(rubric).items() if key != "digest"}
    return digest_of(content)


def wording(rubric: Rubric) -> str:
    """Digest of what a rater reads and may answer.

    Ratings belong to an id and a version, so this must be the same for all files of one version.
    Weights, ``fail_below``, keys, what else a value is used for, and the judge may change: values
    keep their meaning.
    """
    read = ("id", "title", "question", "scale", "allow_na", "ask_if")
    criteria = [{key: to_json(getattr(c, key)) for key in read} for c in rubric.criteria]
    head = ("title", "language", "instructions", "show")
    return digest_of([criteria, {key: to_json(getattr(rubric, key)) for key in head}])


def scoring(rubric: Rubric) -> str:
    """Digest of what turns values into scores, and may change within one version.

    What the values are is said by id and version (see :func:`wording`).
    """
    criteria = {c.id: [c.weight, c.fail_below] for c in rubric.criteria}
    return digest_of([criteria, to_json(rubric.overall)])


def same_wording(one: Rubric, other: Rubric) -> bool:
    """Whether ratings by one rubric are ratings by the other."""
    return one.id == other.id and wording(one) == wording(other)


def version_problem(old: Rubric, new: Rubric) -> str:
    """What is wrong with the version of a rubric that was changed; empty if nothing is.

    Args:
        old: the rubric that ratings were made by.
        new: the rubric as its file stands now.
    """
    if old.id != new.id or old.version != new.version or same_wording(old, new):
        return ""
    return (
        f"the wording of rubric {new.id} has changed, but it still says version {new.version}: "
        f"ratings belong to one wording, so raise it to version: {new.version + 1}"
    )
