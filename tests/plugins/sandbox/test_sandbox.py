"""Programs that are out to do harm, in the real sandbox of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness import EnvironmentFailure
from harness_sandbox import sandboxes
from harness_sandbox.probe import probe
from harness_sandbox.programs import DOES_NOT_RUN, FAILS_ITS_TESTS, Outcome, Program, run
from harness_sandbox.row_tests import RowTests
from harness_sandbox.sandboxes import Limits, Sandbox, chosen
from tests.plugins.sandbox.hostile import CHEATED_TESTS, CHEATING, OUT, STAYING, TAKING, UNLIKE
from tests.support.waiting import until

QUICK = Limits(seconds=60.0, memory=512, disk=16)


@pytest.fixture(scope="module")
def outcome(held: Sandbox):
    def of(code: str, tests: str = "", limits: Limits = QUICK) -> Outcome:
        wanted = RowTests(tests) if tests else None
        return run(Program(code, wanted), held, [], limits)

    return of


def test_the_sandbox_holds(held: Sandbox) -> None:
    probe(held, QUICK)


@pytest.mark.nightly(but_each=12)
@pytest.mark.parametrize("name", OUT)
def test_what_wants_out(outcome, held: Sandbox, name: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    tmp_path.chmod(0o777)
    secret.chmod(0o666)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = OUT[name]
        for place, value in {
            "SECRET": secret,
            "FOLDER": tmp_path,
            "HOME": Path.home(),
            "PORT": listener.getsockname()[1],
            "PID": os.getpid(),
        }.items():
            code = code.replace(place, str(value))
        ended = outcome(code)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    seen = held.name == "sandlock" and name in UNLIKE
    assert ended.fault == ("" if seen else DOES_NOT_RUN)
    assert "SyntaxError" not in ended.why and "NameError" not in ended.why
    assert secret.stat().st_mode & 0o777 == 0o666 and secret.stat().st_mtime > 1
    assert secret.read_text(encoding="utf-8") == "secret"
    assert os.listdir(tmp_path) == ["secret"]


@pytest.mark.nightly(but_each=11)
@pytest.mark.parametrize("name", TAKING)
def test_what_takes_all(outcome, held: Sandbox, name: str) -> None:
    code, said = TAKING[name]
    expected: str | None = said
    if held.name == "sandlock":
        expected = UNLIKE.get(name, said)
    # What does not end by itself is not waited for long; the rest has time on a busy machine.
    seconds = 1.0 if said in ("", "time limit") else 120.0
    ended = outcome(code, limits=Limits(seconds, 512, 16))
    if expected is None:
        assert not ended.fault
        return
    assert ended.fault == DOES_NOT_RUN
    assert expected in ended.why
    assert "\x1b" not in ended.why


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("name", STAYING)
def test_what_stays(outcome, name: str) -> None:
    nap = f"9{time.monotonic_ns()}"
    outcome(STAYING[name].replace("NAP", nap), limits=Limits(2.0, 512, 16))
    until(lambda: not napping(nap), "the end of what stays")


def napping(nap: str) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if nap in (p.info["cmdline"] or ())]


@pytest.mark.nightly(but_each=5)
@pytest.mark.parametrize("name", CHEATING)
def test_what_passes_without_passing(outcome, name: str) -> None:
    assert outcome(CHEATING[name], CHEATED_TESTS).fault in (DOES_NOT_RUN, FAILS_ITS_TESTS)


def test_without_a_sandbox_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(EnvironmentFailure, match="never run without one"):
        chosen([])
    with pytest.raises(EnvironmentFailure, match="no program 'podman'"):
        chosen(["podman", "run"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has no limit on processes")
def test_root_needs_setpriv(monkeypatch: pytest.MonkeyPatch, bubblewrap: Sandbox) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda n: None if n == "setpriv" else which(n))
    with pytest.raises(EnvironmentFailure, match="setpriv"):
        chosen([])


def test_an_older_kernel_has_no_sandlock(
    monkeypatch: pytest.MonkeyPatch, sandlock: Sandbox
) -> None:
    monkeypatch.setattr("sandlock.landlock_abi_version", lambda: 5)
    with pytest.raises(
        EnvironmentFailure, match="sandlock needs Landlock 6, and this kernel has 5"
    ):
        sandboxes._sandlock()


_KILLED = """
import sys
from harness_sandbox import sandboxes
code = "import subprocess; subprocess.Popen(['setsid', 'sleep', '{nap}']).wait()"
held = getattr(sandboxes, "_{name}")()
held.run('exec "$@"', [held.python, "-c", code], b"", sandboxes.Limits(60))
"""


@pytest.mark.nightly
def test_nothing_outlives_a_kill_of_harness(held: Sandbox) -> None:
    nap = f"8{time.monotonic_ns()}"
    command = [sys.executable, "-c", _KILLED.format(nap=nap, name=held.name)]
    with subprocess.Popen(command) as harness:
        until(lambda: any(p.name() == "sleep" for p in napping(nap)), "the nap")
        harness.kill()
    until(lambda: not napping(nap), "the end of the nap")


def test_a_command_that_holds_nothing_in_is_found_out() -> None:
    # `env` runs what follows it as it is; the probe caps what it does.
    open_wide = chosen(["env"])
    with pytest.raises(EnvironmentFailure, match="does not hold programs in") as failure:
        probe(open_wide, QUICK)
    told = " ".join(failure.value.details)
    assert "read " in told and "connect to this machine" in told
    assert "write 49 MiB" in told


def test_a_named_sandbox_is_given_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a secret")
    monkeypatch.setenv("DOCKER_HOST", "ssh://there")
    seen = tmp_path / "seen"
    command = ["sh", "-c", f'env >{seen}; exec "$@"', "sh"]
    assert not run(Program("print(1)"), chosen(command), [], QUICK).fault
    variables = seen.read_text(encoding="utf-8")
    assert "DOCKER_HOST=ssh://there\n" in variables and "\nHOME=" in f"\n{variables}"
    assert "OPENAI_API_KEY" not in variables and "a secret" not in variables


def test_variables_that_a_sandbox_hands_on_are_found_out(bubblewrap: Sandbox) -> None:
    bwrap = [word for word in bubblewrap.prefix(QUICK, 0) if word != "--clearenv"]
    place = bwrap.index("--seccomp")
    del bwrap[place : place + 2]
    named = sandboxes.Sandbox("handing on", bubblewrap.python, lambda *_: bwrap)
    with pytest.raises(EnvironmentFailure, match="does not hold programs in") as failure:
        probe(named, QUICK)
    assert list(failure.value.details) == [
        "a program in it can read variables of the environment of harness"
    ]


def test_a_slow_start_is_not_the_programs(tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.write_text('#!/bin/sh\nsleep 2\nexec "$@"\n', encoding="utf-8")
    slow.chmod(0o755)
    assert not run(Program("print(1)"), chosen([str(slow)]), [], Limits(1.9)).fault


def test_a_sandbox_that_does_not_start_is_no_zero(bubblewrap: Sandbox) -> None:
    with pytest.raises(EnvironmentFailure, match="cannot be started"):
        run(Program("print(1)"), chosen(["false"]), [], QUICK)
