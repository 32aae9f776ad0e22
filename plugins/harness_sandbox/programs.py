"""An answer as a program: its code, its tests, and what became of it."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from harness.kit.text import one_line
from harness_sandbox.row_tests import RowTests, same_output, same_value
from harness_sandbox.sandboxes import Ending, Limits, Sandbox

DOES_NOT_RUN = "does not run"
FAILS_ITS_TESTS = "fails its tests"
TOKEN = "{token}"
"""What stands in the tests of other languages for the word that they have to print at their end."""
LARGEST = 1024**2
"""Bytes of an answer and its tests."""
_SHOWN = 300
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n`]*\n(.*?)(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.M | re.S)


@dataclass(frozen=True, slots=True)
class Program:
    """What is run: code, and the tests of its row (None: it has only to run)."""

    code: str
    tests: RowTests | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a program.

    Attributes:
        fault: a category of error, or empty: it ran, and passed its tests.
        why: in a line, what it said or which limit it reached.
    """

    fault: str = ""
    why: str = ""


def code_of(answer: str, part: str) -> str:
    """The first fenced block of an answer, or all of it where there is none.

    A fence that is never closed runs to the end.

    Args:
        part: ``fence``, or ``whole`` for the answer as it is.
    """
    fenced = _FENCE.search(answer) if part == "fence" else None
    return fenced[2] if fenced else answer


def run(program: Program, sandbox: Sandbox, command: Sequence[str], limits: Limits) -> Outcome:
    """Run a program, and say what became of it.

    Args:
        command: of another language, with ``{file}`` for the file of the code; empty for Python.

    Raises:
        ValueError: the tests of the row cannot be used, do not print ``{token}`` where another
            language has to, or texts are too large: no score.
        EnvironmentFailure: the sandbox cannot be started.
    """
    if not program.code.strip():
        return Outcome(DOES_NOT_RUN, "no code")
    return _run(program, sandbox, command, limits, trial=False)


def always_pass(tests: RowTests, sandbox: Sandbox, command: Sequence[str], limits: Limits) -> bool:
    """Whether tests pass behind an empty answer; those in Python also whatever functions give.

    They test nothing then: no answer could fail.

    Args:
        command, limits: see :func:`run`.

    Raises:
        ValueError, EnvironmentFailure: see :func:`run`.
    """
    if not tests.cases and not tests.code.strip():
        return True
    empty = Program("" if command or tests.code else "pass", tests)
    return not _run(empty, sandbox, command, limits, trial=bool(tests.code)).fault


def _run(
    program: Program, sandbox: Sandbox, command: Sequence[str], limits: Limits, *, trial: bool
) -> Outcome:
    tests = program.tests or RowTests()
    # Drawn for each program: printing "passed" or ending with 0 passes nothing. A program that
    # looks for the word in its own process finds it.
    word = secrets.token_hex(16)
    if command:
        if tests.cases:
            raise ValueError("inputs and outputs are run for Python alone, without `command`")
        if program.tests and TOKEN not in tests.code:
            raise ValueError(f"the tests of the row do not print {TOKEN} at their end")
        text = f"{program.code}\n{tests.code.replace(TOKEN, word)}\n"
        file = next(w for w in command if "{file}" in w).replace("{file}", "answer")
        script, words = f'cat >{shlex.quote(file)}; exec "$@" </dev/null', list(command)
        words = [each.replace("{file}", "answer") for each in words]
    else:
        # What is expected of a printing program stays outside: none can print what it has found.
        limits = replace(
            limits, output=limits.output + 2 * sum(len(c.expected) for c in tests.cases)
        )
        task = {
            "word": word,
            "code": program.code,
            "tests": tests.code,
            "entry_point": tests.entry_point,
            "cases": [case.given for case in tests.cases] if tests.cases else None,
            "called": tests.entry_point if tests.called else "",
            "trial": trial,
            "output": limits.output,
        }
        text, script = json.dumps(task), 'exec "$@"'
        words = [sandbox.python, "-s", "-B", "-u", "-c", _runner()]
    fed = text.encode("utf-8", "surrogatepass")
    if len(fed) > LARGEST:
        raise ValueError(f"code and tests have more than {LARGEST // 1024} KiB")
    ending = sandbox.run(script, words, fed, limits)
    if f"\n{word[16:]}\n".encode() in ending.output:
        last_line = ending.output.decode(errors="replace").rpartition("\n")[2]
        raise ValueError(f"the tests of the row {one_line(last_line, _SHOWN)}")
    return _outcome(ending, program, word)


@cache
def _runner() -> str:
    return Path(__file__).with_name("runner.py").read_text(encoding="utf-8")


def _outcome(ending: Ending, program: Program, word: str) -> Outcome:
    output, begun = ending.output, word[:16].encode()
    if program.tests and (wrong := _wrong(program.tests, output, word)):
        return Outcome(FAILS_ITS_TESTS, one_line(wrong, _SHOWN))
    passed = not program.tests or f"\n{word}\n".encode() in b"\n" + output
    if ending.code == 0 and not ending.limit and passed:
        return Outcome()
    fault = FAILS_ITS_TESTS if program.tests and begun in output else DOES_NOT_RUN
    if ending.limit:
        return Outcome(fault, ending.limit)
    printed = output.replace(word.encode(), b"").replace(begun, b"").decode(errors="replace")
    last = one_line(printed.strip().rpartition("\n")[2], _SHOWN)
    if ending.code == 0:
        return Outcome(fault, "it ended before its tests were over")
    exit_words = f"exit code {ending.code}"
    if ending.code is not None and (ending.code < 0 or ending.code > 128):
        exit_words = f"ended by signal {-ending.code if ending.code < 0 else ending.code - 128}"
    return Outcome(fault, last or exit_words)


def _wrong(tests: RowTests, output: bytes, word: str) -> str:
    """The first input for which something else came out than is expected; empty for none."""
    results = list(_results(output, f"{word}:".encode()))
    for number, (case, result) in enumerate(zip(tests.cases, results, strict=False), start=1):
        expected = json.loads(case.expected)
        if tests.called:
            value = None
            with contextlib.suppress(ValueError, RecursionError):
                value = json.loads(result)
            right = bool(result) and same_value(value, expected)
        else:
            right = same_output(result, expected)
        if not right:
            given = result.strip() or "nothing"
            return f"input {number} of {len(tests.cases)} gives {given[:100]}, not {expected}"
    return ""


def _results(output: bytes, mark: bytes) -> Iterator[str]:
    for line in output.splitlines():
        if line.startswith(mark):
            with contextlib.suppress(ValueError):
                yield str(json.loads(line.removeprefix(mark)))
