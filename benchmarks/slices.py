"""Planted weak slices: how many are found, how many finds are true, and what it costs.

    python benchmarks/slices.py [--repeats N] [--seed N] [--quick] [--json FILE]

Rows get random features, and scores that are lower by a known gap where one feature has one
value. What the analyzer ``slices`` then finds goes through its own search, pairs of conditions
included. A find is true if it is the planted slice itself, and nothing else is.

Beside it stands a test that is *told* the slice: one-sided at .05 on all rows, no other slice
tried. No search can do better than that by much, so it says what the rows hold at all.

The tables are Markdown; ``--json`` writes the figures beside them. Takes under three minutes on
one core.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core, as the figures say

import numpy as np
import numpy.typing as npt

from harness import Context, Evidence, Example, Prediction, ScoredExample
from harness_slices.analyzer import Slices
from harness_slices.candidates import Candidate, distinct, pairs, singles
from harness_slices.contrasts import contrasts
from harness_slices.search import Bar, Searched, Table, search

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Rng = np.random.Generator

BAR = Bar(rows=8, groups=8, q=0.1)
PAIRS = 100
PLANTED = "f00 = v00"


@dataclass(frozen=True)
class World:
    """Rows with random features, one value of one of which makes answers worse.

    Attributes:
        n, groups: rows, and groups of about equal size (0: each row is its own).
        share: of the rows in the planted slice, and in each other one.
        gap: how much lower the scores of the planted slice are; 0 = nothing to be found.
        sd: of the scores within a slice; of that, ``between`` is shared by whole groups.
        slices: single conditions; with their pairs there are ``PAIRS`` more.
        passes: scores are 1 or 0; ``sd`` says nothing then.
        whole: features belong to groups, not to rows.
    """

    n: int = 500
    groups: int = 0
    share: float = 0.2
    gap: float = 0.15
    sd: float = 0.2
    between: float = 0.0
    slices: int = 100
    passes: bool = False
    whole: bool = False


@dataclass
class Found:
    """What came out of many draws of one world; all but ``draws`` are shares or means.

    Attributes:
        recall: draws in which the planted slice was found.
        precision: of all finds, those that are the planted slice; None without finds.
        any: draws with any find.
        told: draws in which the test that is told the slice is significant.
        in_plan: draws with the planted slice found and its shrunken gap above 0.
        naive, half, shrunken: of the draws that found it, mean and root mean squared error of
            its gap on all rows, on the confirming half, and shrunken; None if never found.
    """

    draws: int
    recall: float
    precision: float | None
    any: float
    told: float
    in_plan: float
    naive: tuple[float, float] | None
    half: tuple[float, float] | None
    shrunken: tuple[float, float] | None


# -- worlds ---------------------------------------------------------------------------------


def drawn(world: World, rng: Rng) -> tuple[Floats, list[str], list[Candidate]]:
    """Scores ``(n,)``, groups, and single conditions, the planted one among them."""
    kinds = round(1 / world.share)
    codes = np.arange(world.n) % world.groups if world.groups else np.arange(world.n)
    units = world.groups if world.whole else world.n
    values = rng.integers(0, kinds, (max(1, world.slices // kinds), units))
    values = values[:, codes] if world.whole else values
    columns = {f"f{i:02}": [f"v{v:02}" for v in row] for i, row in enumerate(values.tolist())}
    expected = 0.6 - world.gap * (values[0] == 0)
    if world.passes:
        scores = (rng.random(world.n) < expected).astype(np.float64)
    else:
        within = (world.sd**2 - world.between**2) ** 0.5
        shared = rng.normal(0, world.between, int(codes.max()) + 1)[codes]
        scores = expected + shared + rng.normal(0, within, world.n)
    found = [c for name, column in columns.items() for c in singles(name, column, True, 3)]
    return scores, [f"g{code}" for code in codes], distinct(found)


def searched(scores: Floats, groups: list[str], single: list[Candidate], seed: int) -> Searched:
    table = Table.built(scores, groups, True, seed)
    return search(table, single, pairs(single, PAIRS), BAR)


@functools.cache
def played(world: World, repeats: int, seed: int) -> Found:
    """Draw the world again and again, and count; a world of several tables only once."""
    rng = np.random.default_rng(seed)
    hits = finds = sets = told = planned = 0
    gaps: list[tuple[float, float, float]] = []
    for draw in range(repeats):
        scores, groups, single = drawn(world, rng)
        held = [r.slice for r in searched(scores, groups, single, draw).ranked if r.slice.holds]
        own = next(c.inside for c in single if c.words == PLANTED)
        oracle = contrasts(scores, own[None], groups)
        told += bool(oracle.p[0] <= 0.05)
        finds, sets = finds + len(held), sets + bool(held)
        for piece in held:
            if piece.words == PLANTED and world.gap:
                hits, planned = hits + 1, planned + ((piece.shrunken or 0) > 0)
                gaps.append((oracle.gap[0], piece.gap or 0, piece.shrunken or 0))
    errors = _errors(np.array(gaps), world.gap) if gaps else [None] * 3
    return Found(
        repeats, hits / repeats, hits / finds if finds else None, sets / repeats,
        told / repeats, planned / repeats, *errors,
    )  # fmt: skip


def _errors(gaps: Floats, truth: float) -> list[Any]:
    rms = np.sqrt(((gaps - truth) ** 2).mean(axis=0))
    return [(float(m), float(e)) for m, e in zip(gaps.mean(axis=0), rms, strict=True)]


# -- tables ---------------------------------------------------------------------------------

BASE = World()
MAIN = {
    "the case of the promise": BASE,
    "100 groups of 5 rows": replace(BASE, groups=100, between=0.1),
    "100 groups of 5, features of whole groups": replace(BASE, groups=100, between=0.1, whole=True),
    "pass or fail": replace(BASE, passes=True),
}
SWEEPS = {
    "n": [replace(BASE, n=n) for n in (150, 300, 500, 1000)],
    "share": [replace(BASE, share=share) for share in (0.05, 0.1, 0.2, 1 / 3)],
    "sd": [replace(BASE, sd=sd) for sd in (0.1, 0.2, 0.3, 0.4)],
    "gap": [replace(BASE, gap=gap) for gap in (0.05, 0.1, 0.15, 0.2)],
    "pass or fail, n": [replace(BASE, passes=True, n=n) for n in (500, 1000, 2000)],
}
NULLS = {
    "rows of their own": replace(BASE, gap=0.0),
    "100 groups of 5 rows": replace(BASE, gap=0.0, groups=100, between=0.1),
    "100 groups of 5, features of whole groups": replace(
        BASE, gap=0.0, groups=100, between=0.1, whole=True
    ),
    "pass or fail": replace(BASE, gap=0.0, passes=True),
    "160 rows in 65 groups": replace(BASE, gap=0.0, n=160, groups=65, between=0.1, slices=20),
}
SMALL = World(n=160, groups=65, between=0.08, slices=20)
SHIPPED = {
    f"share {share:.0%}, gap {gap:g}": replace(SMALL, share=share, gap=gap)
    for share in (1 / 4, 1 / 2)
    for gap in (0.1, 0.15, 0.2, 0.3)
}


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def recall_table(worlds: dict[str, World], repeats: int, seed: int) -> Iterator[dict[str, Any]]:
    print("| data | recall | in the plan | precision | told the slice |\n|---|---|---|---|---|")
    for name, world in worlds.items():
        found = played(world, repeats, seed)
        print(
            f"| {name} | {percent(found.recall)} | {percent(found.in_plan)} | "
            f"{percent(found.precision)} | {percent(found.told)} |",
            flush=True,
        )
        yield {"data": name, "world": asdict(world), **asdict(found)}


def null_table(repeats: int, seed: int) -> Iterator[dict[str, Any]]:
    print("| nothing to be found in | data sets with any find |\n|---|---|")
    for name, world in NULLS.items():
        found = played(world, repeats, seed)
        print(f"| {name} | {percent(found.any)} |", flush=True)
        yield {"data": name, "world": asdict(world), **asdict(found)}


def sweep_tables(repeats: int, seed: int) -> Iterator[dict[str, Any]]:
    print("| differs from the first line in | recall | precision | told the slice |")
    print("|---|---|---|---|")
    for what, worlds in SWEEPS.items():
        for world in worlds:
            value = getattr(world, what.split()[-1])
            label = f"{what} = {round(value, 2):,}"
            found = played(world, repeats, seed)
            cells = f"{percent(found.recall)} | {percent(found.precision)} | {percent(found.told)}"
            print(f"| {label} | {cells} |", flush=True)
            yield {"data": label, "world": asdict(world), **asdict(found)}


def gap_table(rows: list[dict[str, Any]]) -> None:
    print("| found in | true gap | all rows | confirming half | shrunken |\n|---|---|---|---|---|")
    for row in rows:
        if row["naive"] is not None:
            cells = [
                f"{row[kind][0]:.3f} (±{row[kind][1]:.3f})"
                for kind in ("naive", "half", "shrunken")
            ]
            print(f"| {row['data']} | {row['world']['gap']:g} | {' | '.join(cells)} |")


# -- time -----------------------------------------------------------------------------------


def million(groups: int, seed: int, n: int = 1_000_000) -> dict[str, Any]:
    """CPU seconds from eight features and a score to slices: pairs and halves included."""
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
    found = searched(scores, names, single, seed)
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


def timings(quick: bool, seed: int) -> dict[str, Any]:
    n = 50_000 if quick else 1_000_000
    cases = [million(groups, seed, n) for groups in (5_000, 50_000, n)]
    print("| rows | groups | slices tried | CPU seconds |\n|---|---|---|---|")
    for case in cases:
        print(
            f"| {case['rows']:,} | {case['groups']:,} | {case['tried']} | {case['seconds']:.1f} |"
        )
    full = whole(5_000 if quick else 50_000, seed)
    print(
        f"\nThe whole analyzer on {full['rows']:,} rows of 12 words beside {full['train']:,} of "
        f"train: {full['seconds']:.1f} CPU seconds."
    )
    return {"search": cases, "analyzer": full}


def main() -> None:
    parser = argparse.ArgumentParser(description="Planted weak slices.")
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a look: 20 repeats, 50,000 rows")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    repeats = 20 if given.quick else given.repeats
    start = time.process_time()
    tables: dict[str, Callable[[], Any]] = {
        "planted": lambda: list(recall_table(MAIN, repeats, given.seed)),
        "nothing": lambda: list(null_table(repeats, given.seed)),
        "by n, share, sd, gap": lambda: list(sweep_tables(repeats, given.seed)),
        "160 rows in 65 groups": lambda: list(recall_table(SHIPPED, repeats, given.seed)),
        "time": lambda: timings(given.quick, given.seed),
    }
    document: dict[str, Any] = {"repeats": repeats, "seed": given.seed}
    for title, make in tables.items():
        print(f"\n### {title}\n")
        document[title] = make()
    print("\n### gaps\n")
    gap_table(document["planted"] + document["by n, share, sd, gap"])
    document["seconds"] = time.process_time() - start
    print(f"\n{repeats} draws each, seed {given.seed}; {document['seconds']:.0f} CPU seconds.")
    if given.json:
        given.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
