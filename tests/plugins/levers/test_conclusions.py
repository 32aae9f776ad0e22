"""What several trainings say together: the curve, the ranking of models, the method."""

from __future__ import annotations

import numpy as np
import pytest

import harness
from harness import stats
from harness.records import Measurement
from harness.scoring import MetricEntry
from harness.verdicts.rule import DecidingScore
from harness_levers.document import document
from harness_levers.records import Method
from harness_levers.verdicts import curve, method, ranking


class Quality(harness.Metric):
    name = "quality"


class Loss(harness.Metric):
    name = "loss"
    higher_is_better = False


class Whole(harness.Metric):
    name = "whole"
    additive = False


ROWS = 120
GROUPS = {f"r{i:03}": f"g{i // 3:02}" for i in range(ROWS)}


def score(metric: type[harness.Metric] = Quality) -> DecidingScore:
    return DecidingScore(MetricEntry(metric.name, metric()), metric.name, GROUPS, 1)


def measured(values: np.ndarray, metric: str = "quality") -> list[Measurement]:
    return [
        Measurement(name, {metric: float(value)}, (float(value),))
        for name, value in zip(GROUPS, values, strict=True)
    ]


RNG = np.random.default_rng(5)
HARD = RNG.normal(0, 0.1, ROWS)


def answers(mean: float, noise: float = 0.05) -> list[Measurement]:
    return measured(mean + HARD + RNG.normal(0, noise, ROWS))


def points(*means: float, rows: tuple[int, ...] = (25, 50, 100)) -> list[curve.Point]:
    return [
        curve.Point(n / rows[-1], n, (mean, mean), (answers(mean), answers(mean)))
        for n, mean in zip(rows, means, strict=True)
    ]


def test_a_line_over_the_logarithm_is_found() -> None:
    found = curve.curve(score(), points(0.3, 0.4, 0.5))
    assert found.per_doubling == pytest.approx(0.1, abs=0.01)
    assert found.low is not None
    assert found.high is not None
    assert 0.08 < found.low < 0.1 < found.high < 0.12
    assert found.sentence.startswith("More rows help")
    assert found.last_doubling == pytest.approx(0.1, abs=0.01)


def test_a_flat_curve_is_no_evidence_and_a_bent_one_says_so() -> None:
    assert curve.curve(score(), points(0.4, 0.4, 0.4)).sentence.startswith("No evidence")
    assert "flattens" in curve.curve(score(), points(0.2, 0.5, 0.52)).sentence
    assert curve.curve(score(), points(0.5, 0.4, 0.3)).sentence.startswith("More rows did harm")


def test_seeds_that_differ_widen_the_interval() -> None:
    calm = curve.curve(score(), points(0.3, 0.4, 0.5))
    wild = [
        curve.Point(p.share, p.rows, p.values, (answers(m - 0.1), answers(m + 0.1)))
        for p, m in zip(points(0.3, 0.4, 0.5), (0.3, 0.4, 0.5), strict=True)
    ]
    found = curve.curve(score(), wild)
    assert found.high is not None
    assert found.low is not None
    assert calm.high is not None
    assert calm.low is not None
    assert found.high - found.low > 3 * (calm.high - calm.low)


def test_the_curve_of_a_loss_is_turned() -> None:
    sides = [
        curve.Point(
            n / 100, n, (v, v),
            (measured(v + HARD - 0.01, "loss"), measured(v + HARD + 0.01, "loss")),
        )
        for n, v in ((50, 0.5), (100, 0.4))
    ]  # fmt: skip
    assert curve.curve(score(Loss), sides).per_doubling == pytest.approx(0.1)


@pytest.mark.parametrize("step", [0.0, 0.1])
def test_trainings_that_differ_in_nothing_else_carry_no_curve(step: float) -> None:
    """Their spread is that of rounding alone."""
    same = [
        curve.Point(n / 100, n, (v, v), (measured(v + HARD, "loss"), measured(v + HARD, "loss")))
        for n, v in ((25, 0.3), (50, 0.3 + step), (100, 0.3 + 2 * step))
    ]
    found = curve.curve(score(Loss), same)
    assert found.per_doubling is None
    assert "cannot be said" in found.sentence


@pytest.mark.parametrize("metric", [Whole])
def test_what_has_no_spread_has_no_curve(metric: type[harness.Metric]) -> None:
    found = curve.curve(score(metric), points(0.3, 0.4, 0.5))
    assert found.per_doubling is None
    assert "cannot be said" in found.sentence


def test_rows_that_one_training_left_unscored_forbid_a_curve() -> None:
    given = points(0.3, 0.4, 0.5)
    short = curve.Point(0.25, 25, (0.3, 0.3), (answers(0.3), answers(0.3)[:-1]))
    assert "not all trainings" in curve.curve(score(), [short, *given[1:]]).sentence


def test_models_are_ranked_and_equal_ones_tied() -> None:
    found = ranking.rank(score(), {"a": answers(0.5), "b": answers(0.5), "c": answers(0.3)})
    assert found.places == {"a": 1, "b": 1, "c": 3}
    assert [pair.label for pair in found.pairs] == ["tied", "better", "better"]
    assert found.sentence == "a and b are tied in the first place."
    one = ranking.rank(score(), {"a": answers(0.3), "b": answers(0.5)})
    assert one.sentence == "b is better than a."
    assert one.pairs[0].label == "worse"
    none = ranking.rank(score(), {"a": answers(0.5), "b": answers(0.5)})
    assert none.sentence == "No model is shown to be better than another: a and b are tied."


