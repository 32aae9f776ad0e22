"""One deadline by the clock, and one sentence on whom it is that one waits for."""

from __future__ import annotations

import pytest

from harness.kit import waiting
from harness.kit.telling import tell, telling
from harness.kit.waiting import Deadline, Late, Patience


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now[0])
    return now


def test_a_deadline_is_one_time_by_the_clock(clock):
    deadline = Deadline(3.0)
    clock[0] += 2
    assert deadline.left() == 1.0
    deadline.extend(2.0)
    clock[0] += 2
    assert deadline.left() == 1.0
    clock[0] += 1
    with pytest.raises(Late):
        deadline.left()


def test_it_is_said_after_ten_seconds_of_silence_and_once(clock):
    said, patience = [], Patience("the store")
    with telling(said.append):
        for _ in range(5):
            clock[0] += 9
            patience.look()
            patience.heard()
        assert said == []
        for _ in range(50):
            clock[0] += 1
            patience.look()
    assert said == ["waiting for the store, which has said nothing for 10 s"]


def test_a_sentence_goes_to_who_listens_innermost():
    outer, inner = [], []
    tell("nobody")
    with telling(outer.append):
        with telling(inner.append):
            tell("inner")
        tell("outer")
    tell("nobody")
    assert (outer, inner) == (["outer"], ["inner"])
