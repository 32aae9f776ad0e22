"""The calls of an answer beside those of a reference: which belong together, how they differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import harness
from harness.kit.text import one_line
from harness_calls.reading import Attempt, names_of
from harness_calls.schema import ABSENT, Schema

Kind = Literal["missing argument", "invented argument", "argument of wrong type", "wrong argument"]
SameText = Callable[[str, str], bool]
"""Whether a text of a reference and one of an answer are the same."""
DEEPEST = 50
"""Levels of lists and objects in arguments that are followed."""
SHOWN = 60


def equal(wanted: str, given: str) -> bool:
    """Whether two texts are equal, white space around them aside."""
    return wanted.strip() == given.strip()


def by_metric(metric: harness.Metric) -> SameText:
    """Whether a metric lets the given text pass beside the wanted one.

    Raises:
        ConfigError: the metric has no pass threshold, or its values do not add up.
    """
    import numpy as np

    least = threshold(metric)
    entry = harness.MetricEntry(metric.name, metric)

    def same(wanted: str, given: str) -> bool:
        pair = harness.Prediction("", given), harness.Example("", (), (wanted,))
        statistics = metric.measure(*pair)
        if statistics is None:
            return False
        value = entry.own_values(np.atleast_1d(np.asarray(statistics, float))[None])[0][0]
        return bool(value >= least if metric.higher_is_better else value <= least)

    return same


def threshold(metric: harness.Metric) -> float:
    """The value from which a metric lets an answer pass; raises as :func:`by_metric` does."""
    least = getattr(metric.options, "right_at", metric.right_at)
    if least is None or not metric.additive:
        raise harness.ConfigError(
            f"text: {metric.name} does not say from which value two texts are the same",
            hint="take one with an option right_at, as token-f1",
        )
    return float(least)


# -- the calls of both sides -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an argument is another than in the reference.

    Attributes:
        path: of the argument, ``address.city`` or ``rooms[1]``.
        wanted, given: :data:`ABSENT` where it is on one side alone.
    """

    kind: Kind
    path: str
    wanted: Any
    given: Any


@dataclass(frozen=True, slots=True)
class Pair:
    """A call of the reference with the one of the answer that stands for it.

    Attributes:
        wanted, given: None where the other has no counterpart.
        arguments, right: how many arguments either side has, and how many are the same.
    """

    wanted: harness.ToolCall | None
    given: harness.ToolCall | None
    arguments: int = 0
    right: int = 0
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """An answer beside one reference.

    Attributes:
        right: the same calls with the same arguments, each in the form of the model.
        matched: pairs that call the same function.
        pairs: these, and calls without a counterpart.
    """

    right: bool
    matched: tuple[Pair, ...]
    pairs: tuple[Pair, ...]


def compare(attempt: Attempt, example: harness.Example, same: SameText) -> Comparison:
    """The answer beside the reference that fits best."""
    schemas = {name: Schema.of(schema) for name, schema in names_of(example.tools).items()}
    all_compared = [
        _beside(attempt, harness.Answer.read(reference).calls, schemas, same)
        for reference in example.references
    ]
    return max(
        all_compared,
        key=lambda c: (
            c.right,
            2 * len(c.matched) - len(c.pairs),
            sum(pair.right - pair.arguments for pair in c.matched),
        ),
    )


def _beside(
    attempt: Attempt,
    wanted: Sequence[harness.ToolCall],
    schemas: Mapping[str, Schema],
    same: SameText,
) -> Comparison:
    given = attempt.calls
    table = [[_pair(call, other, schemas, same) for other in given] for call in wanted]
    rows, columns = _assigned(table) if wanted and given else ([], [])
    matched = [
        table[row][column]
        for row, column in zip(rows, columns, strict=True)
        if wanted[row].name == given[column].name
    ]
    lone_wanted = [call for call in wanted if all(pair.wanted is not call for pair in matched)]
    lone_given = [call for call in given if all(pair.given is not call for pair in matched)]
    lone = [Pair(call, None) for call in lone_wanted] + [Pair(None, call) for call in lone_given]
    right = not lone and not attempt.malformed and all(not pair.differences for pair in matched)
    return Comparison(right, tuple(matched), (*matched, *lone))


def _assigned(table: Sequence[Sequence[Pair]]) -> tuple[Sequence[int], Sequence[int]]:
    """Which calls belong together: as many of one function as can be, then as many arguments."""
    from scipy.optimize import linear_sum_assignment

    worth = [
        [
            0.0 if pair.wanted is None else 1 + (1 + pair.right) / (2 + pair.arguments)
            for pair in row
        ]
        for row in table
    ]
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return rows, columns


