"""Without the package of a command everything else works, and the command is none."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.project import CONFIG, Project, Result
from tests.support.waiting import LONG

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import json, sys
absent, root, commands = json.load(sys.stdin)
sys.modules[absent] = None
sys.path.insert(0, root)
from pathlib import Path
from tests.support.project import Project
project = Project(Path.cwd())
print(json.dumps([vars(project.inside(*words)) for words in commands]))
"""


@dataclass
class Bare(Project):
    """A project whose commands run in one process, in which a package cannot be imported."""

    absent: str = "harness_rating"

    def each(self, *commands: tuple[str, ...]) -> list[Result]:
        done = subprocess.run(
            [sys.executable, "-c", CHILD],
            input=json.dumps([self.absent, str(ROOT), commands]),
            cwd=self.folder, capture_output=True, text=True, timeout=LONG,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [Result(**result) for result in json.loads(done.stdout)]


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    project = Bare(tmp_path)
    project.write(CONFIG.replace("rounds: 3", "rounds: 1"))
    return project


@pytest.mark.nightly
def test_without_ratings_all_else_works_and_rate_names_the_package(bare: Bare) -> None:
    answers = bare.folder / "a.jsonl"
    answers.write_text('{"id": "1", "prediction": "yes", "reference": "yes"}\n')
    results = bare.each(
        ("iterate", "--json"), ("report",), ("errors",), ("compare", "0", "1"),
        ("query", "FROM rounds"), ("score", "-p", "a.jsonl", "-r", "a.jsonl", "--json"),
        ("plugins",), ("rate", "status"), ("--help",),
    )  # fmt: skip
    for result in results[:7]:
        assert result.code == 0, result.err
    run, (listed, rate, shown) = results[0].document["run"], results[6:]
    analysis = json.loads((bare.folder / "reports" / run / "analysis.json").read_text())
    assert "ratings" not in analysis["annotations"] and "rated" not in analysis["tables"]
    assert not analysis["failed"]
    assert "rouge " in listed.out and "rubric" not in listed.out
    assert rate.code == 2 and "No such command 'rate'" in rate.err
    assert "harness_rating" in rate.err or "iteration-harness" in rate.err
    assert shown.code == 0 and "  runs " in shown.out and "  rate " not in shown.out


@pytest.mark.nightly
def test_score_is_no_command_without_its_package(bare: Bare) -> None:
    bare.absent = "harness_score"
    score, shown, check = bare.each(
        ("score", "-p", "a.jsonl", "-r", "a.jsonl"), ("--help",), ("check",)
    )
    assert score.code == 2 and "No such command 'score'" in score.err
    assert "iteration-harness" in score.err
    assert shown.code == 0 and "  runs " in shown.out and "  score " not in shown.out
    assert check.code == 0


@pytest.mark.nightly
def test_the_commands_that_look_at_runs_are_none_without_their_package(bare: Bare) -> None:
    bare.absent = "harness_inspection"
    *there, unknown = bare.each(
        ("iterate", "--json"), ("report",), ("runs",), ("rebuild",), ("query", "FROM rounds")
    )
    for result in there:
        assert result.code == 0, result.err
    assert unknown.code == 2 and "in the package harness_inspection" in unknown.err
