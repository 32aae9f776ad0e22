"""What the gate keeps and what it recognises, on rows of many shapes.

    python benchmarks/decontamination.py [--held-out N] [--source N] [--proposals N] [--copies N]
        [--shape NAME …] [--seed N] [--speed] [--json FILE]

For each shape of ``shapes.py``: rows of dev and test, of the source, and proposals that are
unrelated to all of them; copies of held-out rows, edited in eight ways, under the name of a row
of the source. Two tables in Markdown: the share of unrelated rows kept (as proposals, and as rows
of the source), and the share of copies refused. ``--speed`` times 10,000 proposals against 2,000
held-out rows (alone on the machine).
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import copies as copies_of
import shapes

from harness.data.filters import RowGate
from harness.data.likeness import Likeness, Limits
from harness.data.screening import Rules, screen
from harness.data.threshold import calibrate
from harness.records import Example

KEPT = 0.99


def gate_of(held_out: Sequence[Example], source: Sequence[Example]) -> tuple[RowGate, Any]:
    """The gate as a run makes it, and what it found usual."""
    likeness = Likeness(held_out, source, Limits())
    usual = calibrate(likeness, held_out, source, passing=KEPT, seed=1)
    return RowGate(held_out, source, likeness=likeness, usual=usual), usual


def drawn(
    shape: str, sizes: Sequence[int], seed: int, deep: bool = True
) -> tuple[list[Example], list[Example], list[Example]]:
    """Held-out rows (a half each of dev and test), rows of the source, unrelated proposals."""
    draw = random.Random(seed)
    rows = (shapes.SHAPES | shapes.UNSEEN)[shape](sum(sizes), draw, deep)
    held_out, source, others = shapes.dealt(rows, sizes, draw)
    return (
        shapes.renamed_rows(held_out, "h", ("dev", "test")),
        shapes.renamed_rows(source, "s", ("train",)),
        shapes.proposed(others, shapes.renamed_rows(source, "s", ("train",))),
    )


def measured(
    shape: str, sizes: Sequence[int], copies: int, seed: int, deep: bool = True
) -> dict[str, Any]:
    """The figures of one shape; shares, 0 to 1."""
    held_out, source, others = drawn(shape, sizes, seed, deep)
    gate, usual = gate_of(held_out, source)
    kept = sum(gate.refuse(row) is None for row in others) / len(others)
    leaving, _ = screen([*held_out, *source], Rules(), seed=1)
    refused: dict[str, float] = {}
    draw = random.Random(seed + 1)
    for edit in copies_of.EDITS:
        planted = [
            copy
            for number, row in enumerate(held_out[:copies])
            if (copy := copies_of.planted(row, edit, number, source[0].id, draw))
        ]
        if planted:
            refused[edit] = sum(gate.refuse(copy) is not None for copy in planted) / len(planted)
    return {
        "rows": [len(held_out), len(source), len(others)],
        "kept": kept,
        "kept_source": 1 - len(leaving) / len(source),
        "threshold": usual.near(Limits().near),
        "recognised": usual.recognised,
        "refused": refused,
    }


def speed(shape: str, seed: int) -> dict[str, float]:
    """CPU seconds for 10,000 proposals against 2,000 held-out rows (one thread)."""
    held_out, source, others = drawn(shape, (2000, 2000, 1000), seed)
    begin = time.process_time()
    gate, _ = gate_of(held_out, source)
    made = time.process_time()
    for number in range(10_000):
        gate.refuse(others[number % len(others)])
    return {"gate made": made - begin, "10,000 proposals": time.process_time() - made}


def table(found: dict[str, dict[str, Any]]) -> str:
    lines = [
        "| shape | proposals kept | source rows kept | threshold | "
        + " | ".join(copies_of.EDITS)
        + " |",
        "|---|" + "---|" * (3 + len(copies_of.EDITS)),
    ]
    for shape, one in found.items():
        cells = [_percent(one["kept"]), _percent(one["kept_source"]), f"{one['threshold']:.2f}"]
        cells += [_percent(one["refused"].get(edit)) for edit in copies_of.EDITS]
        lines.append(f"| {shape} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--held-out", type=int, default=1000)
    parser.add_argument("--source", type=int, default=1500)
    parser.add_argument("--proposals", type=int, default=1000)
    parser.add_argument("--copies", type=int, default=300)
    parser.add_argument("--shape", nargs="*", default=[*shapes.SHAPES, *shapes.UNSEEN])
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found: dict[str, dict[str, Any]] = {}
    for shape in given.shape:
        if given.speed:
            times = speed(shape, given.seed)
            print(shape, ", ".join(f"{what}: {s:.2f} s" for what, s in times.items()), flush=True)
        else:
            sizes = (given.held_out, given.source, given.proposals)
            found[shape] = measured(shape, sizes, given.copies, given.seed)
            print(table({shape: found[shape]}).splitlines()[-1], flush=True)
    if found:
        print(table(found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
