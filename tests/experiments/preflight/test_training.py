from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from core.data.critters import load_critters
from core.errors import UserError
from core.training.divergence import Diverged
from core.training.state import TrainingState
from experiments.preflight import training
from experiments.preflight.training import enough, mean_iteration, rehearse_training
from tests.core.settings import STARGAN, tiny

CPU = torch.device("cpu")
DATA = load_critters(4, 2, 16)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "LEAST_SECONDS", 0.0)


def test_an_arm_trains_and_resumes_exactly(tmp_path: Path) -> None:
    state, seen = rehearse_training(tiny(train__steps=2), DATA, CPU, tmp_path / "checkpoint.pt")
    assert state.iteration == training.WARM_UP + training.REPEATS + 1  # however short the run itself is
    assert not seen.brief
    assert 0 < seen.iteration < 5 and 0 < seen.checkpoint < 5
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert saved["iteration"] == state.iteration - 1


def test_slow_iterations_are_few_and_the_last_one_updates_the_generator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "BUDGET", 0.0)
    changes = {name.replace(".", "__"): value for name, value in STARGAN.items()} | {"train__n_critic": 3}
    state, seen = rehearse_training(tiny(**changes), DATA, CPU, tmp_path / "checkpoint.pt")
    assert (state.iteration, seen.brief) == (3, True)
    assert seen.iteration > 0


@pytest.mark.parametrize("forgotten", ["optimisers", "average", "networks"])
def test_a_checkpoint_that_forgets_something_is_found(
    forgotten: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = TrainingState.load_state_dict

    def forgetful(self: TrainingState, state: dict[str, Any]) -> None:
        whole(self, {**state, forgotten: self.state_dict()[forgotten]})

    monkeypatch.setattr(TrainingState, "load_state_dict", forgetful)
    with pytest.raises(UserError, match="does not go on as it would have"):
        rehearse_training(tiny(), DATA, CPU, tmp_path / "checkpoint.pt")


def test_a_divergence_is_found(tmp_path: Path) -> None:
    with pytest.raises(Diverged, match="iteration"):
        rehearse_training(tiny(loss__diversity=1e39), DATA, CPU, tmp_path / "checkpoint.pt")


def test_enough_is_some_iterations_and_some_time_or_all_of_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "LEAST_SECONDS", 1.0)
    assert not enough([0.1] * 7, 1)  # too little time
    assert enough([0.1, 0.1] + [0.2] * 5, 1)
    assert not enough([0.1, 0.1] + [0.2] * 5, 5)  # the eighth is none that updates the generator
    assert enough([0.1, 0.1] + [0.2] * 7, 5)
    assert enough([training.BUDGET + 1], 1)
    assert not enough([training.BUDGET + 1], 5)


def test_the_mean_is_over_whole_cycles_without_warming_up() -> None:
    assert mean_iteration([9.0, 9.0, 1.0, 3.0, 9.0], 1) == pytest.approx(2)
    # Every third updates the generator, too: the warm ones take 1 s and 4 s.
    assert mean_iteration([9.0, 9.0, 4.0, 1.0, 1.0, 4.0, 1.0, 1.0, 9.0], 3) == pytest.approx((1 + 1 + 4) / 3)
    assert mean_iteration([1.0, 3.0, 8.0], 3) == pytest.approx((2 + 2 + 8) / 3)  # of the only one, the last
    assert mean_iteration([5.0, 7.0], 1) == pytest.approx(6)  # none is warm
