"""How often verdicts are wrong, and how often they find what is there, in worlds of known truth.

    python benchmarks/verdicts.py [lopsided] [ordinary] [announced] [power] [--loops 4000]

Each part prints a table of ``benchmarks/verdicts.md``. Figures come from ``verdicts.judge``,
``minimum_detectable_effect`` and ``stats.difference`` themselves; the worlds are:

* ``lopsided``: null loops in which each round is better by a little on most rows and worse by .6
  on a few, true mean 0, with noise of sd .02 in each row. A loop is 1 or 3 rounds, each against the
  last one kept. *seen* counts loops in which a round with a loss among its rows was called
  *improved*; *unseen* is the share of loops with a round in whose rows no loss occurred, which no
  method can see.
* ``ordinary``: null loops of graded, heavy-tailed, rouge-like and pass/fail scores.
* ``clustered``: null loops of three rounds on 160 rows: normal scores of a fixed difficulty for
  each row and group, plus new noise of rows and groups in each round.
* ``announced``: a true gain of the size of either end of the announced range.
* ``before``: a true gain of the upper end that `init` and `plan` say before any answer, in scores
  that are 0 or 1 on nine rows of ten and in others; and one of the figure that a round's verdict
  has, in a round drawn anew.
* ``near-zero``: what is announced where the base model scores near 0, and what round 1 measures.
* ``guards``: false alarms of 1, 3 and 10 guards (scores that are independent) in a round that is
  as good as round 0, and how often losses of a quarter of a detectable effect in each of ten kept
  rounds are noticed by the end. A quarter of the loops.
* ``power``: rouge-like scores with a gain, by the present rule and without Hall's bound.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from worlds import (
    ORDINARY,
    Draw,
    Floats,
    Pair,
    drifting,
    graded,
    lopsided,
    mostly_ends,
    right_or_wrong,
    rouge,
    sizes,
    skewed,
    taught,
)

import harness
from harness import stats
from harness.config.aims import Guard
from harness.records import Example, Measurement
from harness.scoring import MetricEntry
from harness.stats import assumed, decision, student
from harness.verdicts import detectable_effect, guards, rule

DRAWS = 500
Labels = tuple[str, str]


class Given(harness.Metric):
    """A mean of given numbers."""

    name = "given"


ENTRY = MetricEntry("given", Given())


def measured(values: Floats) -> list[Measurement]:
    return [Measurement(f"{i:04}", "given", (float(v),)) for i, v in enumerate(values)]


def groups_of(codes: npt.NDArray[np.intp]) -> dict[str, str]:
    return {f"{i:04}": f"g{code:03}" for i, code in enumerate(codes)}


def judge(new: Floats, old: Floats, groups: dict[str, str], alpha: float, seed: int) -> str:
    return rule.judge(
        rule.DecidingScore(ENTRY, "given", groups, seed, draws=DRAWS),
        measured(new),
        measured(old),
        alpha=alpha,
    ).label


def both(new: Floats, old: Floats, codes: npt.NDArray[np.intp], alpha: float, seed: int) -> Labels:
    """The labels by Student's bound alone and by the rule: what ``judge`` says of no pass/fail."""
    (gap,) = stats.difference(
        ENTRY.aggregate, new[:, None], old[:, None], codes, seed, 1 - alpha, DRAWS
    )
    reach = student.quantile(gap.effective - 1, 1 - alpha) * (gap.se or 0.0)
    return (
        _label(gap.value - reach, gap.value + reach),
        _label(gap.low or 0.0, gap.high or 0.0),
    )


def _label(low: float, high: float) -> str:
    return "improved" if low > 0 else "regressed" if high < 0 else "no evidence"


def share(hits: int, of: int) -> str:
    return f"{100 * hits / of:.1f}"


# -- null loops ---------------------------------------------------------------------------------


