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
class SampleSpec:
    """Which sample is drawn.

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


def draw(candidates: Sequence[Candidate], sample: SampleSpec) -> list[Candidate]:
    """The sample, in no telling order.

    Raises:
        UsageError: no such strategy or field.
        DataError: fewer examples can be drawn than are wanted.
    """
    if sample.strategy not in STRATEGIES:
        guess = near(sample.strategy, list(STRATEGIES))
        strategies = ", ".join(STRATEGIES)
        raise UsageError(
            f"there is no strategy '{sample.strategy}'{guess}", hint=f"there are: {strategies}"
        )

    def example_id(candidate: Candidate) -> str:
        return candidate.example.id

    mixed = shuffled(candidates, sample.seed, example_id)
    ranked, kind = STRATEGIES[sample.strategy](mixed, sample)
    if len(ranked) < sample.n:
        raise DataError(
            f"{sample.n} examples are wanted, and {len(ranked)} {kind}",
            where=f"strategy {sample.strategy}",
            hint=f"-n {len(ranked)}" if ranked else "choose another strategy or round",
        )
    return shuffled(ranked[: sample.n], [sample.seed, "order"], example_id)


def shuffled(
    values: Sequence[T], salt: object, key: Callable[[T], object] = lambda value: value
) -> list[T]:
    """The values in an order that follows from their keys and the salt alone."""
    return sorted(values, key=lambda value: digest([salt, key(value)]))


_Ranked = tuple[list[Candidate], str]


def _random(mixed: list[Candidate], sample: SampleSpec) -> _Ranked:
    return mixed, sample.known


def _stratified(mixed: list[Candidate], sample: SampleSpec) -> _Ranked:
    """Each stratum in proportion to its size, so that the plain mean stays right.

    Every so-many-th example from a random start, stratum behind stratum: each example has the
    same chance, and each stratum its share but for one (systematic sampling; W. G. Cochran,
    *Sampling Techniques*, 1977, ch. 8). Rounding each share would shut the small strata out.
    """
    strata: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in mixed:
        strata[_stratum(candidate.example, sample.by)].append(candidate)
    if sample.by != GROUP and not any(sample.by in candidate.example.meta for candidate in mixed):
        fields = sorted({name for candidate in mixed for name in candidate.example.meta})
        raise UsageError(
            f"no example has a field '{sample.by}'{near(sample.by, fields)}",
            hint=f"there are: {', '.join([GROUP, *fields])}",
        )
    if len(mixed) < sample.n:
        return mixed, sample.known
    names = shuffled(list(strata), [sample.seed, "strata"])
    line = [candidate for name in names for candidate in strata[name]]
    start = int(digest([sample.seed, "start"]), 16) % len(line)
    return [line[(start + k * len(line)) // sample.n] for k in range(sample.n)], ""


def _stratum(example: Example, by: str) -> str:
    if by == GROUP:
        return example.group or example.id
    return str(example.meta.get(by, ""))


def _worst(mixed: list[Candidate], sample: SampleSpec) -> _Ranked:
    scored = [
        (candidate.primary, candidate) for candidate in mixed if candidate.primary is not None
    ]
    scored.sort(key=lambda pair: pair[0])  # equal ones stay mixed
    return [candidate for _, candidate in scored], "have a primary score"


def _disagreement(mixed: list[Candidate], sample: SampleSpec) -> _Ranked:
    """By the distance between an answer's best and worst rank over the metrics."""
    names = sorted({name for candidate in mixed for name in candidate.scores})
    if len(names) < 2:
        raise UsageError(
            f"metrics can only disagree where there are two; the run has {len(names)}",
            hint="another strategy, or a run with more metrics",
        )
    ranks = [_ranks([candidate.scores.get(name) for candidate in mixed]) for name in names]
    apart = []
    for candidate, ranks_by_metric in zip(mixed, zip(*ranks, strict=True), strict=True):
        ranks_known = [rank for rank in ranks_by_metric if rank is not None]
        if len(ranks_known) > 1:
            apart.append((max(ranks_known) - min(ranks_known), candidate))
    apart.sort(key=lambda pair: -pair[0])
    return [candidate for _, candidate in apart], "are scored by two metrics"


def _ranks(values: Sequence[float | None]) -> list[float | None]:
    """Ranks in 0..1, equal values sharing their mean rank; None stays None."""
    places: dict[float, list[int]] = defaultdict(list)
    for rank, value in enumerate(sorted(value for value in values if value is not None)):
        places[value].append(rank)
    last = max(sum(map(len, places.values())) - 1, 1)
    mean = {value: sum(ranks) / len(ranks) / last for value, ranks in places.items()}
    return [None if value is None else mean[value] for value in values]


def _changed(mixed: list[Candidate], sample: SampleSpec) -> _Ranked:
    flipped = [candidate for candidate in mixed if set(candidate.right.values()) == {True, False}]
    return flipped, "went from right to wrong or back between the rounds"


STRATEGIES: Mapping[str, Callable[[list[Candidate], SampleSpec], _Ranked]] = {
    "random": _random,
    "stratified": _stratified,
    "worst": _worst,
    "disagreement": _disagreement,
    "changed": _changed,
}
