"""Alpha, kappa and raw agreement against the published example, NLTK, hand-made tables, laws."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, strategies as st

from harness import stats
from harness_rating.agreement import alpha as alphas
from harness_rating.agreement.alpha import alpha, alpha_of, raw_of
from harness_rating.agreement.grid import grid
from harness_rating.agreement.kappa import kappa, kappas
from tests.support.later import Later

agreement = Later("nltk.metrics.agreement")
distance = Later("nltk.metrics.distance")

_ = None
# Krippendorff (2011), section C: 12 units, 4 observers, missing values.
PUBLISHED = [
    [1, 1, _, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [_, 5, 5, 5], [_, _, 1, 1], [_, _, 3, _],
]  # fmt: skip
KINDS = ("nominal", "ordinal", "interval")


def table(seed: int, units: int = 60, raters: int = 5, values: int = 5, noise: int = 1):
    """Seeded ratings of units that differ, with a third missing."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, values + 1, (units, 1))
    given = np.clip(truth + rng.integers(-noise, noise + 1, (units, raters)), 1, values)
    missing = rng.random((units, raters)) < 1 / 3
    return [
        [None if gone else int(v) for v, gone in zip(line, row, strict=True)]
        for line, row in zip(given, missing, strict=True)
    ]


def by_nltk(values, kind: str) -> float:
    data = [
        (f"r{r}", f"u{u}", frozenset(value) if kind == "sets" else value)
        for u, line in enumerate(values)
        for r, value in enumerate(line)
        if value is not None and sum(v is not None for v in line) > 1
    ]
    counts = {v: sum(label == v for _, _, label in data) for v in {label for _, _, label in data}}

    def ordinal(a, b):
        low, high = min(a, b), max(a, b)
        between = sum(n for value, n in counts.items() if low <= value <= high)
        return (between - (counts[low] + counts[high]) / 2) ** 2

    distances = {
        "nominal": lambda a, b: float(a != b),
        "ordinal": ordinal,
        "interval": lambda a, b: (a - b) ** 2,
        "sets": distance.jaccard_distance,
    }
    return agreement.AnnotationTask(data, distance=distances[kind]).alpha()


# -- alpha --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_the_published_example(kind, value):
    assert alpha(PUBLISHED, kind) == pytest.approx(value, abs=0.0005)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_alpha_is_that_of_nltk(kind, seed):
    values = table(seed, units=25, noise=1 + seed % 2)
    assert alpha(values, kind) == pytest.approx(by_nltk(values, kind), abs=1e-12)


def test_alpha_of_sets_of_choices_is_that_of_nltk():
    rng = random.Random(3)
    pool = ["wrong facts", "missing steps", "tone", "<b>format</b>"]
    values = []
    for _unit in range(30):
        common = rng.sample(pool, rng.randint(1, 2))
        values.append([sorted({*common, *rng.sample(pool, rng.randint(0, 1))}) for _ in range(3)])
    assert alpha(values, "sets") == pytest.approx(by_nltk(values, "sets"), abs=1e-12)


def test_two_empty_sets_are_the_same_and_an_empty_one_is_far_from_any_other():
    assert alpha([[[], []], [["a"], ["a"]]], "sets") == 1
    apart = alpha([[[], ["a"]], [["a"], []], [[], []], [["a"], ["a"]]], "sets")
    assert apart == alpha([[0, 1], [1, 0], [0, 0], [1, 1]], "nominal")


def test_a_table_by_hand():
    """Coincidences: 4 of 8 ratings disagree (o = 2 + 2), chance has 2 x 4 x 4 of 7 x 8."""
    assert alpha([[0, 0], [1, 1], [0, 1], [1, 0]], "nominal") == pytest.approx(1 - 7 * 4 / 32)


