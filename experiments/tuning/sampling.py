"""Who suggests settings and who says that a trial is not worth going on with: Optuna's, by the names of a command."""

from __future__ import annotations

import importlib.util
import itertools
import random
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler

from ablations.search import Dimension

SAMPLERS: Mapping[str, str] = {
    "tpe": "tree-structured Parzen estimators, over all settings together",
    "random": "by lot",
    "grid": "evenly spaced values, tune.levels of each number, in a random order",
    "cmaes": "CMA-ES, for numbers; needs the package cmaes",
    "gp": "Gaussian processes, for few and expensive trials",
}
PRUNERS: Mapping[str, str] = {
    "median": "ends a trial that is worse than the median of the others at the same iteration",
    "hyperband": "ends all but the best third of the trials at each of several iterations",
    "none": "brings every trial to its end",
}
FIRST_BY_LOT = 8  # trials before there is something to learn from


def problems_of(settings: Mapping[str, Any], trials: int, space: Sequence[Dimension], aims: int) -> list[str]:
    """What is wrong with `tune.sampler`, `tune.pruner` and `tune.levels` for a space and so many aims."""
    sampler, pruner = settings["tune.sampler"], settings["tune.pruner"]
    problems = []
    if sampler not in SAMPLERS:
        problems.append(f"tune.sampler={sampler}: choose one of {', '.join(SAMPLERS)}")
    if pruner not in (*PRUNERS, "auto"):
        problems.append(f"tune.pruner={pruner}: choose one of {', '.join(PRUNERS)}")
    if aims > 1 and pruner not in ("none", "auto"):
        problems.append(f"tune.pruner={pruner}: of two objectives nobody can say early which is worse: leave it out")
    if sampler == "cmaes":
        lists = [dimension.path for dimension in space if dimension.choices]
        if aims > 1:
            problems.append("tune.sampler=cmaes: it has one objective only; use tpe, gp, random or grid for two")
        if lists or len(space) < 2:
            problems.append(f"tune.sampler=cmaes: it needs two numbers or more, and no lists ({', '.join(lists) or 1})")
        if importlib.util.find_spec("cmaes") is None:
            problems.append("tune.sampler=cmaes needs the package cmaes: python -m pip install -e '.[tuning]'")
    if sampler == "grid":
        size = len(grid(space, settings["tune.levels"], 0)) if settings["tune.levels"] > 0 else 0
        if size + 1 < trials:
            problems.append(
                f"tune.sampler=grid: tune.levels={settings['tune.levels']} gives {size} points beside the untuned "
                f"settings, and trials={trials} are asked for: ask for fewer, or for more levels"
            )
    return problems


def build_sampler(name: str, seed: int) -> BaseSampler:
    """The sampler of one trial: what it suggests depends on the study so far and on this seed alone.

    A new one for each trial, since one that is seeded at a program's start would suggest the same again after a
    restart, and the same as every other process does.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        if name == "tpe":
            return optuna.samplers.TPESampler(
                seed=seed, multivariate=True, constant_liar=True, n_startup_trials=FIRST_BY_LOT
            )
        if name == "cmaes":
            return optuna.samplers.CmaEsSampler(seed=seed, n_startup_trials=1, warn_independent_sampling=False)
        if name == "gp":
            return optuna.samplers.GPSampler(seed=seed, n_startup_trials=FIRST_BY_LOT, deterministic_objective=False)
        return optuna.samplers.RandomSampler(seed=seed)


def build_pruner(name: str, first: int, last: int) -> BasePruner:
    """The pruner of trials that are looked at every `first` iterations of `last`."""
    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=first)
    if name == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=first, max_resource=last, reduction_factor=3)
    return optuna.pruners.NopPruner()


def distribution(dimension: Dimension) -> BaseDistribution:
    """A range as Optuna has it."""
    if dimension.choices:
        return CategoricalDistribution(dimension.choices)
    if dimension.whole:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def grid(space: Sequence[Dimension], levels: int, seed: int) -> list[dict[str, Any]]:
    """All points of a grid but the untuned one, in an order that makes any first part of it a fair one."""
    paths = [dimension.path for dimension in space]
    points = itertools.product(*(dimension.grid(levels) for dimension in space))
    untuned = tuple(dimension.default for dimension in space)
    chosen = [dict(zip(paths, point, strict=True)) for point in points if point != untuned]
    random.Random(seed).shuffle(chosen)
    return chosen
