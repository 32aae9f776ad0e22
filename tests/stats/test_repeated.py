"""Changes of a ratio over the same rows, and rises in a noisy series."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats.repeated import contrast, greatest_rise


def test_a_change_is_that_of_the_mean_per_token_with_cochrans_error():
    sums = np.array([[2.0, 6.0, 4.0], [1.0, 4.0, 3.0]])
    tokens = np.array([2.0, 4.0, 4.0])
    found = contrast(sums, tokens, np.array([-1.0, 1.0]))
    assert found.value == pytest.approx((8 - 12) / 10)
    rest = np.array([-1 + 0.4 * 2, -2 + 0.4 * 4, -1 + 0.4 * 4])
    assert found.se == pytest.approx(np.sqrt(3 / 2 * (rest**2).sum()) / 10)
    assert found.n == 3


def test_rows_that_all_change_alike_leave_no_doubt():
    tokens = np.array([5.0, 9.0])
    sums = np.array([1.49 * tokens - [0, 0.2], 2.09 * tokens - [0, 0.2]])
    found = contrast(sums, tokens, np.array([1.0, -1.0]))
    assert (found.value, found.se) == (pytest.approx(-0.6), 0)
    assert (found.below_zero(), found.above_zero()) == (0, 1)


def test_one_row_has_no_error_and_shows_nothing():
    found = contrast(np.array([[2.0], [1.0]]), np.array([2.0]), np.array([-1.0, 1.0]))
    assert (found.value, found.se) == (-0.5, None)
    assert found.above_zero() == found.below_zero() == 1


def test_the_level_is_held_where_nothing_changes():
    """Of unequal rows whose losses only vary, one in twenty is called risen."""
    random = np.random.default_rng(3)
    called = 0
    for _ in range(2000):
        tokens = random.integers(5, 30, size=12).astype(float)
        sums = tokens * (2 + random.normal(size=(2, 12)) * 0.3)
        called += contrast(sums, tokens, np.array([-1.0, 1.0])).above_zero() < 0.05
    assert 0.035 < called / 2000 < 0.065


def falling(random, steps=120, noise=0.1):
    return (0.5 + 3 * np.exp(-np.arange(steps) / 20)) * np.exp(noise * random.normal(size=steps))


def test_a_falling_noisy_series_seldom_has_a_rise():
    random = np.random.default_rng(5)
    found = [greatest_rise(falling(random, noise=noise)).p for noise in (0.05, 0.1, 0.3) * 100]
    assert np.mean(np.array(found) < 0.05) < 0.05


def test_a_jump_is_found_where_it_is():
    series = falling(np.random.default_rng(5))
    series[50:54] = 3
    found = greatest_rise(series)
    assert found.p < 1e-6
    assert (found.start < 50, 50 <= found.end < 54) == (True, True)
    size = np.log(series[found.end] / series[found.start])
    assert found.z == pytest.approx(size / (0.1 * np.sqrt(2)), rel=0.3)


@pytest.mark.parametrize("series", [[3.0] * 9, [2.0] * 40, [0.0] * 40], ids=["short", "flat", "0"])
def test_a_series_without_noise_or_length_tells_nothing(series):
    assert greatest_rise(np.array(series)) is None


def test_batches_of_two_kinds_are_noise_and_a_jump_that_stays_is_none() -> None:
    """Losses of a training of which a fifth of the rows are general ones, and never get easy."""
    steps = [
        3.574, 3.045, 4.773, 2.621, 3.307, 1.428, 0.982, 1.21, 0.317, 3.648, 0.915, 0.496, 0.55,
        0.997, 2.537, 0.38, 0.445, 0.302, 0.083, 2.894, 0.864, 0.199, 0.177, 0.119, 0.806, 1.635,
        0.211, 0.221, 0.041, 0.645, 1.28, 0.351, 0.384, 0.601, 0.037, 2.106, 0.135, 0.097, 0.054,
        1.145, 2.223, 0.25,
    ]  # fmt: skip
    found = greatest_rise(np.array(steps))
    assert found is not None and found.p > 0.05
    blown = np.array([*np.geomspace(3, 0.1, 30), *[8.0] * 12]) * np.tile([1, 1.1, 0.9], 14)
    found = greatest_rise(blown)
    assert found is not None and found.p < 0.001 and found.end >= 30