def test_a_scale_of_many_levels_has_the_same_ordinal_alpha():
    values = table(5, units=80, values=30, noise=6)
    assert len({v for line in values for v in line} - {None}) > alphas._EXACT_RANKS
    assert alpha(values, "ordinal") == pytest.approx(by_nltk(values, "ordinal"), abs=1e-12)


tables = st.lists(
    st.lists(st.none() | st.integers(1, 4), min_size=3, max_size=3), min_size=2, max_size=12
)


@given(values=tables, kind=st.sampled_from(KINDS), order=st.randoms(use_true_random=False))
def test_order_of_units_and_raters_does_not_matter(values, kind, order):
    found = alpha(values, kind)
    columns = [0, 1, 2]
    order.shuffle(columns)
    moved = [[line[c] for c in columns] for line in values]
    order.shuffle(moved)
    assert alpha(moved, kind) == (found if found is None else pytest.approx(found, abs=1e-12))


@given(values=tables, labels=st.permutations(["\x1b[31m", "=1+1", "<script>", "b|c"]))
def test_nominal_alpha_is_the_same_under_other_names(values, labels):
    renamed = [[v if v is None else labels[v - 1] for v in line] for line in values]
    found = alpha(values, "nominal")
    expected = found if found is None else pytest.approx(found, abs=1e-12)
    assert alpha(renamed, "nominal") == expected


@given(
    values=tables,
    factor=st.floats(0.01, 100) | st.floats(-100, -0.01),
    shift=st.floats(-1e6, 1e6),
)
def test_interval_alpha_is_the_same_under_affine_maps(values, factor, shift):
    moved = [[v if v is None else factor * v + shift for v in line] for line in values]
    found = alpha(values, "interval")
    expected = found if found is None else pytest.approx(found, abs=1e-6)
    assert alpha(moved, "interval") == expected


@given(values=tables)
def test_ordinal_alpha_only_knows_the_order(values):
    cubed = [[v if v is None else v**3 for v in line] for line in values]
    found = alpha(values, "ordinal")
    assert alpha(cubed, "ordinal") == (found if found is None else pytest.approx(found))


@pytest.mark.parametrize("kind", KINDS)
def test_perfect_agreement_is_one(kind):
    assert alpha([[v, v, v] for v in (1, 2, 3, 2, 1)], kind) == 1


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("kind", KINDS)
def test_independent_ratings_have_alpha_zero_and_intervals_hold_it(kind):
    rng = np.random.default_rng(11)
    values, held = [], 0
    for seed in range(60):
        lines = rng.integers(1, 5, (60, 3)).tolist()
        figure = alpha_of(grid(lines), kind, seed, draws=400)
        values.append(figure.value)
        held += figure.low <= 0 <= figure.high
    assert np.mean(values) == pytest.approx(0, abs=0.03)
    assert held >= 50  # 95 % of 60 is 57


def test_systematic_disagreement_is_below_zero():
    assert alpha([[0, 1], [1, 0]] * 5, "nominal") < 0


def test_an_ordered_scale_needs_numbers():
    for kind in ("ordinal", "interval"):
        with pytest.raises(ValueError, match="number for each value"):
            alpha([["a", "b"], ["b", "b"]], kind)


# -- what is undefined ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([], "there are no ratings"),
        ([[None, None]], "there are no ratings"),
        ([[1], [2]], "there is only one rater"),
        ([[None, 1], [None, 2]], "there is only one rater"),
        ([[1, None], [None, 2]], "no item has two ratings"),
        ([[5, 5], [5, None], [5, 5]], "everyone chose 5"),
        ([[True, True], [True, True]], "everyone chose yes"),
        ([["a\x1b[2J\n<b>", "a\x1b[2J\n<b>"]], 'everyone chose "a <b>"'),
        ([[float("nan"), 1], [1, 1]], "everyone chose 1"),
        ([[[], []]], "everyone chose nothing"),
        ([[["x", "y"], ["y", "x"]]], 'everyone chose "x" + "y"'),
    ],
)
def test_undefined_values_say_why(values, why):
    figure = alpha_of(grid(values), "nominal", seed=1)
    assert (figure.value, figure.low, figure.high, figure.why) == (None, None, None, why)
    assert alpha(values, "nominal") is None


