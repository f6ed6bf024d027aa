"""How sure a number is: intervals, paired differences and their tests, on a table of one metric, seeds x arms.

A run is the unit: its value is one number, averaged over domain pairs and evaluation seeds. Arms at one seed see the
same images and latents, so arms are compared by the differences at each seed. NaN marks a cell without a value.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

LEVEL = 0.95
MOST_FLIPS = 2**12  # of signs: all of them for up to 12 pairs, so many at random for more
FEW = 3  # runs whose scatter says nothing of its shape


@dataclass(frozen=True)
class Interval:
    """An estimate and the interval that holds the true value in `level` of all repetitions; NaN where there is none."""

    low: float
    mean: float
    high: float
    n: int  # runs, or pairs of runs, that it was made from
    level: float = LEVEL
    note: str = ""  # why there is none, or what it rests on

    @property
    def exists(self) -> bool:
        """Whether there are bounds."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def holds(self, value: float) -> bool:
        """Whether the bounds exist and enclose a value."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Contrast:
    """The difference between two arms over the seeds that both have, and two tests of its being zero."""

    before: str
    after: str
    difference: Interval  # after - before
    dropped: int  # seeds that only one of the two has
    t_p: float  # two-sided, of the paired t test: trusts that differences scatter normally
    flip_p: float  # two-sided, of all changes of the differences' signs: trusts only that their signs are symmetric
    smallest_flip_p: float  # that so many pairs can reach: 2 / 2^n
    t_holm: float  # both corrected for the number of declared contrasts
    flip_holm: float
    note: str = ""  # what cannot be concluded

    @property
    def resolved(self) -> bool:
        """Whether zero is refuted by the t test after correction; then the interval does not hold zero either."""
        return self.t_holm <= 1 - self.difference.level


@dataclass(frozen=True)
class Spread:
    """Standard deviations of one arm's metric, kept apart; NaN where they cannot be told."""

    training: float  # of what trainings with other seeds truly come to
    evaluation: float  # of measuring one training with other evaluation seeds
    trainings: int
    evaluations: int  # of each training
    note: str = ""


def arm_intervals(table: pd.DataFrame, level: float = LEVEL) -> dict[str, Interval]:
    """{label: mean with its t interval} of every arm."""
    return {str(label): t_interval(table[label].to_numpy(float), level) for label in table.columns}


def t_interval(values: np.ndarray, level: float = LEVEL) -> Interval:
    """The mean of values (n,), those that are NaN left out, with Student's interval."""
    known = values[~np.isnan(values)]
    mean = float(known.mean()) if len(known) else math.nan
    low, high = t_bounds(known, level) if len(known) > 1 else (math.nan, math.nan)
    return Interval(float(low), mean, float(high), len(known), level, _trust(len(known)))


def t_bounds(values: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) of Student's interval of the mean: mean -+ t_{n-1} s / sqrt(n). values: (..., n), n >= 2 -> (...,).

    Student, The Probable Error of a Mean, Biometrika 6, 1908.
    """
    n = values.shape[-1]
    mean = values.mean(axis=-1)
    reach = stats.t.ppf((1 + level) / 2, n - 1) * values.std(axis=-1, ddof=1) / math.sqrt(n)
    return mean - reach, mean + reach


def contrasts(
    table: pd.DataFrame, pairs: Sequence[tuple[str, str]], generator: np.random.Generator, level: float = LEVEL
) -> list[Contrast]:
    """One for each declared pair of arms (before, after); the corrections are for all of them.

    generator: draws changes of sign for more than 12 pairs of runs; up to there all are counted.
    """
    both = [table.reindex(columns=list(pair)).to_numpy(float) for pair in pairs]
    complete = [values[~np.isnan(values).any(axis=1)] for values in both]
    differences = [values[:, 1] - values[:, 0] for values in complete]
    t_p = [t_test_p(values) for values in differences]
    flip_p = [float(sign_flip_p(values, generator)) for values in differences]
    t_holm, flip_holm = holm(np.array(t_p)), holm(np.array(flip_p))
    return [
        Contrast(
            before=before,
            after=after,
            difference=t_interval(differences[number], level),
            dropped=int((~np.isnan(both[number])).any(axis=1).sum()) - len(differences[number]),
            t_p=t_p[number],
            flip_p=flip_p[number],
            smallest_flip_p=smallest_flip_p(len(differences[number])),
            t_holm=float(t_holm[number]),
            flip_holm=float(flip_holm[number]),
            note=_inconclusive(len(differences[number]), len(pairs), level),
        )
        for number, (before, after) in enumerate(pairs)
    ]


def t_test_p(differences: np.ndarray) -> float:
    """Two-sided p of Student's test that differences (n,) have mean zero; NaN for n < 2. 1 where all are zero."""
    if len(differences) < 2:
        return math.nan
    error = differences.std(ddof=1) / math.sqrt(len(differences))
    mean = abs(differences.mean())
    statistic = mean / error if error > 0 else math.inf if mean > 0 else 0.0
    return float(2 * stats.t.sf(statistic, len(differences) - 1))


