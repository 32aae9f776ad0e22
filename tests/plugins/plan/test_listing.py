"""What a run trains and answers, with the size of each."""

from __future__ import annotations

import pytest

import harness
from harness_plan.listing import DEV, listed
from tests.support.project import CONFIG

BOTH = """\
import harness


class Both(harness.Generator):
    name = "both"

    def holds_both(self):
        return True


@harness.hookimpl
def register_generators():
    return [Both]
"""


@pytest.mark.parametrize(("generator", "sides"), [("fake", 1), ("both", 2)])
def test_a_round_whose_verdict_asks_both_sides_has_twice_the_answers(project, generator, sides):
    project.write(BOTH, "both.py")
    text = CONFIG.replace("plugins: [", "plugins: [both.py, ")
    path = project.write(text.replace("generate: {plugin: fake}", f"generate: {generator}"))
    with harness.open_plan(path) as run:
        answers = [item for item in listed(run) if item.stage == DEV]
    first, *rounds = answers
    assert [item.characters / first.characters for item in rounds] == [sides] * 3
