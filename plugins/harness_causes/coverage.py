"""Signals of the training rows: what the nearest ones teach, and how near is near."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean
from typing import Any

from harness import Example
from harness.kit.alike.words import Rows, asked, words
from harness_causes.answers import Answer, Reader, agreement, best_agreement
from harness_causes.options import CausesOptions

SAMPLE = 2_000
"""Training rows from which is learned how near neighbours usually are."""
SPARE = 8
"""Further neighbours looked up, to have enough after near copies and kin are left out."""
LEAST = 20
"""Training rows with a neighbour from which "usually" has a meaning."""
ALIKE = 3
"""Answers of train, the nearest to a reference by text, that are compared with it."""
TELLING = 0.25
"""Share of neighbours with the same answer from which its absence says something."""
LISTED = 10
"""Rows that stand behind a mean, at most."""

Neighbour = tuple[int, float]
"""Place in train, and similarity (0 to 1)."""
PairWords = tuple[frozenset[str], tuple[str, ...]]
"""The words of an answer, and those of the prompt that it answers, in their order."""


@dataclass(frozen=True, slots=True)
class Near:
    """What the training rows nearest to one prompt teach; all shares are by similarity.

    ``rank``, ``support``, ``voice`` and ``disputed`` are means over the wrong answers that want
    the same answer (the same heading, say): what train fails to teach, it fails for all of them,
    and a mean is steadier than five neighbours. Where an answer has no rows behind a mean,
    ``supporters``, ``voices`` and ``disputes`` are those that are commonest among the others.

    Attributes:
        rows: the nearest ones, the nearest first.
        pooled: wrong answers that the means are of.
        rank: share of training rows whose own nearest row is farther than this one's, None
            where train is too small to say.
        support: share that agree with a reference.
        supporters: those rows, the nearest first.
        voice: greatest share that agree with each other on another answer.
        voices: those rows.
        followed: the model gave their answer.
        disputed: share that have a near copy with a contradicting answer.
        disputes: those rows, each followed by its copies.
        taught: some row of train has an answer like a reference; None where that says
            nothing, because neighbours in this train seldom share their answer.
    """

    rows: tuple[Neighbour, ...]
    pooled: int
    rank: float | None
    support: float
    supporters: tuple[int, ...]
    voice: float
    voices: tuple[int, ...]
    followed: bool
    disputed: float
    disputes: tuple[int, ...]
    taught: bool | None

    @property
    def best(self) -> float:
        return self.rows[0][1] if self.rows else 0.0


class Coverage:
    """The training rows, ready to be asked what they teach.

    Args:
        reader: reads their answers, as it read those that they are compared with.
        options: ``near``, ``agree`` and ``twin`` of them.
    """

    def __init__(
        self, train: Sequence[Example], reader: Reader, seed: int, options: CausesOptions
    ) -> None:
        self.train, self.options = train, options
        self.answers = [reader.read(row.references[0] if row.references else "") for row in train]
        self._index = Rows([asked(row) for row in train])
        places = range(len(train))
        self._sample = sorted(random.Random(seed).sample(places, min(SAMPLE, len(train))))
        self._around: dict[int, list[Neighbour]] = {}

    def read(
        self, rows: Sequence[Example], answers: Sequence[Answer],
        references: Sequence[Sequence[Answer]],
    ) -> list[Near]:  # fmt: skip
        """The signals of each wrong answer: its example, itself, and its references."""
        nearest = self._index.nearest([asked(row) for row in rows], self.options.near)
        self._look_around({place for near in nearest for place, _ in near} | set(self._sample))
        # How near the nearest other row of a training row is: what is usual in this train.
        usual = sorted(own[0][1] for p in self._sample if (own := self._strangers(p)))
        # Where neighbours share no answers, its absence says nothing: not worth the search.
        taught: Sequence[bool | None] = [None] * len(rows)
        if self._telling():
            taught = self._taught([row.references for row in rows], references)
        nears = [
            self._near(row, neighbours, answer, own, _rank(neighbours, usual), is_taught)
            for row, neighbours, answer, own, is_taught in zip(
                rows, nearest, answers, references, taught, strict=True
            )
        ]
        return _pooled(nears, references)

    def _near(
        self, row: Example, neighbours: Sequence[Neighbour], answer: Answer,
        references: Sequence[Answer], rank: float | None, taught: bool | None,
    ) -> Near:  # fmt: skip
        agree = self.options.agree
        total = _weight(neighbours) or 1.0
        agreeing = {
            p for p, _ in neighbours if best_agreement(self.answers[p], references) >= agree
        }
        wanted = [_pair_words(row, reference) for reference in references]
        others = [
            (p, similarity)
            for p, similarity in neighbours
            if p not in agreeing
            and not any(_differ_as_asked(self._pair_words(p), own) for own in wanted)
        ]
        voices = self._voice(others)
        twins = {place: self._contradicting(place) for place, _ in neighbours}
        return Near(
            rows=tuple(neighbours),
            pooled=1,
            rank=rank,
            support=sum(s for p, s in neighbours if p in agreeing) / total,
            supporters=tuple(p for p, _ in neighbours if p in agreeing),
            voice=_weight(voices) / total,
            voices=tuple(place for place, _ in voices),
            followed=bool(voices) and agreement(answer, self.answers[voices[0][0]]) >= agree,
            disputed=sum(s for p, s in neighbours if twins[p]) / total,
            disputes=tuple(
                dict.fromkeys(q for p, _ in neighbours if twins[p] for q in (p, *twins[p]))
            ),
            taught=taught,
        )

    def _voice(self, neighbours: Sequence[Neighbour]) -> list[Neighbour]:
        """Two or more that agree with one of them, the one that most (by similarity) follow."""
        parties = [[n] for n in neighbours]
        for (i, (place, _)), (j, (other, _)) in combinations(enumerate(neighbours), 2):
            if agreement(self.answers[place], self.answers[other]) >= self.options.agree:
                parties[i].append(neighbours[j])
                parties[j].append(neighbours[i])
        voices = [party for party in parties if len(party) > 1]
        return sorted(max(voices, key=_weight, default=[]), key=lambda n: -n[1])

    def _look_around(self, places: set[int]) -> None:
        order = sorted(places)
        around = self._index.around(order, self.options.near + SPARE)
        for place, neighbours in zip(order, around, strict=True):
            self._around[place] = [n for n in neighbours if n[0] != place]

    def _strangers(self, place: int) -> list[Neighbour]:
        """A training row's neighbours without its kin and near copies."""
        own = self.train[place]
        strangers = [
            (other, similarity)
            for other, similarity in self._around[place]
            if similarity < self.options.twin and not _kin(own, self.train[other])
        ]
        return strangers[: self.options.near]

    def _contradicting(self, place: int) -> list[int]:
        """Near copies of a training row that teach another answer, though they ask the same."""
        mine = self.answers[place]
        return [
            other
            for other, similarity in self._around[place]
            if similarity >= self.options.twin
            and agreement(mine, self.answers[other]) < self.options.agree
            and not _differ_as_asked(self._pair_words(place), self._pair_words(other))
        ]

    def _pair_words(self, place: int) -> PairWords:
        return _pair_words(self.train[place], self.answers[place])

    def _telling(self) -> bool:
        """Whether neighbours in train usually have the same answer."""
        shares = []
        for place in self._sample:
            same = [
                agreement(self.answers[place], self.answers[other]) >= self.options.agree
                for other, _ in self._strangers(place)
            ]
            if same:
                shares.append(sum(same) / len(same))
        return len(shares) >= LEAST and sum(shares) / len(shares) >= TELLING

    def _taught(
        self, texts: Sequence[Sequence[str]], references: Sequence[Sequence[Answer]]
    ) -> list[bool]:
        """For each example, whether any answer of train is like one of its references."""
        place_of = {row.references[0]: i for i, row in enumerate(self.train) if row.references}
        places = list(place_of.values())
        # One search for the references of all examples.
        nearest = iter(Rows(list(place_of)).nearest([text for own in texts for text in own], ALIKE))
        taught = []
        for own in references:
            # All of an example's are taken from `nearest`, whichever of them is like an answer.
            of_example = [(reference, next(nearest)) for reference in own]
            taught.append(any(
                agreement(reference, self.answers[places[p]]) >= self.options.agree
                for reference, near in of_example
                for p, _ in near
            ))  # fmt: skip
        return taught