def test_one_group_has_a_value_and_no_interval():
    figure = alpha_of(grid(PUBLISHED, ["g"] * 12), "ordinal", seed=1)
    assert figure.value == pytest.approx(0.815, abs=0.001)
    assert (figure.low, figure.why) == (None, "all items belong to one group")


def test_one_item_that_differs_gives_no_interval():
    """Some draws leave it out, and alpha does not exist without it."""
    figure = alpha_of(grid([[5, 5]] * 29 + [[5, 4]]), "ordinal", seed=1)
    assert figure.value is not None
    assert (figure.low, figure.why) == (None, "too few items, or too few that differ")


def test_perfect_agreement_has_no_interval():
    figure = alpha_of(grid([[v, v] for v in (1, 2, 3) * 10]), "nominal", seed=1)
    assert (figure.value, figure.low, figure.why) == (1.0, None, "all items say the same")


def test_too_many_names_are_no_memory_fault():
    values = [[f"name {i}", f"name {i + 1}"] for i in range(700)]
    assert alpha_of(grid(values), "nominal", 1).why == "there are more than 500 different values"
    assert kappas(grid(values), False, 1)[1].why == "there are more than 500 different values"


# -- raw agreement and kappa --------------------------------------------------------------------


def test_raw_agreement_counts_pairs():
    figure = raw_of(grid([[1, 1, 1], [1, 1, 2], [2, 2, None], [3, None, None]]), seed=1)
    assert figure.value == pytest.approx((3 + 1 + 1) / 7)
    assert figure.n == 3
    assert figure.low < figure.value < figure.high <= 1
    assert raw_of(grid([]), 1).value is None


def test_raw_agreement_of_two_raters_on_single_items_has_the_interval_of_a_share():
    table = [[1, 1]] * 45 + [[1, 2]] * 15
    figure = raw_of(grid(table), seed=1)
    assert (figure.low, figure.high) == stats.share_interval(45, 60)
    alike = raw_of(grid(table[:45]), seed=1)
    assert (alike.low, alike.high, alike.why) == (*stats.share_interval(45, 45), "")
    grouped = raw_of(grid(table, [f"g{i // 2}" for i in range(60)]), seed=1)
    assert grouped.high - grouped.value == pytest.approx(grouped.value - grouped.low)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weighting", ["quadratic", "none"])
def test_kappa_is_that_of_nltk(seed, weighting):
    rng = np.random.default_rng(seed)
    a = rng.integers(1, 6, 50)
    b = np.clip(a + rng.integers(-1, 2, 50), 1, 5)
    data = [("a", str(i), int(v)) for i, v in enumerate(a)]
    data += [("b", str(i), int(v)) for i, v in enumerate(b)]
    if weighting == "none":
        expected = agreement.AnnotationTask(data).kappa_pairwise("a", "b")
    else:
        task = agreement.AnnotationTask(data, distance=lambda x, y: (x - y) ** 2)
        expected = task.weighted_kappa_pairwise("a", "b")
    assert kappa(a.tolist(), b.tolist(), weighting) == pytest.approx(expected, abs=1e-12)
    assert kappa(b.tolist(), a.tolist(), weighting) == pytest.approx(expected, abs=1e-12)


def test_kappa_uses_what_both_rated():
    assert kappa([1, 2, None, 3], [1, 2, 3, None]) == 1
    assert kappa([1, None], [None, 2]) is None
    assert kappa([4, 4], [4, 4]) is None
    assert kappa(["x", "y", "x"], ["x", "y", "y"], "none") == pytest.approx(0.4)
    with pytest.raises(ValueError, match="number"):
        kappa(["x", "y"], ["x", "y"])


