"""``harness demo``: simulated loops, the two rules, and what is printed of them."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from harness_demo.loops import ROWS, SUCCESS, Loop, simulated
from harness_demo.loops_screen import document, show
from harness_demo.outcome import GAIN, Outcome, simulate
from tests.support import nightly
from tests.support.project import Project

LOOPS = nightly.draws(30, least=12)


@pytest.fixture(scope="module")
def outcomes() -> tuple[Outcome, Outcome]:
    return simulate(LOOPS, seed=11)


def printed(outcomes: tuple[Outcome, Outcome], width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    show(outcomes, console)
    return console.file.getvalue()


def test_a_loop_is_the_same_each_time_and_another_seed_draws_others():
    one, again, other = (simulated(0.0, seed, 3) for seed in (7, 7, 8))
    assert one == again
    assert [r.score for r in one.rounds] != [r.score for r in other.rounds]


@pytest.mark.nightly
def test_answers_are_correct_as_often_as_is_said():
    for gain in (0.0, GAIN):
        loops = [simulated(gain, 5, number) for number in range(30)]
        rounds = [round_.score for loop in loops for round_ in loop.rounds]
        bases = [loop.base for loop in loops]
        # Four standard errors of the mean of 30 loops, of 200 answers each.
        assert sum(bases) / 30 == pytest.approx(SUCCESS, abs=4 * (0.21 / ROWS / 30) ** 0.5)
        assert sum(rounds) / 90 == pytest.approx(SUCCESS + gain, abs=0.015)


def test_luck_looks_like_a_gain_to_the_naive_rule_alone(outcomes):
    nothing, planted = outcomes
    assert nothing.celebrated > len(nothing.loops) / 2
    assert nothing.improved <= 4
    assert planted.celebrated == len(planted.loops)
    assert planted.improved > 0.9 * len(planted.loops)


@pytest.mark.parametrize("width", [50, 80, 160])
def test_it_fits_the_terminal(outcomes, width):
    shown = printed(outcomes, width)
    assert all(len(line) <= width for line in shown.splitlines())
    for outcome in outcomes:
        for round_ in outcome.loops[0].rounds:
            assert f"{round_.score:.3f}" in shown
    assert shown.rstrip().endswith("next: harness iterate")


def test_bars_are_as_long_as_the_shares():
    round_ = simulated(0.0, 1, 0).rounds[0]
    assert round_.compared.label == "no evidence"
    improved = replace(round_, compared=replace(round_.compared, label="improved"))
    better, worse = Loop(round_.score - 0.1, [round_]), Loop(round_.score + 0.1, [round_])
    half = Outcome(0.0, [Loop(better.base, [improved]), *[better] * 19, *[worse] * 20])
    shown = printed((half, half), 80)
    assert "  " + "█" * 20 + "·" * 20 + " 50 %" in shown
    assert "  █" + "·" * 39 + " 2.5 %" in shown


def test_the_document_has_what_is_shown(outcomes):
    made = json.loads(json.dumps(document(outcomes), allow_nan=False))
    assert [kind["true_gain"] for kind in made["outcomes"]] == [0.0, GAIN]
    assert made["loops"] == LOOPS and made["rows"] == ROWS
    assert made["outcomes"][0]["naive_finds"] == outcomes[0].celebrated
    assert [r["label"] for r in made["outcomes"][1]["first"]["rounds"]] == [
        round_.compared.label for round_ in outcomes[1].loops[0].rounds
    ]


def test_the_command_prints_one_document_and_writes_nothing(tmp_path):
    done = Project(tmp_path).inside("demo", "--loops", "2", "--json")
    assert done.code == 0
    assert done.document["loops"] == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", [("--loops", "0"), ("--loops", "many"), ("--seed", "1.5")])
def test_a_wrong_option_is_a_usage_error(tmp_path, given):
    assert Project(tmp_path).inside("demo", *given).code == 2
