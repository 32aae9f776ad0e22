"""Kinds of errors that people named, counted in answers, over all batches of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from harness import Rubric
from harness_rating.batches.records import Batch, Rating
from harness_rating.ratings.resolved import said

Answer = tuple[str, int, str, str]
"""Arm, round, split and example."""


@dataclass(frozen=True, slots=True)
class Named:
    """What raters named in one batch.

    Attributes:
        rated: answers of which somebody said something.
        kinds: answer -> kinds of errors that somebody named.
    """

    rated: frozenset[Answer]
    kinds: frozenset[tuple[Answer, str]]


def named_of(batch: Batch, ratings: Iterable[Rating]) -> Named:
    """The kinds that stand (:mod:`harness_rating.ratings.resolved`), whoever of the raters named
    them.

    Pairs are left out: nothing says which of the two answers is meant. Of a rubric that does not
    ask for kinds of errors there is nothing.
    """
    criteria = _naming(batch.rubric)
    rated: set[Answer] = set()
    kinds: set[tuple[Answer, str]] = set()
    for item, raters in said(batch, ratings).items() if criteria else ():
        placing = batch.placings[item]
        if len(placing.rounds) != 1:
            continue
        answer = placing.arm, placing.rounds[0], placing.split, placing.example_id
        rated.add(answer)
        for values in raters.values():
            picked = (kind for name in criteria for kind in _picked(values.get(name)))
            kinds |= {(answer, kind) for kind in picked}
    return Named(frozenset(rated), frozenset(kinds))


def named_rows(found: Iterable[Named]) -> list[dict[str, Any]]:
    """Rows of the table ``named_errors``: an answer counts once for each kind, in however many
    batches it is.
    """
    batches = list(found)
    rated = Counter(answer[:3] for answer in {a for one in batches for a in one.rated})
    kinds = Counter((a[:3], kind) for a, kind in {k for one in batches for k in one.kinds})
    return [
        {
            "arm": place[0], "round": place[1], "split": place[2], "category": kind,
            "answers": count, "rated": rated[place],
        }
        for (place, kind), count in sorted(kinds.items())
    ]  # fmt: skip


def _naming(rubric: Rubric) -> list[str]:
    return [one.id for one in rubric.criteria if one.use_as == "error_category"]


def _picked(value: Any) -> Iterator[str]:
    """The choices in a value of kind ``choice`` or ``choices``."""
    yield from [value] if isinstance(value, str) else value or ()
