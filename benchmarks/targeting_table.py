"""What ``targeting.py`` recorded, as tables: scores, differences with intervals, costs.

Of each seed the difference of two arms is that of their scores on the same dev rows. Its interval
over seeds is Student's t with one degree of freedom less than there are seeds. Where each seed
draws its own rows (python-questions), dev rows are among what differs from seed to seed. Where all
seeds have the same dev rows, the interval speaks of these rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from harness.stats import student

Record = Mapping[str, Any]
Starved = Mapping[str, Sequence[str]]
"""Task -> its starved classes."""
BEFORE = "round 1"
ARMS = (BEFORE, "targeted", "random", "repeated", "epochs", "none")
LEVEL = 0.95
HEADS = (
    "arm", "rows added", "of starved classes", "score", "targeted minus it", "starved classes",
    "of these, targeted minus it", "other classes", "tokens", "seconds",
)  # fmt: skip


class Seeds:
    """The runs of one task, for the seeds of which each arm is recorded.

    Attributes:
        runs: seed -> arm -> line of the record.
    """

    def __init__(self, records: Iterable[Record], starved: Sequence[str]) -> None:
        found: dict[int, dict[str, Record]] = {}
        for one in records:
            found.setdefault(one["seed"], {})[one["arm"]] = one
        self.runs = {seed: found[seed] for seed in sorted(found) if set(ARMS) <= set(found[seed])}
        self.starved = starved

    def over(self, arm: str, what: Callable[[Record], float]) -> list[float]:
        """A figure of an arm, one of each seed."""
        return [what(runs[arm]) for runs in self.runs.values()]

    def score(self, arm: str, starved: bool | None = None) -> list[float]:
        """Mean score of the dev rows: of all, of the starved classes, or of the others."""
        scores = []
        for runs in self.runs.values():
            rows = zip(runs[BEFORE]["dev"], runs[arm]["values"], strict=True)
            kept = [
                value
                for (_, _, name), value in rows
                if starved is None or (name in self.starved) is starved
            ]
            scores.append(mean(kept))
        return scores

    def added(self, line: Record) -> int:
        """Rows of starved classes that a run added."""
        return sum(count for name, count in line["added"].items() if name in self.starved)

    def same(self, arm: str) -> int:
        """Seeds in which the arm took its training from the store: another arm had its rows."""
        return sum("train" not in runs[arm]["stages"] for runs in self.runs.values())


def interval(differences: Sequence[float]) -> str:
    """Mean and interval over seeds; no interval of a single one."""
    middle = mean(differences)
    if len(differences) < 2:
        return f"{middle:+.3f}"
    spread = stdev(differences) / math.sqrt(len(differences))
    half = student.quantile(len(differences) - 1, (1 + LEVEL) / 2) * spread
    return f"{middle:+.3f} [{middle - half:+.3f}, {middle + half:+.3f}]"


def show(records: Sequence[Record], starved: Starved) -> None:
    """The tables of all tasks with a complete seed."""
    for task, names in starved.items():
        seeds = Seeds((one for one in records if one["task"] == task), names)
        if seeds.runs:
            primary = next(iter(seeds.runs.values()))[BEFORE]["primary"]
            print(f"\n{task}: {primary} on dev, seeds {', '.join(map(str, seeds.runs))}\n")
            _arms(seeds)
            print()
            _found(seeds)


def _arms(seeds: Seeds) -> None:
    _row(*HEADS)
    _row(*["---"] * len(HEADS))
    whole, scarce = seeds.score("targeted"), seeds.score("targeted", starved=True)
    for arm in ARMS:
        scores, weak = seeds.score(arm), seeds.score(arm, starved=True)
        cells = ["", ""]
        if arm != "targeted":
            cells = [interval(_less(whole, scores)), interval(_less(scarce, weak))]
        _row(
            arm,
            f"{mean(seeds.over(arm, lambda line: sum(line['added'].values()))):.0f}",
            f"{mean(seeds.over(arm, seeds.added)):.1f}",
            f"{mean(scores):.3f}",
            cells[0],
            f"{mean(weak):.3f}",
            cells[1],
            f"{mean(seeds.score(arm, starved=False)):.3f}",
            f"{mean(seeds.over(arm, lambda line: line['tokens'])):,.0f}",
            f"{mean(seeds.over(arm, lambda line: line['seconds'])):.0f}",
        )
    for arm in ARMS[1:]:
        if seeds.same(arm):
            print(f"\n{arm}: in {seeds.same(arm)} of {len(seeds.runs)} seeds the training of an "
                  "earlier arm, on the same rows")  # fmt: skip


def _found(seeds: Seeds) -> None:
    """What round 1 of each seed found and planned."""
    _row("seed", "round 1", "starved classes", "others", "planned", "targeted", "random")
    _row(*["---"] * 7)
    columns = zip(
        seeds.runs.items(),
        seeds.score(BEFORE), seeds.score(BEFORE, starved=True), seeds.score(BEFORE, starved=False),
        seeds.score("targeted"), seeds.score("random"), strict=True,
    )  # fmt: skip
    for (seed, runs), *scores in columns:
        before, weak, rest, targeted, drawn = (f"{score:.3f}" for score in scores)
        plan = ", ".join(f"{count} {place}" for place, count in runs[BEFORE]["plan"])
        _row(seed, before, weak, rest, re.sub(r"\|", "/", plan), targeted, drawn)


def _less(one: Sequence[float], other: Sequence[float]) -> list[float]:
    return [mine - theirs for mine, theirs in zip(one, other, strict=True)]


def _row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |")
