"""Live rows beside a reference: up to four tests, and what each says of what changed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.kit.readers.live import LiveRow
from harness.stats.significance import holm
from harness_drift import columns as kinds_of
from harness_drift.columns import Column, LeftOut
from harness_drift.permuting import (
    Deal,
    Floats,
    Largest,
    Mask,
    Singles,
    differences,
    directions,
    largest,
    mmd,
    p_of,
    similar,
    trigrams,
)
from harness_drift.weeks import Weeks, spread

LEAST_GROUPS = 20
"""Groups on each side without which nothing is said, as without which there is no verdict."""
POWER_80 = 0.8416
"""Standard errors from the bound to a change that four looks in five find."""

Aspect = Literal["prompts", "kinds", "answers", "ratings"]


@dataclass(frozen=True, slots=True)
class Change:
    """How a thing differs.

    Attributes:
        reference, live: a share (or a mean, where ``share`` is False); None where no row of that
            side has it.
        difference: live minus reference; of ratings, with the kinds of prompts taken out.
        p: adjusted for all things of its aspect, all aspects of the look, and all looks: times
            ``looks`` it is compared with .05.
        detectable: the smallest difference that four such looks in five would find.
        holds: whether it counts as changed.
    """

    name: str
    share: bool
    reference: float | None
    live: float | None
    difference: float
    p: float
    detectable: float | None
    holds: bool


@dataclass(frozen=True, slots=True)
class AspectTest:
    """One of the tests of a look.

    Attributes:
        p: of the test alone; ``adjusted``: by Holm over the tests of the look.
        changes: what it looks at, the most different first; none for the texts of prompts.
        rows, groups: of reference and live.
        note: why there was no test; p is None then.
    """

    aspect: Aspect
    p: float | None
    adjusted: float | None = None
    changed: bool = False
    changes: tuple[Change, ...] = ()
    rows: tuple[int, int] = (0, 0)
    groups: tuple[int, int] = (0, 0)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All tests of a look, and how much more each live row is like live rows than the others.

    Attributes:
        witness: one for each row; live rows with the highest tell most.
    """

    tests: tuple[AspectTest, ...]
    features: Singles
    witness: Floats
    left_out: LeftOut


def compare(
    rows: Sequence[LiveRow],
    weeks: Weeks,
    labels: Mapping[str, set[int]],
    alpha: float,
    permutations: int,
) -> Comparison:
    """The tests of one look.

    Args:
        rows: of both sides. Groups are of one side each.
        weeks: of the rows, and which of these are live.
        labels: category of a detector -> the places of the rows whose answers show it.
        alpha: chance of any false alarm of this look.
    """
    live = weeks.live
    features = trigrams([row.example.prompt for row in rows])
    alike = similar(features)
    everything = np.ones(len(rows), bool)
    kinds, left_out = kinds_of.of_prompts(rows, live)
    answered = np.array([row.answer is not None for row in rows])
    rated = np.array([row.rating is not None for row in rows])
    answers, ratings = kinds_of.of_answers(rows, labels), kinds_of.of_ratings(rows, kinds)
    deal = _deal(rows, live, everything, permutations)
    distances = mmd(alike, deal)
    scores = directions(alike)
    if (of_texts := spread(scores, weeks)) is not None:
        distances[1:] += of_texts.distances(differences(scores, deal)[1:])
    texts = dataclasses.replace(_untested("prompts", rows, live, everything), p=p_of(distances))
    raw_tests = [
        _RawTest(texts, everything),
        _raw_test("kinds", kinds, rows, weeks, everything, permutations),
        _raw_test("answers", answers, rows, weeks, answered, permutations),
        _raw_test("ratings", ratings, rows, weeks, rated, permutations),
    ]
    ps = [raw.test.p for raw in raw_tests]
    adjusted = [None if math.isnan(p) else float(p) for p in holm(ps)]
    # The chance of a false alarm that a test has where none of the others finds anything.
    bound = alpha / max(1, sum(p is not None for p in ps))
    tests = tuple(
        _decided(raw, p, live, alpha, bound) for raw, p in zip(raw_tests, adjusted, strict=True)
    )
    witness = np.asarray(alike[:, live].mean(axis=1) - alike[:, ~live].mean(axis=1), np.float64)
    return Comparison(tests, features, witness, left_out)


