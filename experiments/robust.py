"""Summaries that no single run or domain pair dominates: the interquartile mean and the probability of improvement.

Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice, NeurIPS 2021 (arXiv 2108.13264),
section 4.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from scipy import optimize, stats

from experiments.statistics import LEVEL, Interval

RESAMPLES = 5_000

Direction = Literal["lower", "higher"]  # which values of a metric are better


def interquartile_mean(values: np.ndarray) -> np.ndarray:
    """The mean of the middle half of all values of all runs. values: (..., runs, domain pairs) -> (...,).

    Equal to scipy.stats.trim_mean, which partitions: NumPy sorts twenty times faster on processors of today.
    """
    flat = np.sort(values.reshape(*values.shape[:-2], -1), axis=-1)
    cut = flat.shape[-1] // 4
    return np.asarray(flat[..., cut : flat.shape[-1] - cut].mean(axis=-1))


def interquartile_interval(runs: np.ndarray, generator: np.random.Generator, level: float = LEVEL) -> Interval:
    """The interquartile mean of one arm, (runs, domain pairs), with its bootstrap interval."""
    return bootstrap(interquartile_mean, [runs], generator, level)


def interquartile_difference(
    before: np.ndarray, after: np.ndarray, generator: np.random.Generator, level: float = LEVEL
) -> Interval:
    """How much it changes between two arms, each (seeds, domain pairs) with the seeds in one order."""

    def change(both: np.ndarray) -> np.ndarray:
        return interquartile_mean(both[..., 1, :]) - interquartile_mean(both[..., 0, :])

    return bootstrap(change, [np.stack([before, after], axis=1)], generator, level)


def bootstrap(
    statistic: Callable[..., np.ndarray],
    strata: Sequence[np.ndarray],
    generator: np.random.Generator,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Interval:
    """A statistic with the expanded percentile interval of a stratified bootstrap.

    strata: arms, each (runs, ...); a run with a NaN is left out. Each is resampled for itself and a run is drawn whole,
    with all its domain pairs, because these share one training and are not independent. To keep arms paired by seed,
    stack them into one stratum. statistic: arrays (..., runs, ...) -> (...,).

    The percentiles are moved out so that the interval of a mean is as wide as Student's (Hesterberg, What Teachers
    Should Know About the Bootstrap, The American Statistician 69, 2015, section 5.3).
    """
    known = [runs[~np.isnan(runs).reshape(len(runs), -1).any(axis=1)] for runs in strata]
    n = min(map(len, known))
    if n < 2:
        estimate = float(statistic(*known)) if n else math.nan
        return Interval(math.nan, estimate, math.nan, n, level, "one run: no interval" if n else "no run")
    drawn = [runs[generator.integers(len(runs), size=(resamples, len(runs)))] for runs in known]
    tail = stats.norm.cdf(stats.t.ppf((1 - level) / 2, n - 1) * math.sqrt(n / (n - 1)))
    low, high = np.quantile(statistic(*drawn), [tail, 1 - tail])
    most = 1 - 2 / 2**n  # for a symmetric distribution: not all runs lie on one side of its centre
    note = f"{n} runs: a bootstrap never leaves their range, so it covers at most {most:.0%}" if most < level else ""
    return Interval(float(low), float(statistic(*known)), float(high), n, level, note)


def probability_of_improvement(
    before: np.ndarray, after: np.ndarray, direction: Direction, level: float = LEVEL
) -> Interval:
    """How probably a run of `after`, (m,), is better than one of `before`, (n,); ties count half, NaN are left out.

    The estimate is Mann and Whitney's U / (m n). The interval is method 5 of Newcombe, Confidence Intervals for an
    Effect Size Measure Based on the Mann-Whitney Statistic, part 2, Statistics in Medicine 25, 2006: it stays open
    where the arms are wholly separate. It takes the arms as independent, so it is wide where seeds pair them.
    """
    old, new = before[~np.isnan(before)], after[~np.isnan(after)]
    n = min(len(old), len(new))
    if n < 1:
        return Interval(math.nan, math.nan, math.nan, n, level, "no run")
    gains = (new[:, None] - old[None, :]) * (1 if direction == "higher" else -1)
    share = float((np.sign(gains).mean() + 1) / 2)
    if n < 2:
        return Interval(math.nan, share, math.nan, n, level, "one run: no interval")
    low = _lowest_probability(share, len(old), len(new), level)
    high = 1 - _lowest_probability(1 - share, len(old), len(new), level)
    return Interval(low, share, high, n, level)


def _lowest_probability(share: float, m: int, n: int, level: float) -> float:
    """The probability of which the observed share is z standard errors above."""
    if share == 0:
        return 0.0
    z = stats.norm.ppf((1 + level) / 2)

    def excess(p: float) -> float:
        half = (m + n) / 2 - 1
        variance = p * (1 - p) * (1 + half * ((1 - p) / (2 - p) + p / (1 + p))) / (m * n)
        return float((share - p) ** 2 - z**2 * variance)

    return float(optimize.brentq(excess, 0, share * (1 - 1e-9)))  # at a share of 1 itself both terms are zero
