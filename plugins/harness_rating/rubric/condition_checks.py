"""Whether the conditions of a rubric (``ask_if``) can be read, fit their scales, and end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness import ConfigError, near
from harness.kit.problems import Problems
from harness.kit.yaml_file import Place
from harness_rating.rubric import conditions
from harness_rating.rubric.schema import CriterionFile, ScaleFile

Shaped = Sequence[CriterionFile | None]


def check_conditions(shaped: Shaped, raw: Sequence[Any], problems: Problems) -> None:
    """Add every problem of the conditions to ``problems``.

    Args:
        shaped: the criteria, None where one does not even have the right keys.
        raw: the same as they stand in the file.
    """
    by_id = {c.id: c for c in shaped if c}
    ids = [item.get("id") for item in raw if isinstance(item, Mapping)]
    names = [name for name in ids if isinstance(name, str)]
    asks: dict[str, tuple[str, ...]] = {}
    places: dict[str, Place] = {}
    for index, criterion in enumerate(shaped):
        if criterion is None or criterion.ask_if is None:
            continue
        place = places[criterion.id] = ("criteria", index, "ask_if")
        try:
            found = list(conditions.tests(conditions.parse(criterion.ask_if)))
        except ConfigError as error:
            problems.add(place, f"{criterion.ask_if!r} is no condition: {error.what}")
            continue
        wrong = [message for test in found if (message := _test_problem(test, by_id, names))]
        for message in wrong:
            problems.add(place, message)
        asks[criterion.id] = () if wrong else tuple(test.criterion for test in found)
    for name in asks:
        if circle := _circle(name, asks):
            problems.add(places[name], f"goes in a circle: {' -> '.join(circle)}")


def _test_problem(
    test: conditions.Test, known: Mapping[str, CriterionFile], names: Sequence[str]
) -> str:
    if test.criterion not in names:
        return f"there is no criterion {test.criterion!r}{near(test.criterion, names)}"
    if test.criterion not in known:
        return ""  # that criterion has problems of its own
    scale = known[test.criterion].scale
    fits = {"choices": ("has",), "text": ()}.get(scale.kind, ("=", "!="))
    if scale.kind in ("ordinal", "number"):
        fits = conditions.OPS[:-1]
    if not fits:
        return f"{test.criterion} is text, which no condition can ask about"
    if test.op not in fits:
        return f"{test.criterion} is of kind {scale.kind}, which goes with {' '.join(fits)} only"
    return _value_problem(test, scale)


def _value_problem(test: conditions.Test, scale: ScaleFile) -> str:
    if scale.kind in ("ordinal", "number"):
        if isinstance(test.value, str):
            return f"{test.criterion} is a number, not {test.value!r}"
        if scale.min is None or scale.max is None or scale.min <= test.value <= scale.max:
            return ""
        return f"{test.criterion} lies in {scale.min:g} to {scale.max:g}, never at {test.value:g}"
    values = scale.labels or ()
    if test.value in values:
        return ""
    return f"{test.criterion} has no value {test.value!r} (it has {', '.join(values)})"


def _circle(name: str, asks: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The shortest way from a criterion back to itself; empty if there is none."""
    ways: dict[str, tuple[str, ...]] = {}
    newest: list[tuple[str, ...]] = [(name,)]
    while newest and name not in ways:
        found = [(*way, after) for way in newest for after in asks.get(way[-1], ())]
        newest = []
        for way in found:
            if way[-1] not in ways:
                ways[way[-1]] = way
                newest.append(way)
    return ways.get(name, ())
