"""Intervals, contrasts and corrections: closed forms, brute force, and simulations of what they promise."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.statistics import (
    arm_intervals,
    contrasts,
    holm,
    sign_flip_p,
    smallest_flip_p,
    spread,
    t_bounds,
    t_interval,
    t_test_p,
    welch,
)

REPETITIONS = 20_000  # the share of intervals that cover is then known to +-0.3 % (two standard errors)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def table_of(**arms: list[float]) -> pd.DataFrame:
    return pd.DataFrame(arms)


def brute_force_p(differences: np.ndarray) -> float:
    """The share of all signs that give a mean as far from zero."""
    means = np.array([np.mean(np.array(signs) * differences) for signs in product((-1, 1), repeat=len(differences))])
    return float((np.abs(means) >= abs(differences.mean()) - 1e-12).mean())


# Intervals


def test_an_interval_by_hand() -> None:
    """Three values 1, 2, 6: mean 3, s = sqrt 7, t_2 at 95 % = 4.302653."""
    interval = t_interval(np.array([1.0, 2.0, 6.0]))
    reach = 4.302653 * math.sqrt(7 / 3)
    assert (interval.low, interval.mean, interval.high) == pytest.approx((3 - reach, 3, 3 + reach), abs=1e-5)
    assert (interval.n, interval.level, interval.exists) == (3, 0.95, True)
    assert "3 runs" in interval.note and interval.holds(0) and not interval.holds(10)
    narrower = t_interval(np.array([1.0, 2.0, 6.0]), level=0.8)
    assert narrower.high - narrower.low == pytest.approx(2 * 1.885618 * math.sqrt(7 / 3), abs=1e-5)


def test_one_value_has_no_interval() -> None:
    one, none = t_interval(np.array([4.0, math.nan])), t_interval(np.array([math.nan]))
    assert (one.mean, one.n, one.exists, one.note) == (4.0, 1, False, "one run: no interval")
    assert math.isnan(none.mean) and (none.n, none.exists, none.note) == (0, False, "no run")
    assert not one.holds(4.0)


def test_every_arm_has_its_own_number_of_runs() -> None:
    found = arm_intervals(table_of(A=[1, 2, 3, 4], B=[1, math.nan, math.nan, math.nan]))
    assert {label: interval.n for label, interval in found.items()} == {"A": 4, "B": 1}
    assert found["A"].note == "" and found["A"].mean == 2.5


@pytest.mark.parametrize("n", [3, 5, 10])
def test_intervals_cover_as_they_promise(n: int) -> None:
    low, high = t_bounds(generator(n).normal(7, 3, size=(REPETITIONS, n)))
    assert 0.93 < ((low <= 7) & (high >= 7)).mean() < 0.97


@pytest.mark.parametrize("n", [3, 5, 10])
def test_intervals_of_paired_differences_cover(n: int) -> None:
    """What a seed does to both arms cancels: the interval of the difference covers and is narrower than the arms'."""
    draws = generator(n)
    shared = draws.normal(0, 3, size=(REPETITIONS, n))
    before, after = (mean + shared + draws.normal(0, 1, size=(REPETITIONS, n)) for mean in (20, 18.5))
    low, high = t_bounds(after - before)
    assert 0.93 < ((low <= -1.5) & (high >= -1.5)).mean() < 0.97
    own_low, own_high = t_bounds(before)
    assert (high - low).mean() < 0.6 * (own_high - own_low).mean()


# Tests


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_sign_flips_against_brute_force(n: int) -> None:
    samples = generator(n).normal(0.5, 1, size=(20, n)).round(1)  # rounded: ties must count
    expected = [brute_force_p(values) for values in samples]
    np.testing.assert_allclose(sign_flip_p(samples, generator()), expected)
    assert min(expected) >= smallest_flip_p(n) == 2 / 2**n


def test_sign_flips_of_one_side_reach_the_smallest_p() -> None:
    assert [float(sign_flip_p(np.arange(1.0, n + 1), generator())) for n in (2, 3, 6)] == [0.5, 0.25, 2 / 64]
    assert math.isnan(float(sign_flip_p(np.array([1.0]), generator()))) and smallest_flip_p(1) == 1.0


def test_sign_flips_of_many_pairs_are_drawn() -> None:
    values = generator().normal(0.4, 1, size=20)
    estimates = [float(sign_flip_p(values, generator(seed))) for seed in (1, 1, 2)]
    assert estimates[0] == estimates[1] != estimates[2]
    assert estimates == pytest.approx([t_test_p(values)] * 3, abs=0.02)


