"""The command that takes over an arm, given to the real command line."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from harness_advise.options import Option
from harness_advise.ranking import ranked
from tests.plugins.advise.test_ranking import arm, levers, made
from tests.support.project import CONFIG, Project

ONE_ROUND = CONFIG.replace("rounds: 3", "rounds: 1") + "worth: 0.05\n"
BETTER = {
    "settings": "arms: [{name: more, set: {train.gain: 0.3}}, {name: less, set: {train.gain: 0}}]",
    "model": "models: [{source: fake, skill: 0.5}]",
}


@pytest.mark.parametrize("lever", BETTER)
def test_the_command_that_takes_over_an_arm_runs(project: Project, lever: str) -> None:
    project.write(ONE_ROUND + BETTER[lever] + "\n")
    done = project.inside("iterate", "--no-test")
    assert done.code == 0, done.err
    option = project.inside("advise", "--json").document["options"][0]
    assert (option["lever"], option["state"]) == (lever, "shown"), option
    words = shlex.split(option["command"])
    done = project.inside(*words[1:], "--json")
    assert done.code == 0, done.err
    found = done.document
    assert not found.get("arms") and found["rounds"][1]["verdict"]["label"] == "improved"


def command(**changes: Any) -> str:
    """Of the only option that is shown."""
    return shown(**changes).command


def shown(**changes: Any) -> Option:
    [option] = [one for one in ranked(made(levers=levers(), **changes)) if one.state == "shown"]
    return option


def test_only_the_levers_that_the_run_has_are_cleared() -> None:
    found = command(arms=[arm("settings", "improved", 0.2)])
    assert "'arms=[]'" in found and "models=" not in found
    both = [arm("settings", "improved", 0.2), arm("model", "no evidence", 0.0)]
    assert "'arms=[]' --set 'models=[]'" in command(arms=both)
    searched = arm("settings", "improved", 0.2, name="search")
    assert "[]" not in command(arms=[searched]) and "search=null" in command(arms=[searched])