def _pooled(nears: Sequence[Near], references: Sequence[Sequence[Answer]]) -> list[Near]:
    """The same with means over those whose first references are the same words."""
    wanted = [frozenset(own[0].worth.items()) if own else None for own in references]
    parties: dict[object, list[Near]] = defaultdict(list)
    for near, key in zip(nears, wanted, strict=True):
        parties[key].append(near)
    means = {key: _means(party) for key, party in parties.items() if key and len(party) > 1}
    return [
        replace(near, **{**means[key], **_own_rows(near)}) if key in means else near
        for near, key in zip(nears, wanted, strict=True)
    ]


def _own_rows(near: Near) -> dict[str, tuple[int, ...]]:
    """The rows behind its means that an answer has itself."""
    own = {"supporters": near.supporters, "voices": near.voices, "disputes": near.disputes}
    return {name: rows for name, rows in own.items() if rows}


def _means(party: Sequence[Near]) -> dict[str, Any]:
    """Means of the shares, and the rows behind them for those that have none of their own."""
    ranks = [near.rank for near in party if near.rank is not None]
    return {
        "pooled": len(party),
        "rank": fmean(ranks) if ranks else None,
        "support": fmean(near.support for near in party),
        "voice": fmean(near.voice for near in party),
        "disputed": fmean(near.disputed for near in party),
        "supporters": _commonest(near.supporters for near in party),
        "voices": _commonest(near.voices for near in party),
        "disputes": _commonest(near.disputes for near in party),
    }


