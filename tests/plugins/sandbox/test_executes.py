"""Scores, categories and verifications of answers that are code."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import harness
from harness import EnvironmentFailure, Example, Prediction, ScoredExample
from harness_sandbox import Executes, ExecutesDetector, ExecutesVerifier, sandboxes
from harness_sandbox.programs import code_of
from harness_sandbox.sandboxes import Sandbox

TESTS = "assert double(2) == 4\nassert double('a') == 'aa'\n"
RIGHT = "Here it is:\n\n```python\ndef double(x):\n    return x + x\n```\n\nUse it as `double(2)`."
ANSWERS = {
    "right": RIGHT,
    "wrong": RIGHT.replace("x + x", "x * x"),
    "syntax": RIGHT.replace("(x):", "(x)"),
    "raises": "def double(x):\n    return x + x\nprint(1 / 0)",
    "guarded": "def double(x): return x * 2\nif __name__ == '__main__':\n    double(input())",
}


def pairs(answers: dict[str, str], tests: str = TESTS) -> list[tuple[Prediction, Example]]:
    meta = {"tests": tests} if tests else {}
    return [
        (Prediction(name, text), Example(name, (), ("?",), meta=meta))
        for name, text in answers.items()
    ]


def scores(metric: harness.Metric, some: Sequence[tuple[Prediction, Example]]) -> dict[str, float]:
    metric.ready(some)
    return {row.id: metric.measure(answer, row) for answer, row in some}


def test_scores(bubblewrap: Sandbox) -> None:
    expected = {"right": 1, "wrong": 0, "syntax": 0, "raises": 0, "guarded": 1}
    assert scores(Executes(), pairs(ANSWERS)) == expected


def test_without_tests_it_has_to_run(bubblewrap: Sandbox) -> None:
    some = {
        "ends": "print('hello')",
        "exits": "import sys; sys.exit(0)",
        "fails": "import sys; sys.exit(2)",
        "reads": "print(input())",
        "prose": "The list has 3 items.",
        "empty": "  \n",
        "fence": "```\nprint(1)",
    }
    found = scores(Executes(), pairs(some, ""))
    assert found == {
        "ends": 1,
        "exits": 1,
        "fails": 0,
        "reads": 0,
        "prose": 0,
        "empty": 0,
        "fence": 1,
    }
    assert "7 of 7 rows have no tests" in Executes().remarks(pairs(some, ""))[0]


def test_detector_says_why(bubblewrap: Sandbox) -> None:
    detector = ExecutesDetector()
    found = {
        row.id: [(label.category, label.evidence) for label in labels]
        for answer, row in pairs(ANSWERS)
        for labels in [list(detector.detect(ScoredExample(row, answer, {})))]
    }
    assert found["right"] == found["guarded"] == []
    assert found["wrong"][0][0] == "fails its tests"
    assert found["syntax"] == [("does not run", "SyntaxError: expected ':'")]
    assert found["raises"] == [("does not run", "ZeroDivisionError: division by zero")]
    assert {category for labels in found.values() for category, _ in labels} <= set(
        detector.categories()
    )


def test_verifier_runs_the_reference(bubblewrap: Sandbox) -> None:
    rows = [Example(name, (), (text,), meta={"tests": TESTS}) for name, text in ANSWERS.items()] + [
        Example("none", ())
    ]
    said = ExecutesVerifier().verify_all(rows, None)  # type: ignore[arg-type]
    assert [each.passes for each in said] == [True, False, False, False, True, False]
    assert said[0].said == "its code runs" and said[-1].said == "no answer to run"


def test_progress_is_told_and_stops(bubblewrap: Sandbox) -> None:
    metric = Executes(Executes.Options(workers=1))
    some = pairs({str(n): f"print({n})" for n in range(4)}, "")
    seen = []

    def progress(done: int, total: int, what: str) -> None:
        seen.append((done, total))
        if done >= 2:
            raise KeyboardInterrupt

    vars(metric)["progress"] = progress
    with pytest.raises(KeyboardInterrupt):
        metric.ready(some)
    assert seen[-1][1] == 4 and seen[-1][0] in (2, 3)


def test_another_language(bubblewrap: Sandbox) -> None:
    metric = Executes(Executes.Options(command=["/bin/sh", "{file}.sh"]))
    tests = '[ "$(twice a)" = aa ] || exit 1\necho {token}\n'
    some = {
        "right": "twice() { echo $1$1; }",
        "wrong": "twice() { echo $1; }",
        "exits": "exit 0",
        "says": "echo '{token}'; exit 0",
    }
    assert scores(metric, pairs(some, tests)) == {"right": 1, "wrong": 0, "exits": 0, "says": 0}
    with pytest.raises(ValueError, match="do not print"):
        metric.measure(*pairs({"a": "true"}, "true")[0])


def test_tests_that_cannot_be_read_are_no_fault_of_the_answer(bubblewrap: Sandbox) -> None:
    with pytest.raises(ValueError, match="tests of the row cannot be read: SyntaxError"):
        Executes().measure(*pairs({"a": "x = 1"}, "assert (")[0])


def test_a_list_of_tests_is_run(bubblewrap: Sandbox) -> None:
    rows = [Example("a", (), ("?",), meta={"tests": TESTS.splitlines()})]
    answers = [Prediction("a", ANSWERS["wrong"])]
    assert scores(Executes(), list(zip(answers, rows, strict=True))) == {"a": 0}


def test_a_command_names_its_file() -> None:
    with pytest.raises(ValueError, match=re.escape("has {file} in it")):
        Executes.Options(command=["node"])


def test_a_report_needs_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "sandlock", None)
    assert Executes().remarks(pairs(ANSWERS)) == []
    named = Executes(Executes.Options(sandbox=["/bin/sh", "-c"]))
    assert "run by python3 in /bin/sh -c, not by" in named.remarks(pairs(ANSWERS))[0]


def test_sandlock_runs_python_alone(sandlock: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Sandbox:
        raise EnvironmentFailure("there is no program bwrap here")

    monkeypatch.setattr(sandboxes, "_bubblewrap", refuse)
    metric = Executes(Executes.Options(memory=888))
    assert scores(metric, pairs(ANSWERS))["right"] == 1
    assert "could not write files" in " ".join(metric.remarks(pairs(ANSWERS)))
    with pytest.raises(EnvironmentFailure, match="sandlock runs Python alone"):
        Executes(Executes.Options(command=["sh", "{file}.sh"], memory=888)).ready(pairs(ANSWERS))


def test_a_hidden_sandbox_is_a_problem_of_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "sandlock", None)
    (problem,) = Executes().check({})
    assert "there is no sandbox here" in problem.message
    assert "no program bwrap" in problem.message and "sandlock cannot be" in problem.message
    with pytest.raises(EnvironmentFailure, match="install bubblewrap"):
        Executes(Executes.Options(memory=777)).ready(pairs(ANSWERS))


def test_which_part_is_the_code() -> None:
    assert code_of(RIGHT, "fence") == "def double(x):\n    return x + x\n"
    assert code_of("x = 1", "fence") == "x = 1"
    assert code_of("a\n~~~py\nb\n~~~\n```\nc\n```", "fence") == "b\n"
    assert code_of("```py\ns = '''\n```x\n'''\n```\n", "fence") == "s = '''\n```x\n'''\n"
    assert code_of(RIGHT, "whole") == RIGHT


def test_in_an_evaluation(bubblewrap: Sandbox) -> None:
    answers, rows = zip(*pairs(ANSWERS), strict=True)
    card = harness.evaluate(rows, answers, harness.make_metrics({"executes": {}}))
    assert card.scores["executes"].value == 0.4


def test_values_on_the_page_are_those_that_it_gives(bubblewrap: Sandbox) -> None:
    part = (
        Path("docs/metrics/executes.md").read_text(encoding="utf-8").partition("## Weaknesses")[2]
    )
    lines = re.findall(r"^\| (.*) \| ([01]) \|$", part, re.MULTILINE)
    assert len(lines) == 6
    given = pairs({line.strip("`"): line.strip("`") for line, _ in lines}, "assert double(2) == 4")
    assert scores(Executes(), given) == {line.strip("`"): float(value) for line, value in lines}
