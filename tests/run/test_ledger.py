"""The ledger: what is one opening, which openings count for which rows, and what they ask."""

from __future__ import annotations

import dataclasses
import json
import random
import re
import subprocess
import sys

import pytest

from harness.data.splits import rows_digest
from harness.errors import DataError
from harness.kit.files import append_line, canonical, digest
from harness.records import Example
from harness.run import dev_ledger, ledger as openings
from harness.run.ledger import Ledger, Unopened
from harness.run.row_keys import row_keys
from tests.support.waiting import LONG


def rows(first: int, last: int) -> list[Example]:
    return [
        Example(f"t-{n}", ({"role": "user", "content": f"ask {n}"},), (f"say {n}",), split="test")
        for n in range(first, last)
    ]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "test-openings.jsonl"


def test_a_run_counts_once_and_other_rows_apart(path):
    test = rows(0, 20)
    looks = [Ledger(path).open(test, run).looks for run in ("a", "a", "b", "c", "b")]
    assert looks == [1, 1, 2, 3, 2]
    assert Ledger(path).open(rows(50, 70), "a").looks == 1


def test_other_answers_of_the_same_run_are_another_look(path):
    ledger, test = Ledger(path), rows(0, 20)
    for answers, looks in (("one", 1), ("one", 1), ("other", 2), ("one", 1), ("other", 2)):
        opening = ledger.open(test, "a")
        assert ledger.answered(opening, answers).looks == looks
    assert ledger.open(test, "b").looks == 3


def test_an_opening_is_two_lines_the_first_before_the_answers(path):
    ledger = Ledger(path)
    opening = ledger.open(rows(0, 5), "a")
    (line,) = path.read_text().splitlines()
    assert len(json.loads(line)["turns"].split()) == 5
    ledger.answered(opening, "digest")
    after = path.read_text().splitlines()
    assert after[0] == line and json.loads(after[1])["answers"] == "digest"


def changed(row: Example, **fields) -> Example:
    return dataclasses.replace(row, **fields)


@pytest.mark.parametrize(
    "disguise",
    [
        lambda test: [changed(row, id=f"x{n}") for n, row in enumerate(test)],
        lambda test: [changed(row, meta={"kind": "new"}) for row in test],
        lambda test: [changed(row, group="one") for row in test],
        lambda test: test[::-1],
        lambda test: [*test, *rows(100, 101)],
        lambda test: test[:4],
        lambda test: [*test[:2], *rows(200, 218)],
        lambda test: [*test, *rows(300, 1000)],
        lambda test: [
            changed(row, messages=({"role": "user", "content": f" ASK  {n}\n"},))
            for n, row in enumerate(test)
        ],
        lambda test: [
            changed(row, messages=({"role": "system", "content": "Be brief."}, *row.messages))
            for row in test
        ],
        lambda test: [changed(row, references=(*row.references, "more")) for row in test],
    ],
    ids=[
        "ids",
        "meta",
        "groups",
        "order",
        "one more",
        "fewer",
        "a tenth",
        "many more",
        "spaces",
        "a system turn",
        "a reference",
    ],
)
def test_rows_in_disguise_are_the_same_rows(path, disguise):
    test = rows(0, 20)
    Ledger(path).open(test, "a")
    assert Ledger(path).open(disguise(test), "b").looks == 2


def respelled(test, text):
    return [
        changed(row, messages=({"role": "user", "content": text.format(row.prompt)},))
        for row in test
    ]


def test_rows_with_words_around_them_are_no_first_opening(path):
    """The level is spent as for equal rows."""
    test = rows(0, 20)
    Ledger(path).open(test, "a")
    for looks, text in enumerate(("Question: {}", "{}, in one word", "- {}"), start=2):
        opening = Ledger(path).open(respelled(test, text), f"run {looks}")
        assert (opening.looks, opening.alpha) == (looks, openings.alpha(looks))
    assert [opening.looks for opening in Ledger(path).openings()] == [1, 2, 3, 4]
    assert Ledger(path).open(respelled(rows(50, 70), "Question: {}"), "b").looks == 1


def earlier_line(test, run, name):
    """As version 3 of the ledger wrote it."""
    turns = sorted(row_keys(test).turns)
    return {"schema": 3, "opening": name, "run": run, "test": rows_digest(test),
            "set": digest(turns), "runs": 0, "rows": turns}  # fmt: skip


def test_openings_that_an_earlier_version_wrote_down_count_as_they_did(path):
    test = rows(0, 20)
    for name in ("first", "second"):
        append_line(path, earlier_line(test, name, name))
    assert [opening.looks for opening in Ledger(path).openings()] == [1, 2]
    assert Ledger(path).open(test, "first").looks == 1, "the same opening"
    assert Ledger(path).open(test, "third").looks == 3
    assert Ledger(path).open(respelled(test, "Question: {}"), "fourth").looks == 2, "its words"


