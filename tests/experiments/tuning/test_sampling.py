"""The names of samplers and pruners, and what does not go together."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from ablations.search import Dimension
from experiments.tuning.sampling import PRUNERS, SAMPLERS, build_pruner, build_sampler, distribution, grid, problems_of
from experiments.tuning.study import Sampling
from tests.experiments.tuning.stubs import SPACE, run

CHOICE = Dimension("train.decay", "none", choices=("none", "linear"))
ASKED = {"tune.sampler": "tpe", "tune.pruner": "auto", "tune.levels": 3}


def problems(trials: int = 30, space: tuple[Dimension, ...] = SPACE, aims: int = 1, **changes: Any) -> list[str]:
    return problems_of(ASKED | {f"tune.{key}": value for key, value in changes.items()}, trials, space, aims)


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_name_is_a_sampler(name: str) -> None:
    kinds = {"tpe": "TPESampler", "cmaes": "CmaEsSampler", "gp": "GPSampler"}
    if name == "cmaes" and importlib.util.find_spec("cmaes") is None:
        pytest.skip("the package cmaes is not installed (extra `tuning`)")
    assert type(build_sampler(name, 0)).__name__ == kinds.get(name, "RandomSampler")


def test_every_name_is_a_pruner() -> None:
    assert [type(build_pruner(name, 10, 90)).__name__ for name in PRUNERS] == [
        "MedianPruner",
        "HyperbandPruner",
        "NopPruner",
    ]


def test_ranges_are_optuna_s() -> None:
    assert distribution(SPACE[1]) == FloatDistribution(0.1, 10.0, log=True)
    assert distribution(Dimension("train.batch", 8, 4.0, 16.0, whole=True)) == IntDistribution(4, 16)
    assert distribution(CHOICE) == CategoricalDistribution(("none", "linear"))


def test_a_grid_holds_every_point_but_the_untuned_one_in_a_seed_s_order() -> None:
    points = grid((SPACE[1], CHOICE), 3, 0)
    assert len(points) == 3 * 2 - 1
    assert {"loss.cycle": 1.0, "train.decay": "none"} not in points
    other = grid((SPACE[1], CHOICE), 3, 1)
    assert points != other and sorted(map(str, points)) == sorted(map(str, other))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"sampler": "bayes"}, "tune.sampler=bayes: choose one of tpe, random, grid, cmaes, gp"),
        ({"pruner": "axe"}, "tune.pruner=axe: choose one of median, hyperband, none"),
        ({"pruner": "median", "aims": 2}, "tune.pruner=median: of two objectives nobody can say early"),
        ({"sampler": "grid", "trials": 82}, "tune.levels=3 gives 80 points beside the untuned settings"),
    ],
)
def test_what_does_not_go_together_is_said(options: dict[str, Any], message: str) -> None:
    [problem] = problems(**options)
    assert problem.startswith(message) or message in problem


def test_cma_es_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "cmaes" else find(name))
    said = " ".join(problems(sampler="cmaes", space=(*SPACE, CHOICE), aims=2))
    assert re.search(r"one objective only.*no lists \(train\.decay\).*pip install -e '\.\[tuning\]'", said)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == "cmaes" else find(name))
    assert problems(sampler="cmaes") == []


def test_what_goes_together_is_let_pass() -> None:
    assert problems(sampler="grid", trials=81) == []
    assert problems(pruner="hyperband", sampler="gp") == []
    assert problems(aims=2, pruner="none") == []


def test_cma_es_gets_below_random_search() -> None:
    pytest.importorskip("cmaes", reason="the package cmaes is not installed (extra `tuning`)")
    found = {
        sampler: [run(None, 40, sampling=Sampling(sampler, seed=100 * seed)).optuna.best_value for seed in range(6)]
        for sampler in ("cmaes", "random")
    }
    assert sum(found["cmaes"]) < sum(found["random"])
    assert optuna.logging.get_verbosity() == optuna.logging.ERROR
