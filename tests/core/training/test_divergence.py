"""Divergence is noticed at the iteration where it happens, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from core.config import Config
from core.data.critters import load_critters
from core.training import loop
from core.training.divergence import Diverged, Watch
from core.training.loop import Hooks, train
from core.training.replicas import Replica
from core.training.state import TrainingState
from core.training.steps import iterate
from tests.core.settings import tiny

CPU = torch.device("cpu")
NAN, INFINITE = float("nan"), float("inf")
DATA = load_critters(6, 2, 16)
LONG = tiny(
    train__steps=12,
    train__budget="iterations",
    train__log_every=4,
    train__sample_every=3,
    train__checkpoint_every=2,
)


class Kept:
    """What the hooks were called with."""

    def __init__(self) -> None:
        self.curve: list[int] = []
        self.samples: list[int] = []
        self.checkpoints: list[int] = []
        self.hooks = Hooks(
            log=lambda done, _: self.curve.append(done),
            sample=lambda done, _: self.samples.append(done),
            checkpoint=lambda state: self.checkpoints.append(state.iteration),
        )


def spoil_after(monkeypatch: pytest.MonkeyPatch, iteration: int, spoil: Callable[[TrainingState], None]) -> None:
    def spoilt(state: TrainingState, *arguments: object, **settings: object) -> dict[str, torch.Tensor]:
        values = iterate(state, *arguments, **settings)  # type: ignore[arg-type]
        if state.iteration == iteration:
            spoil(state)
        return values

    monkeypatch.setattr(loop, "iterate", spoilt)


def diverging(config: Config, hooks: Hooks) -> Diverged:
    with pytest.raises(Diverged) as caught:
        train(config, TrainingState(config, CPU), DATA.train, Replica(CPU), hooks)
    return caught.value


@torch.no_grad()
def set_weight(weight: torch.Tensor, value: float) -> None:
    weight.view(-1)[-1] = value


def test_a_loss_that_is_not_finite_stops_the_run() -> None:
    state = TrainingState(LONG, CPU)
    set_weight(state.translator.generator.to_rgb.bias, NAN)
    with pytest.raises(Diverged, match=r"at iteration 1 these are not finite: d/latent/fake, .*, weights") as caught:
        train(LONG, state, DATA.train, Replica(CPU), Hooks())
    assert caught.value.iteration == 1
    assert {"d/latent/fake", "d/reference/fake", "g/latent/cycle", "weights"} <= set(caught.value.what)
    assert "d/latent/real" not in caught.value.what


@pytest.mark.parametrize("value", [NAN, INFINITE, -INFINITE])
@pytest.mark.parametrize("part", ["discriminator", "translator", "average"])
def test_weights_alone_stop_it_too(part: str, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a loss could show it, and where no loss ever would."""
    spoil_after(monkeypatch, 5, lambda state: set_weight([*getattr(state, part).parameters()][-1], value))
    kept = Kept()
    divergence = diverging(LONG, kept.hooks)
    assert (divergence.iteration, divergence.what) == (5, ("weights",))
    assert (kept.curve, kept.samples, kept.checkpoints) == ([4], [3], [2, 4])


@pytest.mark.parametrize(
    "iteration, kept_curve, kept_samples, kept_checkpoints",
    [(4, [], [3], [2]), (5, [4], [3], [2, 4]), (7, [4], [3, 6], [2, 4, 6]), (12, [4, 8], [3, 6, 9], [2, 4, 6, 8, 10])],
)
def test_where_it_is_read_later_the_iteration_is_exact_and_nothing_bad_is_kept(
    iteration: int,
    kept_curve: list[int],
    kept_samples: list[int],
    kept_checkpoints: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on a GPU, where nobody looks before a curve, a picture or a checkpoint is due."""
    monkeypatch.setattr(loop, "Watch", lambda state, at_once: Watch(state, at_once=False))
    spoil_after(monkeypatch, iteration, lambda state: set_weight(state.translator.generator.to_rgb.bias, NAN))
    kept = Kept()
    assert diverging(LONG, kept.hooks).iteration == iteration
    assert (kept.curve, kept.samples, kept.checkpoints) == (kept_curve, kept_samples, kept_checkpoints)


def test_the_first_bad_iteration_counts_whichever_values_it_had() -> None:
    """With several critic updates to one of the generator, iterations differ in their losses."""
    watch = Watch(TrainingState(tiny(), CPU), at_once=False)
    fine, bad = torch.tensor(1.0), torch.tensor(INFINITE)
    watch.look(1, {"d": fine, "g": fine})
    watch.check()
    watch.look(2, {"d": fine})
    watch.look(3, {"d": bad})
    watch.look(4, {"d": fine, "g": bad})
    watch.look(5, {"d": bad})
    with pytest.raises(Diverged, match=r"at iteration 3 these are not finite: d$"):
        watch.check()


def test_large_weights_are_finite() -> None:
    state = TrainingState(tiny(), CPU)
    watch = Watch(state, at_once=True)
    set_weight(state.translator.generator.to_rgb.bias, 1e30)
    watch.look(1, {})


@pytest.mark.gpu
def test_looking_does_not_wait_for_the_device() -> None:
    device = torch.device("cuda")
    state = TrainingState(tiny(), device)
    watch, fine = Watch(state, at_once=False), torch.ones((), device=device)
    watch.look(1, {"d": fine})
    torch.cuda.set_sync_debug_mode("error")
    try:
        watch.look(2, {"d": fine / 0})
        watch.look(3, {"d": fine})
    finally:
        torch.cuda.set_sync_debug_mode("default")
    with pytest.raises(Diverged, match="at iteration 2"):
        watch.check()
