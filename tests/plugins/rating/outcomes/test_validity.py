"""Automatic metrics against raters: accuracy in pairs, ties, sentences."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from harness import stats
from harness.records.rubrics import Criterion, Item, Overall, Rubric, Scale, Show
from harness_rating.batches.records import Batch, Placing, Rating
from harness_rating.outcomes import concordance, validity
from harness_rating.outcomes.concordance import any_two, same_prompt
from harness_rating.outcomes.validity import overall_scores, validity_of

AT = "2026-11-25T15:30:00.000Z"


def rows(people, metric, groups=None):
    """Raters' numbers, the metric's, and groups."""
    names = groups or [f"g{i:04}" for i in range(len(people))]
    return np.array(people, float), np.array(metric, float), tuple(names)


def seeded(seed: int, n: int, strength: float = 1.0, groups: int | None = None):
    rng = np.random.default_rng(seed)
    people = rng.integers(0, 9, n) / 8
    metric = np.round(strength * people + rng.normal(0, 0.4, n), 1)
    return rows(people, metric, [f"g{i % groups:03}" for i in range(n)] if groups else None)


def rubric(kind: str = "ordinal", most: int = 5) -> Rubric:
    ends = {"least": 1, "most": most} if kind == "ordinal" else {}
    asked = Criterion("it", "It", "How?", Scale(kind, **ends), allow_na=True)
    return Rubric("r", 1, "R", "en", "", Show(), (asked,), Overall(), None, "d")


def batch(placings, kind: str = "ordinal", raters=("ana", "bo"), most: int = 5) -> Batch:
    items = tuple(Item(placing.item, (), ("x",) * len(placing.rounds)) for placing in placings)
    every = {rater: tuple(placing.item for placing in placings) for rater in raters}
    found = {placing.item: placing for placing in placings}
    return Batch(
        "r-1",
        "run",
        rubric(kind, most),
        "random",
        1,
        tuple(raters),
        every,
        items,
        found,
        "2026",
        True,
    )


def two_rounds(n: int, seed: int = 0, gain: int = 1):
    """A batch with rounds 0 and 1 of n examples, its ratings, and a metric that follows them."""
    rng = np.random.default_rng(seed)
    placings, ratings, good, random = [], [], {}, {}
    for example, number in itertools.product(range(n), (0, 1)):
        item = f"i{example:03}-{number}"
        placings.append(Placing(item, f"e{example}", rounds=(number,), group=f"g{example:03}"))
        value = int(np.clip(rng.integers(1, 5) + gain * number, 1, 5))
        ratings += [Rating(who, item, "it", value, AT) for who in ("ana", "bo")]
        good["main", number, f"e{example}"] = value + rng.normal(0, 0.5)
        random["main", number, f"e{example}"] = rng.normal()
    return batch(placings), ratings, {"good": good, "random": random}


# -- accuracy -----------------------------------------------------------------------------------


def by_hand(people, metric) -> tuple[float, int, int]:
    """Accuracy of any two answers, pairs that raters tie, pairs that only the metric ties."""
    right, clear, people_tied, metric_tied = 0.0, 0, 0, 0
    for i, j in itertools.combinations(range(len(people)), 2):
        one = np.sign(people[i] - people[j])
        two = np.sign(metric[i] - metric[j])
        people_tied += one == 0
        if one:
            clear += 1
            metric_tied += two == 0
            right += 0.5 if two == 0 else float(one == two)
    return right / clear, people_tied, metric_tied


def test_accuracy_of_any_two_answers_by_hand():
    people, metric, groups = seeded(6, 40)
    found = any_two(people, metric, groups, seed=1)
    accuracy, people_tied, metric_tied = by_hand(people, metric)
    assert people_tied and metric_tied
    assert found["accuracy"]["value"] == pytest.approx(accuracy)
    assert (found["people_tied"], found["metric_tied"]) == (people_tied, metric_tied)


def test_the_interval_is_nearly_that_of_draws_of_whole_pairs():
    """Each draw takes groups with all their pairs, and is counted anew."""
    people, metric, groups = seeded(7, 120, groups=60)
    found = any_two(people, metric, groups, seed=1)["accuracy"]
    ordered = np.abs(np.sign(people[:, None] - people))
    alike = ordered * np.sign(people[:, None] - people) * np.sign(metric[:, None] - metric)
    codes, count = stats.encode(groups)
    drawn = []
    for block in stats.weights(count, 1, 400):
        for copies in block.astype(float)[:, codes]:
            drawn.append((1 + copies @ alike @ copies / (copies @ ordered @ copies)) / 2)
    wide = 4 * np.std(drawn)
    assert found["high"] - found["low"] == pytest.approx(wide, rel=0.1)


def test_blocks_of_rows_give_what_all_rows_give(monkeypatch):
    given_rows = seeded(8, 50)
    whole = any_two(*given_rows, seed=1)
    monkeypatch.setattr(concordance, "_AT_ONCE", 120)  # two rows at a time
    assert any_two(*given_rows, seed=1) == whole


@given(
    values=st.lists(st.tuples(st.integers(0, 4), st.integers(-9, 9)), min_size=3, max_size=12),
    order=st.randoms(use_true_random=False),
)
def test_neither_order_nor_a_rising_map_matters(values, order):
    def accuracy(pairs):
        names = [f"g{i:02}" for i, _ in pairs]
        found = any_two(*rows([p for _, (p, _) in pairs], [m for _, (_, m) in pairs], names), 1)
        return found["accuracy"]["value"]

    numbered = list(enumerate(values))
    plain = accuracy(numbered)
    mapped = [(i, (p, m**3 + 7.0)) for i, (p, m) in numbered]
    order.shuffle(mapped)
    assert accuracy(mapped) == (plain if plain is None else pytest.approx(plain, abs=1e-12))
    turned = accuracy([(i, (p, -m)) for i, (p, m) in numbered])
    assert turned == (plain if plain is None else pytest.approx(1 - plain, abs=1e-12))


def test_a_metric_that_copies_people_is_perfect():
    found = any_two(*rows(np.arange(30) % 7, np.exp(np.arange(30) % 7)), seed=1)
    assert found["accuracy"]["value"] == pytest.approx(1)


def test_intervals_of_an_unrelated_metric_hold_nothing():
    held = 0
    for seed in range(30):
        found = any_two(*seeded(100 + seed, 60, strength=0.0), seed)["accuracy"]
        held += found["low"] <= 0.5 <= found["high"]
    assert held >= 25  # 28 or 29 are expected


def test_clusters_widen_intervals():
    people, metric, names = seeded(9, 60)
    copies = np.tile(people, 4), np.tile(metric, 4)
    wide = any_two(*copies, names * 4, 1)["accuracy"]
    narrow = any_two(*rows(*copies), 1)["accuracy"]
    assert wide["high"] - wide["low"] > 1.5 * (narrow["high"] - narrow["low"])


def test_differences_by_hand():
    """3 right, 1 wrong, 1 tied by the metric; 2 that raters tie are left out."""
    given_rows = rows([1, 1, -1, -1, 1, 0, 0], [2, 1, -3, 1, 0, 5, 0])
    found = same_prompt(*given_rows, seed=1)
    assert found["accuracy"]["value"] == pytest.approx(3.5 / 5)
    assert found["accuracy"]["n"] == 5
    assert (found["people_tied"], found["metric_tied"]) == (2, 1)


@pytest.mark.parametrize(
    ("people", "metric", "why"),
    [
        ([], [], "fewer than two answers are both rated and scored"),
        ([1], [2], "fewer than two answers are both rated and scored"),
        ([3, 3, 3], [1, 2, 3], "raters gave all of them the same"),
    ],
)
def test_what_cannot_be_computed_is_said(people, metric, why):
    found = any_two(*rows(people, metric), 1)
    share = found["accuracy"]
    assert (share["value"], share["low"], share["why"]) == (None, None, why)
    json.dumps([found, same_prompt(*rows(people, metric), 1)], allow_nan=False)


def test_a_metric_that_gives_all_the_same_is_a_coin():
    found = any_two(*rows([1, 2, 3], [4, 4, 4]), 1)
    share = found["accuracy"]
    assert (share["value"], share["low"], found["metric_tied"]) == (0.5, None, 3)


# -- a batch ------------------------------------------------------------------------------------


def test_a_good_metric_and_a_random_one():
    ours, ratings, scores = two_rounds(60)
    document = validity_of(ours, ratings, scores, seed=1)
    json.dumps(document, allow_nan=False)
    good, random = document["metrics"]
    assert (document["schema"], document["rated"]) == ("harness.validity/1", 120)
    assert (good["answers"]["n"], good["answers"]["groups"]) == (120, 60)
    assert (good["differences"]["n"], good["differences"]["groups"]) == (60, 60)
    assert good["differences"]["accuracy"]["low"] > 0.75
    assert (
        random["differences"]["accuracy"]["low"] < 0.5 < random["differences"]["accuracy"]["high"]
    )
    assert any(
        line.startswith("good orders two answers to one prompt as raters do in ")
        and ": mostly right" in line
        for line in document["sentences"]
    )
    assert any("random" in line and "not shown to be better than chance" in line
               for line in document["sentences"])  # fmt: skip


def test_a_loss_is_turned_round():
    ours, ratings, scores = two_rounds(30)
    loss = {"loss": {answer: -value for answer, value in scores["good"].items()}}
    (turned,) = validity_of(ours, ratings, loss, seed=1, lower_is_better=["loss"])["metrics"]
    (plain,) = validity_of(ours, ratings, {"loss": scores["good"]}, seed=1)["metrics"]
    assert turned == plain
    (wrong,) = validity_of(ours, ratings, loss, seed=1)["metrics"]
    assert wrong["differences"]["accuracy"]["high"] < 0.5
    assert "worse than chance" in wrong["differences"]["sentence"]


def test_few_groups_are_too_few():
    ours, ratings, scores = two_rounds(12)
    metrics = validity_of(ours, ratings, scores, seed=1)["metrics"]
    said = [metric[view]["sentence"] for metric in metrics for view in ("answers", "differences")]
    assert len(said) == 4
    assert all("groups of items, too few to judge by" in line for line in said)
    assert "only 12 groups of items" in said[0]


def test_a_batch_drawn_for_finding_errors_says_so():
    ours, ratings, scores = two_rounds(5)
    worst = dataclasses.replace(ours, strategy="worst", verdicts=False)
    assert "finding errors (worst)" in validity_of(worst, ratings, scores)["sentences"][-1]
    assert not any("finding errors" in s for s in validity_of(ours, ratings, scores)["sentences"])


def test_unscored_answers_are_left_out_and_none_is_said():
    ours, ratings, scores = two_rounds(25)
    gaps = dict(scores["good"]) | {("main", 1, "e3"): None, ("main", 0, "e4"): math.nan}
    found, none = validity_of(ours, ratings, {"gaps": gaps, "none": {}}, seed=1)["metrics"]
    assert (found["answers"]["n"], found["differences"]["n"]) == (48, 23)
    assert [none[view]["sentence"] for view in ("answers", "differences")] == [
        "Whether none orders any two answers as raters do is unknown: fewer than two answers "
        "are both rated and scored.",
        "Whether none orders two answers to one prompt as raters do is unknown: no prompt has "
        "two answers that are both rated and scored.",
    ]


def test_pairs_of_answers_give_differences_only_whatever_side_was_shown_first():
    n = 40
    placings, ratings, values = [], [], {}
    for example in range(n):
        sides = (1, 0) if example % 2 else (0, 1)
        placings.append(Placing(f"i{example:03}", f"e{example}", rounds=sides, group=f"g{example}"))
        later = "A" if sides[0] == 1 else "B"
        earlier = "B" if later == "A" else "A"
        preferred = later if example < 30 else earlier if example < 36 else "tie"
        ratings += [Rating(who, f"i{example:03}", "it", preferred, AT) for who in ("ana", "bo")]
        values["main", 0, f"e{example}"] = 0.1 + 0.2
        values["main", 1, f"e{example}"] = (
            0.3 if example == 0 else 0.5
        )  # e0: equal but for rounding
    (metric,) = validity_of(batch(placings, "pairwise"), ratings, {"rougeL": values}, seed=1)[
        "metrics"
    ]
    assert metric["answers"] is None
    assert (metric["differences"]["people_tied"], metric["differences"]["metric_tied"]) == (4, 1)
    assert metric["differences"]["accuracy"]["value"] == pytest.approx(29.5 / 36)
    sentence = metric["differences"]["sentence"]
    assert "4 pairs that raters rate equal are left out; 1 that rougeL scores alike" in sentence


def test_people_are_averaged_repeats_left_out_and_settled_values_stand():
    placings = [
        Placing("a", "e0", rounds=(0,)),
        Placing("b", "e1", rounds=(0,)),
        Placing("c", "e2", rounds=(0,)),
        Placing("a-again", "e0", rounds=(0,), repeat_of="a"),
    ]
    ratings = [
        Rating("ana", "a", "it", 5, AT), Rating("bo", "a", "it", 3, AT),
        Rating("ana", "a-again", "it", 1, AT),
        Rating("ana", "b", "it", 1, AT), Rating("bo", "b", "it", 5, AT),
        Rating("settled-lead", "b", "it", 5, AT),
        Rating("ana", "c", "it", None, AT),
        Rating("stranger", "c", "it", 5, AT),
    ]  # fmt: skip
    assert overall_scores(batch(placings), ratings) == {"a": 0.75, "b": 1.0}


def test_means_that_differ_by_rounding_only_are_ties():
    """Thirds: 3, 3, 4 and 2, 4, 4 on a scale to 4 have means that differ in the last digit."""
    one, other = (math.fsum((v - 1) / 3 for v in vs) / 3 for vs in ((3, 3, 4), (2, 4, 4)))
    assert one != other
    placings = [Placing("a", "e0", rounds=(0,)), Placing("b", "e0", rounds=(1,))]
    raters = ("ana", "bo", "cy")
    ratings = [Rating(who, "a", "it", v, AT) for who, v in zip(raters, (3, 3, 4), strict=True)]
    ratings += [Rating(who, "b", "it", v, AT) for who, v in zip(raters, (2, 4, 4), strict=True)]
    values = {"m": {("main", 0, "e0"): 0.1, ("main", 1, "e0"): 0.2}}
    (metric,) = validity_of(batch(placings, raters=raters, most=4), ratings, values)["metrics"]
    assert (metric["differences"]["n"], metric["differences"]["people_tied"]) == (1, 1)


def test_hostile_metric_and_arm_names_are_harmless_in_sentences():
    ours, ratings, scores = two_rounds(25)
    bad = "m\x1b[31m\u202e\n<script>"
    arm = "x\x1b[2J\n"
    placings = [
        Placing(p.item, p.example_id, arm, p.rounds, group=p.group) for p in ours.placings.values()
    ]
    values = {(arm, number, example): v for (_, number, example), v in scores["good"].items()}
    document = validity_of(batch(placings), ratings, {bad: values}, seed=1)
    assert document["metrics"][0]["metric"] == bad
    assert document["metrics"][0]["differences"]["n"] == 25
    assert all(line.isprintable() for line in document["sentences"])


def test_it_is_repeatable_whatever_the_order():
    ours, ratings, scores = two_rounds(25)
    validity = validity_of(ours, ratings, scores, seed=1)
    assert validity_of(ours, ratings[::-1], scores, seed=1) == validity
    assert validity_of(ours, ratings, scores, seed=2) != validity


@pytest.mark.parametrize(
    ("people", "metric", "told"),
    [
        (
            1,
            1,
            "(1 pair that raters rate equal is left out; 1 that m scores alike counts one half)",
        ),
        (2, 3, "(2 pairs that raters rate equal are left out; 3 that m scores alike count one "),
    ],
)
def test_one_pair_is_one(people, metric, told):
    share = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 40, "groups": 40, "why": ""}
    found = {"accuracy": share, "people_tied": people, "metric_tied": metric}
    assert told in validity._in_words("m", "orders two answers to one prompt", found)
