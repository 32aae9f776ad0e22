"""False alarms and power of `harness drift`, beside a rule: KL of words over .2.

    python benchmarks/drift.py FOLDER [--minutes 10] [--series 2000] [--shape NAME]…

*False alarms*: series of 12 looks at weeks in which nothing changes. In each series the groups of a
population are dealt anew: some are the reference, and each week is drawn from the rest. A series
with any alarm is a false one; promised are 5 %. Only prompts and kinds of prompts are compared, and
answers where the population has them. *Power*: a share of the live rows is redrawn from one kind of
row, at the level of a look of 12; a kind is drawn anew each time.

The tests are those of the command, but for weights of 3-grams and cuts of numbers, which are those
of the whole population. Of 9,999 permutations those after the 99th, or the 999th, are left out
where twelve of these were as extreme: p cannot be small then. Intervals are Clopper and Pearson's,
of 95 %. The folder keeps every series and look, and a call that was stopped is gone on with. The
tables are printed; those of record are in drift.md.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import beta
from shapes import SHAPES

from harness import Example
from harness.kit.readers.live import LiveRow
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

DATASETS = Path(__file__).resolve().parents[1] / "datasets"
LOOKS, ALPHA = 12, 0.05
STEPS, FEW = (99, 999, 9_999), 12
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


def shipped(name: str, kind: str) -> list[tuple[LiveRow, str]]:
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
            rows.append((LiveRow(example, str(value["group"]), answer), str(meta[kind])))
    return rows


def shaped(name: str, count: int = 600) -> list[tuple[LiveRow, str]]:
    """A shape of the benchmarks of the gate; its kinds are the first words of prompts."""
    made = SHAPES[name](count, random.Random(0), False)
    return [(LiveRow(row, f"g{at}"), row.prompt.split()[0]) for at, row in enumerate(made)]


def users(count: int = 250) -> list[tuple[LiveRow, str]]:
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
            rows.append((LiveRow(example, f"u{user}"), kind))
    return rows


def greetings(count: int = 700) -> list[tuple[LiveRow, str]]:
    """Half of the prompts are one of thirty short ones, word for word."""
    draw = random.Random(2)
    questions = SHAPES["free questions"](count, draw, False)
    short = [f"{a} {b}" for a in ("hi", "hello", "hey", "ok", "thanks", "stop")
             for b in ("", "there", "bot", "please", "again")]  # fmt: skip
    rows = []
    for at, question in enumerate(questions):
        text = draw.choice(short) if draw.random() < 0.5 else question.prompt
        example = Example(f"r{at}", ({"role": "user", "content": text},))
        rows.append((LiveRow(example, f"g{at}"), "short" if len(text) < 15 else text.split()[0]))
    return rows


POPULATIONS: dict[str, Callable[[], list[tuple[LiveRow, str]]]] = {
    "support-billing": lambda: shipped("support-billing", "intent"),
    "library-desk": lambda: shipped("library-desk", "desk"),
    "python-questions": lambda: shipped("python-questions", "kind"),
    "free questions": lambda: shaped("free questions"),
    "users who ask often": users,
    "greetings": greetings,
}


def population(name: str, strange: str | None = None) -> Population:
    """
    Args:
        strange: another population, of which 150 rows come last, as one kind, all without answers.
    """
    pairs = POPULATIONS[name]()
    if len(pairs) > 1_500:
        pairs = random.Random(0).sample(pairs, 1_500)
    if strange is not None:
        others = random.Random(0).sample(POPULATIONS[strange](), 150)
        pairs += [(row, strange) for row, _ in others]
        pairs = [(replace(row, answer=None), kind) for row, kind in pairs]
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


@dataclass(frozen=True, slots=True)
class Kept(Deal):
    """A deal whose sides are drawn once for all tests of a look."""

    drawn: tuple[Singles, ...]

    def blocks(self) -> Iterator[Singles]:
        return iter(self.drawn)


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
    ps = [0.0] * len(tests)
    drawn = 0
    for step in STEPS:
        small = [at for at, p in enumerate(ps) if p * (drawn + 1) <= FEW]
        if not small:
            break
        deal = Kept(of, sides, step, tuple(Deal(of, sides, step).blocks()))
        for at in small:
            ps[at] = tests[at](deal)
        drawn = step
    return float(np.min(holm(ps)))


def kl(whole: Population, reference: Ints, live: Ints) -> tuple[float, float]:
    """KL of the words of live rows from those of the reference.

    With next to nothing, and with one, added to each count: words of one side alone have a
    logarithm then.
    """
    counts = [whole.words[side].sum(axis=0) for side in (live, reference)]
    seen = (counts[0] + counts[1]) > 0
    found = []
    for added in (1e-9, 1.0):
        p, q = ((c[seen] + added) / (c[seen] + added).sum(dtype=np.float64) for c in counts)
        found.append(float((p * np.log(p / q)).sum()))
    return found[0], found[1]


def dealt(whole: Population, draw: np.random.Generator, rows: int, left: Ints) -> Ints:
    """So many rows of these groups, or a few more: whole groups, in an order drawn."""
    order = draw.permutation(left)
    sizes = np.bincount(whole.group)[order]
    taken = order[: int(np.searchsorted(np.cumsum(sizes), rows)) + 1]
    return np.flatnonzero(np.isin(whole.group, taken))


def quiet(whole: Population, seed: int) -> dict[str, int]:
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
        found = kl(whole, reference, live)
        bare += found[0] > KL
        smooth += found[1] > KL
        alarm = alarm or smallest(whole, reference, live) <= ALPHA / LOOKS
    return {"alarm": int(alarm), "bare": int(bare), "smooth": int(smooth)}


def shifted(whole: Population, seed: int, size: int, share: float, strange: int) -> int | None:
    """Whether one look finds that a share of live rows is redrawn from one kind.

    Rows are taken without replacement, so no row stands there twice; None where too few of any
    kind are left.

    Args:
        strange: the kind that no other row of the two sides is of; -1: a kind is drawn of those
            that all rows are of.
    """
    draw = np.random.default_rng(seed)
    order = draw.permutation(np.flatnonzero(whole.kind != strange))
    if 2 * size > len(order):
        return None
    reference, live, rest = np.split(order, [size, 2 * size])
    rest = rest if strange < 0 else np.flatnonzero(whole.kind == strange)
    more = round(share * size)
    able = np.flatnonzero(np.bincount(whole.kind[rest], minlength=1) >= more)
    if not len(able):
        return None
    kind = draw.choice(able)
    new = draw.choice(rest[whole.kind[rest] == kind], more, replace=False)
    return int(smallest(whole, reference, np.concatenate([live[more:], new])) <= ALPHA / LOOKS)


def interval(hits: int, of: int) -> tuple[float, float]:
    """Clopper and Pearson's, of 95 %."""
    low = float(beta.ppf(0.025, hits, of - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, of - hits)) if hits < of else 1.0
    return low, high


