"""The table of two systems, score by score, in a wide and in a narrow terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.kit.terminal.comparisons import ComparedScore, draw_comparison, interval, p_value

ONE = {
    "difference": 0.0621, "low": 0.0437, "high": 0.0805, "p": 0.0004,
    "wins": 1119, "ties": 32, "losses": 49, "label": "improved",
}  # fmt: skip
NONE = {**ONE, "difference": None, "low": None, "high": None, "p": None, "label": "no evidence"}
SCORES = [
    ComparedScore("rougeL", 0.726, 0.7882, ONE, "uncalibrated", 0.7882),
    ComparedScore("none", None, None, NONE, "", 0.0),
]
TITLES = ["baseline", "value", "difference", "p"]


def shown(width):
    console = Console(file=io.StringIO(), width=width)
    draw_comparison(SCORES, TITLES, console)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_a_wide_terminal_has_counts_and_caveats():
    head, first, second = shown(140)
    assert head.endswith("95 % interval p better/same/worse")
    assert first == (
        "rougeL (uncalibrated) 0.7260 0.7882 +0.0621 +0.0437 to +0.0805 < .001 1,119/32/49 "
        "▲ improved"
    )
    assert second == "none - - - - - 1,119/32/49 ◆ no evidence"


@pytest.mark.parametrize(
    ("width", "cells", "left_out"),
    [
        (94, "0.726 0.788 +0.062 +0.044 to +0.081 < .001 1,119/32/49 ▲ improved", ""),
        (88, "0.726 0.788 +0.062 +0.044 to +0.081 1,119/32/49 ▲ improved", "p"),
        (80, "0.788 +0.062 +0.044 to +0.081 1,119/32/49 ▲ improved", "baseline, p"),
    ],
)
def test_a_narrow_one_has_marks_and_names_what_it_leaves_out(width, cells, left_out):
    lines = shown(width)
    assert lines[0] == "better/" and lines[1].endswith("same/worse")
    assert lines[2] == f"rougeL * {cells}"
    assert "* uncalibrated" in lines
    said = [f"not shown for want of room: {left_out}"] if left_out else []
    assert [line for line in lines if line.startswith("not shown")] == said


def test_a_very_narrow_one_has_a_paragraph_for_each_score():
    assert shown(60)[:3] == [
        "rougeL * ▲ improved",
        "baseline 0.726 · value 0.788 · difference +0.062",
        "95 % interval +0.044 to +0.081 · p < .001",
    ]
    assert "better/ same/worse 1,119/32/49" in shown(60)


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.0009, "< .001"), (0.042, ".042"), (1.0, "1.000")]
)
def test_p_has_three_decimals(value, text):
    assert p_value(value) == text


def test_an_interval_has_the_places_of_its_scale():
    assert interval(-1.5, 2, 50, sign=True) == "-1.50 to +2.00"
    assert interval(None, 2, 50) == "-"
