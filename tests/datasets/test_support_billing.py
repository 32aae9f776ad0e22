"""The shipped data set keeps the promises of its README."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from statistics import mean

import pytest

import harness
from harness.kit import yaml_file

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
    rare = {intent for intent, n in by_split["train"].items() if n <= 3}
    assert rare == {"RateBook", "VatInvoice"}


@pytest.mark.parametrize("intent", ["RateBook", "VatInvoice"])
def test_rare_intents_can_be_found_and_filled(intent):
    """As many groups as rows count: what 24 rows of few stories show, they show of few."""
    groups = {
        split: {row["group"] for row in ROWS[split] if row["meta"]["intent"] == intent}
        for split in SPLITS
    }
    assert len(groups["train"]) == 3
    assert len(groups["pool"]) >= 30
    assert len(groups["dev"]) >= 24 and len(groups["test"]) >= 24


def test_the_readme_counts_what_is_there():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| \*{0,2}([A-Z]\w+(?: \w+)*)\*{0,2} \|(.*)\|$", text, re.MULTILINE))
    per_split = {s: Counter(row["meta"]["intent"] for row in ROWS[s]) for s in SPLITS}
    for intent in sorted(per_split["dev"]):
        counts = [per_split[split][intent] for split in SPLITS]
        assert table[intent].split("|") == [f" {n} " for n in [*counts, sum(counts)]], intent
    sizes = [len(ROWS[split]) for split in SPLITS]
    assert table["All rows"].split("|") == [f" {n} " for n in [*sizes, sum(sizes)]]
    groups = [len({row["group"] for row in ROWS[split]}) for split in SPLITS]
    assert table["Groups"].split("|") == [f" {n} " for n in [*groups, sum(groups)]]
    assert f"{sum(sizes)} billing questions" in text


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(("one", "other"), list(combinations(SPLITS, 2)))
def test_no_two_rows_of_different_splits_are_nearly_alike(one, other):
    there = [(row["id"], _shingles(row["messages"][-1]["content"])) for row in ROWS[other]]
    for row in ROWS[one]:
        mine = _shingles(row["messages"][-1]["content"])
        for name, theirs in there:
            likeness = len(mine & theirs) / len(mine | theirs)
            assert likeness < 0.6, f"{row['id']} and {name}: {likeness:.2f}"


# -- the facts of dev and test ------------------------------------------------------------

FACTS = harness.make_plugin("metric", "facts", {"file": str(FOLDER / "facts.yaml")})
HELD_OUT = {
    split: [
        harness.Example(
            row["id"], tuple(row["messages"]), tuple(row["references"]), split=split,
            meta=row["meta"], group=row["group"],
        )
        for row in ROWS[split]
    ]
    for split in ("dev", "test")
}  # fmt: skip


def share(answer, example):
    return FACTS.measure(harness.Prediction(example.id, answer), example)


def test_facts_are_listed_for_each_held_out_row_and_no_other():
    listed = yaml_file.read(FOLDER / "facts.yaml")[0]["rows"]
    assert set(listed) == {example.id for split in HELD_OUT.values() for example in split}


@pytest.mark.parametrize("split", HELD_OUT)
def test_references_state_all_of_their_facts(split):
    missed = [
        (example.id, number)
        for example in HELD_OUT[split]
        for number, reference in enumerate(example.references, start=1)
        if share(reference, example) != 1
    ]
    assert missed == []


@pytest.mark.parametrize("split", HELD_OUT)
def test_answers_of_other_rows_of_the_intent_do_not_state_them(split):
    """What is right for another question of the intent, and says so in the house's style."""
    shares = [
        share(other.references[0], example)
        for example in HELD_OUT[split]
        for other in HELD_OUT[split]
        if other.group != example.group and other.meta["intent"] == example.meta["intent"]
    ]
    assert len(shares) > 1000
    assert mean(shares) < 0.1
    assert mean(value == 1 for value in shares) < 0.02


@pytest.mark.parametrize("split", HELD_OUT)
def test_no_question_states_the_facts_of_its_answer(split):
    """An answer that repeats the question passes nowhere."""
    asked = [share(example.messages[-1]["content"], example) for example in HELD_OUT[split]]
    assert 1.0 not in asked
