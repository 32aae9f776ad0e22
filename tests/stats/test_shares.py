"""The interval of one share: SciPy's by Wilson, and at the ends the Poisson law's."""

from __future__ import annotations

import pytest
from scipy import stats as reference

from harness import stats


@pytest.mark.parametrize(("hits", "n"), [(4, 8), (4, 40), (40, 100), (396, 400), (5, 100_000)])
def test_it_is_wilsons(hits: int, n: int) -> None:
    expected = reference.binomtest(hits, n).proportion_ci(method="wilson")
    assert stats.share_interval(hits, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("hits", [1, 2, 3])
def test_of_few_rows_the_end_is_the_poisson_laws(hits: int) -> None:
    low, high = stats.share_interval(hits, 200)
    assert reference.poisson.sf(hits - 1, 200 * low) == pytest.approx(0.05)
    assert stats.share_interval(200 - hits, 200) == pytest.approx((1 - high, 1 - low))
    expected = reference.binomtest(hits, 200).proportion_ci(method="wilson")
    assert high == pytest.approx(expected.high)
    assert low < expected.low


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (3, 2), (-1, 5)])
def test_what_is_no_number_of_rows_is_refused(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"{hits} of {n} rows"):
        stats.share_interval(hits, n)
