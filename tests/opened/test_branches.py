"""Branches of a run that has not begun."""

from __future__ import annotations

import pytest

import harness
from tests.support.losing import END, KNOWN
from tests.support.project import CONFIG, FAKES, SUPPORT, Project

LOSING = CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, {SUPPORT / 'losing.py'}]").replace(
    "generate: {plugin: fake}", "generate: {plugin: losing}"
)


def test_before_the_rounds_rows_are_learned_and_others_measured(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(LOSING)
    monkeypatch.chdir(project.folder)
    found = []
    for rounds in ("3", "2"):  # whose number changes nothing of it
        with harness.open_branches(sets=[f"rounds={rounds}"]) as run:
            rows = run.rows("train")
            branch = run.branch({}, "held out", where="here", split="valid")
            found.append(branch.losses(branch.train(rows[5:], rows[:5]), rows[:5]))
            made = len(list(project.manifests()))
    assert found[0] == found[1] and len(found[0]) == 5
    assert found[0][0] == [KNOWN] * 7 + [END]
    assert len(list(project.manifests())) == made
    done = project.inside("iterate", "--json")
    assert done.code == 0 and done.document["rounds"][1]["round"] == 1


def test_a_generator_that_cannot_measure_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    with harness.open_branches() as run:
        rows = run.rows("train")
        branch = run.branch({}, "held out", where="here", split="valid")
        trained = branch.train(rows[5:], rows[:5])
        with pytest.raises(harness.UsageError, match=r"generator 'fake' has no answer_losses"):
            branch.losses(trained, rows[:5])


def test_nobody_else_works_on_the_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.folder)
    with harness.open_branches(), pytest.raises(harness.EnvironmentFailure):
        harness.open_branches().__enter__()