@dataclass(frozen=True, slots=True)
class _RawTest:
    """A test before it is weighed with the others of its look.

    Attributes:
        there: the rows that have the aspect.
        columns: what they are compared by, and ``differences`` of these in each deal; none for
            the texts of prompts, and where there was no test.
    """

    test: AspectTest
    there: Mask
    columns: Sequence[Column] = ()
    differences: Floats | None = None


def _deal(rows: Sequence[LiveRow], live: Mask, there: Mask, permutations: int) -> Deal:
    names = [(bool(live[at]), rows[at].group) for at in np.flatnonzero(there).tolist()]
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    sides = np.array([is_live for is_live, _ in places])
    return Deal(np.array([places[name] for name in names]), sides, permutations)


def _untested(aspect: Aspect, rows: Sequence[LiveRow], live: Mask, there: Mask) -> AspectTest:
    """The aspect with how many rows and groups have it."""
    sides: dict[bool, list[LiveRow]] = {False: [], True: []}
    for at in np.flatnonzero(there).tolist():
        sides[bool(live[at])].append(rows[at])
    groups = len({row.group for row in sides[False]}), len({row.group for row in sides[True]})
    return AspectTest(aspect, None, rows=(len(sides[False]), len(sides[True])), groups=groups)


def _raw_test(
    aspect: Aspect, columns: Sequence[Column], rows: Sequence[LiveRow], weeks: Weeks, there: Mask,
    permutations: int,
) -> _RawTest:  # fmt: skip
    """The test of an aspect on the rows that have it, or why there is none."""
    live = weeks.live
    test = _untested(aspect, rows, live, there)
    for name, groups in zip(("the reference has", "live rows have"), test.groups, strict=True):
        if groups < LEAST_GROUPS:
            note = f"{name} {groups} groups" if groups else f"{name} none"
            return _RawTest(dataclasses.replace(test, note=note), there)
    if not columns:
        return _RawTest(dataclasses.replace(test, note="nothing differs among rows"), there)
    values = np.column_stack([column.values[there] for column in columns])
    dealt = differences(values, _deal(rows, live, there, permutations))
    if (of_columns := spread(values, weeks.among(there))) is not None:
        dealt[1:] += of_columns.differences(permutations)
    p = float(largest(dealt).p.min())
    return _RawTest(dataclasses.replace(test, p=p), there, columns, dealt)


def _decided(
    raw: _RawTest, adjusted: float | None, live: Mask, alpha: float, bound: float
) -> AspectTest:
    """The test with what it says of each column, the most different first."""
    test = raw.test
    if test.p is None or adjusted is None:
        return test
    # Holm's factor of this test holds for the columns in it, too.
    factor = adjusted / test.p
    changed = adjusted <= alpha
    test = dataclasses.replace(test, adjusted=adjusted, changed=changed)
    if raw.differences is None:
        return test
    columns: Largest = largest(raw.differences)
    actual = raw.differences[0]
    reach = float(np.quantile(columns.largest, 1 - bound, method="higher")) + POWER_80
    far = np.abs(actual) / np.where(columns.spread > 0, columns.spread, np.inf)
    changes = []
    for at in np.argsort(-far, kind="stable").tolist():
        column = raw.columns[at]
        p = factor * float(columns.p[at])
        changes.append(
            Change(
                column.name, column.share, _mean(column, raw.there & ~live),
                _mean(column, raw.there & live), float(actual[at]), min(1.0, p),
                reach * float(columns.spread[at]) or None, changed and p <= alpha,
            )
        )  # fmt: skip
    return dataclasses.replace(test, changes=tuple(changes))


def _mean(column: Column, side: Mask) -> float | None:
    values = (column.values if column.shown is None else column.shown)[side]
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else None