def welch(before: np.ndarray, after: np.ndarray, level: float = LEVEL) -> tuple[Interval, float]:
    """(difference of the means of unpaired arms, after - before, with its interval; two-sided p of its being zero).

    before: (n,), after: (m,); those that are NaN are left out. The arms may scatter differently. NaN where one has
    fewer than two values. Welch, The Generalization of Student's Problem, Biometrika 34, 1947.
    """
    old, new = before[~np.isnan(before)], after[~np.isnan(after)]
    n = min(len(old), len(new))
    mean = float(new.mean() - old.mean()) if n else math.nan
    if n < 2:
        note = "one run: no interval" if n else "no run"
        return Interval(math.nan, mean, math.nan, n, level, note), math.nan
    errors = np.array([old.var(ddof=1) / len(old), new.var(ddof=1) / len(new)])
    error = math.sqrt(errors.sum())
    if error == 0:
        return Interval(mean, mean, mean, n, level, _trust(n)), float(mean == 0)
    freedom = errors.sum() ** 2 / (errors**2 / (np.array([len(old), len(new)]) - 1)).sum()
    reach = stats.t.ppf((1 + level) / 2, freedom) * error
    p = float(2 * stats.t.sf(abs(mean) / error, freedom))
    return Interval(mean - float(reach), mean, mean + float(reach), n, level, _trust(n)), p


def sign_flip_p(differences: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Two-sided p that differences (..., n) are symmetric about zero: how often other signs give as large a mean.

    Exact for up to 12 differences: all 2^n signs are counted. NaN for n < 2. Fisher, The Design of Experiments, 1935,
    section 21.
    """
    if differences.shape[-1] < 2:
        return np.full(differences.shape[:-1], math.nan)
    test = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=MOST_FLIPS,
        vectorized=True,
        axis=-1,
        rng=generator,
    )
    return np.asarray(test.pvalue)


def smallest_flip_p(n: int) -> float:
    """The least two-sided p that n pairs can reach by changes of sign: 2 of all 2^n."""
    return min(1.0, 2 / 2**n)


def holm(p: np.ndarray) -> np.ndarray:
    """p corrected so that any false rejection among all is as rare as one p promises. A NaN counts and stays NaN.

    Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6, 1979.
    """
    if not len(p):
        return p
    missing = np.isnan(p)
    gc.freeze()  # multipletests collects garbage: of what is made meanwhile alone, not of all that the process holds
    try:
        corrected = multipletests(np.where(missing, 1, p), method="holm")[1]
    finally:
        gc.unfreeze()
    return np.where(missing, math.nan, corrected)


def spread(values: pd.DataFrame) -> Spread:
    """The two spreads from one arm's metric, evaluation seeds x training seeds, over the rows without a NaN.

    The trainings are measured with the same evaluation seeds, so this is a crossed design: analysis of variance with
    two random factors, one value a cell (Searle, Casella, McCulloch, Variance Components, 1992, section 4.3). A
    variance that comes out below zero is zero.
    """
    cells = values.dropna().to_numpy(float)
    evaluations, trainings = cells.shape
    if evaluations < 2:
        training = float(cells[0].std(ddof=1)) if evaluations and trainings > 1 else math.nan
        note = "one evaluation of each training: their spread holds that of the evaluation"
        return Spread(training, math.nan, trainings, evaluations, note if evaluations else "no evaluation is whole")
    # Equal numbers do not scatter, whatever the last digit of their mean.
    evaluation = math.sqrt(np.where(np.ptp(cells, axis=0) > 0, cells.var(axis=0, ddof=1), 0).mean())
    if trainings < 2:
        return Spread(math.nan, evaluation, trainings, evaluations, "one training: no spread over trainings")
    rest = cells - cells.mean(axis=0) - cells.mean(axis=1, keepdims=True) + cells.mean()
    noise = (rest**2).sum() / ((evaluations - 1) * (trainings - 1))
    training = math.sqrt(max(0.0, cells.mean(axis=0).var(ddof=1) - noise / evaluations))
    return Spread(training, evaluation, trainings, evaluations)


def _trust(n: int, what: str = "run") -> str:
    """What an interval of n runs rests on."""
    if n < 2:
        return f"one {what}: no interval" if n else f"no {what}"
    return f"{n} {what}s: the interval trusts that they scatter normally, which so few cannot show" if n <= FEW else ""


def _inconclusive(n: int, contrasts: int, level: float) -> str:
    """What n pairs cannot show."""
    notes = [_trust(n, "pair")]
    least = smallest_flip_p(n)
    if n > 1 and contrasts * least > 1 - level:
        corrected = f", {min(1.0, contrasts * least):.2g} after correction for {contrasts} contrasts"
        notes.append(f"no exact p of {n} pairs can be below {least:.2g}{corrected if contrasts > 1 else ''}")
    return "; ".join(note for note in notes if note)
