"""Ctrl-C from the first moment to the last: 130, and the command that goes on."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.support.waiting import LONG

HIT = "os.kill(os.getpid(), signal.SIGINT)"
PROGRAM = "import os, signal, sys\nfrom harness.kit.terminal import interrupts\n"
HEAD = PROGRAM + "sys.argv = ['harness', %r, '-x']\n"


def run(body, command="iterate"):
    code = HEAD % command + body.replace("HIT", HIT)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=LONG
    )
    return done.returncode, done.stdout, done.stderr


WAY_ON = "stopped; finished work is saved. To resume:\n  harness iterate -x\n"


@pytest.mark.parametrize(
    ("body", "out"),
    [
        # while commands are still being imported
        ("with interrupts.answered():\n    HIT\n    print('no')", ""),
        # the command is told, and may clean up
        (
            "with interrupts.answered():\n    interrupts.begin()\n    try:\n        HIT\n"
            "    except KeyboardInterrupt:\n        print('clean', flush=True)\n"
            "        sys.exit(130)",
            "clean\n",
        ),
        # a second one while it does
        (
            "with interrupts.answered():\n    interrupts.begin()\n    try:\n        HIT\n"
            "    except KeyboardInterrupt:\n        HIT\n        print('no')",
            "",
        ),
        # and one after it has
        (
            "try:\n    with interrupts.answered():\n        interrupts.begin()\n        HIT\n"
            "except KeyboardInterrupt:\n    HIT\n    sys.exit(130)",
            "",
        ),
    ],
)
def test_the_code_is_130_and_the_way_on_is_said_once(body, out):
    assert run(body) == (130, out, WAY_ON)


def test_commands_that_keep_nothing_end_without_a_way_on():
    assert run("with interrupts.answered():\n    HIT", "score") == (130, "", "")


def test_nothing_heavy_is_loaded_before_ctrl_c_is_answered():
    code = "import sys; old = set(sys.modules); import harness.cli; print(*set(sys.modules) - old)"
    loaded = subprocess.check_output([sys.executable, "-S", "-c", code], text=True, timeout=LONG)
    assert set(loaded.split()) <= {"harness", "harness.cli", "__future__"}


def test_the_signal_is_given_back():
    before = signal.getsignal(signal.SIGINT)
    from harness.kit.terminal import interrupts

    with interrupts.answered():
        interrupts.begin()
    assert signal.getsignal(signal.SIGINT) is before
