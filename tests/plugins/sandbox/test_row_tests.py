"""Each of the usual forms of tests is really run, and what tests nothing scores nothing."""

from __future__ import annotations

import json
import math
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
ROWS = "def test_add(a, b, total):\n    assert add(a, b) == total\n\n"
METHODS = """
class TestAdd{}:
    def test_all(self):
        for numbers in [(2, 2, 4), (1, 5, 6)]:
            self.test_numbers(*numbers)

    def test_numbers(self, a, b, total):
        assert add(a, b) == total
"""
CANDIDATE = HUMAN_EVAL.replace("def check", "def test")
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
    "a function with parameters, called": ROWS + "test_add(2, 2, 4)\ntest_add(1, 5, 6)\n",
    "a function with parameters, mapped": ROWS + "list(map(test_add, [2, 1], [2, 5], [4, 6]))\n",
    "a function in a test": f"def test_all():\n{indent(ROWS, '    ')}    test_add(2, 2, 4)\n",
    "a method with parameters": METHODS.format(""),
    "a method of a case": "import unittest\n" + METHODS.format("(unittest.TestCase)"),
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
    "with a parameter, behind a guard": (
        "def test_with(f):\n    assert f(2, 2) == 4\n"
        "if __name__ == '__main__':\n    test_with(add)\n"
    ),
    "a test without its function": CANDIDATE,
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
    "a list of names": ({**CALLED, "fn_name": ["add"]}, "'fn_name' is of the type list"),
    "no name": ({**CALLED, "fn_name": "def add"}, "no function: 'def add'"),
    "no text to read": ({"inputs": [[1, 2]], "outputs": [3]}, "named by 'fn_name'"),
    "no Python": ("assert (", "cannot be read: SyntaxError"),
    "a library that is not there": ("import no_such_library_x\n" + LINES[0], "need the module"),
}


def row(tests: Any, **meta: Any) -> Example:
    return Example("a", (), ("?",), meta={"tests": tests, **meta})


def values(tests: Any, *answers: str, **meta: Any) -> list[float | None]:
    metric, example = Executes(), row(tests, **meta)
    return [metric.measure(Prediction("a", answer), example) for answer in answers]


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_run(bubblewrap: Sandbox, form: str) -> None:
    assert values(FORMS[form], RIGHT, WRONG) == [1, 0]


def test_check_is_called_with_the_entry_point(bubblewrap: Sandbox) -> None:
    assert values(HUMAN_EVAL, RIGHT, WRONG, "x = 1", entry_point="add") == [1, 0, 0]
    both = [SOLUTION.format(result) for result in ("a + b", "a * b")]
    assert values(HUMAN_EVAL, *both, entry_point="Solution().add") == [1, 0]
    assert values(CANDIDATE, RIGHT, WRONG, "x = 1", entry_point="add") == [1, 0, 0]


def test_lists_are_arguments_of_the_entry_point(bubblewrap: Sandbox) -> None:
    texts = {"inputs": [["a", "b"], ["c", "d"]], "outputs": ["ab", "cd"]}
    assert values(texts, RIGHT, WRONG, entry_point="add") == [1, 0]
    assert values(APPS, READS.format("a + b"), READS.format("a"), entry_point="add") == [1, 0]
    assert values(texts, "print(input() + input())", "print(input())") == [1, 0]


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
    keyed = {"fn_name": "first", "inputs": [[{"-1": 0}], [{"--1": 0}]], "outputs": [-1, "--1"]}
    assert values(keyed, "def first(x): return list(x)[0]") == [1]
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


def ended_by_harness(place: Path, answer: str, tests: str, *, trial: bool = False) -> str:
    """What the runner says under the Python of harness, which has pytest: others may have none."""
    task = {
        "word": "0" * 16 + "1" * 16, "code": answer, "tests": tests, "entry_point": "add",
        "cases": None, "called": "", "trial": trial, "output": 65536,
    }  # fmt: skip
    command = [sys.executable, "-s", "-B", "-c", programs._runner()]
    environment = {"PATH": os.environ["PATH"], "HOME": str(place)}
    ended = subprocess.run(
        command, input=json.dumps(task).encode(), capture_output=True, cwd=place, env=environment
    )
    said = ended.stdout.decode()
    if "\n" + "1" * 16 + "\n" in said:
        return said.rpartition("\n")[2]
    passed = f"\n{task['word']}\n" in said
    assert passed == (ended.returncode == 0) or trial
    return "passed" if passed else "failed"


@pytest.mark.parametrize(
    ("answer", "ending"),
    [(RIGHT, "passed"), (WRONG, "failed"), (RIGHT.replace("a + b", "int(a) + b"), "failed")],
)
def test_fixtures_and_parameters_are_for_pytest(tmp_path: Path, answer: str, ending: str) -> None:
    assert ended_by_harness(tmp_path, answer, WITH_PYTEST) == ending


def test_pytest_runs_neither_helpers_nor_tests_of_the_answer(tmp_path: Path) -> None:
    tests = f"import unittest\n{WITH_PYTEST}\n{METHODS.format('(unittest.TestCase)')}\n{CANDIDATE}"
    own = "\ndef test_own(a):\n    assert add(a, 2) == 4\n"
    assert ended_by_harness(tmp_path, RIGHT + own, tests) == "passed"


@pytest.mark.parametrize("trial", [True, False])
def test_a_parameter_that_nothing_gives_is_no_fault_of_the_answer(
    tmp_path: Path, trial: bool
) -> None:
    tests = "from solution import add\ndef test_first():\n    assert add(1, 1) == 2\n" + ROWS
    said = "give nothing for 'a', 'b', 'total' of test_add"
    assert ended_by_harness(tmp_path, RIGHT, tests, trial=trial) == said


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
        ("5", "inf", False),
        ("-7", "1e400", False),
        ("Infinity", "inf", True),
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
        (0.5, math.inf, False),
        (math.inf, math.inf, True),
        (math.nan, [math.nan], True),
        (0.5, math.nan, False),
        (3, 3.0000001, True),
        ([3], [3.1], False),
        (10**400, 3.5, False),
    ],
)
def test_which_values_are_the_same(value: Any, expected: Any, same: bool) -> None:
    assert same_value(value, expected) is same
