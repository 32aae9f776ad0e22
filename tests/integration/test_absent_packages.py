"""Without the package of a command everything else works, and the command is none."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support.project import CONFIG, Project

BLOCKED = "import sys; sys.modules['{}'] = None; from harness.cli import main; main()"


class Bare(Project):
    """A project in which a package cannot be imported."""

    absent = "harness_rating"

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", BLOCKED.format(self.absent), *arguments]


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    project = Bare(tmp_path)
    project.write(CONFIG.replace("rounds: 3", "rounds: 1"))
    return project


def test_a_run_its_reports_scores_and_the_list_of_plugins_are_there(bare: Bare) -> None:
    done = bare.harness("iterate", "--json")
    assert done.code == 0, done.err
    run = done.document["run"]
    told = json.loads((bare.folder / "reports" / run / "analysis.json").read_text())
    assert told["ratings"] is None and "rated" not in told["tables"] and not told["failed"]
    for words in (("report",), ("errors",), ("compare", "0", "1"), ("query", "FROM rounds")):
        shown = bare.harness(*words)
        assert shown.code == 0, shown.err
    answers = bare.folder / "a.jsonl"
    answers.write_text('{"id": "1", "prediction": "yes", "reference": "yes"}\n')
    scored = bare.harness("score", "-p", str(answers), "-r", str(answers), "--json")
    assert scored.code == 0, scored.err
    listed = bare.harness("plugins")
    assert listed.code == 0 and "rubric" not in listed.out


def test_rate_is_no_command_and_the_package_is_named(bare: Bare) -> None:
    done = bare.harness("rate", "status")
    assert done.code == 2 and "No such command 'rate'" in done.err
    assert "harness_rating" in done.err or "iteration-harness" in done.err
    assert "  rate " not in bare.harness("--help").out


def test_score_is_no_command_without_its_package(bare: Bare) -> None:
    bare.absent = "harness_score"
    done = bare.harness("score", "-p", "a.jsonl", "-r", "a.jsonl")
    assert done.code == 2 and "No such command 'score'" in done.err
    assert "iteration-harness" in done.err
    assert "  score " not in bare.harness("--help").out
    assert bare.harness("check").code == 0


def test_the_commands_that_look_at_runs_are_none_without_their_package(bare: Bare) -> None:
    bare.absent = "harness_inspection"
    assert bare.harness("iterate", "--json").code == 0
    for words in (("report",), ("runs",), ("rebuild",)):
        shown = bare.harness(*words)
        assert shown.code == 0, shown.err
    unknown = bare.harness("query", "FROM rounds")
    assert unknown.code == 2 and "in the package harness_inspection" in unknown.err
