"""Interquartile mean, bootstrap and probability of improvement: closed forms and simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from experiments.robust import (
    bootstrap,
    interquartile_difference,
    interquartile_interval,
    interquartile_mean,
    probability_of_improvement,
)
from experiments.statistics import t_bounds


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def mean(runs: np.ndarray) -> np.ndarray:
    return runs.mean(axis=(-2, -1))


def test_the_interquartile_mean_leaves_out_a_quarter_at_each_end() -> None:
    values = np.array([[1.0, 100.0, 3.0, 4.0], [5.0, -50.0, 7.0, 8.0]])
    assert interquartile_mean(values) == pytest.approx((3 + 4 + 5 + 7) / 4)
    many = np.stack([values, values + 1])
    np.testing.assert_allclose(interquartile_mean(many), [4.75, 5.75])


@pytest.mark.parametrize("pairs", [1, 2, 5, 6])
def test_the_interquartile_mean_against_scipy(pairs: int) -> None:
    values = generator(pairs).normal(size=(4, 3, pairs))
    np.testing.assert_allclose(interquartile_mean(values), stats.trim_mean(values.reshape(4, -1), 0.25, axis=1))


def test_bootstrap_of_two_runs_is_known() -> None:
    """Resamples of two runs with means 1 and 5 have means 1, 3, 3, 5 with equal probability."""
    runs = np.array([[0.0, 2.0], [4.0, 6.0]])
    found = bootstrap(mean, [runs], generator(), level=0.95)
    assert (found.low, found.mean, found.high, found.n) == (1.0, 3.0, 5.0, 2)
    assert found.note == "2 runs: a bootstrap never leaves their range, so it covers at most 50%"
    middle = bootstrap(mean, [runs], generator(), level=0.01)  # between the quarters, whatever the expansion
    assert (middle.low, middle.high) == (3.0, 3.0)


def test_bootstrap_of_a_mean_is_students_interval() -> None:
    """The expanded percentiles undo the factor sqrt((n - 1) / n) and put t for z."""
    runs = np.linspace(-1, 1, 12)[:, None]
    found = bootstrap(mean, [runs], generator(1), level=0.8, resamples=200_000)
    low, high = t_bounds(runs[:, 0], level=0.8)
    assert (found.low, found.high) == pytest.approx((float(low), float(high)), rel=0.02)
    assert found.note == "" and found.mean == pytest.approx(0)


def test_arms_are_strata() -> None:
    """A difference of independent means has the sum of their variances, each times (n - 1) / n."""
    draws = generator()
    before, after = draws.normal(0, 1, size=(25, 1)), draws.normal(0, 3, size=(40, 1))
    found = bootstrap(lambda a, b: mean(b) - mean(a), [before, after], generator(1), level=0.6827, resamples=50_000)
    deviation = math.sqrt(before.var() / 25 + after.var() / 40)
    widening = math.sqrt(25 / 24) * 1.0217  # t_24 over z at one standard deviation
    assert (found.high - found.low) / 2 == pytest.approx(deviation * widening, rel=0.03)
    assert found.n == 25


def test_pairing_by_seed_narrows_a_difference() -> None:
    draws = generator()
    shared = draws.normal(0, 5, size=(12, 1))
    before, after = (shared + shift + draws.normal(0, 0.5, size=(12, 6)) for shift in (0, 2))
    paired = interquartile_difference(before, after, generator())
    apart = bootstrap(lambda a, b: interquartile_mean(b) - interquartile_mean(a), [before, after], generator())
    assert paired.low < 2 < paired.high and paired.mean == pytest.approx(2, abs=0.7)
    assert paired.high - paired.low < 0.4 * (apart.high - apart.low)


def test_a_run_is_drawn_whole() -> None:
    """Pairs of one run move together. Drawn pair by pair they would average out, and the interval would not cover."""
    draws, covered = generator(), 0
    for _ in range(300):
        runs = draws.normal(size=(10, 1)) + 0.1 * draws.normal(size=(10, 6))
        found = bootstrap(mean, [runs], draws, resamples=400)
        covered += found.holds(0)
    assert 0.91 < covered / 300 < 0.985


def test_too_few_runs_for_a_bootstrap() -> None:
    one = interquartile_interval(np.array([[1.0, 2.0, 3.0, 9.0], [math.nan, 1, 1, 1]]), generator())
    assert (one.mean, one.n, one.exists, one.note) == (2.5, 1, False, "one run: no interval")
    none = interquartile_interval(np.full((2, 3), math.nan), generator())
    assert math.isnan(none.mean) and none.note == "no run"


def test_the_generator_decides() -> None:
    runs = generator().normal(size=(8, 6))
    first, again, other = (interquartile_interval(runs, generator(seed)) for seed in (1, 1, 2))
    assert first == again and first != other and first.low < first.mean < first.high


def test_probability_of_improvement_counts_pairs() -> None:
    before, after = np.array([3.0, 5.0, math.nan]), np.array([4.0, 3.0, 6.0])
    found = probability_of_improvement(before, after, "higher")
    assert (found.mean, found.n) == ((1 + 0 + 0.5 + 0 + 1 + 1) / 6, 2)
    assert probability_of_improvement(before, after, "lower").mean == pytest.approx(1 - found.mean)


def test_probability_of_improvement_by_its_equation() -> None:
    """Each bound is z standard errors from the share, with the standard error at the bound."""
    draws = generator()
    before, after = draws.normal(0, 1, 7), draws.normal(1, 1, 5)
    found = probability_of_improvement(before, after, "higher")
    for bound in (found.low, found.high):
        q1, q2 = bound / (2 - bound), 2 * bound**2 / (1 + bound)  # Hanley and McNeil's, with (m + n) / 2 for each
        variance = (bound * (1 - bound) + 5 * (q1 - bound**2) + 5 * (q2 - bound**2)) / 35
        assert abs(found.mean - bound) == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-5)
    mirrored = probability_of_improvement(before, after, "lower")
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low))


def test_separate_arms_leave_the_interval_open() -> None:
    found = probability_of_improvement(np.array([1.0, 2, 3]), np.array([4.0, 5, 6]), "higher")
    assert found.mean == found.high == 1.0 and 0.4 < found.low < 0.6
    reverse = probability_of_improvement(np.array([1.0, 2, 3]), np.array([4.0, 5, 6]), "lower")
    assert (reverse.mean, reverse.low) == (0.0, 0.0) and reverse.high == pytest.approx(1 - found.low)
    one = probability_of_improvement(np.array([1.0]), np.array([2.0, 3.0]), "higher")
    assert (one.mean, one.exists, one.note) == (1.0, False, "one run: no interval")
    assert probability_of_improvement(np.array([]), np.array([1.0]), "higher").note == "no run"


@pytest.mark.parametrize("shared", [0.0, 1.0])
@pytest.mark.parametrize("n, shift", [(5, 0.0), (5, 1.5), (10, 0.8)])
def test_probability_of_improvement_covers(n: int, shift: float, shared: float) -> None:
    """Also where a seed moves both arms: then the interval is wide, never too narrow."""
    truth = 0.5 * (1 + math.erf(shift / math.sqrt(2 * (1 + shared**2)) / math.sqrt(2)))
    draws, covered = generator(n), 0
    for _ in range(600):
        seed = shared * draws.normal(size=n)
        before, after = seed + draws.normal(size=n), seed + shift + draws.normal(size=n)
        covered += probability_of_improvement(before, after, "higher").holds(truth)
    assert covered / 600 > 0.93
