"""The verdict rule: its three labels, its doubts, and what it says."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import special

import harness
from harness import stats
from harness.records import Measurement, Verdict, to_json
from harness.scoring import MetricEntry
from harness.stats import decision
from harness.stats.assumed import BaseScores, effect_range
from harness.stats.decision import usable
from harness.verdicts import rule
from harness.verdicts.comparison import compare_measurements
from harness.verdicts.detectable_effect import minimum_detectable_effect


class Quality(harness.Metric):
    name = "quality"


class Loss(harness.Metric):
    name = "loss"
    higher_is_better = False
    bounds = (0.0, math.inf)


class Points(Quality):
    """No greatest value, so that nothing stands in for a row without a score."""

    name = "points"
    bounds = (0.0, math.inf)


class Two(harness.Metric):
    """Two scores, the second a ratio of sums."""

    name = "two"
    bounds = (0.0, 100.0)

    def score_names(self):
        return ("hits", "rate")

    def aggregate(self, sums, weights):
        return 100 * np.stack([sums[..., 0] / weights, sums[..., 0] / sums[..., 1]], -1)


class Whole(harness.Metric):
    name = "whole"
    additive = False


GROUPS = {f"r{i:03}": f"g{i // 4:02}" for i in range(160)}


def measured(values, *, missing=(), metric=Quality):
    return [
        Measurement(f"r{i:03}", metric.name, None if i in missing else tuple(np.atleast_1d(v)))
        for i, v in enumerate(values)
    ]


def scores(gain: float = 0.0, seed: int = 0, n: int = 160):
    """Row difficulties shared by all seeds, plus own noise, plus a gain."""
    hard = np.random.default_rng(99).uniform(0.2, 0.6, n)
    return hard + np.random.default_rng(seed).normal(0, 0.05, n) + gain


def judge(new, old, metric=Quality, score="", *, groups=GROUPS, draws=stats.DRAWS, **changes):
    settings = {"alpha": decision.alpha_of(3), "against": "round 0"} | changes
    entry = MetricEntry(metric.name, metric())
    decides = rule.DecidingScore(entry, score or metric.name, groups, draws=draws)
    return rule.judge(decides, new, old, **settings)


def test_the_level_divides_five_percent_by_the_rounds():
    assert decision.level(1) == 0.95
    assert decision.level(3) == pytest.approx(0.98333, abs=1e-5)
    assert decision.level(0) == 0.95


def test_a_clear_gain_is_an_improvement():
    verdict = judge(measured(scores(0.1, 1)), measured(scores()))
    assert verdict.label == "improved"
    assert 0 < verdict.low < verdict.difference < verdict.high
    assert verdict.difference == pytest.approx(np.mean(scores(0.1, 1) - scores()))
    assert (verdict.n, verdict.groups, verdict.against) == (160, 40, "round 0")
    assert verdict.level == decision.level(3)


def test_a_clear_loss_is_a_regression():
    verdict = judge(measured(scores(-0.1, 1)), measured(scores()))
    assert verdict.label == "regressed"
    assert verdict.low < verdict.difference < verdict.high < 0


def test_noise_is_no_evidence():
    verdict = judge(measured(scores(0, 1)), measured(scores()))
    assert verdict.label == "no evidence"
    assert verdict.low < 0 < verdict.high


def test_a_model_against_itself():
    verdict = judge(measured(scores()), measured(scores()))
    assert (verdict.label, verdict.difference, verdict.low, verdict.high) == (
        "no evidence",
        0,
        0,
        0,
    )
    assert verdict.detectable is None
    assert verdict.sentence == (
        "no evidence: quality did not change against round 0 (160 rows in 40 groups, none of which "
        "differs)."
    )


def test_lower_is_better_is_turned_round():
    better, worse = measured(scores(0, 1), metric=Loss), measured(scores(0.1), metric=Loss)
    gain = judge(better, worse, Loss)
    assert gain.label == "improved"
    assert gain.difference > gain.low > 0
    assert gain.sentence.startswith("improved: loss fell by 0.1")
    assert "(lower is better)" in gain.sentence
    harm = judge(worse, better, Loss)
    assert harm.label == "regressed"
    assert harm.difference == -gain.difference
    assert harm.sentence.startswith("regressed: loss rose by 0.1")


def test_an_improvement_has_to_exceed_the_gain_asked_for():
    new, old = measured(scores(0.1, 1)), measured(scores())
    plain = judge(new, old)
    just_below, just_above = plain.low - 1e-6, plain.low + 1e-6
    assert judge(new, old, min_gain=just_below).label == "improved"
    strict = judge(new, old, min_gain=just_above)
    assert strict.label == "no evidence"
    assert strict.detectable == pytest.approx(plain.detectable + just_above)
    assert "a gain above 0.0" in strict.sentence


def test_a_regression_does_not_wait_for_the_gain_asked_for():
    assert judge(measured(scores(-0.1, 1)), measured(scores()), min_gain=0.5).label == "regressed"


def test_more_rounds_ask_for_more():
    new, old = measured(scores(0.1, 1)), measured(scores())
    one, ten = judge(new, old, alpha=0.05), judge(new, old, alpha=0.005)
    assert ten.low < one.low
    assert ten.high > one.high
    assert ten.detectable > one.detectable


def test_only_rows_scored_on_both_sides_count():
    new = scores(0.1, 1)
    new[[0, 2]] = 0.0
    verdict = judge(measured(new, missing={0, 2}), measured(scores(), missing={0, 2}))
    assert verdict.label == "improved"
    assert verdict.n == len(new) - 2


def test_as_many_missing_on_other_rows_is_no_evidence():
    new, old = (
        measured(scores(0.1, 1), missing={0, 1}, metric=Points),
        measured(scores(), missing={0, 2}, metric=Points),
    )
    verdict = judge(new, old, Points)
    assert verdict.label == "no evidence"
    assert "not the same ones" in verdict.sentence


@pytest.mark.parametrize("sides", ["new", "old"])
def test_unequal_missingness_is_no_evidence(sides):
    missing = {"new": ({3}, ()), "old": ((), {3})}[sides]
    verdict = judge(
        measured(scores(0.2, 1), missing=missing[0], metric=Points),
        measured(scores(), missing=missing[1], metric=Points),
        Points,
    )
    assert verdict.label == "no evidence"
    assert (verdict.difference, verdict.low, verdict.detectable) == (None, None, None)
    assert "of 160 rows" in verdict.sentence
    assert "seldom missing by chance" in verdict.sentence


def test_a_row_unscored_on_the_newer_side_counts_as_the_worst():
    new = scores(0.1, 1)
    verdict = judge(measured(new, missing={3}), measured(scores()))
    new[3] = 0.0
    plain = judge(measured(new), measured(scores()))
    assert (verdict.label, verdict.low, verdict.n) == ("improved", plain.low, 160)
    note = "1 row unscored on this side counts as 0, the worst value"
    assert verdict.sentence.endswith(f"; 160 rows in 40 groups; {note}.")


def test_a_row_unscored_on_the_older_side_counts_as_the_best():
    old = scores()
    verdict = judge(measured(scores(0.1, 1), missing={5}), measured(old, missing={3, 4}))
    new = scores(0.1, 1)
    new[5], old[[3, 4]] = 0.0, 1.0
    assert verdict.difference == pytest.approx(judge(measured(new), measured(old)).difference)
    assert "2 rows unscored on the other side count as 1, the best value" in verdict.sentence


class Errors(Quality):
    name = "errors"
    higher_is_better = False


def test_the_worst_value_is_the_greatest_where_lower_is_better():
    new = measured(scores(0, 1), metric=Errors, missing={0})
    verdict = judge(new, measured(scores(0.1), metric=Errors), Errors)
    assert "counts as 1, the worst value" in verdict.sentence
    assert verdict.label == "improved"


def test_answers_that_cannot_be_scored_are_a_loss():
    """However good the rest is: a metric that fails where answers are bad flatters nobody."""
    verdict = judge(measured(scores(0.05, 1), missing=range(60)), measured(scores()))
    assert verdict.label == "regressed"


def test_a_metric_that_leaves_its_bounds_has_no_worst_value():
    new, old = measured(3 * scores(0.1, 1), missing={0}), measured(3 * scores())
    assert judge(new, old).label == "no evidence"


class Ratio(Two):
    """Counts whose scores are ratios: no row of counts is the worst of all."""

    name = "ratio"


def test_a_corpus_score_has_no_worst_row():
    new = measured([(v, 1.0) for v in scores(0.1, 1)], metric=Ratio, missing={0})
    verdict = judge(new, measured([(v, 1.0) for v in scores()], metric=Ratio), Ratio, "rate")
    assert (verdict.label, verdict.low) == ("no evidence", None)


def test_what_people_have_not_said_yet_is_no_failure():
    class Said(Quality):
        name = "said"
        by_people = True

    new, old = measured(scores(0.1, 1), metric=Said, missing={0}), measured(scores(), metric=Said)
    assert judge(new, old, Said).label == "no evidence"


PASSES = {f"r{i:03}": f"r{i:03}" for i in range(160)}


@pytest.mark.parametrize("alpha", [0.025, 0.05])
@pytest.mark.parametrize("by", [PASSES, GROUPS], ids=["single rows", "groups"])
@pytest.mark.parametrize(("wins", "losses"), [(3, 0), (5, 0), (6, 0), (8, 1), (14, 4), (2, 9)])
def test_the_loop_and_harness_score_judge_by_one_rule(wins, losses, by, alpha):
    """At the same error: ``harness score`` allows 2.5 % on each side of a single comparison."""
    same = 160 - wins - losses
    new = measured([1.0] * wins + [0.0] * losses + [1.0] * same)
    old = measured([0.0] * wins + [1.0] * losses + [1.0] * same)
    verdict = judge(new, old, groups=by, alpha=alpha)
    found = compare_measurements(MetricEntry("quality", Quality()), {"new": new}, old, by, seed=0)[
        "new"
    ]["quality"]
    assert (verdict.label == "no evidence") == (found.p >= 2 * alpha)
    if alpha == 0.025:
        assert verdict.label == found.label
        assert (verdict.low, verdict.high) == pytest.approx((found.low, found.high))


def test_three_wins_and_no_loss_are_no_evidence():
    """Half of all triples of rows that differ go one way in a quarter of the cases."""
    new = measured([1.0] * 160)
    old = measured([0.0] * 3 + [1.0] * 157)
    verdict = judge(new, old, groups=PASSES, alpha=0.05)
    assert (verdict.label, verdict.low < 0) == ("no evidence", True)
    assert judge(new, measured([0.0] * 5 + [1.0] * 155), groups=PASSES, alpha=0.05).low > 0


@pytest.mark.parametrize("sign", [1, -1])
def test_a_few_large_changes_against_many_small_ones_are_no_evidence(sign):
    """160 rows of which 3 lose .6 and the others gain .015: by plain t a gain."""
    changes = np.full(160, 0.015)
    changes[[10, 70, 130]] = -0.35
    verdict = judge(measured(0.5 + sign * changes), measured([0.5] * 160), alpha=0.05)
    plain = verdict.difference * sign - 1.685 * changes.reshape(40, 4).mean(1).std(ddof=1) / 40**0.5
    assert plain > 0
    assert verdict.label == "no evidence"


def test_a_row_that_one_side_never_saw_is_missing_there():
    verdict = judge(measured(scores(0.2, 1))[:-1], measured(scores()))
    assert verdict.label == "no evidence"
    assert "1 are unscored on this side and 0 on the other" in verdict.sentence


def test_a_row_measured_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        judge([*measured(scores()), measured(scores())[0]], measured(scores()))


@pytest.mark.parametrize(
    ("count", "label"), [(19, "no evidence"), (20, "improved")], ids=["19 groups", "20 groups"]
)
def test_fewer_than_twenty_groups_are_no_evidence(count, label):
    groups = {f"r{i:03}": f"g{i % count:02}" for i in range(160)}
    verdict = judge(measured(scores(0.2, 1)), measured(scores()), groups=groups)
    assert verdict.label == label
    assert verdict.difference == pytest.approx(0.2, abs=0.02)
    if label == "no evidence":
        assert (verdict.low, verdict.high, verdict.detectable) == (None, None, None)
        assert "the 160 rows come from 19 groups" in verdict.sentence


@pytest.mark.parametrize(("large", "label"), [(16, "improved"), (17, "no evidence")])
def test_one_group_with_more_than_a_tenth_of_the_rows_is_no_evidence(large, label):
    groups = {f"r{i:03}": "big" if i < large else f"g{i:03}" for i in range(160)}
    verdict = judge(measured(scores(0.2, 1)), measured(scores()), groups=groups)
    assert verdict.label == label
    assert ("one group, 'big', has 17 of the 160 rows" in verdict.sentence) == (large == 17)


def test_usable_rows():
    assert usable([f"g{i % 20}" for i in range(100)]) == ""
    assert "no row" in usable([])
    assert "19 groups" in usable([f"g{i % 19}" for i in range(100)])
    assert "\x1b" not in usable(["\x1b[31m"] * 50 + [f"g{i}" for i in range(30)])


def test_nothing_scored_is_no_evidence():
    verdict = judge(measured(scores(), missing=range(160)), measured(scores(), missing=range(160)))
    assert verdict.label == "no evidence"
    assert (verdict.n, verdict.groups, verdict.difference) == (0, 0, None)
    assert verdict.sentence == (
        "no evidence: quality cannot be compared with round 0: no row can be compared."
    )


def test_a_metric_that_is_not_additive_gets_no_verdict():
    rows = [Measurement(f"r{i:03}", "whole", ()) for i in range(160)]
    verdict = judge(rows, rows, Whole)
    assert verdict.label == "no evidence"
    assert "no interval" in verdict.sentence


def test_statistics_of_another_metric_get_no_verdict():
    verdict = judge(measured(scores()), measured([(v, 1.0) for v in scores()]))
    assert verdict.label == "no evidence"
    assert "different statistics" in verdict.sentence


def test_a_score_that_cannot_be_had_gives_no_verdict_and_valid_json():
    zero = measured([(v, 0.0) for v in scores()], metric=Two)
    verdict = judge(zero, zero, Two, "rate")
    assert (verdict.label, verdict.difference) == ("no evidence", None)
    assert "spread" in verdict.sentence
    json.dumps(to_json(verdict), allow_nan=False)


def test_where_nothing_varies_and_nothing_ends_no_effect_is_estimated():
    flat = measured([0.5] * 160, metric=Points)
    score = rule.DecidingScore(MetricEntry("points", Points()), "points", GROUPS)
    least, words = minimum_detectable_effect(score, flat, alpha=0.05 / 3)
    assert least is None
    assert "has the same points on all" in words and "cannot be estimated" in words


def test_equal_scores_within_a_range_say_nothing_of_the_later_ones():
    most, words = foreseen([0.5] * 160)
    reach = special.stdtrit(39, 1 - 0.05 / 3) + special.stdtrit(39, 0.8)
    assert most == pytest.approx(0.3 * reach / math.sqrt(40))
    assert "minimum detectable effect in quality is 0.036 to 0.145" in words


def test_the_named_score_decides():
    new = measured([(v, 2.0) for v in scores(0.1, 1)], metric=Two)
    old = measured([(v, 1.0) for v in scores()], metric=Two)
    assert judge(new, old, Two, "hits").label == "improved"
    assert judge(new, old, Two, "rate").label == "regressed"


def test_the_sentence_of_an_improvement():
    verdict = judge(measured(scores(0.1, 1)), measured(scores()))
    assert verdict.sentence == (
        f"improved: quality rose by {verdict.difference:.3f} against round 0, by at least "
        f"{verdict.low:.3f} at 98.3 % confidence; minimum detectable effect "
        f"{verdict.detectable:.3f} at 80 % power; 160 rows in 40 groups."
    )


def test_the_sentence_of_a_regression_and_of_no_evidence():
    lost = judge(measured(scores(-0.1, 1)), measured(scores()), alpha=0.05)
    assert f", by at least {-lost.high:.3f} at 95 % confidence;" in lost.sentence
    assert lost.sentence.startswith("regressed: quality fell by ")
    same = judge(measured(scores(0, 1)), measured(scores()), against="")
    assert (
        f"; the true gain lies between {same.low:.3f} and {same.high:.3f}, each bound at 98.3 %"
        in same.sentence
    )
    assert same.sentence.startswith("no evidence: quality ")


def test_a_small_bound_is_never_printed_as_zero():
    verdict = judge(measured(scores() + 0.0002), measured(scores()))
    assert verdict.label == "improved"
    assert "at least 0.0002 at" in verdict.sentence


def test_the_baseline_is_compared_with_nothing():
    verdict = rule.baseline_verdict(3, detectable=0.02, sentence="said before", n=9, groups=3)
    assert (verdict.label, verdict.against, verdict.difference) == ("baseline", "", None)
    assert (verdict.detectable, verdict.sentence, verdict.n) == (0.02, "said before", 9)
    assert rule.baseline_verdict().sentence


NEAR_TOP = BaseScores(mean=0.99, variance=0.005, design=1.0, pass_or_fail=False)


def foreseen(values, metric=Quality, groups=GROUPS, **changes):
    entry, options = MetricEntry(metric.name, metric()), {"alpha": 0.05 / 3} | changes
    rows = measured(values, metric=metric)
    score = rule.DecidingScore(entry, metric.name, groups)
    return minimum_detectable_effect(score, rows, **options)


def test_what_can_be_detected_is_said_before_training():
    values = scores()
    most, sentence = foreseen(values)
    reach = special.stdtrit(39, 1 - 0.05 / 3) + special.stdtrit(39, 0.8)
    old = np.array(values).reshape(40, 4).mean(axis=1).std(ddof=1) / math.sqrt(40)
    told = np.var(values) / 0.3**2  # how far the base model's spread is a guide to the groups'
    design = told * max(1, old**2 * 160 / np.var(values)) + (1 - told) * 4
    assert most == pytest.approx(reach * math.sqrt(old**2 + 0.3**2 * design / 160), rel=0.03)
    least = 0.15 * reach / math.sqrt(160)
    assert f"effect in quality is {least:.3f} to {most:.3f} at 80 % power and" in sentence
    assert "160 rows in 40 groups" in sentence
    assert "at 80 % power and 98.3 % confidence" in sentence
    assert "the scores of two checkpoints are unrelated" in sentence
    assert foreseen(values, min_gain=0.1)[0] == pytest.approx(most + 0.1)
    room = 1 - np.mean(values)
    assert foreseen(values, min_gain=room - 0.01)[0] == pytest.approx(room)


@pytest.mark.parametrize("values", [[0.75, 1.0] * 80, [0.0, 1.0, 1.0, 1.0] * 40])
def test_a_gain_that_the_range_has_no_room_for_is_not_announced(values):
    room = 1 - np.mean(values)
    assert foreseen(values, min_gain=room - 0.1)[0] is not None
    for min_gain in (room, room + 0.1):
        least, sentence = foreseen(values, min_gain=min_gain)
        assert least is None
        assert f"so no gain above {min_gain:.3f} can be detected" in sentence


def test_the_upper_end_is_never_below_the_lower_one():
    """Graded scores at the top: the later ones can hardly spread, but the differences may."""
    low, high = effect_range([str(n) for n in range(20_000)], 0.05, NEAR_TOP)
    assert 0 < low == high < 1 - NEAR_TOP.mean


def test_of_scores_without_an_end_the_base_model_has_the_only_spread():
    most, sentence = foreseen(scores(), Points)
    spread = np.array(scores()).reshape(40, 4).mean(axis=1).std(ddof=1) / math.sqrt(40)
    assert most == pytest.approx(2.25 * (2.205 + 0.851) * spread, rel=0.05)
    assert f"effect in points is {most / 2.25:.3g} to {most:.3g} at 80 % power and" in sentence
    assert "vary as much as the scores of the base model" in sentence


@pytest.mark.parametrize("right", [0, 1, 16, 80, 140])
@pytest.mark.parametrize("groups", [PASSES, GROUPS], ids=["single rows", "groups"])
def test_what_pass_or_fail_scores_can_show_has_a_closed_form(right, groups):
    values = np.zeros(160)
    values[np.random.default_rng(1).permutation(160)[:right]] = 1
    most, sentence = foreseen(values, groups=groups)
    before, count = right / 160, len(set(groups.values()))
    variance, later = before * (1 - before), 0.25 if before <= 0.5 else before * (1 - before)
    told, design, step = variance / later, 160 / count, 1 / 160 if count == 160 else 0
    of_base = design
    if right > 0:
        means = values.reshape(count, -1).mean(axis=1)
        of_base = max(1, means.var(ddof=1) / count / (variance / 160))
    design = told * of_base + (1 - told) * design
    reach = special.stdtrit(count - 1, 1 - 0.05 / 3) + special.stdtrit(count - 1, 0.8)
    expected = reach * math.sqrt((variance * of_base + later * design) / 160) + step
    assert most == pytest.approx(min(expected, 1 - before), rel=0.05)
    least = reach**2 / (160 + reach**2) + step
    assert f"effect in quality is {least:.3f} to {most:.3f} at 80 % power" in sentence
    assert foreseen(values, groups=groups, min_gain=0.01)[0] > most or most == 1 - before


def passing(wins, losses, n=160):
    """New and old outcomes of n single rows."""
    rest = [1.0] * (n - wins - losses)
    new, old = [1.0] * wins + [0.0] * losses, [0.0] * wins + [1.0] * losses
    return measured(new + rest), measured(old + rest)


def test_a_gain_that_the_exact_test_shows_may_be_as_small_as_can_be():
    """Six wins to none: p is below the level, and a bound above 0 would not hold as often."""
    verdict = judge(*passing(6, 0), groups=PASSES)
    assert (verdict.label, verdict.low) == ("improved", 0)
    assert "rose by 0.037 against round 0, by more than 0 at 98.3 % confidence;" in verdict.sentence
    lost = judge(*passing(0, 6), groups=PASSES)
    assert (lost.label, lost.high) == ("regressed", 0)
    assert "fell by 0.037 against round 0, by more than 0 at" in lost.sentence
    assert judge(*passing(6, 0), groups=PASSES, min_gain=0.001).label == "no evidence"
    assert judge(*passing(0, 6), groups=PASSES, min_gain=0.001).label == "regressed"


def test_rows_that_all_pass_twice_say_what_so_many_can_exclude():
    verdict = judge(*passing(0, 0), groups=PASSES, alpha=0.05)
    assert (verdict.label, verdict.difference) == ("no evidence", 0)
    assert (verdict.low, verdict.high) == pytest.approx((0.05 ** (1 / 160) - 1, 0.0186), abs=1e-4)
    assert verdict.sentence == (
        "no evidence: quality did not change against round 0; the true gain lies between -0.019 "
        "and 0.019, each bound at 95 % confidence (160 rows in 160 groups, none of which differs)."
    )


@pytest.mark.parametrize(("share", "loss"), [(0.5, 0.0), (0.3, 0.02)])
def test_a_gain_of_min_gain_is_hardly_ever_called_more(share, loss):
    drawn = np.random.default_rng(2).multinomial(160, [share, loss, 1 - share - loss], 2000)
    calls = 0
    for (wins, losses, _), times in Counter(map(tuple, drawn.tolist())).items():
        if wins - losses < 160 * (share - loss) + 10:
            continue  # a bound lies below what was seen
        verdict = judge(*passing(wins, losses), groups=PASSES, draws=20, min_gain=share - loss)
        calls += times * (verdict.label == "improved")
    assert 0 < calls <= 0.0167 * len(drawn)


def test_a_share_of_wrong_rows_is_turned():
    values = np.repeat([1.0, 0.0], [20, 140])
    assert foreseen(values, Errors, PASSES)[0] == foreseen(1 - values, Quality, PASSES)[0]


def test_where_nearly_all_rows_are_right_no_gain_can_be_found():
    least, sentence = foreseen([1.0] * 158 + [0.0] * 2, groups=PASSES)
    assert least is None
    assert sentence.startswith("The base model passes 158 of 160 rows in 160 groups")


def test_a_dev_set_that_cannot_carry_a_verdict_is_told_before_training():
    groups = {key: group[:2] for key, group in GROUPS.items()}
    least, sentence = foreseen(scores(), groups=groups)
    assert least is None
    assert sentence.startswith("Every round will read no evidence on quality: ")
    assert "4 groups" in sentence


def arms(a, b, metric=Quality):
    entry = MetricEntry(metric.name, metric())
    return rule.contrast_arms(rule.DecidingScore(entry, metric.name, GROUPS), a, b)


def test_arms_are_compared_both_ways():
    difference, low, high, sentence = arms(measured(scores(0.1, 1)), measured(scores()))
    assert 0 < low < difference < high
    assert "Targeting did better in this run" in sentence
    assert "needs several seeds" in sentence
    back = arms(measured(scores()), measured(scores(0.1, 1)))
    assert back[:3] == pytest.approx((-difference, -high, -low))
    assert "Targeting did worse in this run" in back[3]
    _, low, high, sentence = arms(measured(scores(0, 1)), measured(scores()))
    assert low < 0 < high
    assert "No evidence that targeting helped or harmed" in sentence


def test_an_interval_of_arms_is_two_sided():
    a, b = measured(scores(0.1, 1)), measured(scores())
    verdict = judge(a, b, alpha=0.025)  # each bound at 97.5 %
    assert arms(a, b)[:3] == pytest.approx((verdict.difference, verdict.low, verdict.high))


def test_arms_that_cannot_be_compared():
    difference, low, high, sentence = arms(measured(scores(), missing={1}), measured(scores()))
    assert (difference, low, high) == (None, None, None)
    assert sentence.startswith("The two arms cannot be compared: of 160 rows")


@given(st.randoms(use_true_random=False), st.floats(-0.2, 0.2))
def test_the_order_of_measurements_changes_no_bit(shuffle, gain):
    new, old = measured(scores(gain, 1)), measured(scores())
    before = judge(new, old, draws=200)
    shuffle.shuffle(new)
    shuffle.shuffle(old)
    assert judge(new, old, draws=200) == before


@given(st.floats(-0.2, 0.2))
def test_swapping_the_sides_mirrors_the_verdict(gain):
    new, old = measured(scores(gain, 1)), measured(scores())
    mirror = {"improved": "regressed", "regressed": "improved", "no evidence": "no evidence"}
    forth, back = judge(new, old, draws=200), judge(old, new, draws=200)
    assert back.label == mirror[forth.label]
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low))


@given(st.floats(0.01, 1000), st.floats(-0.2, 0.2))
def test_the_unit_of_a_score_does_not_decide(unit, gain):
    new, old = scores(gain, 1), scores()
    plain = judge(measured(new), measured(old), draws=200)
    scaled = judge(measured(new * unit), measured(old * unit), draws=200)
    assert scaled.label == plain.label
    assert scaled.low == pytest.approx(plain.low * unit)


def test_a_round_of_the_control_arm_has_no_label_even_where_more_is_said():
    labelled = Verdict(
        "improved", "round 0", 0.1, 0.05, 0.15, 0.95, None,
        "improved: rougeL rose by 0.100 against round 0. 90 % of the gain is on form.", 40, 40,
    )  # fmt: skip
    shown = rule.unlabelled(labelled)
    assert shown.label == "control"
    assert shown.sentence == "rougeL rose by 0.100 against round 0. 90 % of the gain is on form."
