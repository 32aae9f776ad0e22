"""What ``targeting.py`` recorded, as tables: scores, differences with intervals, costs.

Of each seed the difference of two arms is that of their scores on the same dev rows. Where all
seeds have the same dev rows, seeds and groups of rows are crossed, and the interval allows for
other seeds and other rows (``harness.stats.crossed``). Where each seed draws its own rows
(python-questions), dev rows are among what differs from seed to seed: Student's t over seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import mean, stdev
from typing import Any

import numpy as np

from harness import stats
from harness.stats import student

Record = Mapping[str, Any]
Starved = Mapping[str, Sequence[str]]
"""Task -> its starved classes."""
BEFORE, TARGETED = "round 1", "targeted"
ARMS = (BEFORE, TARGETED, "random", "repeated", "epochs", "none")
LEVEL = 0.95
HEADS = (
    "arm", "seeds", "rows added", "of starved classes", "score", "targeted minus it",
    "starved classes", "of these, targeted minus it", "tokens", "seconds",
)  # fmt: skip


class Seeds:
    """The runs of one task: the seeds for which round 1 and its targeted round 2 are recorded.

    Attributes:
        runs: seed -> arm -> line of the record.
    """

    def __init__(self, records: Iterable[Record], starved: Sequence[str]) -> None:
        found: dict[int, dict[str, Record]] = {}
        for one in records:
            found.setdefault(one["seed"], {})[one["arm"]] = one
        self.runs = {
            seed: found[seed] for seed in sorted(found) if {BEFORE, TARGETED} <= set(found[seed])
        }
        self.starved = starved

    def of(self, arm: str) -> list[int]:
        """The seeds for which an arm is recorded."""
        return [seed for seed, runs in self.runs.items() if arm in runs]

    def over(self, arm: str, what: Callable[[Record], float]) -> float:
        """A figure of an arm, the mean over its seeds."""
        return mean(what(self.runs[seed][arm]) for seed in self.of(arm))

    def scores(self, arm: str, seeds: Sequence[int], starved: bool | None = None) -> list[float]:
        """For each seed the mean score of dev rows: all, of the starved classes, or the others."""
        return [mean(value for _, value in self._rows(seed, arm, starved)) for seed in seeds]

    def less(self, arm: str, starved: bool | None = None) -> str:
        """Targeted minus the arm, with its interval over the seeds that the arm has."""
        seeds = self.of(arm)
        rows = [
            [
                (group, mine - theirs)
                for (group, mine), (_, theirs) in zip(
                    self._rows(seed, TARGETED, starved), self._rows(seed, arm, starved), strict=True
                )
            ]
            for seed in seeds
        ]
        if len({tuple(group for group, _ in one) for one in rows}) == 1:
            return over_seeds_and_groups(rows)
        return over_seeds([mean(value for _, value in one) for one in rows])

    def _rows(self, seed: int, arm: str, starved: bool | None) -> list[tuple[str, float]]:
        """Group and score of dev rows."""
        runs = self.runs[seed]
        return [
            (group, value)
            for (_, group, name), value in zip(
                runs[BEFORE]["dev"], runs[arm]["values"], strict=True
            )
            if starved is None or (name in self.starved) is starved
        ]

    def added(self, line: Record) -> int:
        """Rows of starved classes that a run added."""
        return sum(count for name, count in line["added"].items() if name in self.starved)

    def stored(self, arm: str) -> int:
        """Seeds in which an earlier arm had trained on the arm's rows."""
        return sum("train" not in self.runs[seed][arm]["stages"] for seed in self.of(arm))

    def alike(self) -> int:
        """Seeds in which nothing was found, so that targeted rows are random ones."""
        return sum(
            [place for place, _ in runs[BEFORE]["plan"]] == ["everywhere"]
            for runs in self.runs.values()
        )

    def analysis(self) -> float:
        """The most seconds that a run's analysis took."""
        return max(
            one["stages"].get("analyze", 0) for runs in self.runs.values() for one in runs.values()
        )