def test_a_t_test_by_hand() -> None:
    """Differences 1, 2, 6: t = 3 / sqrt(7/3), and with two degrees of freedom P(|T| > t) = 1 - t / sqrt(2 + t^2)."""
    t = 3 / math.sqrt(7 / 3)
    assert t_test_p(np.array([1.0, 2.0, 6.0])) == pytest.approx(1 - t / math.sqrt(2 + t * t))
    assert t_test_p(np.zeros(3)) == 1.0 and t_test_p(np.ones(3)) == 0.0 and math.isnan(t_test_p(np.ones(1)))


def test_unpaired_arms_against_scipy() -> None:
    before, after = np.array([1.0, 2.0, 6.0, np.nan]), np.array([5.0, 9.0])
    difference, p = welch(before, after)
    reference = stats.ttest_ind(after, before[:3], equal_var=False)
    assert (difference.low, difference.high) == pytest.approx(tuple(reference.confidence_interval()))
    assert (difference.mean, difference.n, p) == pytest.approx((4.0, 2, reference.pvalue))


def test_unpaired_arms_that_do_not_scatter_or_are_single() -> None:
    same, p = welch(np.ones(3), np.ones(2))
    assert (same.low, same.mean, same.high, p) == (0, 0, 0, 1)
    assert welch(np.ones(3), np.full(3, 2.0))[1] == 0
    single, p = welch(np.ones(1), np.array([3.0, 4.0]))
    assert single.mean == 2.5 and not single.exists and math.isnan(p) and "one run" in single.note
    assert math.isnan(welch(np.array([np.nan]), np.ones(2))[0].mean)


def test_unpaired_intervals_cover() -> None:
    """Arms of 4 and 12 runs, of which one scatters three times as much."""
    draws = generator(3)
    before, after = draws.normal(0, 3, (2000, 4)), draws.normal(1, 1, (2000, 12))
    covered = np.mean([welch(one, other)[0].holds(1) for one, other in zip(before, after, strict=True)])
    assert 0.93 < covered < 0.97


