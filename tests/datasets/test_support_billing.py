"""The shipped data set keeps the promises of its README."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "datasets" / "support-billing"
SPLITS = ("train", "pool", "dev", "test")


def _rows(split: str) -> list[dict]:
    text = (FOLDER / f"{split}.jsonl").read_bytes()
    return [json.loads(line) for line in text.split(b"\n") if line]


ROWS = {split: _rows(split) for split in SPLITS}


def _shingles(text: str) -> set[str]:
    folded = " ".join(text.casefold().split())
    return {folded[i : i + 5] for i in range(max(1, len(folded) - 4))}


def test_sizes_and_ids():
    everything = [row for rows in ROWS.values() for row in rows]
    assert len(everything) >= 300
    assert len({row["id"] for row in everything}) == len(everything)
    assert all(row["split"] == split for split in SPLITS for row in ROWS[split])


@pytest.mark.parametrize("split", ["dev", "test"])
def test_held_out_splits_can_carry_a_verdict(split):
    groups = Counter(row["group"] for row in ROWS[split])
    assert len(groups) >= 40
    assert max(groups.values()) <= 0.1 * len(ROWS[split])
    assert all(len(row["references"]) >= 2 for row in ROWS[split])


def test_a_group_never_spans_splits():
    places = defaultdict(set)
    for split in SPLITS:
        for row in ROWS[split]:
            places[row["group"]].add(split)
    assert {group: found for group, found in places.items() if len(found) > 1} == {}


def test_intents():
    by_split = {s: Counter(row["meta"]["intent"] for row in ROWS[s]) for s in SPLITS}
    assert len(by_split["dev"]) >= 12
    assert set(by_split["dev"]) == set(by_split["test"]) == set(by_split["train"])
    rare = [intent for intent, n in by_split["train"].items() if n <= 3]
    assert len(rare) == 2
    assert all(by_split["pool"][intent] >= 12 and by_split["dev"][intent] >= 8 for intent in rare)


@pytest.mark.parametrize(("one", "other"), list(combinations(SPLITS, 2)))
def test_no_two_rows_of_different_splits_are_nearly_alike(one, other):
    there = [(row["id"], _shingles(row["messages"][-1]["content"])) for row in ROWS[other]]
    for row in ROWS[one]:
        mine = _shingles(row["messages"][-1]["content"])
        for name, theirs in there:
            likeness = len(mine & theirs) / len(mine | theirs)
            assert likeness < 0.6, f"{row['id']} and {name}: {likeness:.2f}"