def lopsided_table(loops: int) -> Iterator[str]:
    yield (
        "| losses | groups | rows | R=1: plain t | with Hall | seen | unseen "
        "| R=3: plain t | with Hall | seen | unseen |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for loss in (0.05, 0.02, 0.01):
        for shape in ("single", "equal", "uneven"):
            for count in (20, 40, 65, 200):
                codes = np.repeat(np.arange(count), sizes(shape, count))
                cells = [_lopsided(loss, codes, rounds, loops) for rounds in (1, 3)]
                yield (
                    f"| {100 * loss:g} % | {count} {shape} | {len(codes)} | "
                    + " | ".join(cell for one in cells for cell in one) + " |"
                )  # fmt: skip


def _lopsided(loss: float, codes: npt.NDArray[np.intp], rounds: int, loops: int) -> list[str]:
    rng, draw = np.random.default_rng(1), lopsided(loss)
    alpha, counts = decision.alpha_of(rounds), [0, 0, 0, 0]
    for seed in range(loops):
        before = np.full(len(codes), 0.5)
        changes = [draw(rng, codes) for _ in range(rounds)]
        old, labels = zip(
            *(both(before + c, before, codes, alpha, seed) for c in changes), strict=True
        )
        lost = [bool((c < -0.3).any()) for c in changes]
        seen = any(one == "improved" for one, loss in zip(labels, lost, strict=True) if loss)
        for place, hit in enumerate(("improved" in old, "improved" in labels, seen, not all(lost))):
            counts[place] += hit
    return [share(hits, loops) for hits in counts]


def ordinary_table(loops: int) -> Iterator[str]:
    yield "| scores | groups | R=1: improved | regressed | R=3: improved | regressed |"
    yield "|---|---|---|---|---|---|"
    for name, draw in ORDINARY.items():
        for shape, count in (("single", 200), ("equal", 40), ("uneven", 65)):
            codes = np.repeat(np.arange(count), sizes(shape, count))
            cells = [cell for rounds in (1, 3) for cell in _ordinary(draw, codes, rounds, loops)]
            yield f"| {name} | {count} {shape} | {' | '.join(cells)} |"


def _ordinary(
    draw: Draw, codes: npt.NDArray[np.intp], rounds: int, loops: int
) -> tuple[str, str]:  # fmt: skip
    rng, groups, alpha = np.random.default_rng(2), groups_of(codes), decision.alpha_of(rounds)
    better = worse = 0
    for seed in range(loops):
        kept, labels = draw(rng, codes), []
        for _ in range(rounds):
            new = draw(rng, codes)
            labels.append(judge(new, kept, groups, alpha, seed))
            kept = new if labels[-1] == "improved" else kept
        better += "improved" in labels
        worse += "regressed" in labels
    return share(better, loops), share(worse, loops)


UNEVEN = [16, 16, 16, 12, 10, 8, 7, 6, 6, 5, 4, 4, *[3] * 7, *[2] * 3, *[1] * 23]
"""45 groups: three as large as the rule allows, most of them single rows."""


def clustered_table(loops: int) -> Iterator[str]:
    yield "| groups | noise of a round | with an *improved* | with a *regressed* |"
    yield "|---|---|---|---|"
    for name, counts in (("40 of 4 rows", [4] * 40), ("45 of 1 to 16 rows", UNEVEN)):
        codes = np.repeat(np.arange(len(counts)), counts)
        for told, row, group in (
            ("rows only", 0.12, 0.0),
            ("rows .12, groups .05", 0.12, 0.05),
            ("rows .02, groups .12", 0.02, 0.12),
        ):
            better, worse = _clustered(codes, row, group, loops)
            yield f"| {name} | {told} | {better} % | {worse} % |"


def _clustered(
    codes: npt.NDArray[np.intp], row: float, group: float, loops: int
) -> tuple[str, str]:  # fmt: skip
    rng, groups, alpha = np.random.default_rng(7), groups_of(codes), decision.alpha_of(3)

    def noise(row: float, group: float) -> Floats:
        return rng.normal(0, row, len(codes)) + rng.normal(0, group, codes.max() + 1)[codes]

    counts = [0, 0]
    for seed in range(loops):
        hard = 0.3 + noise(0.15, 0.10)
        kept, labels = hard + noise(row, group), []
        for _ in range(3):
            new = hard + noise(row, group)
            labels.append(judge(new, kept, groups, alpha, seed))
            kept = new if labels[-1] == "improved" else kept
        counts[0] += "improved" in labels
        counts[1] += "regressed" in labels
    return share(counts[0], loops), share(counts[1], loops)


# -- what is there ------------------------------------------------------------------------------


SHAPES = {"100 single": (100, 1), "210 single": (210, 1), "160 in 40 groups": (40, 4)}
"""Groups, and rows in each."""


def announced_table(loops: int) -> Iterator[str]:
    worlds: list[tuple[str, Pair]] = [
        ("pass/fail .005, rows alike", right_or_wrong(0.005, 0.7)),
        ("pass/fail .1, rows alike", right_or_wrong(0.1, 0.7)),
        ("pass/fail .3, rows alike", right_or_wrong(0.3, 0.7)),
        ("pass/fail .3, unrelated", right_or_wrong(0.3, 0.0)),
        ("pass/fail .7, unrelated", right_or_wrong(0.7, 0.0)),
        ("pass/fail .9, unrelated", right_or_wrong(0.9, 0.0)),
        ("pass/fail .3, groups alike", right_or_wrong(0.3, 0.3, 0.3)),
        ("graded, sd .2 to .2, correlation .5", graded(0.2, 0.2, 0.5)),
        ("graded, sd .1 to .25, correlation .3", graded(0.1, 0.25, 0.3)),
        ("graded, sd .1 to .25, skewed", drifting),
        ("as ROUGE-L of docstrings", skewed),
    ]
    yield "| world | rows | announced | found at the lower end | at the upper end |"
    yield "|---|---|---|---|---|"
    for name, pair in worlds:
        for rows, (count, size) in SHAPES.items():
            codes = np.repeat(np.arange(count), size)
            low, high, first, second = _announced(pair, codes, loops)
            yield f"| {name} | {rows} | {low:.3f} to {high:.3f} | {first} | {second} |"


def _announced(
    pair: Pair, codes: npt.NDArray[np.intp], loops: int
) -> tuple[float, float, str, str]:  # fmt: skip
    """Mean announced range, and how often a true gain of its ends is found in round 1 of 3.

    The lower end is tried in one loop of five.
    """
    rng, groups, alpha = np.random.default_rng(3), groups_of(codes), decision.alpha_of(3)
    ends_of: dict[bytes, tuple[float, float] | None] = {}
    sums, hits, tried = [0.0, 0.0], [0, 0], [0, 0]
    for seed in range(loops):
        old, new = pair(rng, codes)
        old = np.clip(old, 0, 1)
        exact = len(groups) == codes.max() + 1 and bool(np.isin(old, (0.0, 1.0)).all())
        # Of single rows that pass or fail, the number of passes says all.
        key = np.sort(old).tobytes() if exact else old.tobytes()
        if key not in ends_of:
            score = rule.DecidingScore(ENTRY, "given", groups, seed, draws=DRAWS)
            ends_of[key], _ = detectable_effect.detectable_range(score, measured(old), alpha=alpha)
        for place, gain in enumerate(ends_of[key] or ()):
            if place or seed % 5 == 0:
                tried[place] += 1
                sums[place] += gain
                hits[place] += _found(new(gain), old, groups, alpha, seed, exact)
    low, high = (total / count for total, count in zip(sums, tried, strict=True))
    return low, high, share(hits[0], tried[0]), share(hits[1], tried[1])


def _found(
    new: Floats, old: Floats, groups: dict[str, str], alpha: float, seed: int, exact: bool
) -> bool:
    """Whether the gain is called *improved*; McNemar's test alone says so where it decides."""
    if not exact:
        return judge(new, old, groups, alpha, seed) == "improved"
    wins, losses = int((new > old).sum()), int((new < old).sum())
    return wins > losses and stats.mcnemar(wins, losses) < 2 * alpha


def before_table(loops: int) -> Iterator[str]:
    worlds: list[tuple[str, assumed.Values, Pair]] = [
        ("mostly 0 or 1, .3, rows alike", "mostly 0 or 1", mostly_ends(0.3, 0.7)),
        ("mostly 0 or 1, .5, unrelated", "mostly 0 or 1", mostly_ends(0.5, 0.0)),
        ("mostly 0 or 1, .6, rows alike", "mostly 0 or 1", mostly_ends(0.6, 0.7)),
        ("mostly 0 or 1, .6, unrelated", "mostly 0 or 1", mostly_ends(0.6, 0.0)),
        ("in between, sd .2 to .2, correlation .5", "in between", graded(0.2, 0.2, 0.5)),
        ("in between, sd .1 to .25, skewed", "in between", drifting),
        ("in between, as ROUGE-L of docstrings", "in between", skewed),
    ]
    yield "| scores | rows | before any answer | found at the upper end | at the round's figure |"
    yield "|---|---|---|---|---|"
    for name, kind, pair in worlds:
        for rows, (count, size) in (("200 single", (200, 1)), *SHAPES.items()):
            codes = np.repeat(np.arange(count), size)
            low, high = assumed.assumed_effect(list(groups_of(codes).values()), 3, kind)
            cells = _before(pair, codes, high, loops)
            yield f"| {name} | {rows} | {low:.3f} to {high:.3f} | {' | '.join(cells)} |"


def _before(pair: Pair, codes: npt.NDArray[np.intp], gain: float, loops: int) -> list[str]:
    """How often that gain is found, and one of the size that a verdict calls detectable.

    That verdict is of a round that gained about as much, since spread goes with the gain.
    """
    rng, groups, alpha = np.random.default_rng(5), groups_of(codes), decision.alpha_of(3)
    hits = [0, 0, 0]
    for seed in range(loops):
        score = rule.DecidingScore(ENTRY, "given", groups, seed, draws=DRAWS)
        size: float | None = gain
        for place in range(3):
            old, new = pair(rng, codes)
            sides = [measured(np.clip(side, 0, 1)) for side in (new(size or 0.0), old)]
            verdict = rule.judge(score, *sides, alpha=alpha)
            hits[place] += verdict.label == "improved"
            size = verdict.detectable
    return [share(hits[0], loops), share(hits[2], loops)]


def near_zero_table(loops: int) -> Iterator[str]:
    worlds = [
        ("0 passes, then .36", taught(0, 0, 0, 0.36, 0.2)),
        ("0 passes, then .9", taught(0, 0, 0, 0.9, 0.2)),
        ("1 % pass, then .5", taught(0.01, 0, 0, 0.5, 0.2)),
        ("graded .03, then .4 of the rows around .8", taught(0, 0.03, 0.15, 0.4, 0.2)),
        ("graded .06, then .5 of the rows around .8", taught(0, 0.06, 0.15, 0.5, 0.2)),
        ("graded .06, then .9 of the rows around .8", taught(0, 0.06, 0.15, 0.9, 0.2)),
    ]
    yield "| scores near 0 | rows | before any answer | after round 0 | by round 1, 90 % of runs |"
    yield "|---|---|---|---|---|"
    for name, pair in worlds:
        for rows, (count, size) in SHAPES.items():
            codes = np.repeat(np.arange(count), size)
            yield f"| {name} | {rows} | {' | '.join(_near_zero(pair, codes, loops))} |"


def _near_zero(pair: Pair, codes: npt.NDArray[np.intp], loops: int) -> list[str]:
    """Mean ranges, and the middle nine tenths of what round 1 of 3 measures."""
    rng, groups, alpha = np.random.default_rng(8), groups_of(codes), decision.alpha_of(3)
    ranges, figures = [], []
    for seed in range(loops):
        old, new = pair(rng, codes)
        score = rule.DecidingScore(ENTRY, "given", groups, seed, draws=DRAWS)
        ends, _ = detectable_effect.detectable_range(score, measured(old), alpha=alpha)
        ranges.append(ends)
        figures.append(rule.judge(score, measured(new(0)), measured(old), alpha=alpha).detectable)
    is_graded = not set(np.unique(old)) <= {0.0, 1.0}
    kind: assumed.Values = "in between" if is_graded else "pass or fail"
    first = assumed.assumed_effect(list(groups.values()), 3, kind)
    every = (first, np.mean(ranges, axis=0), np.quantile(figures, [0.05, 0.95]))
    return [f"{low:.3f} to {high:.3f}" for low, high in every]


def power_table(loops: int) -> Iterator[str]:
    yield "| rouge-like scores | gain | plain t | with Hall |"
    yield "|---|---|---|---|"
    for name, shape, count in (
        ("210 single rows", "single", 210),
        ("65 uneven groups", "uneven", 65),
    ):
        codes = np.repeat(np.arange(count), sizes(shape, count))
        for gain in (0.02, 0.04, 0.06):
            yield f"| {name} | {gain} | {' | '.join(_power(codes, gain, loops))} |"


def _power(codes: npt.NDArray[np.intp], gain: float, loops: int) -> Sequence[str]:
    rng, alpha = np.random.default_rng(4), decision.alpha_of(3)
    counts = [0, 0]
    for seed in range(loops):
        old = rouge(rng, codes)
        same = rng.random(len(codes)) < 0.4  # answers that training did not change
        new = np.where(same, old, rouge(rng, codes)) + gain
        for place, label in enumerate(both(new, old, codes, alpha, seed)):
            counts[place] += label == "improved"
    return [share(hits, loops) for hits in counts]


class Ten(harness.Metric):
    """Ten scores at once."""

    name = "ten"

    def score_names(self) -> Sequence[str]:
        return tuple(f"s{i}" for i in range(10))


ROWS = [Example(f"{i:04}", ({"role": "user", "content": "a"},)) for i in range(160)]


def _ten(rng: np.random.Generator, level: float) -> guards.Measured:
    codes = np.repeat(np.arange(40), 4)
    values = level + rng.normal(0, 0.15, (160, 10)) + rng.normal(0, 0.08, (40, 10))[codes]
    return {
        "ten": [
            Measurement(row.id, "ten", tuple(v))
            for row, v in zip(ROWS, values.tolist(), strict=True)
        ]
    }


def _state(
    count: int, new: guards.Measured, earlier: dict[str, guards.Measured], seed: int
) -> bool:
    """Whether any of so many guards is broken."""
    asked = [Guard(score=f"s{i}") for i in range(count)]
    by = groups_of(np.repeat(np.arange(40), 4))
    found = guards.judge(
        asked, [MetricEntry("ten", Ten())], "s0", ROWS, new, earlier, by, seed=seed
    )
    return any(one.state == "broken" for one in found)


def guards_table(loops: int) -> Iterator[str]:
    loops //= 4
    yield "| guards | compared with | rounds with a false alarm |"
    yield "|---|---|---|"
    for count in (1, 3, 10):
        for names in (["round 0"], ["round 1", "round 0"]):
            rng, hits = np.random.default_rng(5), 0
            for seed in range(loops):
                new, *earlier = (_ten(rng, 0.5) for _ in range(1 + len(names)))
                hits += _state(count, new, dict(zip(names, earlier, strict=True)), seed)
            yield f"| {count} | {' and '.join(names)} | {share(hits, loops)} |"
    yield ""
    yield "| ten kept rounds, each worse by a quarter of a detectable effect | noticed |"
    yield "|---|---|"
    rng, counts = np.random.default_rng(6), [0, 0]
    for seed in range(loops):
        rounds = [_ten(rng, 0.5 - 0.25 * 0.06 * k) for k in range(11)]
        for place, both_ in enumerate((False, True)):
            counts[place] += any(
                _state(
                    1,
                    rounds[k],
                    {f"round {k - 1}": rounds[k - 1]}
                    | ({"round 0": rounds[0]} if both_ and k > 1 else {}),
                    seed,
                )
                for k in range(1, 11)
            )
    yield f"| against the kept round alone | {share(counts[0], loops)} |"
    yield f"| against round 0 too | {share(counts[1], loops)} |"


TABLES: dict[str, Callable[[int], Iterator[str]]] = {
    "lopsided": lopsided_table, "ordinary": ordinary_table,
    "clustered": clustered_table, "announced": announced_table, "before": before_table,
    "near-zero": near_zero_table,
    "guards": guards_table, "power": power_table,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", choices=[[], *TABLES], default=[])
    parser.add_argument("--loops", type=int, default=4000)
    given = parser.parse_args()
    for name in given.tables or TABLES:
        print(f"\n{name}, {given.loops} loops a cell, {DRAWS} draws\n", flush=True)
        for line in TABLES[name](given.loops):
            print(line, flush=True)


if __name__ == "__main__":
    main()
