"""Each of the usual forms of tests is really run, and what tests nothing scores nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from harness import Example, Prediction, ScoredExample
from harness_sandbox import Executes, ExecutesDetector, ExecutesVerifier, programs
from harness_sandbox.row_tests import row_tests, same_output, same_value
from harness_sandbox.sandboxes import Sandbox

RIGHT = "def add(a, b):\n    return a + b\n"
WRONG = RIGHT.replace("a + b", "a * b + 1")
READS = "a, b = map(int, input().split())\nprint({})\n"
LINES = ["assert add(2, 2) == 4", 'assert add(1, 5) == 6, "not six"']
HUMAN_EVAL = """
METADATA = {'author': 'jt'}

def check(candidate):
    assert candidate(2, 2) == 4
    assert candidate(1, 5) == 6
"""
UNITTEST = """
import unittest

class TestAdd(unittest.TestCase):
    def setUp(self):
        self.two = 2

    def test_twos(self):
        self.assertEqual(add(self.two, 2), 4)

    def test_more(self):
        self.assertEqual(add(1, 5), 6)
"""
GUARDED = UNITTEST + '\nif __name__ == "__main__":\n    unittest.main()\n'
PYTEST = (
    "def test_twos():\n    assert add(2, 2) == 4\n\ndef test_more():\n    assert add(1, 5) == 6\n"
)
CLASS = """
class TestAdd:
    def setup_values(self):
        return 1, 5

    def test_twos(self):
        assert add(2, 2) == 4

    def test_more(self):
        assert add(*self.setup_values()) == 6
