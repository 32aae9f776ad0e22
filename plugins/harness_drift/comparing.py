"""Live rows beside a reference: up to four tests, and what each says of what changed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.readers.live import LiveRow
from harness.stats.significance import holm
from harness_drift import columns as kinds_of
from harness_drift.columns import Column
from harness_drift.permuting import (
    Deal,
    Floats,
    Largest,
    Mask,
    Singles,
    differences,
    largest,
    mmd,
    p_of,
    similar,
    trigrams,
)

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
class Tested:
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
class Compared:
    """All tests of a look, and how much more each live row is like live rows than the others.

    Attributes:
        witness: one for each row; live rows with the highest tell most.
    """

    tests: tuple[Tested, ...]
    features: Singles
    witness: Floats
    left_out: tuple[str, ...]


def compared(
    rows: Sequence[LiveRow],
    live: Mask,
    labels: Mapping[str, set[int]],
    alpha: float,
    permutations: int,
) -> Compared:
    """The tests of one look.

    Args:
        rows: of both sides; ``live (n,)`` says which are live. Groups are of one side each.
        labels: category of a detector -> the places of the rows whose answers show it.
        alpha: chance of any false alarm of this look.
    """
    features = trigrams([row.example.prompt for row in rows])
    alike = similar(features)
    everything = np.ones(len(rows), bool)
    deal = _deal(rows, live, everything, permutations)
    kinds, left_out = kinds_of.of_prompts(rows, live)
    raw: list[tuple[Tested, Floats | None, list[Column], Mask]] = []
    prompts = _untested("prompts", rows, live, everything)
    prompts = dataclasses.replace(prompts, p=p_of(mmd(alike, deal)))
    raw.append((prompts, None, [], everything))
    raw.append(_tested("kinds", kinds, rows, live, everything, permutations))
    answered = np.array([row.answer is not None for row in rows])
    rated = np.array([row.rating is not None for row in rows])
    answers = kinds_of.of_answers(rows, labels)
    raw.append(_tested("answers", answers, rows, live, answered, permutations))
    ratings = kinds_of.of_ratings(rows, kinds)
    raw.append(_tested("ratings", ratings, rows, live, rated, permutations))
    ps = [tested.p for tested, *_ in raw]
    adjusted = [None if math.isnan(p) else float(p) for p in holm(ps)]
    bound = alpha / max(1, sum(p is not None for p in ps))
    tests = tuple(
        _read(tested, holms, found, columns, live, there, alpha, bound)
        for (tested, found, columns, there), holms in zip(raw, adjusted, strict=True)
    )
    witness = np.asarray(alike[:, live].mean(axis=1) - alike[:, ~live].mean(axis=1), np.float64)
    return Compared(tests, features, witness, tuple(left_out))


def _deal(rows: Sequence[LiveRow], live: Mask, there: Mask, permutations: int) -> Deal:
    names = [(bool(live[at]), rows[at].group) for at in np.flatnonzero(there).tolist()]
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    sides = np.array([is_live for is_live, _ in places])
    return Deal(np.array([places[name] for name in names]), sides, permutations)


def _untested(aspect: Aspect, rows: Sequence[LiveRow], live: Mask, there: Mask) -> Tested:
    """The aspect with how many rows and groups have it."""
    of: list[list[LiveRow]] = [[], []]
    for at in np.flatnonzero(there).tolist():
        of[bool(live[at])].append(rows[at])
    reference, now = of
    groups = len({row.group for row in reference}), len({row.group for row in now})
    return Tested(aspect, None, rows=(len(reference), len(now)), groups=groups)


def _tested(
    aspect: Aspect, columns: list[Column], rows: Sequence[LiveRow], live: Mask, there: Mask,
    permutations: int,
) -> tuple[Tested, Floats | None, list[Column], Mask]:  # fmt: skip
    """The test of an aspect on the rows that have it, and the differences of all deals."""
    tested = _untested(aspect, rows, live, there)
    for name, groups in zip(("the reference has", "live rows have"), tested.groups, strict=True):
        if groups < LEAST_GROUPS:
            has = f"{name} {groups} groups" if groups else f"{name} none"
            return dataclasses.replace(tested, note=has), None, columns, there
    if not columns:
        return dataclasses.replace(tested, note="nothing differs among rows"), None, [], there
    deal = _deal(rows, live, there, permutations)
    found = differences(np.column_stack([c.values[there] for c in columns]), deal)
    return dataclasses.replace(tested, p=float(largest(found).p.min())), found, columns, there


def _read(
    tested: Tested, adjusted: float | None, found: Floats | None, columns: list[Column],
    live: Mask, there: Mask, alpha: float, bound: float,
) -> Tested:  # fmt: skip
    """The test with what it says of each column.

    Args:
        bound: chance of a false alarm that a test has where none of the others finds anything.
    """
    if tested.p is None or adjusted is None:
        return tested
    changed = adjusted <= alpha
    changes: tuple[Change, ...] = ()
    if found is not None:
        test: Largest = largest(found)
        # Holm's factor of this test holds for the columns in it, too.
        factor = adjusted / tested.p
        reach = float(np.quantile(test.largest, 1 - bound, method="higher")) + POWER_80
        changes = tuple(
            Change(
                column.name, column.share,
                _mean(column, there & ~live), _mean(column, there & live),
                float(found[0, at]), min(1.0, factor * float(test.p[at])),
                reach * float(test.spread[at]) or None,
                bool(changed and factor * test.p[at] <= alpha),
            )
            for at, column in enumerate(columns)
        )  # fmt: skip
        far = np.abs(found[0]) / np.where(test.spread > 0, test.spread, np.inf)
        order = np.argsort(-far, kind="stable")
        changes = tuple(changes[at] for at in order)
    return dataclasses.replace(tested, adjusted=adjusted, changed=changed, changes=changes)


def _mean(column: Column, side: Mask) -> float | None:
    values = (column.values if column.shown is None else column.shown)[side]
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else None
