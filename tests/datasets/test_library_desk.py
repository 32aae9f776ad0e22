"""The data set of the library's desks keeps the promises of its README."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "datasets" / "library-desk"
SPLITS = ("train", "pool", "dev", "test")
STARVED = {"Damage", "Interlibrary", "Rooms"}
ROWS = {
    split: [json.loads(line) for line in (FOLDER / f"{split}.jsonl").read_bytes().splitlines()]
    for split in SPLITS
}
DESKS = {split: Counter(row["meta"]["desk"] for row in ROWS[split]) for split in SPLITS}


def test_each_row_is_a_message_to_one_desk() -> None:
    everything = [row for rows in ROWS.values() for row in rows]
    assert len({row["id"] for row in everything}) == len(everything)
    assert len({row["messages"][-1]["content"] for row in everything}) == len(everything)
    assert all(row["references"] == [row["meta"]["desk"]] for row in everything)
    instructions = {row["messages"][0]["content"] for row in everything}
    assert len(instructions) == 1
    assert all(desk in next(iter(instructions)) for desk in DESKS["dev"])


def test_starved_desks_are_scarce_in_train_alone() -> None:
    assert {desk for desk, rows in DESKS["train"].items() if rows <= 4} == STARVED
    share = sum(DESKS["pool"][desk] for desk in STARVED) / len(ROWS["pool"])
    assert 0.15 <= share <= 0.3
    assert set(DESKS["dev"].values()) == {15} and set(DESKS["test"].values()) == {10}


def test_wordings_of_one_message_stay_together() -> None:
    groups = {split: {row["group"] for row in ROWS[split]} for split in SPLITS}
    assert not any(groups[one] & groups[other] for one, other in combinations(SPLITS, 2))
    assert len(ROWS["dev"]) > len(groups["dev"]) >= 140


def test_no_message_is_near_one_of_another_split() -> None:
    shingles = {
        split: [_shingles(row["messages"][-1]["content"]) for row in ROWS[split]]
        for split in SPLITS
    }
    highest = max(
        len(mine & theirs) / len(mine | theirs)
        for one, other in combinations(SPLITS, 2)
        for mine in shingles[one]
        for theirs in shingles[other]
    )
    assert highest < 0.25


def test_the_readme_counts_what_is_there() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    table = {
        name: [int(cell) for cell in cells.split("|")]
        for name, cells in re.findall(r"^\| \**([A-Z][\w ]+?)\** \|[^|]*\|([\d |]+)\|$", text, re.M)
    }
    groups = [len({row["group"] for row in ROWS[split]}) for split in SPLITS]
    sizes = [len(ROWS[split]) for split in SPLITS]
    expected = {desk: [DESKS[split][desk] for split in SPLITS] for desk in DESKS["dev"]}
    expected |= {"All rows": sizes, "Groups": groups}
    assert table == {name: [*counts, sum(counts)] for name, counts in expected.items()}
    assert f"{sum(sizes)} short messages" in text
    assert f"{sum(sizes) - sum(groups)} messages are a second wording" in text


def _shingles(text: str) -> set[str]:
    folded = text.casefold()
    return {folded[start : start + 5] for start in range(len(folded) - 4)}