def test_holm_by_hand() -> None:
    """0.01 * 4, 0.02 * 3, then 0.03 * 2 and 0.04 * 1, none below the one before."""
    assert holm(np.array([0.03, 0.01, 0.04, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    corrected = holm(np.array([0.01, math.nan, 0.5]))
    assert corrected[[0, 2]] == pytest.approx([0.03, 1.0]) and math.isnan(corrected[1])
    assert len(holm(np.array([]))) == 0


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_holm_rarely_rejects_anything_where_nothing_differs(shared: float) -> None:
    """Five contrasts of eight seeds, independent and correlated: at least one falls in at most 5 % of the ladders."""
    ladders, contrasts_, seeds = 4_000, 5, 8
    draws = generator(1)
    common = draws.normal(size=(ladders, 1, seeds))
    values = shared * common + (1 - shared) * draws.normal(size=(ladders, contrasts_, seeds))
    p = sign_flip_p(values.reshape(-1, seeds), draws).reshape(ladders, contrasts_)
    any_false = np.mean([holm(row).min() <= 0.05 for row in p])
    assert any_false <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / ladders)
    assert (p <= 0.05).any(axis=1).mean() > 0.05 + 3 * math.sqrt(0.05 * 0.95 / ladders)  # so correcting was needed


# Contrasts


def test_a_contrast_uses_complete_pairs_only() -> None:
    table = table_of(A=[10, 11, 12, math.nan, 13, math.nan], B=[8, 8, math.nan, 3, 12, math.nan], C=[1.0] * 6)
    first, second, third = contrasts(table, [("A", "B"), ("B", "C"), ("A", "Z")], generator())
    assert (first.before, first.after, first.dropped, first.difference.n) == ("A", "B", 2, 3)
    assert first.difference == t_interval(np.array([-2.0, -3.0, -1.0]))
    assert first.t_p == pytest.approx(t_test_p(np.array([-2.0, -3.0, -1.0])))
    assert first.flip_p == first.smallest_flip_p == 0.25
    corrected = sorted([3 * second.t_p, 2 * first.t_p])  # of three, though the third has no p
    assert [second.t_holm, first.t_holm] == pytest.approx(corrected)
    assert second.dropped == 2 and second.difference.n == 4
    assert third.difference.n == 0 and math.isnan(third.t_holm) and not third.resolved and third.dropped == 4


@pytest.mark.parametrize("n, exact", [(2, "0.5"), (3, "0.25"), (5, "0.062")])
def test_what_few_pairs_cannot_show_is_said(n: int, exact: str) -> None:
    table = table_of(A=list(range(n)), B=[10.0 + 2 * i for i in range(n)])
    note = contrasts(table, [("A", "B")] * 4, generator())[0].note
    corrected = min(1.0, 4 * 2 / 2**n)
    assert note.endswith(
        f"no exact p of {n} pairs can be below {exact}, {corrected:.2g} after correction for 4 contrasts"
    )
    assert ("scatter normally" in note) == (n <= 3)
    alone = contrasts(table, [("A", "B")], generator())[0]
    assert alone.note.endswith(f"can be below {exact}")


def test_one_pair_and_many() -> None:
    table = table_of(A=[1.0, math.nan], B=[2.0, 3.0])
    one = contrasts(table, [("A", "B")], generator())[0]
    assert one.note == "one pair: no interval" and not one.resolved and one.difference.mean == 1.0
    draws = generator()
    many = table_of(A=list(draws.normal(0, 1, 12)), B=list(draws.normal(9, 1, 12)))
    found = contrasts(many, [("A", "B"), ("B", "A")], generator())
    assert [contrast.note for contrast in found] == ["", ""] and all(contrast.resolved for contrast in found)
    assert found[0].flip_p == 2 / 2**12 and found[0].flip_holm == 4 / 2**12
    assert found[0].difference.mean == pytest.approx(-found[1].difference.mean)


def test_resolved_never_holds_zero() -> None:
    """After correction for many contrasts, an interval that just misses zero resolves nothing."""
    table = table_of(A=[0.0, 0, 0, 0], B=[1.0, 2, 3, 2.5], C=[9.0, 9.1, 9.2, 8.9])
    alone = contrasts(table, [("A", "B")], generator())[0]
    among = contrasts(table, [("A", "B"), ("A", "C"), *[("A", "A")] * 4], generator())
    assert alone.resolved and not alone.difference.holds(0)
    assert not among[0].difference.holds(0) and not among[0].resolved
    assert among[1].resolved and among[2].difference.holds(0) and not among[2].resolved
    assert contrasts(table, [], generator()) == []


# Spreads


def test_the_two_spreads_by_hand() -> None:
    """Two evaluations of two trainings. Within trainings the variances are 2 and 8; the rest is +-0.5 in each cell."""
    found = spread(pd.DataFrame({0: [1.0, 3.0], 1: [10.0, 14.0]}))
    assert found.evaluation == pytest.approx(math.sqrt(5))
    assert found.training == pytest.approx(math.sqrt((12 - 2) ** 2 / 2 - 1.0 / 2))
    assert (found.trainings, found.evaluations, found.note) == (2, 2, "")


def test_the_spreads_are_told_apart() -> None:
    """Evaluation seeds that move all trainings alike, trainings that differ, and noise in each measurement."""
    draws = generator()
    found = []
    for _ in range(400):
        seeds, trainings = draws.normal(0, 0.6, size=(10, 1)), draws.normal(0, 2, size=(1, 5))
        found.append(spread(pd.DataFrame(50 + seeds + trainings + draws.normal(0, 0.8, size=(10, 5)))))
    assert np.mean([one.training**2 for one in found]) == pytest.approx(4, rel=0.1)
    assert np.mean([one.evaluation**2 for one in found]) == pytest.approx(0.36 + 0.64, rel=0.05)


def test_spreads_that_cannot_be_told() -> None:
    single = spread(pd.DataFrame({0: [1.0], 1: [3.0]}))
    assert single.training == pytest.approx(math.sqrt(2)) and math.isnan(single.evaluation)
    assert single.note == "one evaluation of each training: their spread holds that of the evaluation"
    alone = spread(pd.DataFrame({0: [1.0, 3.0]}))
    assert math.isnan(alone.training) and alone.evaluation == pytest.approx(math.sqrt(2))
    assert alone.note == "one training: no spread over trainings"
    partial = spread(pd.DataFrame({0: [1.0, 3.0, math.nan], 1: [2.0, 4.0, 9.0]}))
    assert (partial.evaluations, partial.trainings) == (2, 2)
    assert spread(pd.DataFrame({0: [math.nan], 1: [1.0]})).note == "no evaluation is whole"
    noise = spread(pd.DataFrame({0: [1.0, 3.0], 1: [3.0, 1.0]}))
    assert noise.training == 0.0  # less than the noise would make it
