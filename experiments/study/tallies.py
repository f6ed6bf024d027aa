"""What votes come to: shares of each arm, preferences within pairs, and how far raters agree. Pure functions.

Answers of one rater are no independent evidence: who likes an arm likes it again. So intervals resample raters, each
with all of his or her answers. Few raters may agree by chance, and then a bootstrap gives an interval of no width;
Wilson's interval, which takes every answer as independent, is the least that these answers leave open, so no interval
is narrower. Of one rater there is Wilson's alone, and it speaks of this rater only.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from statsmodels.stats.inter_rater import fleiss_kappa
from statsmodels.stats.proportion import proportion_confint

from experiments.robust import bootstrap
from experiments.statistics import LEVEL, Interval

FEW = 6  # raters: of fewer, all lie on one side of the truth too often for a bootstrap at 95 %


@dataclass(frozen=True)
class Vote:
    """One rater's choice in one question."""

    rater: str
    question: str
    shown: tuple[str, ...]  # labels of the arms that were to choose from, in any order
    chosen: str


@dataclass(frozen=True)
class Share:
    """How often an arm was chosen where it was shown."""

    chosen: int
    shown: int
    interval: Interval  # in [0, 1]; n counts raters


@dataclass(frozen=True)
class Preference:
    """Two arms that stood against each other."""

    first: str
    second: str
    share: Share  # of the first


@dataclass(frozen=True)
class Agreement:
    """How far raters chose alike in the same questions."""

    kappa: float  # Randolph's free-marginal multirater kappa: 1 all choose alike, 0 as by guessing
    observed: float  # share of the pairs of answers to one question that are equal
    questions: int  # with at least two answers
    answers: int  # to them


def shares(votes: Sequence[Vote], arms: Sequence[str], generator: np.random.Generator) -> dict[str, Share]:
    """{label: share of votes, of the questions that showed it} of the arms that were shown at all."""
    shown = {label: [vote for vote in votes if label in vote.shown] for label in arms}
    return {label: _share(own, label, generator) for label, own in shown.items() if own}


def preferences(votes: Sequence[Vote], arms: Sequence[str], generator: np.random.Generator) -> tuple[Preference, ...]:
    """Every pair of arms that questions with two options put against each other, in the order of `arms`."""
    found = []
    for first, second in itertools.combinations(arms, 2):
        own = [vote for vote in votes if set(vote.shown) == {first, second}]
        if own:
            found.append(Preference(first, second, _share(own, first, generator)))
    return tuple(found)


def agreement(votes: Sequence[Vote]) -> Agreement | None:
    """Fleiss' kappa with free marginals (Randolph 2005, `fleiss_kappa(method="randolph")` of statsmodels).

    Fleiss' own expects by chance what the arms' shares would give, so it is near 0 where all raters take the same arm
    every time, and has no meaning where questions show different arms. Free marginals expect guessing: 1 / options.

    Questions with fewer than two answers say nothing and are left out; questions with different numbers of answers are
    joined with weights by their answers, as Krippendorff's alpha joins them. All questions have the same number of
    options. None where no question was answered twice.
    """
    chosen: dict[str, Counter[str]] = defaultdict(Counter)
    for vote in votes:
        chosen[vote.question][vote.chosen] += 1
    options = {vote.question: vote.shown for vote in votes}
    tables: dict[int, list[list[int]]] = defaultdict(list)
    for question, counts in chosen.items():
        tables[counts.total()].append([counts[label] for label in options[question]])
    several = {answers: np.array(table) for answers, table in tables.items() if answers > 1}
    if not several:
        return None
    weights = [answers * len(table) for answers, table in several.items()]
    kappas = [fleiss_kappa(table, method="randolph") for table in several.values()]
    kappa = float(np.average(kappas, weights=weights))
    chance = 1 / next(iter(several.values())).shape[1]
    return Agreement(kappa, kappa * (1 - chance) + chance, sum(map(len, several.values())), sum(weights))


def _share(votes: Sequence[Vote], label: str, generator: np.random.Generator) -> Share:
    """votes: those that could choose the label; at least one."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for vote in votes:
        counts[vote.rater][0] += vote.chosen == label
        counts[vote.rater][1] += 1
    table = np.array([counts[rater] for rater in sorted(counts)], dtype=float)  # (raters, [chosen, shown])
    chosen, shown = int(table[:, 0].sum()), len(votes)
    low, high = proportion_confint(chosen, shown, alpha=1 - LEVEL, method="wilson")
    note = "one rater: Wilson's interval, of this rater alone"
    if len(table) > 1:
        resampled = bootstrap(_ratio, [table], generator)
        low, high = min(low, resampled.low), max(high, resampled.high)
        note = f"{len(table)} raters say little of others" if len(table) < FEW else ""
    return Share(chosen, shown, Interval(float(low), chosen / shown, float(high), len(table), LEVEL, note))


def _ratio(table: np.ndarray) -> np.ndarray:
    """(..., raters, [chosen, shown]) -> (...,)."""
    chosen, shown = np.moveaxis(table.sum(axis=-2), -1, 0)
    return np.asarray(chosen / shown)
