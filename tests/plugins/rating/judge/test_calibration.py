"""Calibration: a judge against raters, with planted agreement, bias and favour for length."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from harness.records.rubrics import Criterion, Judgement, Overall, Rubric, Scale, Show
from harness_rating.agreement.kappa import kappa
from harness_rating.judge.calibration import Row, calibration_of

LEVELS = Criterion("right", "Right", "?", Scale("ordinal", 1, 5))
POLITE = Criterion("polite", "Polite", "?", Scale("binary"), allow_na=True)
SIDE = Criterion("side", "Better", "?", Scale("pairwise"))


def rubric(*criteria: Criterion, **judge) -> Rubric:
    fields = {"bar": 0.6, "items": 40, **judge}
    return Rubric("r", 1, "R", "en", "Read.", Show(), criteria, Overall(), fields, "d")


def row(place: int, people, judge, words: int = 10, name: str = "right", group=None) -> Row:
    samples = tuple(judge) if isinstance(judge, (list, tuple)) else (judge,)
    said = [{name: value} for value in (people if isinstance(people, list) else [people])]
    return Row(
        group or f"g{place}", words, [one for one in said if one[name] != ""],
        {name: Judgement(str(place), name, samples[0], samples)},
    )  # fmt: skip


def drawn(n: int = 60, seed: int = 3):
    random = np.random.default_rng(seed)
    people = random.integers(1, 6, n)
    judge = np.clip(people + random.integers(-1, 2, n), 1, 5)
    return people.tolist(), judge.tolist(), random


def test_kappa_is_that_of_two_raters_where_there_is_one_of_each():
    people, judge, _ = drawn()
    calibration = calibration_of(
        rubric(LEVELS), [row(n, p, j) for n, (p, j) in enumerate(zip(people, judge, strict=True))]
    )
    whole = calibration["overall"]
    assert whole["kappa"]["value"] == pytest.approx(kappa(people, judge))
    assert whole["kappa"]["low"] < whole["kappa"]["value"] < whole["kappa"]["high"]
    apart = (np.array(judge) - np.array(people)) / 4
    assert whole["bias"]["value"] == pytest.approx(apart.mean())
    assert calibration["calibrated"] is True
    assert calibration["label"].startswith("calibrated: weighted kappa with raters 0.")
    assert calibration["criteria"] == []  # one criterion is the whole
    json.dumps(calibration, allow_nan=False)


def test_raters_are_averaged_within_an_item():
    rows = [row(n, [p, p + 2], j) for n, (p, j) in enumerate([(1, 2), (2, 3), (3, 4)] * 15)]
    whole = calibration_of(rubric(LEVELS), rows)["overall"]
    assert whole["n"] == 45
    assert whole["kappa"]["value"] == pytest.approx(1.0)
    assert whole["bias"]["value"] == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("count", "judge", "what"),
    [
        (39, {}, ["both rated 39 items, and 40 are needed"]),
        (60, {"bar": 0.99}, ["is not above the bar of 0.99"]),
        (10, {"bar": 0.99}, ["10 items, and 40 are needed", "not above the bar"]),
        (0, {}, ["both rated 0 items, and 40 are needed"]),
    ],
)
def test_it_says_what_is_missing(count, judge, what):
    people, said, _ = drawn(count or 1)
    rows = [row(n, people[n], said[n]) for n in range(count)]
    calibration = calibration_of(rubric(LEVELS, **judge), rows)
    assert calibration["calibrated"] is False
    assert calibration["label"].startswith("uncalibrated: ")
    assert all(part in calibration["label"] for part in what)
    assert calibration["sentences"][0] == calibration["label"] + "."


def test_where_all_say_the_same_it_stays_uncalibrated():
    calibration = calibration_of(rubric(LEVELS), [row(n, 5, 5) for n in range(60)])
    assert calibration["label"] == (
        "uncalibrated: weighted kappa cannot be computed, because the ratings do not differ"
    )


def test_a_kappa_that_may_be_chance_is_told():
    rows = [
        row(n, p, j, group=f"g{n % 3}") for n, (p, j) in enumerate(zip(*drawn(45)[:2], strict=True))
    ]
    calibration = calibration_of(rubric(LEVELS, bar=0.85), rows)
    assert calibration["calibrated"] is True
    assert calibration["label"].endswith("though its interval does not exclude less")


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_the_bias_is_signed(shift):
    random = np.random.default_rng(5)
    wide = Criterion("right", "Right", "?", Scale("ordinal", 1, 9))
    rows = [
        row(n, int(p), int(p + shift + random.integers(-1, 2)))
        for n, p in enumerate(random.integers(3, 8, 80))
    ]
    bias = calibration_of(rubric(wide), rows)["overall"]["bias"]
    assert bias["low"] <= shift / 8 <= bias["high"]
    assert (bias["low"] > 0, bias["high"] < 0) == (shift > 0, shift < 0)


def test_favour_for_length_is_counted_in_pairs_of_what_goes_beyond_people():
    people, _, random = drawn(80)
    words = random.integers(5, 200, 80).tolist()
    judge = [min(5, p + (w > 100)) for p, w in zip(people, words, strict=True)]
    rows = [row(n, people[n], judge[n], words[n]) for n in range(80)]
    length = calibration_of(rubric(LEVELS), rows)["overall"]["length"]
    apart = [j - p for j, p in zip(judge, people, strict=True)]
    pairs = [
        (w - v, b - a)
        for (w, b), (v, a) in itertools.combinations(zip(words, apart, strict=True), 2)
        if w != v
    ]
    longer = [0.5 if more == 0 else float((more > 0) == (by > 0)) for by, more in pairs]
    assert length["value"] == pytest.approx(np.mean(longer))
    assert length["low"] > 0.5
    fair = [row(n, people[n], people[n] + n % 2, words[n]) for n in range(80)]
    calibration = calibration_of(rubric(LEVELS), fair)
    assert calibration["overall"]["length"]["low"] < 0.5 < calibration["overall"]["length"]["high"]
    assert "Length bias: not significant" in " ".join(calibration["sentences"])


def test_self_consistency_counts_pairs_of_samples_of_all_that_is_judged():
    rows = [row(n, 3 if n < 5 else "", (3, 3, 4)) for n in range(20)]
    whole = calibration_of(rubric(LEVELS), rows)["overall"]
    assert (whole["n"], whole["consistency"]["n"]) == (5, 20)
    assert whole["consistency"]["value"] == pytest.approx(1 / 3)
    once = calibration_of(rubric(LEVELS), [row(0, 3, 3)])["overall"]["consistency"]
    assert (once["value"], once["why"]) == (None, "each was asked once only")


def test_of_pairs_the_two_orders_are_compared():
    """A judge that keeps its word in each order, and contradicts itself between them."""
    rows = [row(n, "A" if n % 2 else "B", ("A", "B", "A", "B"), 3, "side") for n in range(10)]
    rows += [row(n, "A", ("A", "A", "A", "A"), -3, "side") for n in range(10, 20)]
    whole = calibration_of(rubric(SIDE), rows)["overall"]
    assert whole["title"] == "Better"
    assert whole["position"]["value"] == pytest.approx(0.5)
    assert whole["consistency"]["value"] == 1.0
    assert calibration_of(rubric(LEVELS), [row(0, 3, 3)])["overall"]["position"]["value"] is None


def test_each_criterion_stands_for_itself():
    people, judge, random = drawn(60)
    rows = [
        Row(
            f"g{n}", 5, [{"right": people[n], "polite": bool(n % 2)}],
            {
                "right": Judgement(str(n), "right", judge[n], (judge[n],)),
                "polite": Judgement(str(n), "polite", bool(random.integers(2)), ()),
            },
        )
        for n in range(60)
    ]  # fmt: skip
    calibration = calibration_of(rubric(LEVELS, POLITE), rows)
    states = {part["id"]: part["calibrated"] for part in calibration["criteria"]}
    assert states == {"right": True, "polite": False}
    assert any(
        line.startswith("Polite: uncalibrated, weighted kappa") for line in calibration["sentences"]
    )


def test_what_has_an_error_has_no_value_and_is_counted():
    rows = [row(n, 3, 3) for n in range(4)]
    rows.append(Row("g", 5, [{"right": 3}], {"right": Judgement("x", "right", error="no JSON")}))
    calibration = calibration_of(rubric(LEVELS), rows)
    assert (calibration["judged"], calibration["rated"], calibration["unreadable"]) == (5, 4, 1)
    assert "1 of 5 judgements could not be read, and have no value." in calibration["sentences"]
