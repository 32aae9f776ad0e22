"""Whatever kills a run, the same command goes on with it, and the end is the same."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.kit import log
from harness.report import publishing
from harness.run import artifacts
from harness.run.run import Run
from tests.support import nightly
from tests.support.fakes import moment
from tests.support.waiting import LONG, until


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process dies (SIGKILL) at the first place that none before it has died at.

    That is the begin of a stage, its middle (by the fake plugins), its end with the files written
    but not yet in place, each line of a journal or a ledger, and the reports.
    """

    def dies(owner: Any, name: str, place: Callable[..., str], after: bool = False) -> None:
        real = getattr(owner, name)

        def replaced(*arguments: Any, **named: Any) -> Any:
            answer = real(*arguments, **named) if after else None
            moment(place(*arguments))
            return answer if after else real(*arguments, **named)

        monkeypatch.setattr(owner, name, replaced)

    def line(when: str) -> Callable[..., str]:
        def named(path: Path, value: Any) -> str:
            closed = value["result"]["round"] if "result" in value else ""
            return f"{when} line of {path.name} {sorted(value)} {closed}"

        return named

    def begin(run: Run, stage: str, key: str, label: str, make: Any) -> str:
        return f"begin of {label} {key[:8]}"

    def end(path: Path, value: Any) -> str:
        return f"end of {value['stage']} {value['key'][:8]}"

    def reports(run: Run, steps: Any, history: Any, *rest: Any) -> str:
        return f"reports of {len(history.results)}"

    dies(Run, "_make", begin)
    dies(artifacts, "write_json", end, after=True)
    for after, when in ((False, "before"), (True, "after")):
        dies(log, "append_line", line(when), after)
    dies(publishing, "database", reports)


EVERY = 1 if nightly.FULL else 6
"""A process is killed at each of so many places."""


@pytest.mark.nightly
def test_killed_at_every_place_of_two_rounds_the_end_is_the_same(
    project, tmp_path, dying, monkeypatch
):
    whole = type(project)(tmp_path / "whole")
    whole.folder.mkdir()
    whole.write()
    given = ("iterate", "--rounds", "2", "--json", "--set", "report=[]")
    given += ("--set", "data.dev=20", "--set", "data.test=20")
    unbroken = whole.inside(*given)
    kills, kill = project.folder / "kills.txt", os.kill

    def at_each(process: int, number: int) -> None:
        if (len(kills.read_text().splitlines()) - 1) % EVERY == 0:
            kill(process, number)

    monkeypatch.setattr(os, "kill", at_each)  # of the forks, too
    codes = []
    while not codes or codes[-1] == -signal.SIGKILL:
        done = project.harness(*given, FAKE_KILLS=str(kills))
        codes.append(done.code)
    assert codes[-1] == 0, done.err
    places = kills.read_text().splitlines()
    assert len(places) == len(set(places)) and len(codes) - 1 == -(-len(places) // EVERY)
    for stage in ("train", "generate", "score", "detect", "analyze", "augment"):
        for when in ("begin", "middle", "end"):
            found = [p for p in places if p.startswith(f"{when} of") and stage in p]
            assert len(found) >= 2, (when, stage, places)
    resumed = project.inside(*given)
    assert resumed.bare == unbroken.bare
    assert resumed.document["test"]["looks"] == 1
    assert project.manifests().keys() == whole.manifests().keys()
    assert {k: v for k, v in project.manifests().items() if not k.startswith("summary/")} == {
        k: v for k, v in whole.manifests().items() if not k.startswith("summary/")
    }


@pytest.mark.nightly
def test_a_kill_loses_no_more_than_the_stage_it_was_in(project):
    environment = {
        "FAKE_KILLS": str(project.folder / "kills.txt"),
        "FAKE_SPY": str(project.folder / "seen.jsonl"),
    }
    codes = [project.harness("iterate", "--rounds", "1", **environment).code for _ in range(3)]
    # Baseline generation and scoring, then detection: three deaths before any training.
    assert codes == [-signal.SIGKILL] * 3
    assert not (project.folder / ".harness" / "artifacts" / "train").exists()
    seen = (project.folder / "seen.jsonl").read_text().splitlines()
    assert sum(json.loads(line)["who"] == "generator" for line in seen) == 2


def test_a_child_that_is_killed_is_one_message_and_can_be_gone_on_from(project):
    given = ("--set", "execution.launcher=local", "--rounds", "1", "--json")
    dead = project.harness("iterate", *given, "--set", "train.die_in_round=1")
    assert dead.code == 3
    assert "signal 9" in dead.err and "memory" in dead.err and "round 1: train" in dead.err
    assert "Traceback" not in dead.err
    alive = project.inside("iterate", *given)
    assert alive.code == 0, alive.err
    assert alive.document["test"]["looks"] == 1


def in_training(project):
    """The PID of whatever trains now, once it does."""

    def look():
        path = project.folder / "seen.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return any('"who": "trainer"' in line for line in lines)

    until(look, "training")


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as stream:
        return [int(word) for word in stream.read().split()]


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


SLOW = ("iterate", "--rounds", "1", "--json", "--set", "train.seconds=600")


@pytest.mark.nightly
@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="looks into /proc")
def test_a_child_dies_with_its_parent(project):
    running = project.start(
        *SLOW, "--set", "execution.launcher=local", FAKE_SPY=str(project.folder / "seen.jsonl")
    )
    with running:
        in_training(project)
        (child,) = children_of(running.pid)
        running.send_signal(signal.SIGKILL)
        running.communicate()
    until(lambda: gone(child), "the end of the child")
    # The lock went with the process: nobody has to remove anything.
    assert project.inside(*SLOW[:-1], "train.seconds=0").code == 0


