"""How the values of a rubric add up, which criteria are asked, and when two rubrics are one.

A rater's values are a mapping, criterion -> value, in the form that :func:`scales.check` gives.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from harness import Criterion, Rubric, to_json
from harness.kit.files import digest as digest_of
from harness_rating.rubric import conditions

SCHEMA = "harness.rubric/1"


def applies(criterion: Criterion, values: Mapping[str, Any]) -> bool:
    """Whether a criterion is asked, going by these values alone (see :func:`asked_criteria`)."""
    return criterion.ask_if is None or conditions.evaluate(criterion.ask_if, values) is True


def asked_criteria(rubric: Rubric, values: Mapping[str, Any]) -> tuple[Criterion, ...]:
    """The criteria that are asked, in order.

    A value left over from a criterion that is no longer asked decides nothing.
    """
    by_id = {criterion.id: criterion for criterion in rubric.criteria}
    decided: dict[str, bool] = {}

    def is_asked(name: str) -> bool:
        if name not in decided:
            # A rubric file whose conditions go in a circle is refused, so this comes to an end.
            values_asked = {
                other: values[other]
                for other in conditions.names_in(by_id[name].ask_if)
                if other in values and is_asked(other)
            }
            decided[name] = applies(by_id[name], values_asked)
        return decided[name]

    return tuple(criterion for criterion in rubric.criteria if is_asked(criterion.id))


def missing(rubric: Rubric, values: Mapping[str, Any]) -> tuple[Criterion, ...]:
    """The criteria that must still be answered before an item is done."""
    return tuple(
        criterion
        for criterion in asked_criteria(rubric, values)
        if criterion.required and criterion.id not in values
    )


def normal(criterion: Criterion, value: Any) -> float | None:
    """A value in 0..1, 1 being best; None for NA and for scales that give no score.

    For ``pairwise`` it is the preference for A: 1, 0.5 (tie) or 0.
    """
    scale = criterion.scale
    if value is None or not scale.scores:
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
    weighted: list[float] = []
    weights: list[float] = []
    for criterion in asked_criteria(rubric, values):
        value = normal(criterion, values.get(criterion.id))
        if value is None:
            continue
        if fails(criterion, values[criterion.id]):
            return 0.0
        weighted.append(criterion.weight * value)
        weights.append(criterion.weight)
    weight = math.fsum(weights)
    # Rounding may leave the range by a little.
    return min(1.0, max(0.0, math.fsum(weighted) / weight)) if weight else None


def content_digest(rubric: Rubric) -> str:
    """What :attr:`Rubric.digest` is made of: the whole content but the digest."""
    content = {key: value for key, value in to_json(rubric).items() if key != "digest"}
    return digest_of(content)


def wording_digest(rubric: Rubric) -> str:
    """Digest of what a rater reads and may answer.

    Ratings belong to an id and a version, so this must be the same for all files of one version.
    Weights, ``fail_below``, keys, what else a value is used for, and the judge may change: values
    keep their meaning.
    """
    read_of_criterion = ("id", "title", "question", "scale", "allow_na", "ask_if")
    criteria = [
        {key: to_json(getattr(criterion, key)) for key in read_of_criterion}
        for criterion in rubric.criteria
    ]
    read_of_rubric = ("title", "language", "instructions", "show")
    return digest_of([criteria, {key: to_json(getattr(rubric, key)) for key in read_of_rubric}])


def scoring_digest(rubric: Rubric) -> str:
    """Digest of what turns values into scores, and may change within one version.

    What the values are is said by id and version (see :func:`wording_digest`).
    """
    criteria = {c.id: [c.weight, c.fail_below] for c in rubric.criteria}
    return digest_of([criteria, to_json(rubric.overall)])


def same_wording(rubric: Rubric, other: Rubric) -> bool:
    """Whether ratings by one rubric are ratings by the other."""
    return rubric.id == other.id and wording_digest(rubric) == wording_digest(other)


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
