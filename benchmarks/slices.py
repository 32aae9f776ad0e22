"""Planted weak slices: how many are found, how many finds are true, and what it costs.

    python benchmarks/slices.py [--repeats N] [--seed N] [--processes N] [--json FILE]

Rows get random features, and scores that are lower by a known gap where one feature has one
value (``slice_worlds.py``). What the analyzer ``slices`` then finds goes through its own search,
pairs of conditions included. A find is true if it is the planted slice itself, and nothing else
is.

Beside it stand the rule of earlier versions, by halves (``slice_halves.py``), and a test that is
*told* the slice: one-sided at .05 on all rows, no other slice tried. No search can do better than
that by much, so it says what the rows hold at all.

The tables are Markdown; ``--json`` writes the figures beside them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a core for each process, as the figures say

import numpy as np
import numpy.typing as npt
from slice_halves import found_by_halves
from slice_worlds import PAIRS, PLANTED, World, drawn

from harness import Context, Evidence, Example, Prediction, ScoredExample, Slice
from harness_slices.analysis import REPLIES
from harness_slices.analyzer import Slices
from harness_slices.candidates import distinct, pairs, singles
from harness_slices.contrasts import contrasts
from harness_slices.search import Bar, Searched, Table, search

Floats = npt.NDArray[np.float64]

OPTIONS = Slices.Options()
BAR = Bar(OPTIONS.min_rows, OPTIONS.min_groups, OPTIONS.alpha).part(1 - REPLIES)
GAPS, SHARES = (0.1, 0.2, 0.3), (0.05, 0.1, 0.2)


@dataclass
class Counts:
    """What came out of draws of one world.

    Attributes:
        found, other, any_other: draws with the planted slice found, other finds, draws with any.
        old, old_other: the same of the rule by halves.
        told: draws in which the test that is told the slice is significant.
        gaps: of the draws that found it: its gap on all rows, low, high, shrunken; and whether
            the plain 95 % interval holds the true gap.
        needed: announced gap (minimum detectable) of the median slice, for each draw.
    """

    draws: int
    found: int
    other: int
    any_other: int
    old: int
    old_other: int
    told: int
    gaps: list[tuple[float, float, float, float, bool]]
    needed: list[tuple[float, float]]


def play(job: tuple[World, int, int]) -> Counts:
    """Draw a world again and again, and count."""
    world, repeats, seed = job
    rng = np.random.default_rng([seed, *repr(world).encode()])
    counts = Counts(repeats, 0, 0, 0, 0, 0, 0, [], [])
    for number in range(repeats):
        draw = drawn(world, rng)
        result = search(
            Table.built(draw.scores, draw.groups, True, number), draw.single, draw.double, BAR
        )
        held = [one.slice for one in result.ranked if one.slice.holds]
        own = [piece for piece in held if piece.words == PLANTED and world.gap]
        counts.found += len(own)
        counts.other += len(held) - len(own)
        counts.any_other += len(held) > len(own)
        old = found_by_halves(draw, number)
        hit = world.gap > 0 and PLANTED in old
        counts.old += hit
        counts.old_other += len(old) - hit
        plain = contrasts(draw.scores, draw.planted[None], draw.groups)
        counts.told += bool(plain.p[0] <= 0.05)
        covers = bool(plain.low[0] <= world.gap <= plain.high[0])
        counts.gaps += [(*_gap(piece), covers) for piece in own]
        known = result.tally.prospects
        if known and known.gap:
            counts.needed.append((known.share, known.gap))
    return counts


def _gap(piece: Slice) -> tuple[float, float, float, float]:
    return piece.gap or 0, piece.low or 0, piece.high or 0, piece.shrunken or 0


def played(jobs: Sequence[tuple[World, int, int]], processes: int) -> list[Counts]:
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(play, jobs))


# -- tables ---------------------------------------------------------------------------------


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def grid(repeats: int, seed: int, processes: int) -> Iterator[dict[str, Any]]:
    """Rows by kind of scores; each line is the mean of nine cells."""
    print("| rows, scores (mean over 9 cells) | found | by halves | told | draws with a false find"
          " | false share of finds | by halves |\n|---|---|---|---|---|---|---|")  # fmt: skip
    lines = [
        (n, passes, [World(n, share=s, gap=g, passes=passes) for g in GAPS for s in SHARES])
        for n, passes in itertools.product((160, 210, 500, 2000), (False, True))
    ]
    jobs = [
        (w, repeats if w.n < 2000 else repeats // 3, seed) for *_, cells in lines for w in cells
    ]
    results = iter(played(jobs, processes))
    total = np.zeros(4, dtype=int)
    for n, passes, cells in lines:
        counts = [next(results) for _ in cells]
        draws = sum(c.draws for c in counts)
        found, other = sum(c.found for c in counts), sum(c.other for c in counts)
        old, old_other = sum(c.old for c in counts), sum(c.old_other for c in counts)
        total += (found, other, old, old_other)
        told, wrong = sum(c.told for c in counts), sum(c.any_other for c in counts)
        print(
            f"| {n:,} {'pass/fail' if passes else 'graded'} | {percent(found / draws)} | "
            f"{percent(old / draws)} | {percent(told / draws)} | {percent(wrong / draws)} | "
            f"{percent(share(other, found + other))} | "
            f"{percent(share(old_other, old + old_other))} |",
            flush=True,
        )
        for world, count in zip(cells, counts, strict=True):
            yield {"world": asdict(world), **asdict(count)}
    pooled = percent(share(total[1], total[0] + total[1]))
    pooled_old = percent(share(total[3], total[2] + total[3]))
    print(f"| all finds pooled | | | | | {pooled} | {pooled_old} |")


def gaps(rows: list[dict[str, Any]]) -> None:
    """How well the gap of what was found is stated, of rows of the grid."""
    print("| found in | true gap | finds | gap, all rows | shrunken | its interval holds the true "
          "gap | a plain 95 % one |\n|---|---|---|---|---|---|---|")  # fmt: skip
    for n, passes, gap in itertools.product((210, 500), (False, True), GAPS):
        own = [
            line
            for row in rows
            if (row["world"]["n"], row["world"]["passes"], row["world"]["gap"]) == (n, passes, gap)
            for line in row["gaps"]
        ]
        if len(own) >= 10:
            found = np.array(own, dtype=np.float64)
            inside = ((found[:, 1] <= gap) & (gap <= found[:, 2])).mean()
            shown = [
                f"{column.mean():.3f} (±{np.sqrt(((column - gap) ** 2).mean()):.3f})"
                for column in (found[:, 0], found[:, 3])
            ]
            print(
                f"| {n} {'pass/fail' if passes else 'graded'} | {gap:g} | {len(own)} | "
                f"{' | '.join(shown)} | {inside:.0%} | {found[:, 4].mean():.0%} |"
            )
    every = np.array(
        [(*line[:4], line[4], row["world"]["gap"]) for row in rows for line in row["gaps"]]
    )
    inside = ((every[:, 1] <= every[:, 5]) & (every[:, 5] <= every[:, 2])).mean()
    print(f"\nOf all {len(every):,} finds in the grid {inside:.1%} of the intervals hold the true "
          f"gap, and {every[:, 4].mean():.1%} of plain 95 % intervals.")  # fmt: skip


def starved(repeats: int, seed: int, processes: int) -> Iterator[dict[str, Any]]:
    print("| rows of the intent | right | found | by halves | told | draws with a false find |\n"
          "|---|---|---|---|---|---|")  # fmt: skip
    base = World(210, passes=True, mean=0.85, kinds=7, rows=16)
    worlds = [
        replace(base, rows=rows, gap=round(0.85 - right, 2))
        for rows, right in ((8, 0.15), (12, 0.15), (12, 0.35), (16, 0.35), (16, 0.55), (24, 0.35),
                            (24, 0.55), (30, 0.55))
    ]  # fmt: skip
    for world, c in zip(
        worlds, played([(w, 3 * repeats, seed) for w in worlds], processes), strict=True
    ):
        print(
            f"| {world.rows} | {0.85 - world.gap:.2f} | {percent(c.found / c.draws)} | "
            f"{percent(c.old / c.draws)} | {percent(c.told / c.draws)} | "
            f"{percent(c.any_other / c.draws)} |"
        )
        yield {"world": asdict(world), **asdict(c)}


NULLS = {
    "30 fields, 160 rows": World(160, fields=30),
    "30 fields, 210 rows": World(210, fields=30),
    "30 fields, 500 rows": World(500, fields=30),
    "30 fields, 160 rows, 85 % pass": World(160, fields=30, passes=True, mean=0.85),
    "30 fields, 210 rows, 85 % pass": World(210, fields=30, passes=True, mean=0.85),
    "30 fields, 500 rows, 97 % pass": World(500, fields=30, passes=True, mean=0.97),
    "100 groups of 5": World(500, groups=100, between=0.15),
    "100 groups of 5, features of whole groups": World(500, groups=100, between=0.15, whole=True),
    "100 groups of 5, features of whole groups, pass/fail": World(
        500, groups=100, between=0.25, whole=True, passes=True
    ),
    "160 rows in 65 uneven groups, features of whole groups": World(
        160, groups=65, uneven=True, between=0.15, whole=True
    ),
    "160 rows in 65 uneven groups": World(160, groups=65, uneven=True, between=0.15),
    "210 rows, a tenth spreads 1.6 times as far": World(210, share=0.1, wide=1.6),
}


def nothing(repeats: int, seed: int, processes: int) -> Iterator[dict[str, Any]]:
    print(
        "| nothing to be found in | data sets with any find | finds by halves in 100 |\n"
        "|---|---|---|"
    )
    jobs = [(world, 3 * repeats, seed) for world in NULLS.values()]
    for name, c in zip(NULLS, played(jobs, processes), strict=True):
        print(f"| {name} | {percent(c.any_other / c.draws)} | {100 * c.old_other / c.draws:.1f} |")
        yield {"data": name, **asdict(c)}


def promised(rows: list[dict[str, Any]], repeats: int, seed: int, processes: int) -> None:
    """Whether the announced gap is found at 80 % power."""
    print("| rows, scores | announced gap of the median slice | found |\n|---|---|---|")
    worlds = []
    for n, passes in itertools.product((160, 210, 500), (False, True)):
        known = [
            pair for row in rows
            if (row["world"]["n"], row["world"]["passes"], row["world"]["gap"]) == (n, passes, 0.1)
            for pair in row["needed"]
        ]  # fmt: skip
        of, gap = np.median(np.array(known), axis=0)
        worlds.append(World(n, share=float(of), gap=float(gap), passes=passes))
    for world, c in zip(
        worlds, played([(w, 4 * repeats, seed) for w in worlds], processes), strict=True
    ):
        kind = "pass/fail" if world.passes else "graded"
        print(f"| {world.n} {kind} | {world.gap:.2g} for {world.share:.0%} of the rows | "
              f"{percent(c.found / c.draws)} |")  # fmt: skip


# -- time -----------------------------------------------------------------------------------


def million(groups: int, seed: int, n: int) -> dict[str, Any]:
    """CPU seconds from eight features and a score to slices, pairs included."""
    rng = np.random.default_rng(seed)
    columns: dict[str, list[Any]] = {
        f"word{i}": [f"v{v}" for v in rng.integers(0, 5, n)] for i in range(4)
    }
    columns["truth"] = [bool(v) for v in rng.integers(0, 2, n)]
    columns["count"] = rng.poisson(40, n).tolist()
    columns["level"] = rng.normal(size=n).tolist()
    columns["age"] = rng.exponential(size=n).tolist()
    names = [f"g{code}" for code in (np.arange(n) % groups).tolist()]
    scores = rng.normal(0.5, 0.2, n)
    start = time.process_time()
    single = distinct([c for key, col in columns.items() for c in singles(key, col, True, 3)])
    found: Searched = search(
        Table.built(scores, names, True, seed), single, pairs(single, PAIRS), BAR
    )
    seconds = time.process_time() - start
    return {"rows": n, "groups": groups, "seconds": seconds, "tried": sum(found.tally.tried)}


def whole(n: int, seed: int) -> dict[str, Any]:
    """CPU seconds of the analyzer itself: prompts are read, clustered, and compared with train."""
    rng = np.random.default_rng(seed)
    words = [f"{a}{b}{c}" for a in "bdfgklm" for b in "aeiou" for c in "nrst"]
    picks = np.minimum(rng.zipf(1.3, (n + 1000, 12)) - 1, len(words) - 1)
    prompts = [" ".join(words[i] for i in row) for row in picks.tolist()]
    rows = [
        Example(str(i), ({"role": "user", "content": text},), ("a",), "dev", f"g{i % 5000}",
                {"kind": f"k{i % 7}"})
        for i, text in enumerate(prompts)
    ]  # fmt: skip
    values = rng.normal(0.5, 0.2, n).tolist()
    scored = tuple(
        ScoredExample(row, Prediction(row.id, "an answer"), {"s": value})
        for row, value in zip(rows, values, strict=False)
    )
    evidence = Evidence(scored, "s", True, train=tuple(rows[n:]), seed=seed)
    start = time.process_time()
    Slices(Slices.Options.model_validate({})).analyze(evidence, Context(Path(), seed))
    return {"rows": n, "train": 1000, "seconds": time.process_time() - start}


def timings(seed: int) -> dict[str, Any]:
    cases = [million(*size) for size in ((500, seed, 500), (100, seed, 500), (5_000, seed, 5_000),
             (5_000, seed, 200_000), (200_000, seed, 200_000))]  # fmt: skip
    print("| rows | groups | slices tried | CPU seconds |\n|---|---|---|---|")
    for case in cases:
        print(
            f"| {case['rows']:,} | {case['groups']:,} | {case['tried']} | {case['seconds']:.2f} |"
        )
    full = whole(20_000, seed)
    print(
        f"\nThe whole analyzer on {full['rows']:,} rows of 12 words beside {full['train']:,} of "
        f"train: {full['seconds']:.1f} CPU seconds."
    )
    return {"search": cases, "analyzer": full}


def main() -> None:
    parser = argparse.ArgumentParser(description="Planted weak slices.")
    parser.add_argument("--repeats", type=int, default=24, help="draws of a cell of the grid")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    size = given.repeats, given.seed, given.processes
    start = time.monotonic()
    document: dict[str, Any] = {"repeats": given.repeats, "seed": given.seed}
    tables: dict[str, Callable[[], Any]] = {
        "time": lambda: timings(given.seed),
        "a starved intent": lambda: list(starved(*size)),
        "nothing": lambda: list(nothing(*size)),
        "grid": lambda: list(grid(*size)),
        "gaps": lambda: gaps(document["grid"]),
        "announced": lambda: promised(document["grid"], *size),
    }
    for title, make in tables.items():
        print(f"\n### {title}\n", flush=True)
        document[title] = make()
    print(
        f"\n{given.repeats} draws of a cell, seed {given.seed}; {time.monotonic() - start:.0f} s."
    )
    if given.json:
        given.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
