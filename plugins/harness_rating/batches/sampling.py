"""Which examples are rated.

``random`` and ``stratified`` stand for the whole set, so that their ratings may decide between
rounds. ``worst``, ``disagreement`` and ``changed`` look where something is to be found, and say
nothing of the rest. Every draw follows from the seed and the examples' ids alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from harness import DataError, Example, UsageError, near
from harness.kit.files import digest

T = TypeVar("T")
GROUP = "group"
VERDICTS = ("random", "stratified")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An example that may be rated.

    Attributes:
        answers: round -> what was answered.
        primary: the primary score of the rated round, turned so that more is better; None =
            not scored.
        scores: score name -> value of the rated round, turned likewise.
        right: round -> whether the answer counts as right; None where that cannot be said.
    """

    example: Example
    answers: Mapping[int, str]
    primary: float | None = None
    scores: Mapping[str, float | None] = field(default_factory=dict)
    right: Mapping[int, bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sample.

    Attributes:
        n: examples.
        by: for ``stratified``: ``group``, or a field of the examples' meta.
        known: what is true of all candidates, where there are too few of them.
    """

    strategy: str
    n: int
    seed: int
    by: str = GROUP
    known: str = "were answered"


def draw(candidates: Sequence[Candidate], wanted: Wanted) -> list[Candidate]:
    """The sample, in no telling order.

    Raises:
        UsageError: no such strategy or field.
        DataError: fewer examples can be drawn than are wanted.
    """
    if wanted.strategy not in STRATEGIES:
        guess = near(wanted.strategy, list(STRATEGIES))
        known = ", ".join(STRATEGIES)
        raise UsageError(
            f"there is no strategy '{wanted.strategy}'{guess}", hint=f"there are: {known}"
        )
    mixed = shuffled(candidates, lambda candidate: candidate.example.id, wanted.seed)
    ranked, kind = STRATEGIES[wanted.strategy](mixed, wanted)
    if len(ranked) < wanted.n:
        raise DataError(
            f"{wanted.n} examples are wanted, and {len(ranked)} {kind}",
            where=f"strategy {wanted.strategy}",
            hint=f"-n {len(ranked)}" if ranked else "choose another strategy or round",
        )
    return shuffled(
        ranked[: wanted.n], lambda candidate: candidate.example.id, [wanted.seed, "order"]
    )


def shuffled(values: Sequence[T], key: Callable[[T], object], salt: object) -> list[T]:
    """The values in an order that follows from their keys and the salt alone."""
    return sorted(values, key=lambda value: digest([salt, key(value)]))


_Ranked = tuple[list[Candidate], str]


def _random(mixed: list[Candidate], wanted: Wanted) -> _Ranked:
    return mixed, wanted.known


def _stratified(mixed: list[Candidate], wanted: Wanted) -> _Ranked:
    """Each stratum in proportion to its size, so that the plain mean stays right.

    Every so-many-th example from a random start, stratum behind stratum: each example has the
    same chance, and each stratum its share but for one (systematic sampling; W. G. Cochran,
    *Sampling Techniques*, 1977, ch. 8). Rounding each share would shut the small strata out.
    """
    strata: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in mixed:
        strata[_stratum(candidate.example, wanted.by)].append(candidate)
    if wanted.by != GROUP and not any(wanted.by in candidate.example.meta for candidate in mixed):
        fields = sorted({name for candidate in mixed for name in candidate.example.meta})
        raise UsageError(
            f"no example has a field '{wanted.by}'{near(wanted.by, fields)}",
            hint=f"there are: {', '.join([GROUP, *fields])}",
        )
    if len(mixed) < wanted.n:
        return mixed, wanted.known
    names = shuffled(list(strata), lambda name: name, [wanted.seed, "strata"])
    line = [candidate for name in names for candidate in strata[name]]
    start = int(digest([wanted.seed, "start"]), 16) % len(line)
    return [line[(start + k * len(line)) // wanted.n] for k in range(wanted.n)], ""


def _stratum(example: Example, by: str) -> str:
    if by == GROUP:
        return example.group or example.id
    return str(example.meta.get(by, ""))


def _worst(mixed: list[Candidate], wanted: Wanted) -> _Ranked:
    scored = [
        (candidate.primary, candidate) for candidate in mixed if candidate.primary is not None
    ]
    scored.sort(key=lambda pair: pair[0])
    return [candidate for _, candidate in scored], "have a primary score"


def _disagreement(mixed: list[Candidate], wanted: Wanted) -> _Ranked:
    """By the distance between an answer's best and worst rank over the metrics."""
    names = sorted({name for candidate in mixed for name in candidate.scores})
    if len(names) < 2:
        raise UsageError(
            f"metrics can only disagree where there are two; the run has {len(names)}",
            hint="another strategy, or a run with more metrics",
        )
    ranks = [_ranks([candidate.scores.get(name) for candidate in mixed]) for name in names]
    ranked = []
    for place, candidate in enumerate(mixed):
        own = [rank for column in ranks if (rank := column[place]) is not None]
        if len(own) > 1:
            ranked.append((min(own) - max(own), candidate))
    ranked.sort(key=lambda pair: pair[0])
    return [candidate for _, candidate in ranked], "are scored by two metrics"


def _ranks(values: Sequence[float | None]) -> list[float | None]:
    """Ranks in 0..1, equal values sharing their mean rank; None stays None."""
    places: dict[float, list[int]] = defaultdict(list)
    for rank, value in enumerate(sorted(v for v in values if v is not None)):
        places[value].append(rank)
    last = max(sum(map(len, places.values())) - 1, 1)
    mean = {value: sum(ranks) / len(ranks) / last for value, ranks in places.items()}
    return [None if value is None else mean[value] for value in values]


def _changed(mixed: list[Candidate], wanted: Wanted) -> _Ranked:
    flipped = [candidate for candidate in mixed if set(candidate.right.values()) == {True, False}]
    return flipped, "went from right to wrong or back between the rounds"


STRATEGIES: Mapping[str, Callable[[list[Candidate], Wanted], _Ranked]] = {
    "random": _random,
    "stratified": _stratified,
    "worst": _worst,
    "disagreement": _disagreement,
    "changed": _changed,
}
