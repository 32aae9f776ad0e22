"""What people cannot give is said before anything is run."""

from __future__ import annotations

import pytest

from tests.support.project import SUPPORT

PLUGIN = '''
import harness


class Asked(harness.Metric):
    """What people said of the answers."""

    name = "asked"
    by_people = True

    def measure(self, prediction, example):
        return 1.0


@harness.hookimpl
def register_metrics():
    return [Asked]
'''
SAID = "note: 'asked' is the primary score, and answers to test are not rated: "


@pytest.fixture
def asked(project):
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [asked.py, ").replace(
        "metrics: [{plugin: overlap}]", "metrics: [{plugin: asked}, {plugin: overlap}]"
    )
    project.write(PLUGIN, "asked.py")
    project.write(text)
    return project


def change(project, old, new):
    text = (project.folder / "harness.yaml").read_text()
    assert old in text
    project.write(text.replace(old, new))


@pytest.mark.parametrize("command", ["check", "iterate"])
def test_a_control_arm_and_a_metric_by_people_are_refused_together(asked, command):
    change(asked, "rows: 10", "rows: 10, control: random")
    done = asked.inside(command)
    assert (done.code, done.out) == (2, "")
    assert "harness.yaml:12: augment.0: control: random" in done.err
    assert "'asked' comes from raters, and they rate the main arm's answers only" in done.err
    assert "Take control: out" in done.err
    assert not (asked.folder / ".harness").exists()
    change(asked, "{plugin: asked}, ", "")
    assert asked.inside("check").code == 0


def test_a_choice_among_checkpoints_by_people_is_refused(asked):
    change(asked, "plugins: [", f"plugins: [{SUPPORT / 'leaving.py'}, ")
    change(asked, "train: {plugin: fake}", "train: {plugin: leaving}")
    assert asked.inside("check").code == 0
    change(asked, "primary: overlap", "primary: asked")
    done = asked.inside("check")
    assert done.code == 2 and "train.by: 'asked' comes from raters" in done.err


def test_who_lets_people_decide_is_told_what_test_will_not_say(asked):
    assert SAID not in asked.inside("check").err  # another score decides
    change(asked, "primary: overlap", "primary: asked")
    checked = asked.inside("check")
    assert checked.code == 0 and SAID not in checked.out
    assert checked.err.count(SAID) == 1 and "will read no evidence" in checked.err
    run = asked.inside("iterate", "--rounds", "1", "--json")
    assert run.code == 0, run.err
    assert run.err.startswith(SAID) and run.err.count(SAID) == 1
    again = asked.inside("iterate", "--rounds", "1", "--json")
    assert again.document == run.document and SAID not in again.err  # nothing is run


@pytest.mark.nightly
def test_other_prompts_are_refused_where_people_decide_and_else_scored_by_the_rest(asked):
    both = ("--set", "baselines=[prompted]")
    done = asked.inside("iterate", "--json", "--rounds", "1", *both)
    assert done.code == 0, done.err
    (found,) = done.document["baselines"]
    assert list(found["scores"]) == ["overlap"]
    change(asked, "primary: overlap", "primary: asked")
    for command in ("check", "iterate"):
        done = asked.inside(command, *both)
        assert done.code == 2 and "the primary score 'asked' comes from raters" in done.err