def test_openings_that_another_folder_has_put_before_count_too(tmp_path):
    """Their lines come first where two folders begin to belong to one store."""
    test = rows(0, 20)
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    for path, runs in ((one, "ab"), (other, "cd")):
        for run in runs:
            Ledger(path).open(respelled(test, "Question: {}") if run == "c" else test, run)
    one.write_bytes(one.read_bytes() + other.read_bytes())
    assert [opening.looks for opening in Ledger(one).openings()] == [1, 2, 3, 4]


def test_the_ledger_holds_no_word_of_the_rows(path):
    test = [
        Example(f"t-{n}", ({"role": "user", "content": f"Has patient {n} a cough?"},), ("never",))
        for n in range(20)
    ]
    Ledger(path).open(test, "a")
    dev_ledger.count(path.parent, row_keys(test), "a")
    for file in path.parent.glob("*.jsonl"):
        words = set(re.findall(r"[a-z]+", file.read_text().lower()))
        assert not words & {"patient", "cough", "never"}


def test_rows_of_dev_with_words_around_them_are_the_same_rows(path):
    dev = rows(0, 20)
    count = dev_ledger.count
    assert count(path.parent, row_keys(dev), "run", ["arm"]) == 0
    assert count(path.parent, row_keys(respelled(dev, "Question: {}")), "other", ["arm"]) == 1
    count(path.parent, row_keys(respelled(dev, "1. {}")), "run")
    count(path.parent, row_keys(dev), "later")
    assert dev_ledger.sharing(path.parent) == [["run", "later"]]
    assert Ledger(path).open(respelled(dev, "Please {}"), "a").runs == 2


def test_a_count_of_an_earlier_version_is_not_taken_twice(path):
    dev = rows(0, 20)
    turns = sorted(row_keys(dev).turns)
    line = {"schema": 5, "dev": digest(turns), "who": "run", "judged": "arms", "arms": ["x", "y"],
            "rows": turns}  # fmt: skip
    append_line(path.parent / dev_ledger.FILE, line)
    assert dev_ledger.count(path.parent, row_keys(dev), "run", ["x", "y"]) == 0
    assert dev_ledger.count(path.parent, row_keys(dev), "run", ["z"]) == 2


def test_less_than_a_tenth_in_common_is_another_test_set(path):
    Ledger(path).open(rows(0, 20), "a")
    assert Ledger(path).open(rows(19, 39), "b").looks == 1


def test_a_ledger_without_checksums_is_refused_at_its_line(path):
    path.write_bytes(canonical({"schema": 1, "test": "f" * 64, "run": "old"}) + b"\n")
    with pytest.raises(DataError, match="damaged") as caught:
        Ledger(path).open(rows(0, 20), "new")
    assert (caught.value.where, caught.value.exit_code) == (f"{path}:1", 4)


@pytest.mark.parametrize("schema", [2, 5])
def test_a_ledger_of_another_version_is_refused_by_name(path, schema):
    append_line(path, {"schema": schema, "test": "f" * 64, "run": "old"})
    with pytest.raises(DataError, match=f"schema {schema}, this version reads 3 and 4") as caught:
        Ledger(path).open(rows(0, 20), "new")
    assert (caught.value.where, caught.value.exit_code) == (f"{path}:1", 4)
    assert "moved away" in caught.value.hint


def test_a_run_that_chose_by_the_rows_as_dev_has_looked_at_them(path):
    dev, test = rows(0, 20), rows(20, 40)
    dev_ledger.count(path.parent, row_keys(dev), "first")
    dev_ledger.count(path.parent, row_keys(dev), "first")
    assert Ledger(path).open(test, "first").looks == 1
    swapped = Ledger(path).open(dev, "swapped")
    assert (swapped.looks, swapped.runs) == (2, 1)
    said = openings.in_words(swapped.looks, swapped.runs)
    assert "Opening 2 of these rows, over all runs in this folder or its store" in said
    assert "1 run that chose by them as rows of dev among them" in said
    dev_ledger.count(path.parent, row_keys(dev), "second")
    assert Ledger(path).open(dev, "swapped") == swapped
    again = Ledger(path).open(dev[:4], "third")
    assert (again.looks, again.runs) == (4, 2)


def test_arms_are_no_further_look_at_the_rows_of_their_run(path):
    dev = rows(0, 20)
    dev_ledger.count(path.parent, row_keys(dev), "run")
    assert dev_ledger.count(path.parent, row_keys(dev), "run reference", ["arm", "other"]) == 0
    assert dev_ledger.count(path.parent, row_keys(dev), "run other", ["arm"]) == 2
    assert Ledger(path).open(dev, "later").runs == 1