def over_seeds(differences: Sequence[float]) -> str:
    """Mean and interval by Student's t; no interval of a single seed."""
    middle = mean(differences)
    if len(differences) < 2:
        return f"{middle:+.3f}"
    spread = stdev(differences) / math.sqrt(len(differences))
    half = student.quantile(len(differences) - 1, (1 + LEVEL) / 2) * spread
    return _shown(middle, middle - half, middle + half)


def over_seeds_and_groups(rows: Sequence[Sequence[tuple[str, float]]]) -> str:
    """The same for differences of the same rows in each seed."""
    middle = mean(value for one in rows for _, value in one)
    if len(rows) < 2:
        return f"{middle:+.3f}"
    names = [group for group, _ in rows[0]]
    cells = [
        stats.pseudo_values(_mean, np.array([[value] for _, value in one]), names)[:, 0]
        for one in rows
    ]
    return _shown(middle, *stats.crossed(np.stack(cells)).bounds((1 + LEVEL) / 2))


def _mean(sums: stats.Floats, rows: stats.Floats) -> stats.Floats:
    means: stats.Floats = sums / rows[..., None]
    return means


def _shown(middle: float, low: float | None, high: float | None) -> str:
    around = "" if low is None or high is None else f" [{low:+.3f}, {high:+.3f}]"
    return f"{middle:+.3f}{around}"


def show(records: Sequence[Record], starved: Starved) -> None:
    """The tables of all tasks with a seed of which round 1 and its targeted round 2 are there."""
    for task, names in starved.items():
        seeds = Seeds((one for one in records if one["task"] == task), names)
        if seeds.runs:
            primary = next(iter(seeds.runs.values()))[BEFORE]["primary"]
            print(f"\n{task}: {primary} on dev, seeds {', '.join(map(str, seeds.runs))}\n")
            _arms(seeds)
            print(f"\nno slice was found in {seeds.alike()} of {len(seeds.runs)} seeds; the "
                  f"analysis took {seeds.analysis():.1f} s a run at most\n")  # fmt: skip
            _found(seeds)


def _arms(seeds: Seeds) -> None:
    _row(*HEADS)
    _row(*["---"] * len(HEADS))
    for arm in ARMS:
        if not (there := seeds.of(arm)):
            continue
        scores, weak = seeds.scores(arm, there), seeds.scores(arm, there, starved=True)
        less = ["", ""] if arm == TARGETED else [seeds.less(arm), seeds.less(arm, starved=True)]
        _row(
            arm,
            len(there),
            f"{seeds.over(arm, lambda line: sum(line['added'].values())):.0f}",
            f"{seeds.over(arm, seeds.added):.1f}",
            f"{mean(scores):.3f}",
            less[0],
            f"{mean(weak):.3f}",
            less[1],
            f"{seeds.over(arm, lambda line: line['tokens']):,.0f}",
            f"{seeds.over(arm, lambda line: line['seconds']):.0f}{_stored(seeds, arm)}",
        )


def _stored(seeds: Seeds, arm: str) -> str:
    number = seeds.stored(arm)
    return f" ({number} stored)" if number else ""


def _found(seeds: Seeds) -> None:
    """What round 1 of each seed found and planned, and what came of it."""
    _row("seed", "round 1", "starved classes", "others", "planned", *ARMS[1:])
    _row(*["---"] * (4 + len(ARMS)))
    for seed, runs in seeds.runs.items():
        shown = [seeds.scores(BEFORE, [seed], starved)[0] for starved in (None, True, False)]
        plan = ", ".join(f"{count} {place}" for place, count in runs[BEFORE]["plan"])
        after = [f"{seeds.scores(arm, [seed])[0]:.3f}" if arm in runs else "" for arm in ARMS[1:]]
        _row(seed, *(f"{score:.3f}" for score in shown), plan, *after)


def _row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |")
