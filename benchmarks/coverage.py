"""How often 95 % intervals hold the truth, on small, skewed and clustered samples.

    python benchmarks/coverage.py [--replications N] [--draws N] [--seed N] [--json FILE]
    python benchmarks/coverage.py --shares

Worlds whose true score is known by construction are sampled again and again. Each sample gets
four intervals from one and the same bootstrap over whole groups:

* percentile;
* BCa (Efron, *Better Bootstrap Confidence Intervals*, 1987), acceleration by a jackknife over
  groups;
* bootstrap-t (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 12), which
  needs a formula for the standard error in each draw: here the cluster-robust one of a ratio;
* harness: the one that the program prints: of ``harness.stats.interval``, or for pass/fail of
  single rows of ``harness.stats.share_interval``.

``--shares`` enumerates the intervals of one pass/fail score of single rows instead: each number of
passes is weighed with its probability, at every true share at which the coverage may be least, and
at shares from .01 to .1. Nothing is drawn.

The table is Markdown; ``--json`` writes the figures beside it. Takes about two minutes.

Every score is a ratio of two sums over rows (for a mean the second one is the number of rows),
and the samples of one batch stand side by side as columns, so that they share weights as the
metrics of one run do.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.stats import binom

from harness import stats
from harness.stats import student

Floats = stats.Floats
Ints = npt.NDArray[np.intp]
Rng = np.random.Generator
Rows = tuple[Floats, Floats]
"""Numerators and denominators ``(n, columns)``."""

LEVEL = 0.95
ROWS = (20, 50, 100, 150, 200, 400, 1000)
"""Single rows of the shares that are enumerated."""
BATCH = 100
METHODS = ("percentile", "BCa", "bootstrap-t", "harness")
NO_SPREAD = 1e6  # the t of a draw whose groups are all alike: beyond all others


@dataclass(frozen=True)
class World:
    """Rows of a known true score.

    Attributes:
        score, sample: what the table calls the score, and how many rows or groups there are.
        draw: ``(rng, codes (n,), columns)`` -> rows of independent samples with these groups.
        sizes: ``rng`` -> rows in each group; drawn anew for each batch.
    """

    score: str
    sample: str
    truth: float
    draw: Callable[[Rng, Ints, int], Rows]
    sizes: Callable[[Rng], Ints]


@dataclass
class Coverage:
    """What the intervals of one method did in one world; shares of all samples.

    Attributes:
        held: the truth lies within the interval.
        below, above: the truth lies under the interval, over it.
        width: median width, in units of the true score.
    """

    held: float
    below: float
    above: float
    width: float


# -- worlds ---------------------------------------------------------------------------------


def beta_scores(rng: Rng, codes: Ints, columns: int) -> Rows:
    """Most answers score next to nothing, a few well: Beta(0.5, 2), mean 0.2."""
    values = rng.beta(0.5, 2, (len(codes), columns))
    return values, np.ones_like(values)


def rare_passes(rng: Rng, codes: Ints, columns: int) -> Rows:
    """One answer in ten passes."""
    values = (rng.random((len(codes), columns)) < 0.1).astype(np.float64)
    return values, np.ones_like(values)


def lengths(rng: Rng, codes: Ints, columns: int) -> Rows:
    """Lognormal lengths, median 20 and mean 33."""
    values = rng.lognormal(np.log(20), 1, (len(codes), columns))
    return values, np.ones_like(values)


def corpus_precision(rng: Rng, codes: Ints, columns: int) -> Rows:
    """Matches per token over the whole corpus: a ratio of sums, as in BLEU."""
    tokens = np.maximum(1, rng.lognormal(np.log(20), 0.8, (len(codes), columns)).round())
    matches = rng.binomial(tokens.astype(int), rng.beta(1, 3, tokens.shape))
    return matches.astype(np.float64), tokens


def changed_outcomes(rng: Rng, codes: Ints, columns: int) -> Rows:
    """Pass/fail of one system minus another's: 12 % better, 8 % worse, 80 % alike."""
    chance = rng.random((len(codes), columns))
    values = (chance < 0.12).astype(np.float64) - (chance > 0.92)
    return values, np.ones_like(values)


