"""An answer as a program: its code, its tests, and what became of it."""

from __future__ import annotations

import json
import re
import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from harness.kit.text import one_line
from harness_sandbox.sandboxes import Ending, Limits, Sandbox

DOES_NOT_RUN = "does not run"
FAILS_ITS_TESTS = "fails its tests"
TOKEN = "{token}"
"""What stands in the tests of other languages for the word that they have to print at their end."""
LARGEST = 1024**2
"""Bytes of an answer and its tests."""
_SHOWN = 300
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n`]*\n(.*?)(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.M | re.S)

_RUNNER = r"""
import json, os, sys, types

def run():
    given = json.loads(sys.stdin.buffer.read())
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    sys.stdin = open(0)
    word, out, write, execute = given["word"].encode(), os.dup(1), os.write, exec
    code, tests = given["code"], given["tests"]
    # With tests, what stands under `if __name__ == "__main__"` is not run, as for any import.
    name = "answer" if tests else "__main__"
    module = types.ModuleType(name)
    sys.modules[name] = module
    sys.argv = ["answer.py"]
    try:
        tested = compile(tests, "tests.py", "exec")
    except (SyntaxError, ValueError) as error:  # no fault of the answer
        write(out, b"\n" + word[16:] + b"\n" + ascii(error).encode())
        os._exit(1)
    given.clear()
    try:
        execute(compile(code, "answer.py", "exec"), module.__dict__)
    except MemoryError:
        module.__dict__.clear()  # room to say so
        raise
    if tests:
        write(out, b"\n" + word[:16] + b"\n")
        execute(tested, module.__dict__)
        sys.stdout.flush()
        write(out, b"\n" + word + b"\n")

run()
"""


@dataclass(frozen=True, slots=True)
class Program:
    """What is run: code, and tests of its row (empty: none)."""

    code: str
    tests: str = ""


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
        ValueError: the tests of the row cannot be read, or do not print ``{token}`` where another
            language has to, or texts are too large: no score.
        EnvironmentFailure: the sandbox cannot be started.
    """
    if not program.code.strip():
        return Outcome(DOES_NOT_RUN, "no code")
    # Known to nobody before the program runs: printing "passed" or ending with 0 is no proof.
    word = secrets.token_hex(16)
    if command:
        if program.tests and TOKEN not in program.tests:
            raise ValueError(f"the tests of the row do not print {TOKEN} at their end")
        text = f"{program.code}\n{program.tests.replace(TOKEN, word)}\n"
        file = next(w for w in command if "{file}" in w).replace("{file}", "answer")
        script, words = f'cat >{shlex.quote(file)}; exec "$@" </dev/null', list(command)
        words = [each.replace("{file}", "answer") for each in words]
    else:
        task = {"word": word, "code": program.code, "tests": program.tests}
        text, script = json.dumps(task), 'exec "$@"'
        words = [sandbox.python, "-s", "-B", "-u", "-c", _RUNNER]
    fed = text.encode("utf-8", "surrogatepass")
    if len(fed) > LARGEST:
        raise ValueError(f"code and tests have more than {LARGEST // 1024} KiB")
    ending = sandbox.run(script, words, fed, limits)
    if f"\n{word[16:]}\n".encode() in ending.output:
        last_line = ending.output.decode(errors="replace").rpartition("\n")[2]
        raise ValueError(f"the tests of the row cannot be read: {one_line(last_line, _SHOWN)}")
    return _outcome(ending, program, word)


def _outcome(ending: Ending, program: Program, word: str) -> Outcome:
    output, begun = ending.output, word[:16].encode()
    passed = not program.tests or word.encode() in output
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
