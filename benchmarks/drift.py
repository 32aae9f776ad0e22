"""False alarms and power of `harness drift`, beside a rule: KL of words over .2.

    python benchmarks/drift.py [--minutes 10] [--series 2000] [--shape NAME]… [--out FILE]

*False alarms*: series of 12 looks at weeks in which nothing changes. In each series the groups of a
population are dealt anew: some are the reference, and each week is drawn from the rest. A series
with any alarm is a false one; promised are 5 %. Only prompts and kinds of prompts are compared, and
answers where the population has them. *Power*: a share of the live rows is redrawn from one kind of
row, at the level of a look of 12; a kind is drawn anew each time.

The tests are those of the command, but for weights of 3-grams and cuts of numbers, which are those
of the whole population. Of 9,999 permutations those after the 199th are left out where ten of these
were as extreme: p cannot be small then. Intervals are Clopper and Pearson's, of 95 %.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import beta
from shapes import SHAPES

from harness import Example
from harness.stats.significance import holm
from harness_drift.columns import of_answers, of_prompts
from harness_drift.permuting import (
    Deal,
    Floats,
    Ints,
    Singles,
    differences,
    largest,
    mmd,
    p_of,
    similar,
    trigrams,
)
from harness_drift.rows import Row

DATASETS = Path(__file__).resolve().parents[1] / "datasets"
LOOKS, ALPHA, PERMUTATIONS, FEW = 12, 0.05, 9_999, 199
KL = 0.2
PLANTED = (0.1, 0.2, 0.3)
SIZES = (100, 200, 400)


@dataclass(frozen=True)
class Population:
    """All rows that a series is dealt from, and what the tests need of them.

    Attributes:
        group, kind: of each row, ``(n,)``, as numbers; ``kind`` is what a shift has more of.
        gram: ``(n, n)``.
        columns: aspect -> ``(n, k)``.
        words: counts of words, ``(n, v)``.
    """

    group: Ints
    kind: Ints
    gram: Singles
    columns: dict[str, Floats]
    words: Singles


def shipped(name: str, kind: str) -> list[tuple[Row, str]]:
    rows = []
    for split in ("train", "pool", "dev", "test"):
        for line in (DATASETS / name / f"{split}.jsonl").read_text("utf-8").splitlines():
            value = json.loads(line)
            turns = [turn for turn in value["messages"] if turn["role"] != "assistant"]
            answers = [turn for turn in value["messages"] if turn["role"] == "assistant"]
            last = answers[-1]["content"] if answers else ""
            answer = value["references"][0] if "references" in value else last
            own = {k: v for k, v in value.items() if k in ("kind", "area", "form")}
            meta = {**value.get("meta", {}), **own}
            example = Example(value["id"], tuple(turns), meta=meta)
            rows.append((Row(example, str(value["group"]), answer), str(meta[kind])))
    return rows


def shaped(name: str, count: int = 600) -> list[tuple[Row, str]]:
    """A shape of the benchmarks of the gate; its kinds are the first words of prompts."""
    made = SHAPES[name](count, random.Random(0), False)
    return [(Row(row, f"g{at}"), row.prompt.split()[0]) for at, row in enumerate(made)]


def users(count: int = 250) -> list[tuple[Row, str]]:
    """Users who ask one to thirty times about a thing of their own, mostly of one kind."""
    draw, rows = random.Random(1), []
    base = shipped("support-billing", "intent")
    kinds = sorted({kind for _, kind in base})
    of_kind = {kind: [row for row, other in base if other == kind] for kind in kinds}
    for user in range(count):
        favourite = draw.choice(kinds)
        for at in range(min(30, 1 + int(draw.expovariate(0.25)))):
            kind = favourite if draw.random() < 0.8 else draw.choice(kinds)
            source = draw.choice(of_kind[kind]).example
            turns = ({"role": "user", "content": f"{source.prompt} (user {user % 7})"},)
            example = Example(f"{user}-{at}", turns, meta={"intent": kind})
            rows.append((Row(example, f"u{user}"), kind))
    return rows


def greetings(count: int = 700) -> list[tuple[Row, str]]:
    """Half of the prompts are one of thirty short ones, word for word."""
    draw = random.Random(2)
    questions = SHAPES["free questions"](count, draw, False)
    short = [f"{a} {b}" for a in ("hi", "hello", "hey", "ok", "thanks", "stop")
             for b in ("", "there", "bot", "please", "again")]  # fmt: skip
    rows = []
    for at, question in enumerate(questions):
        text = draw.choice(short) if draw.random() < 0.5 else question.prompt
        example = Example(f"r{at}", ({"role": "user", "content": text},))
        rows.append((Row(example, f"g{at}"), "short" if len(text) < 15 else text.split()[0]))
    return rows


POPULATIONS: dict[str, Callable[[], list[tuple[Row, str]]]] = {
    "support-billing": lambda: shipped("support-billing", "intent"),
    "library-desk": lambda: shipped("library-desk", "desk"),
    "python-questions": lambda: shipped("python-questions", "kind"),
    "free questions": lambda: shaped("free questions"),
    "users who ask often": users,
    "greetings": greetings,
}


def population(name: str) -> Population:
    pairs = POPULATIONS[name]()
    if len(pairs) > 1_500:
        pairs = random.Random(0).sample(pairs, 1_500)
    rows = [row for row, _ in pairs]
    half = np.arange(len(rows)) % 2 == 0
    columns = {"kinds": np.column_stack([c.values for c in of_prompts(rows, half)[0]])}
    if all(row.answer is not None for row in rows):
        columns["answers"] = np.column_stack([c.values for c in of_answers(rows, {})])
    texts = [row.example.prompt for row in rows]
    return Population(
        np.unique([row.group for row in rows], return_inverse=True)[1],
        np.unique([kind for _, kind in pairs], return_inverse=True)[1],
        similar(trigrams(texts)), columns, _words(texts),
    )  # fmt: skip


def _words(texts: Sequence[str]) -> Singles:
    known: dict[str, int] = {}
    places = [[known.setdefault(w, len(known)) for w in t.lower().split()] for t in texts]
    counts = np.zeros((len(texts), len(known)), np.float32)
    for at, row in enumerate(places):
        np.add.at(counts[at], row, 1.0)
    return counts


def smallest(whole: Population, reference: Ints, live: Ints) -> float:
    """The least p of a look, by Holm over its tests."""
    places = np.concatenate([reference, live])
    groups, of = np.unique(whole.group[places], return_inverse=True)
    sides = np.isin(groups, whole.group[live])
    tests: list[Callable[[Deal], float]] = [
        lambda deal: p_of(mmd(whole.gram[np.ix_(places, places)], deal)),
        *(
            lambda deal, v=values[places]: float(largest(differences(v, deal)).p.min())
            for values in whole.columns.values()
        ),
    ]
    ps = []
    for test in tests:
        p = test(Deal(of, sides, FEW))
        ps.append(p if p * (FEW + 1) > 10 else test(Deal(of, sides, PERMUTATIONS)))
    return float(np.min(holm(ps)))


def kl(whole: Population, reference: Ints, live: Ints, added: float) -> float:
    """KL of the words of live rows from those of the reference.

    Args:
        added: to each count, so that words of one side alone have a logarithm.
    """
    counts = [whole.words[side].sum(axis=0) for side in (live, reference)]
    seen = (counts[0] + counts[1]) > 0
    p, q = ((c[seen] + added) / (c[seen] + added).sum(dtype=np.float64) for c in counts)
    return float((p * np.log(p / q)).sum())


def dealt(whole: Population, draw: np.random.Generator, rows: int, left: Ints) -> Ints:
    """So many rows of these groups, or a few more: whole groups, in an order drawn."""
    order = draw.permutation(left)
    sizes = np.bincount(whole.group)[order]
    taken = order[: int(np.searchsorted(np.cumsum(sizes), rows)) + 1]
    return np.flatnonzero(np.isin(whole.group, taken))


def quiet(whole: Population, seed: int) -> tuple[bool, int, int]:
    """Whether a series without drift has an alarm, and in how many weeks KL is over .2.

    With next to nothing added to counts, and with one.
    """
    draw = np.random.default_rng(seed)
    groups = np.unique(whole.group)
    reference = dealt(whole, draw, min(150, len(whole.group) // 4), groups)
    rest = np.setdiff1d(groups, whole.group[reference])
    alarm, bare, smooth = False, 0, 0
    for _ in range(LOOKS):
        live = dealt(whole, draw, 100, rest)
        bare += kl(whole, reference, live, 1e-9) > KL
        smooth += kl(whole, reference, live, 1.0) > KL
        alarm = alarm or smallest(whole, reference, live) <= ALPHA / LOOKS
    return alarm, bare, smooth


def shifted(whole: Population, seed: int, size: int, share: float) -> bool | None:
    """Whether one look finds that a share of live rows is redrawn from one kind.

    Rows are taken without replacement, so no row stands there twice; None where too few of any
    kind are left.
    """
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(whole.group))
    reference, live, rest = np.split(order, [size, 2 * size])
    if len(rest) == 0 and size * 2 > len(order):
        return None
    more = round(share * size)
    sizes = np.bincount(whole.kind[rest]) if len(rest) else np.zeros(0, int)
    able = np.flatnonzero(sizes >= more)
    if not len(able):
        return None
    kind = draw.choice(able)
    new = draw.choice(rest[whole.kind[rest] == kind], more, replace=False)
    return smallest(whole, reference, np.concatenate([live[more:], new])) <= ALPHA / LOOKS


def interval(hits: int, of: int) -> tuple[float, float]:
    """Clopper and Pearson's, of 95 %."""
    low = float(beta.ppf(0.025, hits, of - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, of - hits)) if hits < of else 1.0
    return low, high


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--series", type=int, default=2_000)
    parser.add_argument("--shape", action="append", choices=list(POPULATIONS))
    parser.add_argument("--power", type=int, default=200, help="looks of each cell")
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    names = words.shape or list(POPULATIONS)
    begin, done = time.monotonic(), dict.fromkeys(names, 0)
    alarms, bare, smooth = (dict.fromkeys(names, 0) for _ in range(3))
    wholes = {name: population(name) for name in names}
    found: dict[str, object] = {"quiet": {}, "power": []}

    def keep() -> None:
        found["quiet"] = {
            name: {
                "series": done[name],
                "alarms": alarms[name],
                "kl": bare[name],
                "kl_smooth": smooth[name],
            }
            for name in names
        }
        if words.out:
            words.out.write_text(json.dumps(found, indent=1))

    cells = [(name, size, share) for name in names for size in SIZES for share in PLANTED]
    for name, size, share in cells if words.power else ():
        # One row a group: what is asked here is how many rows a shift takes.
        alone = replace(wholes[name], group=np.arange(len(wholes[name].group)))
        hits = [shifted(alone, seed, size, share) for seed in range(words.power)]
        able = [hit for hit in hits if hit is not None]
        if len(able) < len(hits) / 2:
            continue
        low, high = interval(sum(able), len(able))
        cell = {"name": name, "rows": size, "share": share, "found": sum(able), "of": len(able)}
        found["power"].append(cell | {"low": low, "high": high})  # type: ignore[attr-defined]
        print(cell, f"{time.monotonic() - begin:.0f} s", flush=True)
        keep()
    if not words.series:
        return
    while min(done.values()) < words.series and time.monotonic() - begin < 60 * words.minutes:
        for name in names:
            alarm, of_bare, of_smooth = quiet(wholes[name], done[name])
            done[name] += 1
            alarms[name] += alarm
            bare[name] += of_bare
            smooth[name] += of_smooth
        if min(done.values()) % 10 == 0:
            keep()
    keep()
    print("| rows | series | with an alarm | weeks with KL over .2 | the same, counts plus 1 |")
    print("|---|---:|---|---:|---:|")
    for name in names:
        low, high = (100 * end for end in interval(alarms[name], done[name]))
        share = 100 * alarms[name] / done[name]
        weeks = LOOKS * done[name] / 100
        of = f"{share:.1f} % [{low:.1f}, {high:.1f}]"
        of_kl = f"{bare[name] / weeks:.0f} % | {smooth[name] / weeks:.0f} %"
        print(f"| {name} | {done[name]:,} | {of} | {of_kl} |")
    hits, series = sum(alarms.values()), sum(done.values())
    low, high = (100 * end for end in interval(hits, series))
    print(f"| all | {series:,} | {100 * hits / series:.1f} % [{low:.1f}, {high:.1f}] | | |")


if __name__ == "__main__":
    main()
