"""What a run trains and answers, with the size of each."""

from __future__ import annotations

import pytest

import harness
from harness_plan.listing import AGAIN, DEV, TEST, VALID, listed, size
from tests.support.project import CONFIG, SUPPORT

BOTH = """\
import harness
from tests.support.fakes import FakeGenerator


class Apart(FakeGenerator):
    name = "apart"

    def asked_again(self):
        return 5


class Both(harness.Generator):
    name = "both"

    def holds_both(self):
        return True


@harness.hookimpl
def register_generators():
    return [Apart, Both]
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


def test_answers_to_valid_that_choose_a_checkpoint_are_listed(project):
    text = CONFIG.replace("plugins: [", f"plugins: [{SUPPORT / 'leaving.py'}, ")
    text = text.replace("train: {plugin: fake}", "train: {plugin: leaving}").replace(
        "generate: {plugin: fake}", "generate: {plugin: left}"
    )
    path = project.write(text.replace("rounds: 3", "rounds: 2\nvalid: 0.2\nprobes: []"))
    with harness.open_plan(path) as run:
        items = [item for item in listed(run) if item.stage == VALID]
        valid = run.rows("valid")
    assert [(item.round, item.count) for item in items] == [(1, len(valid)), (2, len(valid))]
    assert items[0].characters == 3 * sum(map(size, valid))
    assert "round 1: generate valid" in project.inside("plan", "--no-probe").out
    assert project.inside("iterate").code == 0
    assert "nothing is trained or answered again" in project.inside("plan", "--no-probe").out


def test_rows_that_the_base_model_is_asked_again_are_listed_beside_each_round(project):
    project.write(BOTH, "both.py")
    text = CONFIG.replace("plugins: [", "plugins: [both.py, ")
    path = project.write(text.replace("generate: {plugin: fake}", "generate: apart"))
    with harness.open_plan(path) as run:
        again = [item for item in listed(run) if item.arm == AGAIN]
        whole = [item for item in listed(run, again=True) if item.arm == AGAIN]
    assert [(item.round, item.stage, item.count) for item in again] == [
        (1, DEV, 5), (2, DEV, 5), (3, DEV, 5), (None, TEST, 5)
    ]  # fmt: skip
    assert not any(item.tuned for item in again) and len(whole) == 3
    shown = project.inside("plan", "--no-probe").out
    assert "round 1: generate dev (base model again)" in shown
    assert project.inside("iterate").code == 0
    assert "all of it is in the store" in project.inside("plan", "--no-probe").out
