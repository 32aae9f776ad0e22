"""The metric beside the AST rules of the Berkeley Function-Calling Leaderboard."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import harness
from harness_calls import ToolCall
from tests.plugins.calls.ast_cases import CASES, TOOLS

PAGE = Path(__file__).parents[3] / "docs" / "metrics" / "tool-call.md"
REASONS = ("text", "null", "whole")


def in_every_way(value):
    """What a list of possible values allows, '' being what may be left out."""
    if not isinstance(value, dict):
        return [value]
    ways = []
    for name, possible in value.items():
        ways.append(
            [{} if inner == "" else {name: way} for inner in possible for way in ways_of(inner)]
        )
    return [
        dict(itertools.chain(*(way.items() for way in ways_))) for ways_ in itertools.product(*ways)
    ]


def ways_of(value):
    if isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        return [list(way) for way in itertools.product(*map(in_every_way, value))]
    return in_every_way(value)


def written(calls):
    turn = [harness.ToolCall(name, given) for call in calls for name, given in call.items()]
    return harness.Answer("" if turn else "I cannot do that.", tuple(turn)).text


def is_right(wanted, given, text=None):
    each = [
        [{name: way} for name, possible in call.items() for way in in_every_way(possible)]
        for call in wanted
    ]
    references = tuple(written(way) for way in itertools.product(*each))
    row = harness.Example("a", (), references, tools=tuple(TOOLS))
    metric = ToolCall()
    if text is not None:
        metric.options = ToolCall.Options.model_construct(text=text)
    return bool(metric.measure(harness.Prediction("a", written(given)), row)[0])


@pytest.mark.parametrize(("wanted", "given", "verdict", "why"), CASES)
def test_verdicts_are_those_of_the_leaderboard_but_for_the_reasons_named(
    wanted, given, verdict, why
):
    assert is_right(wanted, given) is (verdict if not why else not verdict)


def test_texts_are_compared_as_there_by_a_metric_that_is_named():
    class Letters(harness.Metric):
        """1 where both have the same letters and digits."""

        name = "letters"
        right_at = 1.0

        def measure(self, prediction, example):
            letters = [
                "".join(filter(str.isalnum, t.casefold()))
                for t in (prediction.text, *example.references)
            ]
            return float(letters[0] == letters[1])

    text = harness.Named[harness.Metric]("metric", {"plugin": "letters"})
    text.entry = type("Entry", (), {"instance": Letters()})
    differ = [(wanted, given, verdict) for wanted, given, verdict, why in CASES if why == "text"]
    assert len(differ) >= 4
    for wanted, given, verdict in differ:
        assert is_right(wanted, given, text=text) is verdict


def test_there_are_enough_cases_and_each_reason_stands_on_the_page():
    assert len(CASES) >= 60
    assert {why for *_, why in CASES} == {"", *REASONS}
    assert f"{len(CASES)} cases" in PAGE.read_text(encoding="utf-8")
