"""The best round against the base model under another prompt."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

import harness
from harness.records import Measurement, Score
from harness.records.summary import ShownUsage
from harness.scoring import MetricEntry
from harness.stats.decision import level
from harness.verdicts import rule
from harness.verdicts.baselines import Sides, judge, reached, with_base
from harness.verdicts.rule import DecidingScore

N = 120


class Share(harness.Metric):
    """A share."""

    name = "share"


SCORE = DecidingScore(
    MetricEntry("share", Share()), "share", {f"r{n}": f"g{n // 2}" for n in range(N)}, draws=500
)


def measured(values: Sequence[float]) -> list[Measurement]:
    return [Measurement(f"r{n}", "share", (v,), {"share": v}) for n, v in enumerate(values)]


def noise(n: int) -> float:
    return 0.1 * ((n * 37) % 11) / 11


LOW = measured([0.3 + noise(n) for n in range(N)])
HIGH = measured([0.5 + noise(n * 7 + 3) for n in range(N)])
LIKE = measured([0.3 + noise(n * 3 + 1) for n in range(N)])


@pytest.mark.parametrize(
    ("best", "asked", "label", "head"),
    [
        (HIGH, LOW, "improved", "improved: round 2 is better than few-shot: share rose by 0.2"),
        (LOW, HIGH, "regressed", "regressed: the prompt is better: few-shot beats round 2: share"),
        (LIKE, LOW, "no evidence", "no evidence: round 2 is not shown to be better than few-shot:"),
    ],
)
def test_training_or_the_prompt_is_better_or_neither_is_shown(
    best: list[Measurement], asked: list[Measurement], label: str, head: str
) -> None:
    found = judge(SCORE, best, asked, "few-shot", round_=2, alpha=0.05 / 3)
    assert found.label == label and found.against == "few-shot"
    assert found.sentence.startswith(head)
    assert (found.n, found.groups) == (N, N // 2)


def test_the_choice_among_rounds_is_allowed_for_and_the_number_of_prompts_is_not() -> None:
    found = judge(SCORE, HIGH, LOW, "few-shot", round_=2, alpha=0.0125)
    assert found.level == level(4)


def test_where_no_round_improved_the_base_model_as_it_is_stands_for_it() -> None:
    found = judge(SCORE, LOW, HIGH, "prompted", round_=0, alpha=0.05 / 3)
    assert "prompted beats the base model without it" in found.sentence


def test_a_gain_below_the_least_that_counts_is_not_shown_to_be_better() -> None:
    found = judge(SCORE, HIGH, LOW, "prompted", round_=1, alpha=0.05, min_gain=0.5)
    assert found.label == "no evidence"


def test_rows_that_cannot_carry_a_verdict_give_none() -> None:
    few = DecidingScore(SCORE.entry, "share", dict.fromkeys(SCORE.groups, "one"), draws=500)
    found = judge(few, HIGH, LOW, "prompted", round_=1, alpha=0.05)
    assert found.label == "no evidence" and found.low is None
    assert "come from 1 groups" in found.sentence


def test_a_bound_that_ends_at_0_is_told_as_more_than_0() -> None:
    """As for pass/fail rows of which the exact test excludes 0 and no bound lies above it."""
    found = judge(SCORE, HIGH, LOW, "few-shot", round_=2, alpha=0.05)
    shown = Score("share", 0.4, 0.3, 0.5, N, 0, "", True)
    sides = Sides(shown, shown, 1, 2, "test", 90, 90)
    said = with_base(SCORE, "few-shot", {}, sides, found, found).sentence
    assert "each by at least 0.1" in said
    at_zero = dataclasses.replace(found, low=0.0)
    best = with_base(SCORE, "few-shot", {}, sides, found, at_zero)
    assert best.low == 0 and "each by more than 0 at 95 % confidence" in best.sentence


def test_the_gain_that_is_asked_for_is_told_with_bounds_above_0() -> None:
    def said(min_gain: float) -> str:
        found = judge(SCORE, HIGH, LOW, "few-shot", round_=2, alpha=0.05, min_gain=min_gain)
        shown = Score("share", 0.4, 0.3, 0.5, N, 0, "", True)
        sides = Sides(shown, shown, 1, 2, "test", 90, 90)
        return with_base(SCORE, "few-shot", {}, sides, found, found, min_gain).sentence

    assert "at 95 % confidence; a gain above 0.500 is required)." in said(0.5)
    assert "at 95 % confidence; a gain above 0.100 is required. Both" in said(0.1)
    assert "required" not in said(0.0)


def test_the_rows_that_either_side_has_seen_are_counted() -> None:
    def said(learned: int) -> str:
        found = judge(SCORE, HIGH, LOW, "few-shot", round_=2, alpha=0.05)
        shown = Score("share", 0.4, 0.3, 0.5, N, 0, "", True)
        sides = Sides(shown, shown, 1, 2, "test", 90, learned)
        return with_base(SCORE, "few-shot", {}, sides, found, found).sentence

    assert " Prompts are made from 90 rows, round 2 has learned 130. All figures" in said(130)
    assert " Both have seen the same 90 rows of train. All figures" in said(90)


def test_a_model_is_reached_only_where_the_round_is_shown_to_be_better() -> None:
    for best, other, round_, said in [
        (HIGH, LOW, 2, "Round 2 reaches big and is better: a difference of 0.2"),
        (LOW, HIGH, 2, "Round 2 does not reach big: a difference of -0.2"),
        (LIKE, LOW, 2, "Round 2 cannot be told from big: a difference of "),
        (LOW, HIGH, 0, "The base model (no round improved on it) does not reach big: a difference"),
        (LOW[:1], HIGH[:1], 2, "Whether round 2 reaches big cannot be judged: "),
    ]:
        verdict = rule.judge(SCORE, best, other, alpha=0.05, against="big")
        assert reached(SCORE, verdict, "big", "test", None, round_=round_).startswith(said), best


@pytest.mark.parametrize(
    ("money", "said"),
    [
        (None, "1,000 answers by big take 12,000 tokens of prompts and 900 of answers."),
        (0.0042, "1,000 answers by big cost 0.0042 (12,000 tokens of prompts and 900 of answers)."),
        (12.3, "1,000 answers by big cost 12.30 (12,000 tokens of prompts and 900 of answers)."),
    ],
)
def test_what_a_thousand_answers_cost_is_told_where_a_price_is_known(
    money: float | None, said: str
) -> None:
    verdict = rule.judge(SCORE, LOW, HIGH, alpha=0.05, against="big")
    usage = ShownUsage(12_000, 900, money)
    assert reached(SCORE, verdict, "big", "dev", usage, round_=1).endswith(f"confidence. {said}")