def grouped_scores(rng: Rng, codes: Ints, columns: int) -> Rows:
    """Groups have means of Beta(0.5, 2); their rows scatter around them."""
    means = rng.beta(0.5, 2, (codes.max() + 1, columns))[codes].clip(1e-3, 1 - 1e-3)
    values = rng.beta(2 * means, 2 * (1 - means))
    return values, np.ones_like(values)


def grouped_passes(rng: Rng, codes: Ints, columns: int) -> Rows:
    """Groups pass at rates of Beta(0.3, 2.7): mean 0.1, correlation within a group .25."""
    rates = rng.beta(0.3, 2.7, (codes.max() + 1, columns))[codes]
    values = (rng.random(rates.shape) < rates).astype(np.float64)
    return values, np.ones_like(values)


def grouped_lengths(rng: Rng, codes: Ints, columns: int) -> Rows:
    """Lognormal lengths, a quarter of whose variance (of the logarithm) is the group's."""
    group = rng.normal(0, 0.5, (codes.max() + 1, columns))[codes]
    values = 20 * np.exp(group + rng.normal(0, np.sqrt(0.75), group.shape))
    return values, np.ones_like(values)


def grouped_changes(rng: Rng, codes: Ints, columns: int) -> Rows:
    """Differences of two systems: skewed noise of rows, normal noise of groups, a gain of 1."""
    group = rng.normal(0, 1, (codes.max() + 1, columns))[codes]
    values = group + rng.exponential(2, group.shape) - 1
    return values, np.ones_like(values)


def single(n: int) -> Callable[[Rng], Ints]:
    return lambda rng: np.ones(n, np.intp)


def uneven(groups: int) -> Callable[[Rng], Ints]:
    """Lognormal sizes, median 6; among 20 the largest has about a sixth of all rows."""
    return lambda rng: np.maximum(1, rng.lognormal(np.log(6), 0.8, groups).round()).astype(np.intp)


def worlds() -> Iterator[World]:
    alone = [
        ("score, Beta(0.5, 2)", 0.2, beta_scores),
        ("pass/fail at 10 %", 0.1, rare_passes),
        ("length, lognormal", 20 * np.exp(0.5), lengths),
        ("corpus precision", 0.25, corpus_precision),
        ("difference of pass/fail", 0.04, changed_outcomes),
    ]
    for name, truth, draw in alone:
        for n in (30, 100, 500):
            yield World(name, f"{n} rows", truth, draw, single(n))
    together = [
        ("score by group", expected_clipped(), grouped_scores),
        ("pass/fail by group", 0.1, grouped_passes),
        ("length by group", 20 * np.exp(0.5), grouped_lengths),
        ("difference by group", 1.0, grouped_changes),
    ]
    for name, truth, draw in together:
        for groups in (12, 20, 40):
            yield World(name, f"{groups} uneven groups", truth, draw, uneven(groups))


def expected_clipped() -> float:
    """The mean of Beta(0.5, 2) kept within .001 and .999, as ``grouped_scores`` does."""
    low, high = 1e-3, 1 - 1e-3
    inside = 0.2 * (special.betainc(1.5, 2, high) - special.betainc(1.5, 2, low))
    below, above = special.betainc(0.5, 2, low), special.betaincc(0.5, 2, high)
    return float(inside + low * below + high * above)


# -- intervals ------------------------------------------------------------------------------


def ratio(sums: Floats, weights: Floats) -> Floats:
    """Scores ``(..., m)`` of ``m`` numerators, then ``m`` denominators."""
    half = sums.shape[-1] // 2
    scores: Floats = sums[..., :half] / sums[..., half:]
    return scores


def quantiles(ordered: Floats, shares: Floats) -> Floats:
    """Of each column of sorted draws ``(draws, m)`` the quantile at its own share ``(m,)``."""
    place = shares * (len(ordered) - 1)
    low = np.floor(place).astype(np.intp)
    high = np.minimum(low + 1, len(ordered) - 1)
    columns = np.arange(ordered.shape[1])
    first, second = ordered[low, columns], ordered[high, columns]
    between: Floats = first + (place - low) * (second - first)
    return between


def percentile(ordered: Floats) -> tuple[Floats, Floats]:
    tail = np.full(ordered.shape[1], (1 - LEVEL) / 2)
    return quantiles(ordered, tail), quantiles(ordered, 1 - tail)