@dataclass(frozen=True)
class Cell:
    """Looks at one kind of shift.

    Attributes:
        new: whose rows replace live ones; ``one kind`` of the population's own, or another's.
    """

    name: str
    new: str
    rows: int
    share: float

    @property
    def words(self) -> str:
        return f"{self.name} / {self.new} / {self.rows} / {self.share}"


CELLS = [
    Cell(name, new, rows, share)
    for name, others in (
        ("support-billing", ("one kind", "library-desk")),
        ("python-questions", ("one kind", "free questions")),
        ("greetings", ("one kind", "support-billing")),
    )
    for new in others
    for rows in SIZES
    for share in PLANTED
]


def looks(cell: Cell) -> Callable[[int], dict[str, int | None]]:
    """A seed -> whether the look finds the shift."""
    # One row a group: what is asked here is how many rows a shift takes.
    strange = None if cell.new == "one kind" else cell.new
    whole = population(cell.name, strange)
    whole = replace(whole, group=np.arange(len(whole.group)))
    kind = -1 if strange is None else int(whole.kind[-1])
    return lambda seed: {"found": shifted(whole, seed, cell.rows, cell.share, kind)}


class Results:
    """Lines of a file, one for each seed; what stands there is not done again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, list[dict[str, int]]] = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            value = json.loads(line)
            self.found.setdefault(value.pop("of"), []).append(value)

    def add(self, of: str, value: dict[str, int | None]) -> None:
        self.found.setdefault(of, []).append(value)
        with self.path.open("a") as stream:
            stream.write(json.dumps({"of": of, **value}) + "\n")

    def done(self, of: str) -> int:
        return len(self.found.get(of, ()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--series", type=int, default=2_000)
    parser.add_argument("--shape", action="append", choices=list(POPULATIONS))
    parser.add_argument("--power", type=int, default=200, help="looks of each cell")
    words = parser.parse_args()
    words.folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * words.minutes
    names = words.shape or list(POPULATIONS)
    series = Results(words.folder / "quiet.jsonl")
    wholes = {name: population(name) for name in names}
    while time.monotonic() < end:
        name = min(names, key=series.done)
        if series.done(name) >= words.series:
            break
        for seed in range(series.done(name), min(series.done(name) + 20, words.series)):
            series.add(name, quiet(wholes[name], seed))
    power = Results(words.folder / "power.jsonl")
    for cell in CELLS:
        if power.done(cell.words) >= words.power or time.monotonic() > end:
            continue
        look = looks(cell)
        for seed in range(power.done(cell.words), words.power):
            power.add(cell.words, look(seed))
    show(series, power)


def show(series: Results, power: Results) -> None:
    print("| rows | series | with an alarm | weeks with KL over .2 | the same, 1 added |")
    print("|---|---:|---|---:|---:|")
    every = [line for lines in series.found.values() for line in lines]
    for name, lines in [*series.found.items(), ("all", every)]:
        kls = [100 * sum(line[key] for line in lines) / LOOKS / len(lines)
               for key in ("bare", "smooth")]  # fmt: skip
        alarms = within(sum(line["alarm"] for line in lines), len(lines))
        print(f"| {name} | {len(lines):,} | {alarms} | {kls[0]:.1f} % | {kls[1]:.1f} % |")
    print("\n| rows of | replaced by | live rows | share | found | looks |")
    print("|---|---|---:|---:|---|---:|")
    for cell in CELLS:
        hits = [line["found"] for line in power.found.get(cell.words, ())]
        able = [hit for hit in hits if hit is not None]
        if able and len(able) >= len(hits) / 2:
            found = within(sum(able), len(able))
            print(f"| {cell.name} | {cell.new} | {cell.rows} | {100 * cell.share:.0f} % "
                  f"| {found} | {len(able)} |")  # fmt: skip


def within(hits: int, of: int) -> str:
    low, high = (100 * end for end in interval(hits, of))
    return f"{100 * hits / of:.1f} % [{low:.1f}, {high:.1f}]"


if __name__ == "__main__":
    main()
