"""The bounds of a share, beside values of SciPy and by what they have to hold."""

from __future__ import annotations

import pytest
from scipy.stats import beta, binom

from harness_rating.review.people import share_bounds


@pytest.mark.parametrize(
    ("right", "n"), [(20, 20), (18, 20), (0, 20), (1, 1), (13, 40), (990, 1000)]
)
def test_the_bounds_are_quantiles_of_the_beta_distribution(right, n):
    low, high = share_bounds(right, n)
    assert low == pytest.approx(beta.ppf(0.05, right, n - right + 1) if right else 0, abs=1e-9)
    assert high == pytest.approx(beta.ppf(0.95, right + 1, n - right) if right < n else 1, abs=1e-9)


def test_what_the_page_on_reviews_says():
    assert share_bounds(20, 20) == (pytest.approx(0.861, abs=5e-4), 1)
    assert share_bounds(18, 20) == (pytest.approx(0.717, abs=5e-4), pytest.approx(0.982, abs=5e-4))


@pytest.mark.parametrize("share", [0.5, 0.8, 0.9, 0.97])
def test_each_bound_is_wrong_in_at_most_one_of_twenty_samples(share):
    """Over all outcomes of a sample of 20, by their probabilities."""
    outcomes = [(binom.pmf(right, 20, share), share_bounds(right, 20)) for right in range(21)]
    assert sum(p for p, (low, _) in outcomes if low > share) <= 0.05
    assert sum(p for p, (_, high) in outcomes if high < share) <= 0.05


@pytest.mark.parametrize(("right", "n"), [(1, 0), (0, 0), (3, 2), (-1, 2), (1, 1001)])
def test_what_is_no_sample_is_refused(right, n):
    with pytest.raises(ValueError, match="rows"):
        share_bounds(right, n)