def bca(ordered: Floats, value: Floats, sums: Floats) -> tuple[Floats, Floats]:
    """Bias-corrected and accelerated; ``sums (K, 2m)`` are the groups'."""
    draws = len(ordered)
    under = ((ordered < value).sum(axis=0) + (ordered <= value).sum(axis=0)) / (2 * draws)
    bias = special.ndtri(under.clip(0.5 / draws, 1 - 0.5 / draws))
    left_out = ratio(sums.sum(axis=0) - sums, np.empty(0))
    pull = left_out.mean(axis=0) - left_out
    size = np.square(pull).sum(axis=0) ** 1.5
    cubes = (pull**3).sum(axis=0)
    skew = np.divide(cubes, 6 * size, out=np.zeros_like(size), where=size > 0)
    ends = []
    for tail in (-1, 1):
        moved = bias + tail * special.ndtri((1 + LEVEL) / 2)
        ends.append(quantiles(ordered, special.ndtr(bias + moved / (1 - skew * moved))))
    return ends[0], ends[1]


def bootstrap_t(value: Floats, sums: Floats, drawn: list[Floats]) -> tuple[Floats, Floats]:
    """Quantiles of each draw's own t, turned around the value; ``drawn`` are the moments'."""
    top, bottom = np.hsplit(sums, 2)
    score = drawn[0] / drawn[1]
    square = drawn[2] - 2 * score * drawn[3] + score**2 * drawn[4]
    t = (score - value) * drawn[1] / np.sqrt(np.maximum(square, 0))
    ordered = np.sort(np.nan_to_num(t, posinf=NO_SPREAD, neginf=-NO_SPREAD), axis=0)
    first, last = percentile(ordered)
    se = np.sqrt(np.square(top - value * bottom).sum(axis=0)) / bottom.sum(axis=0)
    return value - last * se, value - first * se


@np.errstate(all="ignore")  # 0/0 in a draw without spread
def intervals(rows: Rows, codes: Ints, seed: int, draws: int) -> dict[str, tuple[Floats, Floats]]:
    """Method -> low and high of each column."""
    statistics = np.hstack(rows).astype(np.float64)
    found = stats.interval(ratio, statistics, codes, seed, LEVEL, draws)
    sums = stats.group_sums(statistics, codes, int(codes.max()) + 1)
    top, bottom = np.hsplit(sums, 2)
    moments = np.hstack([top, bottom, top**2, top * bottom, bottom**2])
    drawn = np.hsplit(stats.replicates(moments, seed, draws), 5)
    ordered = np.sort(drawn[0] / drawn[1], axis=0)
    value = np.array([one.value for one in found])
    ours = np.array([(one.low, one.high) for one in found], dtype=np.float64)
    n = len(codes)
    if len(set(codes)) == n and np.isin(rows[0], (0, 1)).all() and (rows[1] == 1).all():
        ours = np.array([stats.share_interval(int(hits), n) for hits in rows[0].sum(axis=0)])
    return {
        "percentile": percentile(ordered),
        "BCa": bca(ordered, value, sums),
        "bootstrap-t": bootstrap_t(value, sums, drawn),
        "harness": (ours[:, 0], ours[:, 1]),
    }


# -- shares of single rows, enumerated ------------------------------------------------------


def held(ends: Sequence[tuple[float, float]], shares: Floats) -> Floats:
    """How often the interval holds each true share.

    Args:
        ends: the interval after 0, 1, ..., n passes of n rows.
    """
    low, high = np.array(ends).T[:, :, None]
    passes = np.arange(len(ends))[:, None]
    chance = binom.pmf(passes, len(ends) - 1, shares)
    coverage: Floats = (chance * ((low <= shares) & (shares <= high))).sum(axis=0)
    return coverage


def least_held(
    ends: Sequence[tuple[float, float]], first: float, last: float
) -> tuple[float, float]:
    """The least coverage at any true share from ``first`` to ``last``, and that share.

    Coverage is smooth but where an interval begins or ends, so that it is least beside one.
    """
    edges = np.array(ends).ravel()
    shares = np.concatenate([edges - 1e-9, edges + 1e-9, [first, last]])
    shares = shares[(shares >= first) & (shares <= last)]
    coverage = held(ends, shares)
    return float(coverage.min()), float(shares[coverage.argmin()])


