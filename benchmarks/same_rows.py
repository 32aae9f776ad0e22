"""How often rows of test are known again when they are reworded, and others taken for them.

    python benchmarks/same_rows.py            # print the tables
    python benchmarks/same_rows.py --write    # put them into benchmarks/same_rows.md
    python benchmarks/same_rows.py --speed    # processor seconds of an opening

The rule is that of ``harness/kit/alike/wording.py`` and ``harness/run/row_keys.py``. Of two sets
one is read as the ledger has it, and the other one is opened. Of rewordings both orders are shown:
the rows were opened before they were reworded, or after. Of other rows the order counts in which
more are merged, with the second set as it is or behind ``Question: ``.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import same_rows_rewordings as rewordings
import same_rows_worlds as worlds

from harness.kit.alike.wording import in_common
from harness.records import Example
from harness.run.ledger import Ledger, OpenedLine
from harness.run.row_keys import RowKeys, overlap, row_keys
from harness.stats.shares import share_interval

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "benchmarks" / "same_rows.md"
SETS = ("library-desk", "python-functions", "python-questions", "support-billing")
RECIPES = ("chat", "classify", "extract", "summarise")
ROWS, SEEDS, OPENINGS = 200, 10, 400
LEAST = 0.95
Pair = tuple[list[Example], list[Example]]
QUESTION = rewordings.TUNED["`Question: ` before"]


# -- sets of rows --------------------------------------------------------------------------------


def read(path: Path) -> list[Example]:
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines()):
        row = json.loads(line)
        if "messages" in row:
            asked, answers = row["messages"], row.get("references")
            if answers is None:
                *asked, told = asked
                answers = [told["content"]]
            rows.append(Example(f"r{number}", tuple(asked), tuple(answers), split="test"))
            continue
        prompt, answer = {
            "text": lambda row: (row["text"], row["label"]),
            "document": lambda row: (f"Summarise it.\n\n{row['document']}", row["summary"]),
            "instruction": lambda row: (f"{row['instruction']}\n\n{row['input']}", row["output"]),
        }[next(key for key in ("text", "document", "instruction") if key in row)](row)
        rows.append(worlds.row(f"r{number}", prompt, answer))
    return rows


def halves(rows: list[Example], seed: int) -> Pair:
    rows = random.Random(seed).sample(rows, len(rows))
    return rows[: len(rows) // 2], rows[len(rows) // 2 :]


def made(make: worlds.Make, seed: int) -> Pair:
    return halves(worlds.distinct(make, random.Random(seed), 2 * ROWS), seed)


def pairs_of_sets(seeds: int) -> Iterator[tuple[str, str, list[Pair]]]:
    """Kind and name of each world, and pairs of its sets that have no row in common."""
    for name in SETS:
        folder = ROOT / "datasets" / name
        yield "tuned", name, [(read(folder / "dev.jsonl"), read(folder / "test.jsonl"))]
    for name in RECIPES:
        rows = read(ROOT / "datasets" / "recipes" / f"{name}.jsonl")
        yield "tuned", f"recipe {name}", [halves(rows, seed) for seed in range(seeds)]
    for kind, makes in (("tuned", worlds.TUNED), ("new", worlds.NEW)):
        for name, make in makes.items():
            yield kind, name, [made(make, 100 + seed) for seed in range(seeds)]


def hard_pairs(seeds: int) -> Iterator[tuple[str, list[Pair]]]:
    """Sets of other rows that are told apart hardly or not at all."""
    cases: dict[str, Callable[[random.Random], Pair]] = {
        "another hypothesis on each premise": lambda d: worlds.hypotheses(d, ROWS),
        "each goes on in one of 100 ways": lambda d: worlds.extended(d, ROWS, 100),
        "each goes on in one of 20 ways": lambda d: worlds.extended(d, ROWS, 20),
        "each goes on in one of 5 ways": lambda d: worlds.extended(d, ROWS, 5),
    }
    for share in (0.1, 0.5, 1.0):
        cases[f"another question on {share:.0%} of the passages"] = (
            lambda d, share=share: worlds.other_questions(d, ROWS, share)  # type: ignore[misc]
        )
    for name, make in cases.items():
        yield name, [make(random.Random(200 + seed)) for seed in range(seeds)]


# -- both errors ---------------------------------------------------------------------------------


def written(keys: RowKeys) -> RowKeys:
    """Keys as they are read from a ledger."""
    return RowKeys(keys.turns, keys.words)


def compared(first: RowKeys, second: RowKeys) -> list[tuple[int, bool]]:
    """In both orders: rows in common, and whether an opening of the one is one of the other."""
    found = []
    for new, old in ((second, written(first)), (first, written(second))):
        assert new.wordings is not None and old.wordings is not None
        found.append((in_common(new.wordings, old.wordings), overlap(new, old)))
    return found


@dataclasses.dataclass
class Share:
    """So many of so many rows, and of so many sets."""

    rows: int = 0
    of_rows: int = 0
    sets: int = 0
    of_sets: int = 0

    def add(self, rows: int, of_rows: int, same_set: bool) -> None:
        self.rows, self.of_rows = self.rows + rows, self.of_rows + of_rows
        self.sets, self.of_sets = self.sets + same_set, self.of_sets + 1

    def __add__(self, other: Share) -> Share:
        return Share(*(a + b for a, b in zip(
            dataclasses.astuple(self), dataclasses.astuple(other), strict=True)))  # fmt: skip

    @property
    def part(self) -> float:
        return self.rows / self.of_rows

    @property
    def cells(self) -> str:
        low, high = share_interval(self.rows, self.of_rows)
        share = f"{100 * self.part:.2f} [{100 * low:.2f}, {100 * high:.2f}]"
        return f"{self.rows:,} of {self.of_rows:,} | {share} | {self.sets} of {self.of_sets}"


def merged(pairs: Sequence[Pair]) -> Share:
    """Other rows that are taken for the same, the second set as it is or behind `Question: `."""
    share = Share()
    for first, second in pairs:
        old = row_keys(first)
        found = [
            each
            for rows in (second, QUESTION(second, first))
            for each in compared(old, row_keys(rows))
        ]
        share.add(
            max(rows for rows, _ in found), min(len(first), len(second)), any(s for _, s in found)
        )
    return share


def recognised(reword: rewordings.Reword, pairs: Sequence[Pair]) -> tuple[Share, Share]:
    """Where the rows were opened before they were reworded, and the other way round."""
    orders = Share(), Share()
    for rows, others in pairs:
        first, second = row_keys(rows), row_keys(reword(rows, others))
        for share, (known, same) in zip(orders, compared(first, second), strict=True):
            share.add(known, len(first.turns), same)
    return orders


def total(shares: Sequence[Share]) -> Share:
    return sum(shares, Share())


_ORDERS = "opened, then reworded | share, % | sets | reworded rows opened first | share, % | sets |"
MERGED = "| other rows | merged | share, % | sets counted |"
HARD = "| other rows, hardly told apart | merged | share, % | sets counted |"
KNOWN = f"| rewording | worlds | {_ORDERS}"
NEW = f"| new rewording | worlds | {_ORDERS}"
BEYOND = f"| other change | worlds | {_ORDERS}"
LOW = "| rewording | world | opened, then reworded, % | reworded rows opened first, % |"
SPEED = "| opened before, 400 times | seconds of processor |"


def table_of_merged(every: Sequence[tuple[str, str, list[Pair]]]) -> list[str]:
    shares = [(kind, name, merged(pairs)) for kind, name, pairs in every]
    lines = [
        f"| {name}{', new' if kind == 'new' else ''} | {share.cells} |"
        for kind, name, share in shares
    ]
    for kind, title in (("tuned", "before the rule was made"), ("new", "written afterwards")):
        share = total([share for k, _, share in shares if k == kind])
        lines.append(f"| **all {title}** | {share.cells} |")
    return lines


def tables_of_rewordings(
    changes: Mapping[str, rewordings.Reword], every: Sequence[tuple[str, str, list[Pair]]]
) -> tuple[list[str], list[str]]:
    """One line for each rewording and kind of world, and one for each cell below 95 %."""
    lines, low = [], []
    for title, reword in changes.items():
        without = rewordings.ANOTHER_QUESTION.get(title, ())
        for kind in ("tuned", "new"):
            shares = {
                name: recognised(reword, pairs)
                for k, name, pairs in every
                if k == kind and name not in without
            }
            orders = [total(each) for each in zip(*shares.values(), strict=True)]
            lines.append(f"| {title} | {kind} | {orders[0].cells} | {orders[1].cells} |")
            low += [
                f"| {title} | {name} | {100 * then.part:.1f} | {100 * before.part:.1f} |"
                for name, (then, before) in shares.items()
                if min(then.part, before.part) < LEAST
            ]
    return lines, low


# -- speed ---------------------------------------------------------------------------------------


def long_set(seed: int) -> list[Example]:
    draw = random.Random(seed)
    words = [f"w{number}" for number in range(3000)]
    return [
        worlds.row(f"t{n}", f"What is {' '.join(draw.choices(words, k=14))}?", draw.choice("abcde"))
        for n in range(2000)
    ]


def seconds(different: bool, folder: Path) -> float:
    """Of one opening of 2,000 rows, after 400 openings of these or of as many other sets."""
    path = folder / f"{'different' if different else 'same'}.jsonl"
    same = row_keys(long_set(1))
    ledger = Ledger(path)
    for number in range(OPENINGS):
        keys = row_keys(long_set(number)) if different else same
        line = OpenedLine(f"o{number}", f"run {number}", f"t{number}", keys.digest, 0, number,
                          0 if different else number)  # fmt: skip
        if different or not number:
            line = dataclasses.replace(line, turns=keys.listed, words=keys.words)
        ledger._log.append(line)
    rows = long_set(OPENINGS if different else 1)
    begun = time.process_time()
    opening = Ledger(path).open(rows, "now")
    spent = time.process_time() - begun
    assert opening.looks == (1 if different else OPENINGS + 1)
    return spent


def table_of_speed() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return [
            f"| {title} | {seconds(different, Path(folder)):.2f} |"
            for title, different in (("the same 2,000 rows", False), ("400 other sets", True))
        ]


# -- the page ------------------------------------------------------------------------------------


def tables(seeds: int) -> Iterator[tuple[str, list[str]]]:
    every = list(pairs_of_sets(seeds))
    yield MERGED, table_of_merged(every)
    yield HARD, [f"| {name} | {merged(pairs).cells} |" for name, pairs in hard_pairs(seeds)]
    known, low = tables_of_rewordings(rewordings.TUNED, every)
    new, new_low = tables_of_rewordings(rewordings.NEW, every)
    yield KNOWN, known
    yield NEW, new
    yield LOW, [*low, *new_low]
    yield BEYOND, tables_of_rewordings(rewordings.BEYOND, every)[0]


def put(page: str, head: str, lines: Sequence[str]) -> str:
    """The page with these lines in place of those below this head of a table."""
    before, found, rest = page.partition(f"{head}\n")
    assert found, f"the page has no table {head}"
    old = rest.splitlines(keepends=True)
    end = next((n for n, line in enumerate(old) if not line.startswith("|")), len(old))
    return before + "".join(f"{line}\n" for line in (head, rule(head), *lines)) + "".join(old[end:])


def rule(head: str) -> str:
    return "|---" * (head.count("|") - 1) + "|"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--speed", action="store_true", help="the speed alone")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    done = iter([(SPEED, table_of_speed())]) if options.speed else tables(options.seeds)
    for head, lines in done:
        print("\n".join((head, rule(head), *lines)), end="\n\n", flush=True)
        if options.write:
            PAGE.write_text(put(PAGE.read_text("utf-8"), head, lines), "utf-8")


if __name__ == "__main__":
    main()
