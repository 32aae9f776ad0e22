"""``harness drift`` where shares of topics wander from week to week: alarms, and what still rings.

    python benchmarks/drift_weeks.py FOLDER [--minutes 10] [--series 200]

Rows of nine topics, of which a few have most rows, on three channels and in two languages. The
logit of each topic's share follows a first-order autoregression around its own mean, in weeks of
the reference and in the twelve that come after it. A quiet series is twelve looks at these weeks;
its alarm is a look whose least p, by Holm over its tests, is up to .05/12. In a look at a change
the live week has more of something, too. Each is judged with the dates of the rows and without.
p are of 99 permutations, and of 1,999 where these leave it open. Intervals are
Clopper and Pearson's, of 95 %. The folder keeps every series and look, and a call that was stopped
is gone on with. The tables of record are in drift.md.
"""

from __future__ import annotations

import argparse
import itertools
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from drift import ALPHA, FEW, LOOKS, Kept, Results, within

from harness import Example
from harness.kit.readers.live import LiveRow
from harness.stats.significance import holm
from harness_drift.columns import of_prompts
from harness_drift.permuting import (
    Deal,
    Floats,
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

STEPS = (99, 1_999)
TOPICS = 9
BASE = np.log(np.array([0.30, 0.20, 0.14, 0.10, 0.08, 0.06, 0.05, 0.04, 0.03]))
WORDS = [[f"{chr(97 + topic)}{chr(97 + at % 26)}{chr(101 + at // 26)}ord" for at in range(40)]
         for topic in range(TOPICS + 2)]  # fmt: skip
"""Of each topic; of a topic that is new, and of all."""


@dataclass(frozen=True)
class World:
    """How weeks wander, and how many rows they have.

    Attributes:
        sd: of a topic's logit.
        correlation: of a week with the next one.
        weeks: of the reference.
        rows: of the reference, and of each live week.
    """

    sd: float
    correlation: float
    weeks: int
    rows: tuple[int, int]


def logits(world: World, draw: np.random.Generator) -> Floats:
    """Of each week of the reference and then of the live ones, ``(weeks, TOPICS)``."""
    count = world.weeks + LOOKS
    wander = np.empty((count, TOPICS))
    wander[0] = draw.standard_normal(TOPICS)
    for week in range(1, count):
        new = draw.standard_normal(TOPICS)
        wander[week] = (
            world.correlation * wander[week - 1] + np.sqrt(1 - world.correlation**2) * new
        )
    return BASE + world.sd * wander


def week(
    logit: Floats, rows: int, number: int, draw: np.random.Generator, change: str = ""
) -> list[LiveRow]:
    """Rows of a week.

    Args:
        change: ``a topic``: 10 % more to 25 %; ``a new topic``: 20 % of the rows;
            ``a language``: 5 % more to 20 %.
    """
    shares = np.exp(logit) / np.exp(logit).sum()
    if change == "a topic":
        shares = shares * 0.75 / (1 - shares[3])
        shares[3] = 0.25
    topics = draw.choice(TOPICS, rows, p=shares / shares.sum())
    if change == "a new topic":
        topics[draw.random(rows) < 0.2] = TOPICS
    other = draw.random(rows) < (0.2 if change == "a language" else 0.05)
    made = []
    for at, topic in enumerate(topics.tolist()):
        own = draw.choice(WORDS[topic], 5).tolist()
        words = [*own, *draw.choice(WORDS[-1], 2 + int(draw.exponential(6))).tolist()]
        text = " ".join(words)
        meta = {
            "topic": f"t{topic}", "channel": str(draw.choice(("app", "mail", "chat"))),
            "language": "de" if other[at] else "en",
        }  # fmt: skip
        name = f"w{number}-{at}"
        turns = ({"role": "user", "content": text.swapcase() if other[at] else text},)
        made.append(LiveRow(Example(name, turns, meta=meta), name))
    return made


@cache
def dealt_rows(reference: int, live: int, permutations: int) -> Kept:
    """The deals of so many rows, each its own group: looks of one size have the same ones."""
    of, sides = np.arange(reference + live), np.arange(reference + live) >= reference
    blocks = tuple(Deal(of, sides, permutations).blocks())
    return Kept(of, sides, permutations, blocks)


@dataclass(frozen=True)
class Look:
    """Rows of both sides, and what the tests need of them.

    Attributes:
        features: of the texts, ``(n, DIMENSIONS)``.
        weeks: which weeks they are of, and which rows are live.
        kinds: ``(n, k)``.
    """

    features: Singles
    weeks: Weeks
    kinds: Floats

    @classmethod
    def of(cls, rows: list[LiveRow], live: Mask, features: Singles) -> Look:
        """With the weeks that the rows' groups name."""
        numbers = np.array([float(row.group.split("-")[0][1:]) for row in rows])
        kinds = np.column_stack([column.values for column in of_prompts(rows, live)[0]])
        return cls(features, Weeks(numbers, [row.group for row in rows], live), kinds)

    def rings(self) -> dict[str, int]:
        """Whether the least p, by Holm, is up to the level: with the weeks, and without."""
        alike = similar(self.features)
        scores = directions(alike)
        texts, kinds = spread(scores, self.weeks), spread(self.kinds, self.weeks)
        assert texts is not None and kinds is not None
        least = {"dated": 0.0, "undated": 0.0}
        live = self.weeks.live
        for step in STEPS:
            deal = dealt_rows(int((~live).sum()), int(live.sum()), step)
            distances = mmd(alike, deal)
            dealt = differences(self.kinds, deal)
            least["undated"] = _least(distances, dealt)
            distances[1:] += texts.distances(differences(scores, deal)[1:])
            dealt[1:] += kinds.differences(step)
            least["dated"] = _least(distances, dealt)
            if min(least.values()) * (step + 1) > FEW:
                break
        return {name: int(p <= ALPHA / LOOKS) for name, p in least.items()}


def _least(distances: Floats, dealt: Floats) -> float:
    return float(np.min(holm([p_of(distances), float(largest(dealt).p.min())])))


def reference_of(world: World, shares: Floats, draw: np.random.Generator) -> list[LiveRow]:
    each = world.rows[0] // world.weeks
    return [row for at in range(world.weeks) for row in week(shares[at], each, at, draw)]


def quiet(world: World, seed: int) -> dict[str, int | None]:
    """Whether twelve looks in which nothing happens have an alarm."""
    draw = np.random.default_rng(seed)
    shares = logits(world, draw)
    reference = reference_of(world, shares, draw)
    first, alarm = len(reference), {"dated": 0, "undated": 0}
    numbers = range(world.weeks, world.weeks + LOOKS)
    live = [week(shares[number], world.rows[1], number, draw) for number in numbers]
    # As in drift.py the texts of all looks weigh together.
    features = trigrams([row.example.prompt for rows in (reference, *live) for row in rows])
    for at, rows in enumerate(live):
        start = first + at * world.rows[1]
        own = np.concatenate([features[:first], features[start : start + len(rows)]])
        both = [*reference, *rows]
        for name, rings in Look.of(both, np.arange(len(both)) >= first, own).rings().items():
            alarm[name] |= rings
    return {name: int(rings) for name, rings in alarm.items()}


def changed(world: World, change: str, seed: int) -> dict[str, int | None]:
    """Whether one look finds it."""
    draw = np.random.default_rng(seed)
    shares = logits(world, draw)
    reference = reference_of(world, shares, draw)
    number = world.weeks + int(draw.integers(LOOKS))
    rows = [*reference, *week(shares[number], world.rows[1], number, draw, change)]
    features = trigrams([row.example.prompt for row in rows])
    return dict(Look.of(rows, np.arange(len(rows)) >= len(reference), features).rings())


CHANGES = ("a topic", "a new topic", "a language")
SMALL, LARGE = (400, 200), (1_000, 500)
WORLDS = [
    World(0.2, 0.5, 8, SMALL), World(0.2, 0.8, 8, SMALL), World(0.2, 0.5, 12, LARGE),
    World(0.0, 0.0, 8, SMALL), World(0.4, 0.5, 8, SMALL), World(0.2, 0.0, 8, SMALL),
]  # fmt: skip
POWER = [World(0.2, 0.5, 8, LARGE), World(0.2, 0.5, 12, LARGE), World(0.0, 0.0, 8, LARGE)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--looks", type=int, default=100, help="looks at each change")
    parser.add_argument("--world", type=int, action="append", help="number of a world")
    words = parser.parse_args()
    words.folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * words.minutes
    series, power = (Results(words.folder / f"{name}.jsonl") for name in ("wandering", "changes"))
    worlds = WORLDS if words.world is None else [WORLDS[at] for at in words.world]
    cells = list(itertools.product(POWER, CHANGES)) if words.world is None else []
    while time.monotonic() < end:
        todo = [world for world in worlds if series.done(str(world)) < words.series]
        looks = [cell for cell in cells if power.done(str(cell)) < words.looks]
        if not todo and not looks:
            break
        for world in todo:
            series.add(str(world), quiet(world, series.done(str(world))))
        for world, change in looks:
            seed = power.done(str((world, change)))
            power.add(str((world, change)), changed(world, change, seed))
    show(series, power)


def show(series: Results, power: Results) -> None:
    about = "| sd of the logit | correlation | weeks and rows of the reference | live rows |"
    print(f"{about} series | alarm, with dates | without |\n|---:|---:|---|---:|---:|---|---|")
    for world in WORLDS:
        if lines := series.found.get(str(world)):
            print(f"{_cells(world)} | {len(lines)} | {_both(lines)} |")
    print(f"\n{about} change | looks | found, with dates | without |")
    print("|---:|---:|---|---:|---|---:|---|---|")
    for world, change in itertools.product(POWER, CHANGES):
        if lines := power.found.get(str((world, change))):
            print(f"{_cells(world)} | {change} | {len(lines)} | {_both(lines)} |")


def _cells(world: World) -> str:
    first, live = world.rows
    return f"| {world.sd} | {world.correlation} | {world.weeks} of {first:,} | {live}"


def _both(lines: list[dict[str, int]]) -> str:
    return " | ".join(within(sum(line[name] for line in lines), len(lines))
                      for name in ("dated", "undated"))  # fmt: skip


if __name__ == "__main__":
    main()
