"""The loop: a stopped and resumed run equals an uninterrupted one bit for bit, for every rung."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from ablations import paper
from ablations.rung import ladder_arms
from ablations.stargan import LADDER
from core.config import Config, iterations
from core.data.critters import load_critters
from core.training.loop import Hooks, Stopped, train
from core.training.replicas import Replica
from core.training.state import TrainingState, load, save
from tests.core.settings import tiny

CPU = torch.device("cpu")
DATA = load_critters(6, 2, 16)


def run(config: Config, state: TrainingState, stop_at: int = -1) -> list[tuple[int, dict[str, float]]]:
    curve: list[tuple[int, dict[str, float]]] = []
    hooks = Hooks(log=lambda n, values: curve.append((n, values)), should_stop=lambda: state.iteration == stop_at)
    train(config, state, DATA.train, Replica(CPU), hooks)
    return curve


SHORT = tiny(train__log_every=1)
PAPER_ARMS = ladder_arms(paper.LADDER, tiny(train__log_every=1, train__steps=6, train__budget="iterations"), ("A", "B"))


@pytest.mark.parametrize("arm", [*ladder_arms(LADDER, SHORT), *PAPER_ARMS], ids=[*LADDER.letters, "paper-A", "paper-B"])
def test_a_resumed_run_is_the_same_run(arm: Any, tmp_path: Path) -> None:
    whole = TrainingState(arm.config, CPU)
    curve = run(arm.config, whole)
    stopped = TrainingState(arm.config, CPU)
    with pytest.raises(Stopped, match=r"stopped after iteration 2 of"):
        run(arm.config, stopped, stop_at=2)
    save(stopped.state_dict(), tmp_path / "checkpoint.pt")
    resumed = TrainingState(arm.config, CPU)
    resumed.load_state_dict(load(tmp_path / "checkpoint.pt", CPU))
    assert run(arm.config, resumed) == curve[2:]
    assert whole.iteration == resumed.iteration == iterations(arm.config)
    for networks in (
        (whole.translator, resumed.translator),
        (whole.average, resumed.average),
        (whole.discriminator, resumed.discriminator),
    ):
        ours, theirs = (network.state_dict() for network in networks)
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_rate_falls_in_the_loop() -> None:
    config = tiny(train__decay="linear", train__steps=4, train__budget="iterations")
    state = TrainingState(config, CPU)
    seen: list[float] = []
    hooks = Hooks(should_stop=lambda: bool(seen.append(state.optimisers["generator"].param_groups[0]["lr"])))
    train(config, state, DATA.train, Replica(CPU), hooks)
    assert seen == pytest.approx([1e-4, 1e-4, 1e-4, 0.5e-4])


def test_hooks_come_at_their_intervals() -> None:
    config = tiny(train__log_every=2, train__sample_every=3, train__checkpoint_every=3)
    seen: dict[str, list[int]] = {"log": [], "sample": [], "checkpoint": []}
    hooks = Hooks(
        log=lambda n, _: seen["log"].append(n),
        sample=lambda n, _: seen["sample"].append(n),
        checkpoint=lambda state: seen["checkpoint"].append(state.iteration),
    )
    train(config, TrainingState(config, CPU), DATA.train, Replica(CPU), hooks)
    assert seen == {"log": [2, 4], "sample": [3], "checkpoint": [3, 4]}
