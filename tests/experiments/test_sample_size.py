"""How many seeds: against textbook values and simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from experiments.sample_size import MOST, paired_t_power, seeds_for_half_width, seeds_needed
from experiments.statistics import t_bounds


def with_deviation(deviation: float) -> np.ndarray:
    """Three differences of this standard deviation."""
    return np.array([1 - deviation, 1, 1 + deviation])


@pytest.mark.parametrize("effect, n", [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10)])
def test_numbers_of_the_textbook(effect: float, n: int) -> None:
    """Paired t test, two-sided 5 %, power 80 %: the numbers that G*Power gives."""
    found = seeds_needed(with_deviation(2.0), 2.0 * effect)
    assert (found.total, found.more, found.have) == (n, n - 3, 3)
    assert found.deviation == pytest.approx(2.0)


@pytest.mark.parametrize("power, effect", [(0.8, 1.0), (0.9, 1.6)])
def test_the_number_gives_the_power_and_one_less_does_not(power: float, effect: float) -> None:
    n = seeds_needed(with_deviation(1.0), effect, power=power).total
    assert n is not None
    draws = np.random.default_rng(0)
    for seeds, enough in ((n, True), (n - 1, False)):
        low, high = t_bounds(draws.normal(effect, 1, size=(100_000, seeds)))
        resolved = ((low > 0) | (high < 0)).mean()
        assert resolved == pytest.approx(paired_t_power(seeds, effect, 1.0), abs=0.005)
        assert (paired_t_power(seeds, effect, 1.0) >= power) == enough


def test_the_half_width_is_reached_and_one_less_does_not_reach_it() -> None:
    found = seeds_for_half_width(with_deviation(2.0), 1.0)
    assert found.total is not None
    reach = [stats.t.ppf(0.975, n - 1) * 2 / math.sqrt(n) for n in (found.total, found.total - 1)]
    assert reach[0] <= 1 < reach[1]
    assert found.total > (1.959964 * 2) ** 2  # what the normal quantile would say


def test_the_cautious_number_is_rarely_too_small() -> None:
    """In four of five pilots of three, at least as many seeds as the true spread asks for."""
    draws = np.random.default_rng(1)
    needed = seeds_needed(with_deviation(1.0), 1.0).total
    assert needed is not None
    found = [seeds_needed(draws.normal(0, 1, 3), 1.0) for _ in range(400)]
    assert np.mean([one.cautious is None or one.cautious >= needed for one in found]) == pytest.approx(0.8, abs=0.06)
    assert np.mean([one.total is not None and one.total >= needed for one in found]) < 0.6


def test_a_smaller_difference_and_a_stricter_level_take_more() -> None:
    totals = [seeds_needed(with_deviation(1.0), delta).total or 0 for delta in (2.0, 1.0, 0.5)]
    assert totals == sorted(totals) and totals[0] < totals[2]
    assert (seeds_needed(with_deviation(1.0), 1.0, level=0.99).total or 0) > totals[1]


def test_enough_seeds_are_there() -> None:
    found = seeds_needed(np.array([5.0, 5.1, 4.9, 5.05, 4.95]), 2.0)
    assert (found.total, found.more, found.have) == (2, 0, 5)
    assert seeds_needed(np.array([1.0, 1.0, 1.0]), 0.5).total == 2  # no spread at all


def test_what_cannot_be_said() -> None:
    one = seeds_needed(np.array([1.0, math.nan]), 1.0)
    assert (one.total, one.more, one.cautious, one.have) == (None, None, None, 1)
    assert one.note == "two differences show the first spread"
    far = seeds_needed(with_deviation(1.0), 0.001)
    assert (far.total, far.more, far.note) == (None, None, f"more than {MOST:,} seeds")


def test_power_is_finite_throughout() -> None:
    for n in (2, 3, 10, 100, 10_000):
        powers = [paired_t_power(n, delta, 1.0) for delta in np.geomspace(1e-3, 1e6, 40)]
        assert np.isfinite(powers).all() and min(powers) >= 0.05 - 1e-9
        assert (np.diff(powers) > -1e-4).all() and powers[-1] == pytest.approx(1)
    assert paired_t_power(5, -1.0, 1.0) == paired_t_power(5, 1.0, 1.0)