def _commonest(rows: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    counts = Counter(place for own in rows for place in own)
    return tuple(sorted(counts, key=lambda place: (-counts[place], place))[:LISTED])


def _pair_words(row: Example, answer: Answer) -> PairWords:
    return frozenset(answer.worth), tuple(words(asked(row)))


def _differ_as_asked(pair: PairWords, other: PairWords) -> bool:
    """Whether two answers differ in words of their own prompts, in which these differ, too.

    ``from Utrecht to Zagreb`` asks for another city than ``from Zagreb to Tampere``, or ``from
    Zagreb to Utrecht``, though the prompts are near copies.
    """
    (mine, asked_of_me), (theirs, asked_of_them) = pair, other
    own, foreign = mine - theirs, theirs - mine
    if not (own <= set(asked_of_me) and foreign <= set(asked_of_them)):
        return False
    telling = own | foreign
    first, second = ([w for w in prompt if w in telling] for prompt in (asked_of_me, asked_of_them))
    return first != second


def _weight(neighbours: Iterable[Neighbour]) -> float:
    return sum(similarity for _, similarity in neighbours)


def _kin(row: Example, other: Example) -> bool:
    """Rows of one group, or of one descent (variants of a prompt, say)."""
    if row.group and row.group == other.group:
        return True
    ancestors = {row.id, row.parent} & {other.id, other.parent}
    return bool(ancestors - {None})


def _rank(neighbours: Sequence[Neighbour], usual: Sequence[float]) -> float | None:
    """:attr:`Near.rank`, by the similarities (in order) that are usual in train."""
    if len(usual) < LEAST:
        return None
    return bisect_left(usual, neighbours[0][1] if neighbours else 0.0) / len(usual)
