"""What is kept of arms: trainings, verdicts, and how many were compared on a dev set."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness import BranchTraining
from harness.errors import DataError
from harness.records import Example, Score, Verdict
from harness.run import dev_ledger
from harness.run.row_keys import row_keys
from harness_levers.arm_journal import FILE, ArmJournal, Judged
from harness_levers.records import Arm

ARM = Arm("lower", "settings", {"train.r": 8}, settings="r8")
TRIED = BranchTraining(0, 10, {"f1": Score("f1", 0.5, None, None, 3, 0, "f1")}, {"train": 2.5})
VERDICT = Verdict("improved", "round 1", 0.1, 0.02, 0.2, 0.975, None, "It is so.")


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    journal = ArmJournal(tmp_path, "one")
    journal.keep(ARM, TRIED)
    journal.judge([Judged(ARM, VERDICT, 0, 1)])
    again = ArmJournal(tmp_path, "one")
    assert again.tried(ARM, 0) == TRIED
    assert again.judged(ARM) == Judged(ARM, VERDICT, 0, 1)
    assert again.tried(ARM, 1) is None


def test_another_reference_knows_nothing_of_it(tmp_path: Path) -> None:
    ArmJournal(tmp_path, "one").keep(ARM, TRIED)
    assert ArmJournal(tmp_path, "two").tried(ARM, 0) is None
    assert ArmJournal(tmp_path, "two").earlier([]) == []


def test_an_arm_is_known_under_another_name(tmp_path: Path) -> None:
    journal = ArmJournal(tmp_path, "one")
    journal.keep(ARM, TRIED)
    renamed = Arm("other", "settings", {"train": {"r": 8}}, settings="r8")
    assert journal.tried(renamed, 0) == TRIED
    assert journal.earlier([renamed]) == []


def test_earlier_arms_never_share_a_name(tmp_path: Path) -> None:
    journal = ArmJournal(tmp_path, "one")
    others = [dataclasses.replace(ARM, settings=f"r{r}", changed={"train.r": r}) for r in (4, 2)]
    for arm in (ARM, *others):
        journal.keep(arm, TRIED)
    assert [arm.changed["train.r"] for arm in journal.earlier([others[1]])] == [8, 4]
    for planned in ([], [others[1]]):
        names = [arm.name for arm in (*journal.earlier(planned), *planned)]
        assert len(set(names)) == 3, names


def test_verdicts_that_were_given_together_are_written_together(tmp_path: Path) -> None:
    journal = ArmJournal(tmp_path, "one")
    other = dataclasses.replace(ARM, name="other", settings="r4")
    journal.judge([Judged(ARM, VERDICT, 0, 2), Judged(other, VERDICT, 0, 2)])
    assert (tmp_path / FILE).read_bytes().count(b"\n") == 1
    again = ArmJournal(tmp_path, "one")
    assert again.judged(ARM) == Judged(ARM, VERDICT, 0, 2)
    assert again.judged(other) == Judged(other, VERDICT, 0, 2)


def test_a_verdict_that_was_given_stands(tmp_path: Path) -> None:
    journal = ArmJournal(tmp_path, "one")
    journal.judge([Judged(ARM, VERDICT, 0, 1)])
    journal.judge([Judged(ARM, VERDICT, 3, 9)])
    assert ArmJournal(tmp_path, "one").judged(ARM) == Judged(ARM, VERDICT, 0, 1)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    ArmJournal(tmp_path, "one").keep(ARM, TRIED)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes().replace(b'"rows":10', b'"rows":11'))
    with pytest.raises(DataError, match=r"arms\.jsonl:1"):
        ArmJournal(tmp_path, "one")


def rows(count: int) -> list[Example]:
    return [
        Example(f"d{n}", ({"role": "user", "content": f"ask {n}"},), ("so",), split="dev")
        for n in range(count)
    ]


def test_arms_are_counted_by_dev_rows_over_all_runs(tmp_path: Path) -> None:
    count = dev_ledger.count
    assert count(tmp_path, row_keys(rows(50)), "a", ["x", "y"]) == 0
    assert count(tmp_path, row_keys(rows(50)), "b", ["x"]) == 2
    assert count(tmp_path, row_keys(rows(50)), "a", ["x", "y"]) == 0, "the same ones count once"
    assert count(tmp_path, row_keys(rows(50)[::-1]), "c", ["x"]) == 3, "order does not matter"
    assert count(tmp_path, row_keys(rows(49)), "a", ["x"]) == 4, "a row less is no other set"
    told = [dataclasses.replace(row, references=("no",)) for row in rows(50)]
    assert count(tmp_path, row_keys(told), "d", ["x"]) == 5, "references make no other set"
    assert count(tmp_path, row_keys(rows(150)[100:]), "a", ["x"]) == 0, "other rows"
    lines = (tmp_path / dev_ledger.FILE).read_text().splitlines()
    assert ['"turns"' in line for line in lines] == [True, False, False, True, True, True]


def test_a_damaged_ledger_is_named(tmp_path: Path) -> None:
    dev_ledger.count(tmp_path, row_keys(rows(5)), "a", ["x"])
    path = tmp_path / dev_ledger.FILE
    path.write_bytes(path.read_bytes().replace(b'"x"', b'"z"'))
    with pytest.raises(DataError, match="what was chosen by which rows"):
        dev_ledger.check(tmp_path)
    with pytest.raises(DataError, match="what was chosen by which rows"):
        dev_ledger.count(tmp_path, row_keys(rows(5)), "b", ["x"])
