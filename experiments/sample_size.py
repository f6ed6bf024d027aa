"""From the seeds so far, how many would resolve a difference of a given size."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from experiments.statistics import LEVEL

POWER = 0.8
CAUTION = 0.8  # confidence that the true spread is not larger than the cautious number takes it to be
MOST = 10_000  # seeds


@dataclass(frozen=True)
class SeedsNeeded:
    """How many seeds; None where that cannot be said."""

    total: int | None  # if the differences go on scattering as they did
    more: int | None  # of these, not there yet
    cautious: int | None  # in all, if they truly scatter as much as so few differences leave possible
    have: int
    deviation: float  # of the differences so far
    note: str = ""


def seeds_needed(differences: np.ndarray, delta: float, power: float = POWER, level: float = LEVEL) -> SeedsNeeded:
    """For a paired t test to find a true difference of size delta with probability `power`, at two-sided 1 - level.

    The quantile of t changes with the number that is sought, so numbers are tried. Where m contrasts are declared,
    level = 1 - 0.05 / m is enough for Holm's correction. differences: (n,) at the seeds so far, NaN are left out.
    """
    return _least(differences, lambda n, deviation: paired_t_power(n, delta, deviation, level) >= power)


def seeds_for_half_width(differences: np.ndarray, half_width: float, level: float = LEVEL) -> SeedsNeeded:
    """For a t interval of the mean difference that reaches at most `half_width` to each side: t_{n-1} s / sqrt(n)."""
    return _least(differences, lambda n, deviation: _reach(n, deviation, level) <= half_width)


def paired_t_power(n: int, delta: float, deviation: float, level: float = LEVEL) -> float:
    """The probability that n differences with mean delta and this standard deviation refute zero.

    Their t follows the noncentral t distribution (Cohen, Statistical Power Analysis, 1988, chapter 2). Its square, the
    noncentral F, has both tails at once, and SciPy's values of it are finite throughout.
    """
    if deviation == 0:
        return float(delta != 0)
    bound = stats.t.ppf((1 + level) / 2, n - 1)
    return float(stats.ncf.sf(bound**2, 1, n - 1, (delta / deviation) ** 2 * n))


def _reach(n: int, deviation: float, level: float) -> float:
    return float(stats.t.ppf((1 + level) / 2, n - 1) * deviation / math.sqrt(n))


def _least(differences: np.ndarray, enough: Callable[[int, float], bool]) -> SeedsNeeded:
    known = differences[~np.isnan(differences)]
    have = len(known)
    if have < 2:
        return SeedsNeeded(None, None, None, have, math.nan, "two differences show the first spread")
    deviation = float(known.std(ddof=1))
    total = _smallest(lambda n: enough(n, deviation))
    # The upper limit of a standard deviation; Browne, On the Use of a Pilot Sample, Statistics in Medicine 14, 1995.
    upper = deviation * math.sqrt((have - 1) / stats.chi2.ppf(1 - CAUTION, have - 1))
    cautious = _smallest(lambda n: enough(n, upper))
    note = f"more than {MOST:,} seeds" if total is None else ""
    return SeedsNeeded(total, None if total is None else max(0, total - have), cautious, have, deviation, note)


def _smallest(enough: Callable[[int], bool]) -> int | None:
    """The least number of seeds that is enough, where every larger one is too."""
    n = bisect_left(range(MOST + 1), True, lo=2, key=enough)
    return n if n <= MOST else None
