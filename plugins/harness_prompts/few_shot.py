"""The baseline ``few-shot``: examples of train before each prompt, as earlier turns."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

import harness
from harness.kit.alike.words import PartedRows
from harness_prompts.places import Places
from harness_prompts.turns import parts

ROLES = ("user", "assistant")


class FewShot(harness.Baseline):
    """Examples of train before each prompt, those most like it, as turns of the conversation."""

    name = "few-shot"
    revision = 2
    known_as: ClassVar[Sequence[str]] = ("fewshot", "examples", "in-context")
    synonyms = {"n": "k", "shots": "k", "num_fewshot": "k", "field": "balance"}

    class Options(harness.Options):
        """
        Attributes:
            k: how many examples.
            balance: a field of meta whose values the examples share alike; empty: the nearest.
        """

        k: int = Field(3, ge=1, le=64, description="examples of train before each prompt, 1 to 64")
        balance: str = Field(
            "",
            description="a field of train's `meta` whose values take turns among the "
            "examples; without it the nearest are taken",
        )

    def prompts(
        self,
        rows: Sequence[harness.Example],
        train: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[harness.Example]:
        pools = list(self._pools(train).values())
        nearest = Nearest(pools, Places(_usable_of(train), self.options.k))
        for row, shown in zip(rows, nearest.to(rows, self.options.k), strict=True):
            if len(shown) < self.options.k:
                raise harness.ConfigError(
                    f"{self.options.k} examples are asked for, and train has {len(shown)} for "
                    f"the prompt '{row.id}' that can be shown: with a reference, of text alone, "
                    "and of another group than the prompt",
                    hint=f"baselines: [{{plugin: few-shot, k: {max(1, len(shown))}}}]",
                )
            own, spoken = parts(row)
            earlier = [turn for example in shown for turn in _turns(example)]
            yield dataclasses.replace(row, messages=(*own, *earlier, *spoken))

    def description(self, train: Sequence[harness.Example]) -> str:
        k, field, usable = self.options.k, self.options.balance, _usable_of(train)
        chosen = f"the values of {field} in turns, the nearest of each" if field else "the nearest"
        many = "example" if k == 1 else "examples"
        *first, last = Places(usable, k).names
        places = f"{', '.join(first)} and {last}" if first else last
        return f"{k} {many} of train before each prompt: {chosen} by {places}"

    def _pools(self, train: Sequence[harness.Example]) -> dict[object, list[harness.Example]]:
        """The examples that can be shown, by the value that is balanced.

        Raises:
            ConfigError: none of them has the field.
        """
        usable, field = _usable_of(train), self.options.balance
        if not field:
            return {"": usable}
        pools: dict[object, list[harness.Example]] = {}
        for row in usable:
            if isinstance(value := row.meta.get(field), (str, bool, int, float)):
                pools.setdefault(value, []).append(row)
        if usable and not pools:
            fields = sorted({name for row in usable for name in row.meta})
            raise harness.ConfigError(
                f"no row of train has the field '{field}' in its meta"
                f"{harness.near(field, fields)}; there are: {', '.join(fields) or 'none'}"
            )
        return pools


def _usable_of(train: Sequence[harness.Example]) -> list[harness.Example]:
    """The rows that have an answer, and turns of text alone."""
    return [
        row
        for row in train
        if row.references
        and all(
            turn.get("role") in ROLES and isinstance(turn.get("content"), str)
            for turn in parts(row)[1]
        )
    ]


def _turns(example: harness.Example) -> list[harness.Message]:
    """An example as turns; its system turn is left to the prompt's own."""
    spoken = [{"role": turn["role"], "content": turn["content"]} for turn in parts(example)[1]]
    return [*spoken, example.answer(example.references[0]).turn]


class Nearest:
    """Examples in pools, in which those nearest to a prompt are looked up.

    Args:
        pools: one, or one for each value that is balanced.
        places: where rows are compared.
    """

    def __init__(self, pools: Sequence[Sequence[harness.Example]], places: Places) -> None:
        self._pools = [list(pool) for pool in pools if pool]
        self._places = places
        self._texts = [PartedRows([places.of(row) for row in pool]) for pool in self._pools]
        self._sizes = Counter(row.group for pool in self._pools for row in pool)

    def to(self, rows: Sequence[harness.Example], k: int) -> Iterator[list[harness.Example]]:
        """For each row ``k`` examples of other groups, the nearest last; fewer where they run out.

        The pools take turns, the one with the nearest example first.
        """
        texts = [self._places.of(row) for row in rows]
        relatives = max((self._sizes[row.group] for row in rows), default=0)
        # So many more that rows of the prompt's own group, which are left out, do not use up k.
        ranked = [pool.nearest(texts, k + relatives) for pool in self._texts]
        for place, row in enumerate(rows):
            yield self._chosen(row, [ranks[place] for ranks in ranked], k)

    def _chosen(
        self, row: harness.Example, ranks: Sequence[Sequence[tuple[int, float]]], k: int
    ) -> list[harness.Example]:
        """``k`` examples, the nearest last.

        Args:
            ranks: of each pool (place in it, likeness), the nearest first.
        """
        queued = [
            (turn, -likeness, number, at)
            for number, rank in enumerate(ranks)
            for turn, (at, likeness) in enumerate(self._others(row, number, rank, k))
        ]
        first = sorted(queued)[:k]
        # -likeness is sorted from the greatest: the least alike come first.
        nearest_last = sorted(first, key=lambda entry: (-entry[1], entry[2], entry[3]))
        return [self._pools[number][at] for _, _, number, at in nearest_last]

    def _others(
        self, row: harness.Example, number: int, rank: Sequence[tuple[int, float]], k: int
    ) -> list[tuple[int, float]]:
        """Up to ``k`` of a pool, of other groups than the row's; those unlike it come last."""
        pool = self._pools[number]
        others = [(at, likeness) for at, likeness in rank if pool[at].group != row.group]
        if len(others) < k:
            ranked = {at for at, _ in rank}
            others += [
                (at, 0.0)
                for at, example in enumerate(pool)
                if at not in ranked and example.group != row.group
            ]
        return others[:k]
