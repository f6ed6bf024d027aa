from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from core.config import Config
from core.data.critters import load_critters
from core.metrics.real import RealImages
from core.training.state import TrainingState
from experiments.preflight import measuring
from experiments.preflight.measuring import evaluation_costs, typical_seconds
from experiments.prepare import load_real_images
from tests.core.settings import tiny

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def config() -> Config:
    return tiny(eval__judge_steps=1, eval__outputs=3, eval__metrics="judge", eval__batch=12)


@pytest.fixture(scope="module")
def real(config: Config, tmp_path_factory: pytest.TempPathFactory) -> RealImages:
    return load_real_images(config, load_critters(20, 8, 16), tmp_path_factory.mktemp("cache"), CPU)


class Clock:
    """Time that passes where a test says so."""

    now = 0.0

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(measuring.time, "perf_counter", lambda: self.now)


def test_an_image_and_a_pair_are_told_apart(config: Config, real: RealImages, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, calls = Clock(monkeypatch), []

    def measure(config: Config, translator: Any, real: RealImages, **_: Any) -> None:
        (route,) = real.data.routes
        calls.append((config.eval.outputs, len(real.sources[route[0]])))
        clock.now += 2 * (0.01 * calls[-1][0] * calls[-1][1] + 0.25)  # two guides

    monkeypatch.setattr(measuring, "measure", measure)
    costs = evaluation_costs(config, TrainingState(config, CPU).average, real)
    assert set(calls) == {(2, 2), (3, 4)}  # very few, and then a batch of twelve
    assert costs.translation == pytest.approx(0.01)
    assert costs.pair == pytest.approx(0.25)
    assert not costs.brief


def test_what_is_slow_is_measured_on_very_few_images(
    config: Config, real: RealImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, calls = Clock(monkeypatch), []

    def measure(config: Config, translator: Any, real: RealImages, **_: Any) -> None:
        calls.append(config.eval.outputs)
        clock.now += 3.0

    monkeypatch.setattr(measuring, "measure", measure)
    costs = evaluation_costs(config, TrainingState(config, CPU).average, real)
    assert calls == [2]  # a second call would break the budget
    assert (costs.translation, costs.pair, costs.brief) == (pytest.approx(3 / 8), 0.0, True)


@pytest.mark.parametrize("code", ["label", "style"])
def test_the_real_evaluation_is_what_runs(code: str, config: Config, real: RealImages, tmp_path: Path) -> None:
    changes = {} if code == "style" else {"model__code": "label", "loss__diversity": 0.0, "loss__reconstruction": 0.0}
    config = tiny(eval__outputs=3, eval__metrics="judge", eval__batch=12, **changes)
    costs = evaluation_costs(config, TrainingState(config, CPU).average, real)
    assert 0 < costs.translation < 1 and 0 <= costs.pair < 5
    assert 0 < costs.measuring < 1 and 0 < costs.reference < 1


def test_the_median_counts_and_slow_work_is_timed_less(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    def timed(*lengths: float) -> tuple[float, int]:
        left = list(lengths)

        def work() -> None:
            clock.now += left.pop(0)

        return typical_seconds(work, CPU), len(lengths) - len(left)

    monkeypatch.setattr(measuring, "BUDGET", 100.0)
    assert timed(9.0, 1.0, 2.0, 6.0) == (2.0, 4)  # the first one warms up
    monkeypatch.setattr(measuring, "BUDGET", 10.0)
    assert timed(6.0, 1.0, 2.0, 6.0) == (6.0, 1)
    assert timed(3.0, 4.0, 2.0, 6.0) == (4.0, 2)
