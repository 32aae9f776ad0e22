"""A round that breaks a guard is not kept, and says so."""

from __future__ import annotations

import pytest

from harness.aims import Guard
from harness.records import Example

MIRROR = '''
import harness


class Mirror(harness.Metric):
    """Share of the reference's words that the answer lacks, as if that were good."""

    name = "mirror"

    def measure(self, prediction, example):
        words = example.references[0].split()
        return sum(word not in prediction.text.split() for word in words) / len(words)


@harness.hookimpl
def register_metrics():
    return [Mirror]
'''


def config(project, guard):
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [mirror.py, ").replace(
        "metrics: [{plugin: overlap}]", "metrics: [{plugin: overlap}, {plugin: mirror}]"
    )
    project.write(MIRROR, "mirror.py")
    project.write(f"{text}guard: {guard}\n")


@pytest.mark.parametrize("guard", ["[mirror]", "[{score: mirror, where: {turns: 1}}]"])
def test_a_round_that_breaks_a_guard_is_not_kept(project, guard):
    config(project, guard)
    document = project.inside("iterate", "--rounds", "1", "--json").document
    after = document["rounds"][1]
    assert after["verdict"]["label"] == "improved"
    assert (after["kept"], document["kept_round"]) == (False, 0)
    assert "Not kept, since a guard is broken: mirror" in after["verdict"]["sentence"]
    (told,) = after["guards"]
    assert told["verdict"]["label"] == "regressed"
    assert document["test"] is None and document["sealed"]["reason"] == "nothing kept"


def test_a_guard_that_holds_changes_nothing(project):
    config(project, "[overlap, {where: {kind: easy}}]")
    document = project.inside("iterate", "--rounds", "1", "--json").document
    assert document["rounds"][1]["kept"]
    names = [guard["name"] for guard in document["rounds"][1]["guards"]]
    assert names == ["overlap", "overlap where kind = easy"]


def test_a_guard_with_too_few_rows_is_no_evidence_and_lets_pass(project):
    config(project, "[{score: mirror, where: {kind: hard}}]")
    after = project.inside("iterate", "--rounds", "1", "--json").document["rounds"][1]
    assert after["kept"]
    assert after["guards"][0]["verdict"]["label"] == "no evidence"
    assert "groups" in after["guards"][0]["verdict"]["sentence"]


@pytest.mark.parametrize(
    ("guard", "told"),
    [
        ("[bluu]", "no score is called 'bluu'"),
        ("[{wher: {kind: easy}}]", "guard.0.wher: unknown key"),
        ("[{}]", "a guard names a score"),
    ],
)
def test_a_wrong_guard_is_told_with_its_place(project, guard, told):
    config(project, guard)
    done = project.inside("check")
    assert done.code == 2
    assert told in done.err and "guard" in done.err


def test_rows_are_covered_by_all_conditions():
    row = Example("a", ({"role": "user", "content": "b"},), meta={"kind": "easy", "hard": True})
    assert Guard(where={"kind": "easy", "hard": True}).covers(row)
    assert not Guard(where={"kind": "easy", "hard": False}).covers(row)
    assert not Guard(where={"colour": "red"}).covers(row)
    assert Guard(score="bleu").covers(row)


def test_an_objective_is_told_by_every_report(project):
    text = (project.folder / "harness.yaml").read_text()
    project.write(f"{text}objective: {{metric: overlap, target: 0.99, statement: repeat all}}\n")
    done = project.inside("iterate", "--rounds", "1", "--json")
    aim = done.document["objective"]
    assert (aim["state"], aim["statement"]) == ("not reached", "repeat all")
    assert aim["missing"] == pytest.approx(0.99 - aim["value"])
    shown = project.inside("report")
    assert "Objective overlap 0.99: not reached" in shown.out
    page = next((project.folder / "reports").glob("*/report.md")).read_text()
    assert "Objective overlap 0.99: not reached" in page
