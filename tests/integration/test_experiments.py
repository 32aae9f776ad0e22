"""An experiment of one's own: a key of the config, branches of the run, a part of its document."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import harness
from tests.support.project import CONFIG, FAKES, Project

PAGE = Path(__file__).parents[2] / "docs" / "plugins" / "experiment.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
AGAIN = next(code for code in BLOCKS if "# again.py" in code)
"""The experiment that the page shows."""


@pytest.fixture
def own(project: Project) -> Project:
    (project.folder / "again.py").write_text(AGAIN, encoding="utf-8")
    project.write(CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, again.py]"))
    return project


def test_its_key_its_branch_and_its_sentence(own: Project) -> None:
    without = own.inside("iterate", "--json")
    assert without.code == 0, without.err
    assert "again" not in without.document["experiments"] and without.document["arms"] == []
    asked = own.inside("iterate", "--json", "--set", "again=true")
    assert asked.code == 0, asked.err
    document = asked.document
    assert document["run"] == without.document["run"]  # no round is another one by it
    assert document["rounds"] == without.document["rounds"]
    [branch] = document["arms"]
    assert (branch["name"], branch["kind"], list(branch["changed"])) == ("again", "seed", ["seed"])
    [sentence] = document["experiments"]["again"]["sentences"]
    assert sentence.startswith("With another seed ")
    once_more = own.inside("iterate", "--json", "--set", "again=true")
    assert once_more.document == document
    rebuilt = own.inside("rebuild", document["run"])
    assert rebuilt.code == 0, rebuilt.err
    path = own.folder / "reports" / document["run"] / "summary.json"
    assert json.loads(path.read_text())["arms"] == document["arms"]


def test_it_is_planned(own: Project) -> None:
    planned = own.inside("plan", "--json", "--set", "again=true")
    assert planned.code == 0, planned.err
    [branch] = [part for part in planned.document["beside"] if part["name"] == "again"]
    assert branch["trainings"] == 1


def test_a_key_of_it_that_is_wrong_has_its_line(own: Project) -> None:
    own.write(CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, again.py]") + "again: perhaps\n")
    refused = own.inside("check")
    assert refused.code == 2
    lines = (own.folder / "harness.yaml").read_text().splitlines()
    assert f"harness.yaml:{lines.index('again: perhaps') + 1}: again: " in refused.err


def test_a_key_that_is_taken_is_refused(own: Project) -> None:
    taken = AGAIN.replace("again: bool", "rounds: bool")
    (own.folder / "again.py").write_text(taken, encoding="utf-8")
    refused = own.inside("check")
    assert refused.code == 5
    assert "the key 'rounds' of the config is taken" in refused.err


@pytest.mark.nightly
def test_other_settings_are_tried_beside_a_run_from_outside(
    own: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = own.inside("iterate", "--json")
    monkeypatch.chdir(own.folder)
    before = own.manifests().keys()
    with harness.open_run().branches() as run:
        results = [
            run.branch({"train.gain": 0.02}, "more", where="here").carried_out(run.learned)
            for _ in range(2)
        ]
    first, second = results
    assert first.answers.evaluation.scores == second.answers.evaluation.scores
    assert first.keys == second.keys and first.rows == len(run.learned)
    assert {name.split("/")[0] for name in own.manifests().keys() - before} >= {"train"}
    assert own.inside("iterate", "--json").document == done.document
    with harness.open_run().branches() as run, pytest.raises(harness.UsageError, match="sealed"):
        run.rows("test")


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(
    ("method", "body", "said"),
    [
        ("carry_out", "raise RuntimeError('lost')", "RuntimeError: lost"),
        ("carry_out", "return 3", "carry_out()"),
        ("left", "return [3]", "left()"),
        ("intent", "return None", "intent()"),
    ],
)
def test_one_that_fails_is_named(own: Project, method: str, body: str, said: str) -> None:
    head = f"    def {method}(self, {'variants' if method == 'intent' else 'run'}):\n"
    broken = AGAIN.replace(head, f"{head}        {body}\n")
    (own.folder / "again.py").write_text(broken, encoding="utf-8")
    failed = own.inside("plan" if method == "left" else "iterate")
    assert failed.code == 5 and "Traceback" not in failed.err
    assert "experiment 'again' from " in failed.err and said in failed.err