def _pair(
    wanted: harness.ToolCall,
    given: harness.ToolCall,
    schemas: Mapping[str, Schema],
    same: SameText,
) -> Pair:
    """Two calls; without a side where they are of different functions."""
    if wanted.name != given.name:
        return Pair(None, None)
    schema = schemas.get(wanted.name, Schema.of({}))
    arguments = right = 0
    differences: list[Difference] = []
    for name, members in _members(wanted.arguments, given.arguments, schema).items():
        own = list(_differences(name, *members, schema.member(name), same, DEEPEST))
        arguments, right = arguments + 1, right + (not own)
        differences += own
    return Pair(wanted, given, arguments, right, tuple(differences))


# -- values ----------------------------------------------------------------------------------------


def _members(
    wanted: Mapping[str, Any], given: Mapping[str, Any], schema: Schema
) -> dict[str, tuple[Any, Any]]:
    """Each member that a side gives -> its value on both.

    What is not given has its default; an optional member that is null is not given.
    """
    members = {}
    for name in {**wanted, **given}:
        values = [side.get(name, ABSENT) for side in (wanted, given)]
        if not schema.requires(name):
            values = [ABSENT if value is None else value for value in values]
        default = schema.member(name).default
        default = ABSENT if default is None else default
        ours, theirs = (default if value is ABSENT else value for value in values)
        if ours is not ABSENT or theirs is not ABSENT:
            members[name] = ours, theirs
    return members


def _differences(
    path: str, wanted: Any, given: Any, schema: Schema, same: SameText, levels: int
) -> Iterator[Difference]:
    if given is ABSENT:
        yield Difference("missing argument", path, wanted, given)
    elif wanted is ABSENT:
        yield Difference("invented argument", path, wanted, given)
    elif isinstance(wanted, Mapping) and isinstance(given, Mapping) and levels:
        for name, members in _members(wanted, given, schema).items():
            inner = f"{path}.{name}"
            yield from _differences(inner, *members, schema.member(name), same, levels - 1)
    elif (
        isinstance(wanted, list)
        and isinstance(given, list)
        and len(wanted) == len(given)
        and levels
    ):
        for place, elements in enumerate(zip(wanted, given, strict=True)):
            inner = f"{path}[{place}]"
            yield from _differences(inner, *elements, schema.items, same, levels - 1)
    elif not _is_same(wanted, given, equal if schema.is_choice else same):
        typed = schema.fits(given, wanted)
        yield Difference(
            "wrong argument" if typed else "argument of wrong type", path, wanted, given
        )


def _is_same(wanted: Any, given: Any, same: SameText) -> bool:
    if isinstance(wanted, str) and isinstance(given, str):
        return same(wanted, given)
    # True is 1 to Python alone.
    return isinstance(wanted, bool) is isinstance(given, bool) and bool(wanted == given)


# -- kinds of errors -------------------------------------------------------------------------------


def problems(
    compared: Comparison, attempt: Attempt, tools: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Category and evidence of all that is wrong."""
    if attempt.malformed:
        yield "malformed call", one_line(attempt.evidence, SHOWN)
    known = names_of(tools)
    wanted = [pair.wanted for pair in compared.pairs if pair.given is None and pair.wanted]
    given = [pair.given for pair in compared.pairs if pair.wanted is None and pair.given]
    any_wanted = any(pair.wanted for pair in compared.pairs)
    if wanted and not attempt.calls:
        if not attempt.malformed:
            yield "text instead of a call", f"no call of {_names(wanted)}"
        return
    for place, call in enumerate(given):
        if call.name not in known:
            yield "unknown tool", one_line(call.name, SHOWN)
        elif not any_wanted:
            yield "call instead of text", one_line(call.name, SHOWN)
        elif place < len(wanted):
            yield "wrong tool", f"{call.name} instead of {wanted[place].name}"
        else:
            yield "extra call", one_line(call.name, SHOWN)
    if len(wanted) > len(given):
        yield "missing call", _names(wanted[len(given) :])
    for pair in compared.matched:
        for difference in pair.differences:
            yield difference.kind, f"{pair.wanted.name if pair.wanted else ''}: {_said(difference)}"


def _names(calls: Sequence[harness.ToolCall]) -> str:
    return one_line(", ".join(call.name for call in calls), SHOWN)


def _said(difference: Difference) -> str:
    path = one_line(difference.path, SHOWN)
    if difference.given is ABSENT:
        return f"{path} is not given, {_shown(difference.wanted)} is wanted"
    if difference.wanted is ABSENT:
        return f"{path} is {_shown(difference.given)}, and is not wanted"
    return f"{path} is {_shown(difference.given)} instead of {_shown(difference.wanted)}"


def _shown(value: Any) -> str:
    return one_line(json.dumps(value, ensure_ascii=False, default=str), SHOWN)
