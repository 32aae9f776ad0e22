"""The command that takes over an arm, given to the real command line."""

from __future__ import annotations

import json
import shlex
from itertools import pairwise
from typing import Any

import pytest

from harness.kit.text import one_line
from harness.kit.yaml_file import key_value
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


TEXTS = {"null": None, "true": True, "1e3": 1000.0, "8": 8, "[a]": "[a]", "~": "~", "a: b": "a: b",
         "plain": "plain", "#x": "#x", "no": "no", "[1]": [1], '"null"': "null",
         '"a \\u0020b\\n"': "a  b\n", "é 'x'": "é 'x'"}  # fmt: skip
"""A setting as a document shows it -> what it was."""


@pytest.mark.parametrize("text", TEXTS)
def test_a_value_is_set_as_the_arm_had_it(text: str) -> None:
    for kind, key in (("settings", "train.remark"), ("model", "model.options.remark")):
        found = arm(kind, "improved", 0.2, changed={"model.source": "fake", key: text})
        words = shlex.split(one_line(command(arms=[found]), 2_000))
        given = [key_value(word) for flag, word in pairwise(words) if flag == "--set"]
        assert (key, TEXTS[text]) in given and type(TEXTS[text]) in {type(v[1]) for v in given if v}


@pytest.mark.parametrize(
    "changed",
    [
        {"train.remark": one_line("ab " * 70, 120)},
        {"train.list": one_line(json.dumps(["ab"] * 70), 120)},
        {one_line("train." + "k" * 90, 80): "1"},
        {"train.steps.0.plugin": "a"},
        {"model.source": "x" * 119 + "…"},
    ],
)
@pytest.mark.parametrize("kind", ["settings", "model"])
def test_where_a_setting_may_be_cut_no_command_is_given(kind: str, changed: dict[str, str]) -> None:
    option = shown(arms=[arm(kind, "improved", 0.2, changed=changed)])
    assert option.command == "" and f"'{kind} arm'" in option.action
    assert "set them in the config" in option.evidence[-1]


def test_texts_that_yaml_reads_as_something_else_come_back_as_texts(project: Project) -> None:
    texts = ["null", "true", "1e3", "a  b"]
    arms = [{"name": text, "set": {"train.gain": 0.3 + 0.01 * place, "train.remark": text}}
            for place, text in enumerate(texts)]  # fmt: skip
    project.write(f"{ONE_ROUND}arms: {json.dumps(arms)}\n")
    done = project.inside("iterate", "--no-test", "--json")
    assert done.code == 0, done.err
    found = [one["changed"]["train.remark"] for one in done.document["arms"]]
    assert list(map(json.loads, found)) == texts and "  " not in "".join(found)


def test_the_winner_of_a_search_is_to_be_named_as_an_arm() -> None:
    """Seeds repeat what ``arms`` and ``models`` name."""
    arms = [arm("settings", "regressed", -0.2, name="x"),
            arm("settings", "no evidence", 0.02, name="search")]  # fmt: skip
    [option] = [one for one in ranked(made(arms=arms, levers=levers())) if "'search'" in one.action]
    assert option.command == "" and "name the winner of the search" in option.evidence[-1]


def test_only_the_levers_that_the_run_has_are_cleared() -> None:
    found = command(arms=[arm("settings", "improved", 0.2)])
    assert "'arms=[]'" in found and "models=" not in found
    both = [arm("settings", "improved", 0.2), arm("model", "no evidence", 0.0)]
    assert "'arms=[]' --set 'models=[]'" in command(arms=both)
    searched = arm("settings", "improved", 0.2, name="search")
    assert "[]" not in command(arms=[searched]) and "search=null" in command(arms=[searched])