def test_kappas_of_all_pairs_are_those_of_each_pair():
    values = table(8)
    pairs, mean = kappas(grid(values), True, seed=1)
    assert sorted(pairs) == [(a, b) for a in range(5) for b in range(a + 1, 5)]
    total = 0.0
    for (a, b), found in pairs.items():
        alone = kappa([line[a] for line in values], [line[b] for line in values])
        assert found.value == pytest.approx(alone, abs=1e-12)
        assert found.low < found.value < found.high
        total += found.n * found.value
    assert mean.value == pytest.approx(total / sum(pair.n for pair in pairs.values()))
    assert max(pair.low for pair in pairs.values()) < mean.high
    assert mean.high - mean.low < min(pair.high - pair.low for pair in pairs.values())


def test_a_pair_of_equal_values_is_left_out_of_the_mean():
    values = [[1, 1, None], [1, 1, None], [1, None, 1], [2, None, 2], [2, None, 1], [1, None, 1]]
    pairs, mean = kappas(grid(values), True, seed=None)
    assert pairs[0, 1].value is None
    assert pairs[0, 1].why == "the ratings do not differ"
    assert mean.value == pytest.approx(pairs[0, 2].value)


# -- intervals ----------------------------------------------------------------------------------


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("kind", KINDS)
def test_intervals_are_those_of_resampled_tables(kind):
    """Each draw must be alpha of the table with whole groups drawn, ranks and all."""
    values = table(3, units=40)
    groups = [f"g{i // 2:02}" for i in range(40)]
    figure = alpha_of(grid(values, groups), kind, seed=1)
    rng = np.random.default_rng(0)
    drawn = []
    for _draw in range(400):
        chosen = rng.integers(0, 20, 20)
        drawn.append(alpha([values[2 * g + k] for g in chosen for k in (0, 1)], kind))
    se = np.std(drawn, ddof=1) * math.sqrt(20 / 19)
    assert (figure.high - figure.low) / (2 * 2.093) == pytest.approx(se, rel=0.15)
    assert figure.groups == 20


def test_few_uneven_groups_are_corrected_as_everywhere():
    """Raw agreement is a ratio of sums: the program's own interval of a ratio must be its."""
    values = [[1, 1 + (i % 3 == 0)] for i in range(14)]
    groups = ["a"] * 5 + ["b"] * 4 + ["c"] * 3 + ["d"] * 2
    figure = raw_of(grid(values, groups), seed=1)
    equal = np.array([[2.0 * (a == b), 2.0] for a, b in values])
    (expected,) = stats.interval(lambda sums, _: sums[..., :1] / sums[..., 1:], equal, groups, 1)
    assert (figure.low, figure.value) == pytest.approx((max(0, expected.low), expected.value))
    assert figure.high == pytest.approx(min(1, expected.high))
    assert figure.low > 0


def test_intervals_are_repeatable_and_wider_for_fewer_groups():
    values = table(4, units=80)
    single = alpha_of(grid(values), "ordinal", seed=1)
    assert single == alpha_of(grid(values), "ordinal", seed=1)
    copied = [line for line in values[:40] for _copy in (0, 1)]
    groups = [str(i // 2) for i in range(80)]
    clustered = alpha_of(grid(copied, groups), "ordinal", seed=1)
    naive = alpha_of(grid(copied), "ordinal", seed=1)
    assert clustered.high - clustered.low > 1.2 * (naive.high - naive.low)


def test_intervals_of_alpha_hold_the_truth():
    """Alpha of 5,000 units is the truth; 95 % of the intervals from 50 units should hold it."""
    truth = alpha(table(1000, units=5000), "ordinal")
    held = 0
    for seed in range(80):
        figure = alpha_of(grid(table(seed, units=50)), "ordinal", seed, draws=300)
        held += figure.low <= truth <= figure.high
    assert held >= 70  # 76 are expected
