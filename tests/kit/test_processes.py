"""Which process is meant: by boot, PID namespace, PID and start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from harness.kit import processes
from tests.support.waiting import until

OURS = processes.this_process()


def test_this_process_is_there():
    assert OURS["pid"] == os.getpid() and not processes.is_gone(OURS)


def test_a_process_that_has_ended_is_gone_before_its_parent_asks():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    described = {**OURS, "pid": child.pid, "start": processes._start(child.pid)}
    assert not processes.is_gone(described)
    child.stdin.close()
    until(lambda: processes.is_gone(described), "the end of the child, as a zombie")
    child.wait()
    assert processes.is_gone(described)


def test_another_process_of_the_same_number_is_not_meant():
    assert processes.is_gone({**OURS, "start": OURS["start"] - 1})


@pytest.mark.parametrize("change", [{"boot": "another"}, {"pids": "pid:[1]"}])
def test_what_cannot_be_seen_from_here_is_not_called_gone(change):
    assert not processes.is_gone({**OURS, "pid": 2**22 + 1, **change})


@pytest.mark.parametrize(
    "described",
    [None, {}, [], "x", {"pid": 1}, {**OURS, "pid": "1/../self"}, {**OURS, "pid": True}],
)  # fmt: skip
def test_what_describes_no_process_is_not_called_gone(described):
    assert not processes.is_gone(described)


def test_where_the_system_does_not_say_it_nothing_is_gone(monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    assert processes.this_process() == {} and not processes.is_gone(OURS)


def test_the_end_of_a_process_is_not_waited_for_without_a_bound(monkeypatch):
    monkeypatch.setattr(processes, "LONGEST_END", 0.0)  # as if the kernel held it
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    )
    processes.end(child)
    assert child.stdin.closed and child.wait() == -signal.SIGKILL