"""
DOCTEST = ">>> add(2, 2)\n4\n>>> add(1, 5)\n6\n"
APPS = {"inputs": ["2 2\n", "1 5\n"], "outputs": ["4\n", "6\n"]}
CALLED = {"fn_name": "add", "inputs": [[2, 2], [1, 5]], "outputs": [[4], 6]}
SOLUTION = "class Solution:\n    def add(self, a, b):\n        return {}\n"

FORMS: dict[str, Any] = {
    "assertions": "\n".join(LINES),
    "a list": LINES,
    "a list as JSON": json.dumps(LINES),
    "a list as Python writes it": repr(LINES),
    "a list as numpy writes it": "[" + "\n ".join(map(repr, LINES)) + "]",
    "numpy's array": "array([" + ",\n ".join(map(repr, LINES)) + "], dtype=object)",
    "check, called": HUMAN_EVAL + "\ncheck(add)\n",
    "a class of unittest": UNITTEST,
    "a class of unittest with a guard": GUARDED,
    "unittest.main without a guard": UNITTEST + "\nunittest.main()\n",
    "an asynchronous case": (
        "from unittest import IsolatedAsyncioTestCase\n"
        "class TestAdd(IsolatedAsyncioTestCase):\n"
        "    async def test_twos(self): self.assertEqual(add(2, 2), 4)\n"
    ),
    "functions of pytest": PYTEST,
    "functions of pytest, called": PYTEST + "\ntest_twos()\n",
    "a class of pytest": CLASS,
    "asynchronous functions": PYTEST.replace("def test", "async def test"),
    "the answer imported": "from solution import add\n" + PYTEST,
    "a doctest": DOCTEST,
    "a doctest in a text": f'"""\n{DOCTEST}"""',
    "a doctest of a function": f'def cases():\n    """Adds.\n\n{indent(DOCTEST, "    ")}    """\n',
    "a comparison": "add(2, 2) == 4",
    "comparisons": "add(2, 2) == 4 and not add(1, 5) == 7\nadd(2, 2) == 4, 'four'",
    "a comparison in a function": "def test_twos():\n    add(2, 2) == 4\n",
    "an assertion of a tuple": "assert (add(2, 2) == 4, 'not four')",
    "a call that gives a truth": "def right(): return add(2, 2) == 4\nright()",
    "called with inputs": CALLED,
    "called with inputs, as text": json.dumps(CALLED),
}  # fmt: skip
NOTHING: dict[str, Any] = {
    "a comment": "# add(2, 2) is 4",
    "blanks": "  \n ",
    "an empty list": [],
    "an empty list as text": "[]",
    "a number as text": "5",
    "a word": "true",
    "a truth": "assert True",
    "no caught failure": "try:\n    assert add(2, 2) == 4\nexcept Exception:\n    pass",
    "check without its function": HUMAN_EVAL,
    "functions that nobody calls": "def cases():\n    assert add(2, 2) == 4\n",
    "behind a guard": "if __name__ == '__main__':\n    assert add(2, 2) == 4\n",
    "skipped": UNITTEST.replace("class", "@unittest.skip('later')\nclass"),
    "no look at the result": "add(2, 2)\nprint(add(1, 5))",
    "no inputs": {"inputs": [], "outputs": []},
    "blank outputs": {"inputs": ["1\n"], "outputs": ["\n"]},
}
REFUSED: dict[str, tuple[Any, str]] = {
    "a number": (5, "of the type int"),
    "a truth": (True, "of the type bool"),
    "a list of numbers": ([LINES[0], 3], "a list with the type int"),
    "another object": ({"a": 1}, "an object with 'a'"),
    "an output too few": ({"inputs": ["1", "2"], "outputs": ["1"]}, "2 inputs and 1 outputs"),
    "no text to read": ({"inputs": [[1, 2]], "outputs": [3]}, "named by 'fn_name'"),
    "no Python": ("assert (", "cannot be read: SyntaxError"),
    "a library that is not there": ("import no_such_library_x\n" + LINES[0], "need the module"),
}


def row(tests: Any, **meta: Any) -> Example:
    return Example("a", (), ("?",), meta={"tests": tests, **meta})


def values(tests: Any, *answers: str, **meta: Any) -> list[float | None]:
    metric, example = Executes(), row(tests, **meta)
    return [metric.measure(Prediction("a", answer), example) for answer in answers]


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_run(bubblewrap: Sandbox, form: str) -> None:
    assert values(FORMS[form], RIGHT, WRONG) == [1, 0]


def test_check_is_called_with_the_entry_point(bubblewrap: Sandbox) -> None:
    assert values(HUMAN_EVAL, RIGHT, WRONG, "x = 1", entry_point="add") == [1, 0, 0]
    both = [SOLUTION.format(result) for result in ("a + b", "a * b")]
    assert values(HUMAN_EVAL, *both, entry_point="Solution().add") == [1, 0]


def test_inputs_and_outputs(bubblewrap: Sandbox) -> None:
    answers = [READS.format("a + b"), READS.format("a * b"), "1 / 0", "print(4)", "import sys\n"]
    for tests in (APPS, json.dumps(APPS), repr(APPS)):
        assert values(tests, *answers) == [1, 0, 0, 0, 0]
    guarded = (
        "import sys, threading\ndef main():\n    print(sum(map(int, sys.stdin.read().split())))\n"
        "if __name__ == '__main__':\n    threading.Thread(target=main).start()\n    sys.exit()\n"
    )
    assert values(APPS, guarded) == [1]
    assert values(CALLED, SOLUTION.format("a + b"), SOLUTION.format("a - b")) == [1, 0]
    long = {"inputs": ["x" * 200_000], "outputs": ["y" * 100_000]}
    assert values(long, "print('y' * (len(input()) // 2))", "print('y' * 9)") == [1, 0]


def test_many_inputs_need_no_more_processes(bubblewrap: Sandbox) -> None:
    numbers = list(map(str, range(150)))
    assert values({"inputs": numbers, "outputs": numbers}, "print(input())") == [1]


def test_what_is_expected_is_not_in_the_sandbox(bubblewrap: Sandbox) -> None:
    looks = (
        "import gc, re, sys\n"
        "seen, frame = gc.get_objects(), sys._getframe()\n"
        "while frame: seen += [frame.f_locals, frame.f_globals]; frame = frame.f_back\n"
        "held = [repr(each) for each in seen if type(each) in (list, dict, tuple)]\n"
        "for pattern in ('471108154[7]11', '81230456[7]89'):\n"
        "    print(any(re.search(pattern, text) for text in held), end=' ')"
    )
    tests = row_tests({"t": {"inputs": ["81230456789"], "outputs": ["471108154711"]}}, "t")
    outcome = programs.run(programs.Program(looks, tests), bubblewrap, [], programs.Limits())
    assert outcome.why == "input 1 of 1 gives False True, not 471108154711"


@pytest.mark.parametrize("form", NOTHING)
def test_what_tests_nothing_has_no_score(bubblewrap: Sandbox, form: str) -> None:
    assert values(NOTHING[form], RIGHT, WRONG) == [None, None]


def test_what_tests_nothing_is_told(bubblewrap: Sandbox) -> None:
    rows = [Example(f"{n}", (), ("?",), meta={"tests": t}) for n, t in enumerate(["# x", LINES[0]])]
    pairs = [(Prediction(each.id, "x = 1"), each) for each in rows]
    metric = Executes()
    metric.ready(pairs)
    assert metric.measure_all(pairs) == [None, 0]
    told = metric.remarks(pairs)[0]
    assert "tests of 1 of 2 rows test nothing" in told and "no score, first '0'" in told
    scored = ScoredExample(rows[0], pairs[0][0], {})
    assert not list(ExecutesDetector().detect(scored))


@pytest.mark.parametrize("kind", REFUSED)
def test_other_kinds_are_refused_by_name(bubblewrap: Sandbox, kind: str) -> None:
    tests, said = REFUSED[kind]
    with pytest.raises(ValueError, match="the row") as refusal:
        values(tests, RIGHT)
    assert said in str(refusal.value)
    (verification,) = ExecutesVerifier().verify_all([row(tests)], None)  # type: ignore[arg-type]
    assert not verification.passes and said in verification.said
    assert not list(
        ExecutesDetector().detect(ScoredExample(row(tests), Prediction("a", RIGHT), {}))
    )


def test_a_verifier_runs_the_same(bubblewrap: Sandbox) -> None:
    def passes(tests: Any, answer: str) -> bool:
        proposed = Example("a", (), (answer,), meta={"tests": tests, "entry_point": "add"})
        return ExecutesVerifier().verify(proposed, None).passes  # type: ignore[arg-type]

    for tests in (HUMAN_EVAL, GUARDED, PYTEST, repr(LINES)):
        assert [passes(tests, answer) for answer in (RIGHT, WRONG)] == [True, False]
    assert not passes("# nothing", RIGHT)


def test_tests_are_tried_once_for_all_answers(
    bubblewrap: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []
    always = programs.always_pass

    def counting(tests: Any, *others: Any) -> bool:
        tried.append(tests)
        return always(tests, *others)

    monkeypatch.setattr(programs, "always_pass", counting)
    tests = "assert add(7, 7) == 14"
    assert values(tests, RIGHT, WRONG, "x = 1", "pass") == [1, 0, 0, 0]
    assert len(tried) == 1


def test_setup_of_mbpp_comes_first(bubblewrap: Sandbox) -> None:
    assert values(["assert add(TWO, 2) == 4"], RIGHT, WRONG, test_setup_code="TWO = 2") == [1, 0]
    imports = ["import math"]
    assert values(["assert add(math.tau, 0) > 6"], RIGHT, test_imports=imports) == [1]
    assert values(["assert add(math.tau, 0) > 6"], RIGHT, test_imports=repr(imports)) == [1]


def test_tests_of_another_language_that_pass_without_an_answer(bubblewrap: Sandbox) -> None:
    metric = Executes(Executes.Options(command=["/bin/sh", "{file}.sh"]))
    answer = Prediction("a", "twice() { echo $1; }")
    assert metric.measure(answer, row("echo {token}")) is None
    with pytest.raises(ValueError, match="for Python alone"):
        metric.measure(answer, row(APPS))


def test_rows_are_looked_at_before_there_are_answers(bubblewrap: Sandbox) -> None:
    tests = ["# nothing", LINES[0], 5, None]
    rows = [Example(str(n), (), ("?",), meta={"tests": held}) for n, held in enumerate(tests)]
    seen = []
    found = Executes().unscorable(rows, lambda *told: seen.append(told))
    assert {why[:22]: ids for why, ids in found.items()} == {
        "its tests test nothing": ["0"],
        "the tests of the row a": ["2"],
    }
    assert seen[-1][:2] == (2, 2)


WITH_PYTEST = """
import pytest