def students(n: int) -> list[tuple[float, float]]:
    """The t intervals of n rows, Clopper and Pearson's bound where all are alike."""
    share = np.arange(n + 1) / n
    reach = student.quantile(n - 1, (1 + LEVEL) / 2) * np.sqrt(share * (1 - share) / (n - 1))
    reach[[0, n]] = stats.from_end(np.arange(n), (1 - LEVEL) / 2)
    return list(zip(share - reach, share + reach, strict=True))


def share_lines() -> Iterator[str]:
    yield "| rows | t: least (at) | mean, .01 to .1 | harness: least (at) | mean, .01 to .1 |"
    yield "|---|---|---|---|---|"
    for n in ROWS:
        cells = []
        for ends in (students(n), [stats.share_interval(hits, n) for hits in range(n + 1)]):
            least, share = least_held(ends, 0.01, 0.99)
            mean = held(ends, np.linspace(0.01, 0.1, 901)).mean()
            cells += [f"{100 * least:.1f} ({share:.3f})", f"{100 * mean:.1f}"]
        yield f"| {n} | {' | '.join(cells)} |"


# -- the experiment -------------------------------------------------------------------------


def measure(world: World, replications: int, draws: int, seed: int) -> dict[str, Coverage]:
    """Method -> coverage over ``replications`` samples, in batches that share group sizes."""
    rng = np.random.default_rng(seed)
    ends: dict[str, list[tuple[Floats, Floats]]] = {method: [] for method in METHODS}
    for start in range(0, replications, BATCH):
        sizes = world.sizes(rng)
        codes = np.repeat(np.arange(len(sizes)), sizes)
        rows = world.draw(rng, codes, min(BATCH, replications - start))
        for method, pair in intervals(rows, codes, seed + start, draws).items():
            ends[method].append(pair)
    return {method: judged(world.truth, pairs) for method, pairs in ends.items()}


def judged(truth: float, pairs: list[tuple[Floats, Floats]]) -> Coverage:
    low, high = (np.concatenate(side) for side in zip(*pairs, strict=True))
    held = np.mean((low <= truth) & (truth <= high))
    width = float(np.median(high - low)) / truth
    return Coverage(float(held), float(np.mean(truth < low)), float(np.mean(truth > high)), width)


def line(world: World, found: dict[str, Coverage]) -> str:
    """One row of the table: coverage and width of each method, and our two tails."""
    cells = [f"{100 * found[m].held:.1f} ({shown(found[m].width)})" for m in METHODS]
    ours = found["harness"]
    tails = f"{100 * ours.above:.1f} / {100 * ours.below:.1f}"
    return f"| {world.score} | {world.sample} | {' | '.join(cells)} | {tails} |"


def shown(width: float) -> str:
    """Bounds that hang on draws without spread are as good as none."""
    return f"{width:.2f}" if width < NO_SPREAD / 1000 else "∞"


HEAD = """\
| score | sample | percentile | BCa | bootstrap-t | harness | harness missed: too low / too high |
|---|---|---|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage of 95 % intervals.")
    parser.add_argument("--replications", type=int, default=5000)
    parser.add_argument("--draws", type=int, default=stats.DRAWS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--shares", action="store_true")
    given = parser.parse_args()
    if given.shares:
        for text in share_lines():
            print(text, flush=True)
        return
    start = time.perf_counter()
    print(HEAD)
    rows = []
    for place, world in enumerate(worlds()):
        seed = given.seed + 1_000_000 * place
        found = measure(world, given.replications, given.draws, seed)
        print(line(world, found), flush=True)
        methods = {method: vars(coverage) for method, coverage in found.items()}
        row = {"score": world.score, "sample": world.sample, "truth": world.truth}
        rows.append({**row, "methods": methods})
    seconds = time.perf_counter() - start
    error = 100 * (0.95 * 0.05 / given.replications) ** 0.5
    print(f"\n{given.replications} samples each, {given.draws} draws, seed {given.seed};", end=" ")
    print(f"standard error of a coverage of 95 %: {error:.2f} points; {seconds:.0f} s.")
    if given.json:
        document = {k: getattr(given, k) for k in ("replications", "draws", "seed")}
        document |= {"level": LEVEL, "seconds": seconds, "rows": rows}
        given.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
