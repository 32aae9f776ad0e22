"""What `harness data redact` finds, on lines in which every private value is labelled.

    python benchmarks/redact.py [--half tuning|held-out] [--mistakes]

Reads ``datasets/redaction-labels`` (its README says who labelled, and how). A find is right where
it has the kind of a label, covers it whole and is at most a quarter longer; precision is the share
of finds that are right, recall the share of labels that are found, both with 95 % Wilson
intervals. ``--mistakes`` lists what was missed and what was found besides: for the tuning half
alone, as long as the rules may still change. All kinds are asked for, IP addresses, too.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from detectors import wilson

from harness_rows.cleaning.private.finding import Finders
from harness_rows.cleaning.private.values import KINDS

LABELS = Path(__file__).parents[1] / "datasets" / "redaction-labels" / "lines.jsonl"
LONGER = 1.25
HALVES = ("tuning", "held-out")

Span = tuple[str, int, int]


def lines(half: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in LABELS.read_bytes().splitlines()]
    return [row for row in rows if row["half"] == half]


def labelled(row: dict[str, Any]) -> list[Span]:
    spans, at = [], 0
    for label in row["values"]:
        at = row["text"].index(label["value"], at)
        spans.append((label["kind"], at, at + len(label["value"])))
        at += len(label["value"])
    return spans


def right(found: Span, label: Span) -> bool:
    covers = found[1] <= label[1] and found[2] >= label[2]
    return found[0] == label[0] and covers and length(found) <= LONGER * length(label)


def length(span: Span) -> int:
    return span[2] - span[1]


def compared(row: dict[str, Any], finders: Finders) -> tuple[list[Span], list[Span], list[Span]]:
    """The labels that were found, those that were missed, and the finds that are wrong."""
    found = [(one.kind, one.start, one.end) for one in finders.find(row["text"])]
    labels = labelled(row)
    hit = [label for label in labels if any(right(one, label) for one in found)]
    wrong = [one for one in found if not any(right(one, label) for label in labels)]
    return hit, [label for label in labels if label not in hit], wrong


def counted(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Kind -> number of labels hit, missed, and of wrong finds."""
    finders, counts = Finders(KINDS), Counter[tuple[str, str]]()
    for row in rows:
        for name, spans in zip(("hit", "missed", "wrong"), compared(row, finders), strict=True):
            counts.update((span[0], name) for span in spans)
    return {kind: {n: counts[kind, n] for n in ("hit", "missed", "wrong")} for kind in KINDS}


def table(found: dict[str, dict[str, int]]) -> list[str]:
    shown = [
        "| kind | values | found | recall | wrong finds | precision |",
        "|---|---:|---:|---|---:|---|",
    ]
    every = {name: sum(one[name] for one in found.values()) for name in ("hit", "missed", "wrong")}
    for kind, one in [*found.items(), ("all", every)]:
        labels, finds = one["hit"] + one["missed"], one["hit"] + one["wrong"]
        cells = [
            kind,
            labels,
            one["hit"],
            share(one["hit"], labels),
            one["wrong"],
            share(one["hit"], finds),
        ]
        shown.append("| " + " | ".join(map(str, cells)) + " |")
    return shown


def share(part: int, whole: int) -> str:
    if not whole:
        return "-"
    low, high = wilson(part, whole)
    return f"{part / whole:.2f} [{low:.2f}, {high:.2f}]"


def mistakes(rows: Sequence[dict[str, Any]]) -> None:
    finders = Finders(KINDS)
    for row in rows:
        _, missed, wrong = compared(row, finders)
        for title, spans in (("missed", missed), ("wrong", wrong)):
            for kind, start, end in spans:
                print(f"{row['id']} {title} {kind}: {row['text'][start:end]!r} in {row['text']!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--half", choices=HALVES)
    parser.add_argument("--mistakes", action="store_true")
    options = parser.parse_args()
    for half in [options.half] if options.half else HALVES:
        rows = lines(half)
        clean = [row for row in rows if not row["values"]]
        touched = sum(bool(Finders(KINDS).find(row["text"])) for row in clean)
        print(f"\n{half}: {len(rows)} lines; of {len(clean)} without a value, {touched} changed\n")
        print("\n".join(table(counted(rows))))
        if options.mistakes:
            mistakes(rows)


if __name__ == "__main__":
    main()
