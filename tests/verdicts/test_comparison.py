"""Systems against a baseline: differences, p, Holm's correction, labels, and doubt."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

import harness
from harness.records import Measurement
from harness.scoring import MetricEntry
from harness.verdicts.comparison import compare_measurements

N = 200


class Share(harness.Metric):
    """A share between 0 and 1."""

    name = "share"


class Cost(Share):
    """The same, and less of it is better."""

    name = "cost"
    higher_is_better = False


class Points(Share):
    """No greatest value, so that nothing stands in for a row without a score."""

    name = "points"
    bounds = (0.0, float("inf"))


def measured(values, entry="share"):
    return [
        Measurement(f"e{i}", entry, None if v is None else (v,), {} if v is None else {entry: v})
        for i, v in enumerate(values)
    ]


def draw(seed, shift=0.0, n=N):
    rng = np.random.default_rng(seed)
    base = np.random.default_rng(0).uniform(0.2, 0.8, n)
    return (base + rng.normal(shift, 0.1, n)).tolist()


def groups(n=N):
    return {f"e{i}": f"e{i}" for i in range(n)}


def one(new, old, metric=Share, by=None, **options):
    entry = MetricEntry(metric.name, metric())
    found = compare_measurements(
        entry, {"new": measured(new, metric.name)}, measured(old, metric.name),
        by or groups(len(old)), seed=1, **options,
    )  # fmt: skip
    return found["new"][metric.name]


def test_a_real_gain_is_found_and_a_loss_is_told():
    gain, loss = one(draw(1, 0.05), draw(2)), one(draw(1, -0.05), draw(2))
    assert (gain.label, loss.label) == ("improved", "regressed")
    assert gain.low > 0 > loss.high
    assert gain.p == gain.p_alone < 0.01
    assert gain.wins + gain.ties + gain.losses == gain.n == N
    assert gain.wins > gain.losses


def test_lower_is_better_turns_every_sign():
    better = one(draw(1, -0.05), draw(2), Cost)
    assert (better.label, better.difference > 0, better.wins > better.losses) == (
        "improved", True, True,
    )  # fmt: skip


def test_a_system_equals_itself():
    same = one(draw(1), draw(1))
    assert (same.difference, same.p, same.label) == (0, 1, "no evidence")
    assert (same.wins, same.ties, same.losses) == (0, N, 0)


@pytest.mark.parametrize("test", ["auto", "bootstrap", "randomisation"])
def test_the_tests_agree_on_a_smooth_score(test):
    found = one(draw(1, 0.02), draw(2), test=test)
    assert found.test == ("bootstrap" if test == "auto" else test)
    assert found.p == pytest.approx(one(draw(1, 0.02), draw(2)).p, abs=0.02)


def test_p_and_the_interval_say_the_same():
    for shift in (0.0, 0.01, 0.015, 0.02, 0.03):
        found = one(draw(1, shift), draw(2))
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


def test_pass_or_fail_goes_through_mcnemar():
    old = [1.0] * 100 + [0.0] * 100
    new = [0.0] * 4 + [1.0] * 96 + [1.0] * 15 + [0.0] * 85
    found = one(new, old)
    assert (found.test, found.wins, found.losses, found.ties) == ("mcnemar", 15, 4, 181)
    assert found.p == pytest.approx(binomtest(4, 19).pvalue)
    assert found.label == "improved"
    assert one(new, old, test="bootstrap").test == "bootstrap"


def test_mcnemar_is_not_for_rows_that_belong_together():
    old, new = [1.0] * 100 + [0.0] * 100, [1.0] * 115 + [0.0] * 85
    assert one(new, old, by={f"e{i}": f"g{i // 2}" for i in range(N)}).test == "bootstrap"


def test_several_systems_are_corrected_by_holm():
    entry = MetricEntry("share", Share())
    shifts = {"a": 0.03, "b": 0.02, "c": 0.0}
    systems = {name: measured(draw(3 + i, s)) for i, (name, s) in enumerate(shifts.items())}
    found = compare_measurements(entry, systems, measured(draw(2)), groups(), seed=1)
    alone = sorted((found[name]["share"].p_alone, name) for name in systems)
    worst = 0.0
    for place, (p, name) in enumerate(alone):
        worst = max(worst, min(1.0, p * (len(alone) - place)))
        assert found[name]["share"].p == pytest.approx(worst)
        assert (found[name]["share"].label != "no evidence") == (worst < 0.05)


def test_few_groups_give_no_label():
    found = one(draw(1, 0.3), draw(2), by={f"e{i}": f"g{i % 10}" for i in range(N)})
    assert (found.label, found.p, found.low) == ("no evidence", None, None)
    assert "10 groups" in found.doubt
    assert found.difference == pytest.approx(0.3, abs=0.05)


def test_unequal_missingness_is_no_evidence():
    new = draw(1, 0.2)
    new[3] = None
    found = one(new, draw(2), Points)
    assert (found.difference, found.label, found.p) == (None, "no evidence", None)
    assert "1 are unscored on this side and 0 on the other" in found.doubt


def test_as_many_unscored_on_other_rows_is_no_evidence_either():
    new, old = draw(1, 0.2), draw(2)
    new[3] = old[4] = None
    found = one(new, old, Points)
    assert (found.label, found.p) == ("no evidence", None)
    assert "not the same ones" in found.doubt
    old[3], old[4] = None, 0.5
    assert (one(new, old).n, one(new, old).label) == (N - 1, "improved")


def test_unscored_rows_of_a_bounded_score_count_against_the_system():
    new, old = (np.clip(values, 0, 1).tolist() for values in (draw(1, 0.2), draw(2)))
    new[3] = old[4] = None
    found = one(new, old)
    assert (found.label, found.n) == ("improved", N)
    assert found.note == (
        "1 row unscored on this side counts as 0, the worst value, "
        "1 row unscored on the other side counts as 1, the best value"
    )
    assert found.losses >= 2


def test_the_interval_of_pass_or_fail_agrees_with_mcnemar():
    for wins, losses in [(5, 0), (6, 0), (9, 1), (15, 4), (30, 20), (0, 0)]:
        rest = [1.0] * (N - wins - losses)
        found = one([1.0] * wins + [0.0] * losses + rest, [0.0] * wins + [1.0] * losses + rest)
        assert found.test == "mcnemar", wins
        assert (found.p < 0.05) == (found.low >= 0 or found.high <= 0), wins
        assert found.low < found.high, wins
        assert found.low <= found.difference <= found.high, wins


def test_nothing_scored_on_either_side():
    found = one([None] * N, [None] * N)
    assert (found.difference, found.label, found.n) == (None, "no evidence", 0)


def test_a_score_without_statistics_has_no_comparison():
    class Corpus(Share):
        name = "corpus"
        additive = False

    found = one(draw(1), draw(2), Corpus)
    assert (found.difference, found.label) == (None, "no evidence")
    assert "add up" in found.doubt


@pytest.mark.nightly
def test_the_null_is_rarely_called():
    labels = [one(draw(2 * i + 10), draw(2 * i + 11), draws=500).label for i in range(200)]
    assert labels.count("no evidence") >= 182  # 5 % of 200 is 10; 18 has odds of 1 in 70


def test_rows_that_were_opened_before_ask_for_a_smaller_p():
    gain = one(draw(1, 0.03), draw(2))
    assert gain.label == "improved"
    stricter = one(draw(1, 0.03), draw(2), alpha=gain.p / 2)
    assert (stricter.label, stricter.p) == ("no evidence", gain.p)


def test_the_level_is_that_of_each_metric():
    examples = [harness.Example(name, (), ("x",), split="test") for name in groups()]
    metrics = [MetricEntry("share", Share()), MetricEntry("points", Points())]
    cards = [
        harness.Scorecard(
            examples, [harness.Prediction(one.id, "x") for one in examples], metrics,
            {entry.name: measured(values, entry.name) for entry in metrics}, 1,
        )
        for values in (draw(1, 0.05), draw(2))
    ]  # fmt: skip
    found = harness.compare_systems({"new": cards[0]}, cards[1], alphas={"points": 1e-12})["new"]
    assert {name: one.label for name, one in found.items()} == {
        "share": "improved", "points": "no evidence",
    }  # fmt: skip