def test_the_p_of_a_pair_is_the_one_that_its_label_follows_from() -> None:
    models = {"a": answers(0.5), "b": answers(0.512), "c": answers(0.3), "d": answers(0.31)}
    found = ranking.rank(score(), models)
    alone = [
        ranking.rank(score(), {two.first: models[two.first], two.second: models[two.second]})
        for two in found.pairs
    ]
    expected = stats.holm([of_two.pairs[0].p for of_two in alone])
    assert [two.p for two in found.pairs] == pytest.approx(expected.tolist())
    assert [(two.p or 0) < 0.05 for two in found.pairs] == [
        two.label != "tied" for two in found.pairs
    ]


def test_models_that_cannot_be_compared_are_tied() -> None:
    found = ranking.rank(score(Whole), {"a": answers(0.5), "b": answers(0.3)})
    assert found.places == {"a": 1, "b": 1}
    assert "cannot be compared" in found.sentence


def seeds(mean: float, spread: float, count: int = 5) -> list[list[Measurement]]:
    return [answers(mean + shift) for shift in np.linspace(-spread, spread, count)]


def test_a_method_is_judged_over_seeds() -> None:
    base = [answers(0.3)] * 5
    found = method.judge(score(), seeds(0.5, 0.02), base, alpha=0.05, against="round 0")
    assert found.label == "improved"
    assert "over 5 seeds" in found.sentence
    wild = method.judge(score(), seeds(0.35, 0.3), base, alpha=0.05, against="round 0")
    assert wild.label == "no evidence"
    asked = method.judge(score(), seeds(0.5, 0.02), base, alpha=0.05, min_gain=0.4)
    assert asked.label == "no evidence" and "; a gain above 0.400 is required" in asked.sentence
    worse = method.judge(score(), seeds(0.1, 0.02), base, alpha=0.05, against="round 0")
    assert worse.label == "regressed"


def test_what_is_remarked_on_the_method_is_among_the_conclusions() -> None:
    verdict = method.judge(score(), seeds(0.5, 0.02), [answers(0.3)] * 5, alpha=0.05)
    remarked = verdict.remarked(harness.Remark("chosen", "Chosen on these rows."))
    own = harness.BranchTraining(0, 12)
    [sentence] = document(1, None, own, method=Method("run", (), remarked)).sentences
    assert sentence == f"{verdict.sentence} Chosen on these rows."


def test_fewer_than_five_seeds_carry_no_verdict() -> None:
    found = method.judge(score(), seeds(0.9, 0.0, 4), [answers(0.1)] * 4, alpha=0.05)
    assert found.label == "no evidence"
    assert "needs 5" in found.sentence


def test_seeds_without_any_spread_carry_no_verdict() -> None:
    same = measured(np.full(ROWS, 0.5))
    found = method.judge(score(), [same] * 5, [measured(np.full(ROWS, 0.3))] * 5, alpha=0.05)
    assert (found.label, found.low) == ("no evidence", None)


def test_the_value_is_the_difference_of_the_shown_scores() -> None:
    """Of groups of uneven size the mean over groups' own values is another one."""
    sizes = [10] * 5 + [2] * 25
    groups = [f"g{place:02}" for place, size in enumerate(sizes) for _ in range(size)]
    names = {f"r{place:03}": group for place, group in enumerate(groups)}
    uneven = DecidingScore(MetricEntry("quality", Quality()), "quality", names, 1)
    rng = np.random.default_rng(2)

    def side(values: np.ndarray) -> list[Measurement]:
        return [
            Measurement(name, {"quality": float(value)}, (float(value),))
            for name, value in zip(names, values, strict=True)
        ]

    old = rng.normal(0.3, 0.1, 100)
    gain = np.array([0.1 if int(group[1:]) < 5 else 0.3 for group in groups])
    new = [old + gain + rng.normal(0, 0.02, 100) for _ in range(5)]
    found = method.judge(uneven, [side(one) for one in new], [side(old)] * 5, alpha=0.05)
    shown = float(np.mean([one.mean() for one in new]) - old.mean())
    assert found.difference == pytest.approx(shown)
    assert f"rose by {shown:.3f}" in found.sentence
    assert found.low is not None
    assert found.high is not None
    assert (found.low + found.high) / 2 == pytest.approx(shown)


def test_a_seed_that_lies_far_off_is_named() -> None:
    base = [answers(0.3)] * 5
    means = (0.5, 0.51, 0.2, 0.49, 0.5)
    found = method.judge(score(), [answers(mean) for mean in means], base, alpha=0.05)
    assert "Seed 3 lies far off (-0." in found.sentence
    assert "look at its training" in found.sentence
    called = method.judge(
        score(), [answers(mean) for mean in means], base, alpha=0.05, seeds=(1, 2, 4, 5, 6)
    )
    assert "Seed 4 lies far off" in called.sentence
    calm = method.judge(score(), seeds(0.5, 0.02), base, alpha=0.05)
    assert "far off" not in calm.sentence