@pytest.fixture
def two():
    return 2

@pytest.mark.parametrize("a, b", [(1, 5), (3, 3)])
def test_sixes(a, b):
    assert add(a, b) == 6

async def test_twos(two, tmp_path):
    add(two, 2) == 4

def check(candidate):
    with pytest.raises(TypeError):
        candidate("a", 1)
"""


@pytest.mark.parametrize(
    ("answer", "passes"),
    [(RIGHT, True), (WRONG, False), (RIGHT.replace("a + b", "int(a) + b"), False)],
)
def test_fixtures_and_parameters_are_for_pytest(tmp_path: Path, answer: str, passes: bool) -> None:
    # By the Python of harness, which has pytest: that of the sandbox may have none.
    task = {
        "word": "0" * 32, "code": answer, "tests": WITH_PYTEST, "entry_point": "add", "cases": None,
        "called": "", "trial": False, "output": 65536,
    }  # fmt: skip
    command = [sys.executable, "-s", "-B", "-c", programs._runner()]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    ended = subprocess.run(
        command, input=json.dumps(task).encode(), capture_output=True, cwd=tmp_path, env=environment
    )
    assert (f"\n{'0' * 32}\n".encode() in ended.stdout) == passes
    assert (ended.returncode == 0) == passes


def test_fixtures_without_pytest_are_no_fault_of_the_answer(sandlock: Sandbox) -> None:
    tests = row_tests({"t": "def test_two(tmp_path):\n    assert add(2, 2) == 4\n"}, "t")
    assert tests is not None
    with pytest.raises(ValueError, match="need pytest"):
        programs.always_pass(tests, sandlock, [], programs.Limits())


@pytest.mark.parametrize(
    ("printed", "expected", "same"),
    [
        ("4\n", "4", True),
        ("4  \n\n", "4\n", True),
        ("4", "5", False),
        ("4 5", "4\n5", False),
        ("0.33333333", "0.333333333333", True),
        ("0.34", "0.33", False),
        ("4.0", "4", False),
        ("100000001", "100000000", False),
        ("", "4", False),
    ],
)
def test_which_outputs_are_the_same(printed: str, expected: str, same: bool) -> None:
    assert same_output(printed, expected) is same


@pytest.mark.parametrize(
    ("value", "expected", "same"),
    [
        ([1, 2], [1, 2], True),
        ([1, 2], [[1, 2]], True),
        (4, [4], True),
        ([4], 4, False),
        (0.1 + 0.2, 0.3, True),
        ("ab", ["a", "b"], False),
        ({"1": [2.0]}, {"1": [2]}, True),
        (None, 4, False),
    ],
)
def test_which_values_are_the_same(value: Any, expected: Any, same: bool) -> None:
    assert same_value(value, expected) is same