@pytest.mark.nightly
@pytest.mark.parametrize("launcher", ["inline", "local"])
def test_ctrl_c_stops_after_the_step_and_says_how_to_go_on(project, launcher):
    given = (*SLOW[:-1], "train.seconds=15", "--set", f"execution.launcher={launcher}")
    running = project.start(*given, FAKE_SPY=str(project.folder / "seen.jsonl"))
    with running:
        in_training(project)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=LONG)
    assert running.returncode == 130
    assert out == ""
    assert "Ctrl-C again ends at once" in err
    assert "harness iterate --rounds 1 --json --set train.seconds=15 " in err
    assert "Traceback" not in err
    again = project.inside(*SLOW[:-1], "train.seconds=0")
    assert again.code == 0, again.err
    assert {"data", "round 0: generate", "round 0: analyze"} <= set(again.document["cached"])


@pytest.mark.nightly
def test_a_second_ctrl_c_ends_at_once(project):
    running = project.start(*SLOW, FAKE_SPY=str(project.folder / "seen.jsonl"))
    with running:
        in_training(project)
        running.send_signal(signal.SIGINT)
        until(lambda: running.stderr.readline().startswith("stopping"))
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=LONG)
    assert running.returncode == 130


def test_a_run_in_progress_is_left_alone(project):
    running = project.start(*SLOW, FAKE_SPY=str(project.folder / "seen.jsonl"))
    with running:
        in_training(project)
        second = project.inside(*SLOW)
        running.kill()
        running.communicate()
    assert second.code == 3
    assert f"PID {running.pid} on {os.uname().nodename}" in second.err
    assert "already in progress" in second.err


@pytest.mark.nightly
def test_of_two_that_start_at_once_one_runs_and_the_other_says_so(project, short):
    both = [project.start("iterate", "--rounds", "1", "--json") for _ in range(2)]
    ends = [(*process.communicate(timeout=LONG), process.returncode) for process in both]
    won, lost = sorted(ends, key=lambda end: end[2])
    assert (won[2], lost[2], lost[0]) == (0, 3, "")
    assert "already in progress: PID" in lost[1] and "wait for it" in lost[1]
    bare = {k: v for k, v in json.loads(won[0]).items() if k not in ("seconds", "cached", "dates")}
    assert bare == short[1].bare


@pytest.mark.nightly
@pytest.mark.parametrize("most", [10_000, 100_000])
def test_a_limit_on_file_sizes_is_told_and_without_it_the_run_goes_on(project, run_once, most):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        done = project.inside("iterate", "--json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (done.code, done.out) == (3, "")
    assert "the file would be larger than is allowed (`ulimit -f`)" in done.err
    assert str(project.folder) in done.err and "run the same command again" in done.err
    assert "Traceback" not in done.err
    assert project.inside("iterate", "--json").bare == run_once[1].bare


@pytest.mark.nightly
def test_reports_never_go_back_to_an_earlier_round(project):
    dying = ("iterate", "--rounds", "3", "--set", "train.die_in_round=3")
    assert project.harness(*dying).code == -signal.SIGKILL
    (summary,) = project.folder.glob("reports/*/summary.json")
    before = summary.read_bytes()
    assert len(json.loads(before)["rounds"]) == 3
    written = summary.stat().st_mtime_ns
    assert project.harness(*dying).code == -signal.SIGKILL
    assert summary.read_bytes() == before and summary.stat().st_mtime_ns == written


def test_the_command_that_goes_on_begins_nothing_again(monkeypatch):
    from harness.kit.terminal.interrupts import way_on

    given = ["harness", "iterate", "--reopen", "1", "-c", "a b.yaml", "--reopen=2", "--as-new-run"]
    monkeypatch.setattr(sys, "argv", given)
    assert way_on() == "harness iterate -c 'a b.yaml'"
