"""What is kept of the trials of a search."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import DataError
from harness.records import Trial
from harness_levers.search.trial_journal import FILE, TrialJournal

OPEN = Trial(0, {"train.r": 8}, (0.5,), "open", 1.5)
DONE = Trial(0, {"train.r": 8}, (0.5, 0.7), "done", 3.0)


def test_a_trial_is_read_as_far_as_it_has_come(tmp_path: Path) -> None:
    TrialJournal(tmp_path, "round", "search").keep(OPEN)
    journal = TrialJournal(tmp_path, "round", "search")
    assert journal.trials == [OPEN]
    journal.keep(DONE)
    journal.keep(Trial(1, {"train.r": 16}, (), "failed", failed="so"))
    again = TrialJournal(tmp_path, "round", "search")
    assert [one.number for one in again.trials] == [0, 1]
    assert again.trials[0] == DONE
    assert DONE.value == pytest.approx(0.6) and OPEN.value is None
    assert not again.exhausted
    again.end()
    assert TrialJournal(tmp_path, "round", "search").exhausted


@pytest.mark.parametrize("other", [("round", "another"), ("another", "search")])
def test_another_search_or_reference_knows_nothing_of_it(
    tmp_path: Path, other: tuple[str, str]
) -> None:
    journal = TrialJournal(tmp_path, "round", "search")
    journal.keep(DONE)
    journal.end()
    found = TrialJournal(tmp_path, *other)
    assert found.trials == [] and not found.exhausted


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    TrialJournal(tmp_path, "round", "search").keep(DONE)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes().replace(b"0.7", b"0.1"))
    with pytest.raises(DataError, match=r"trials\.jsonl:1"):
        TrialJournal(tmp_path, "round", "search")