def test_the_same_answers_to_other_references_are_another_look(path):
    test = rows(0, 20)
    assert Ledger(path).open(test, "score", "answers").looks == 1
    other = [changed(row, references=("another",)) for row in test]
    assert Ledger(path).open(other, "score", "answers").looks == 2


def test_who_only_looks_writes_nothing(path):
    test = rows(0, 20)
    reader = Ledger(path, writable=False)
    with pytest.raises(Unopened, match="not opened yet"):
        reader.open(test, "a")
    assert not list(path.parent.iterdir())
    writer = Ledger(path)
    writer.answered(writer.open(test, "a"), "one")
    before = path.read_bytes()
    assert reader.answered(reader.open(test, "a"), "other").looks == 1
    assert path.read_bytes() == before


def test_openings_that_came_after_one_are_told(path):
    test = rows(0, 20)
    first, others = Ledger(path).open(test, "a"), Ledger(path).open(rows(50, 70), "b")
    assert Ledger(path).later(first) == 0
    second = Ledger(path).open(test[:9], "c")
    Ledger(path).open(test, "d")
    ledger = Ledger(path, writable=False)
    assert [ledger.later(each) for each in (first, others, second)] == [2, 0, 1]
    assert openings.in_words(1, later=2).endswith("these rows were opened 2 times more.")
    assert openings.in_words(3, later=1).endswith("these rows were opened 1 time more.")
    assert "Since" not in openings.in_words(3)


def test_the_level_spends_at_most_a_tenth_over_all_openings():
    assert [round(openings.alpha(looks), 6) for looks in (1, 2, 3, 10)] == [
        0.05, 0.025, 0.008333, 0.000556,
    ]  # fmt: skip
    assert sum(openings.alpha(looks) for looks in range(2, 10_000)) < 0.05
    assert "choices that were made after seeing" in openings.in_words(3)
    assert "= .0083 instead of .05" in openings.in_words(3)


OPENER = """
import sys
from pathlib import Path
from harness.run.ledger import Ledger
from harness.records import Example
rows = [Example(str(n), ({"role": "user", "content": str(n)},), ("x",)) for n in range(20)]
sys.stdin.readline()
ledger = Ledger(Path(sys.argv[1]))
opening = ledger.open(rows, sys.argv[2])
print(ledger.answered(opening, sys.argv[2]).looks)
"""


def test_processes_that_open_at_once_are_counted_one_after_the_other(path):
    children = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, str(path), f"run {n}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for n in range(4)
    ]  # fmt: skip
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    assert sorted(int(child.communicate(timeout=LONG)[0]) for child in children) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "line",
    [
        {}, {"schema": 3}, {"schema": "3", "test": 3, "run": "a"},
        {"schema": 3, "opening": "x", "answers": "y"},
        {"schema": 3, "opening": "x", "run": "a", "test": "t", "set": "unknown", "runs": 0},
        {"schema": 3, "opening": "x", "run": "a", "test": "t", "set": "s", "runs": 0, "rows": [1]},
        {"schema": 3, "opening": ["x"], "run": "a", "test": "t", "set": "s", "runs": 0, "rows": []},
        {"schema": 3, "opening": "x", "run": "a", "test": "t", "set": "s", "rows": []},
        {"schema": 9, "opening": "x"},
        {"schema": 4, "opening": "x", "run": "a", "test": "t", "set": "s", "runs": 0, "turns": "f"},
        {"schema": 4, "opening": "x", "run": "a", "test": "t", "set": "s", "runs": 0, "turns": "f",
         "words": "AAAA", "before": 1, "same": 0},
    ],
)  # fmt: skip
def test_a_line_that_is_no_opening_is_named_and_never_believed(path, line):
    Ledger(path).open(rows(0, 3), "a")
    append_line(path, line)
    with pytest.raises(DataError, match="cannot be known") as caught:
        Ledger(path).open(rows(0, 3), "b")
    assert caught.value.where == f"{path}:2"


def test_no_flipped_bit_is_believed(path):
    ledger, test = Ledger(path), rows(0, 20)
    for run in ("a", "b", "c"):
        ledger.answered(ledger.open(test, run), "answers")
    whole = path.read_bytes()
    draw = random.Random(5)
    for _ in range(1000):
        place, bit = draw.randrange(len(whole)), draw.randrange(8)
        if place == len(whole) - 1:
            continue  # the last line counts as cut then
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
        with pytest.raises(DataError, match="cannot be known"):
            ledger.openings()
