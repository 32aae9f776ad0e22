"""JUnit files: what the schemas ask for, and texts that XML cannot hold."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness.errors import EnvironmentFailure
from harness.kit.junit import Case, junit, write_junit
from harness.kit.terminal.requirements import Requirement

HOSTILE = "a\x00\x1b[31m\x08b\ufffe\uffff\ud800 ]]> <failure/> & \" ' &#0; <!-- \u202e x"
CASES = [
    Case("good", "passed", "improved: good"),
    Case("worse", "failure", "regressed: worse", "no evidence, where --require asks for improved"),
    Case("unknown", "error", "3 groups"),
    Case("sealed", "skipped", "the test set was not opened"),
    Case(HOSTILE, "failure", HOSTILE, HOSTILE),
]
OF_SUITE = {
    "name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname",
}  # fmt: skip


def test_it_has_what_both_schemas_ask_for() -> None:
    suite = ET.fromstring(junit("score", CASES))
    assert suite.tag == "testsuite" and set(suite.attrib) == OF_SUITE
    counts = [suite.get(key) for key in ("tests", "failures", "errors", "skipped")]
    assert counts == ["5", "2", "1", "1"]
    tags = [child.tag for child in suite]
    assert tags == ["properties", *["testcase"] * 5, "system-out", "system-err"]
    outcomes = []
    for case in suite.iter("testcase"):
        assert set(case.attrib) == {"classname", "name", "time"}
        for child in case:
            kind = {"type"} if child.tag in ("failure", "error") else set()
            assert set(child.attrib) == {"message", *kind} and child.text and not len(child)
            outcomes.append(child.tag)
    assert outcomes == ["failure", "error", "skipped", "failure"]
    assert suite.findtext("system-out") == "good: improved: good"


def test_hostile_texts_are_texts() -> None:
    document = junit("score", CASES)
    *_, case = ET.fromstring(document).iter("testcase")
    assert case.get("name") == "ab\ufffd\ufffd\ufffd ]]> <failure/> & \" ' &#0; <!-- x"
    assert case[0].get("message") == case[0].text == case.get("name")


@pytest.mark.parametrize(
    ("label", "doubt", "require", "min_gain", "outcome"),
    [
        ("improved", "", None, None, "passed"),
        ("no evidence", "", None, None, "passed"),
        ("regressed", "", None, None, "failure"),
        ("no evidence", "3 groups", None, None, "skipped"),
        ("improved", "", "improved", None, "passed"),
        ("no evidence", "", "improved", None, "failure"),
        ("no evidence", "3 groups", "improved", None, "error"),
        ("no evidence", "", None, -0.2, "passed"),
        ("no evidence", "", None, 0.0, "failure"),
        ("regressed", "", None, -0.2, "passed"),  # as the exit code says
    ],
)
def test_a_case_fails_where_the_exit_code_is_1_and_where_nothing_is_required_if_it_regressed(
    label: str, doubt: str, require: str | None, min_gain: float | None, outcome: str
) -> None:
    requirement = Requirement(require, min_gain)
    comparison = {"label": label, "low": -0.1, "doubt": doubt, "sentence": f"{label}: x"}
    case = requirement.case("x", comparison)
    assert case.outcome == outcome and case.message == (doubt or f"{label}: x")
    if requirement:
        assert (requirement.exit_code("x", comparison) == 1) == (outcome != "passed")


def test_what_is_not_compared_is_skipped_and_an_error_where_it_was_required() -> None:
    for requirement, outcome in (
        (Requirement(None, None), "skipped"),
        (Requirement("improved", None), "error"),
    ):
        assert requirement.case("x", None, "why") == Case("x", outcome, "why")  # type: ignore[arg-type]


def test_it_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "there" / "verdicts.xml"
    path.parent.write_text("no folder")
    with pytest.raises(EnvironmentFailure) as failed:
        write_junit(path, "score", CASES)
    assert failed.value.where == f"--junit {path}"
    path.parent.unlink()
    path.parent.mkdir()
    write_junit(path, "score", CASES)
    assert [entry.name for entry in path.parent.iterdir()] == ["verdicts.xml"]
