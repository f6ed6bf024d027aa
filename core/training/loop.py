"""The training loop: batches in, iterations, and at their intervals the curves, sample grids and checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.utils.data import DataLoader

from core.config import Config, iterations
from core.data.batches import Batches
from core.data.images import ImageSet
from core.losses.objective import build_objective
from core.training.divergence import Watch
from core.training.replicas import ALONE, Replica
from core.training.schedule import rate_factor
from core.training.state import TrainingState
from core.training.steps import iterate


class Stopped(Exception):
    """Somebody asked the run to stop; its state is saved."""


def _nothing(*_: object) -> None:
    """The hook of those who do not watch."""


@dataclass(frozen=True)
class Hooks:
    """What the caller does while a run trains. Each gets the iterations done so far."""

    progress: Callable[[int, dict[str, float]], object] = _nothing  # at every point of the curves
    log: Callable[[int, dict[str, float]], object] = _nothing  # the same, for the record
    sample: Callable[[int, TrainingState], object] = _nothing
    evaluate: Callable[[int, TrainingState], object] = _nothing
    checkpoint: Callable[[TrainingState], object] = _nothing
    should_stop: Callable[[], bool] = lambda: False


def batches_of(
    config: Config,
    images: ImageSet,
    reads: frozenset[str],
    masks: ImageSet | None = None,
    replica: Replica = ALONE,
) -> Batches:
    """The batches of a run, by iteration; of each, the replica's rows."""
    return Batches(
        images,
        seed=config.seed,
        size=config.train.batch,
        latent_dim=config.model.latent_dim,
        reads=reads,
        augment=config.data.augment,
        crops=config.data.crops,
        permuted=config.train.targets == "permuted",
        uniform=config.data.sampling == "uniform",
        masks=masks,
        rows=replica.rows(config.train.batch),
    )


def train(
    config: Config,
    state: TrainingState,
    images: ImageSet,
    replica: Replica,
    hooks: Hooks,
    masks: ImageSet | None = None,
) -> None:
    """Train from `state.iteration` to the end of the run. Raises Diverged or, asked to stop, Stopped.

    replica: this process with its device. Where several train the run, each calls this function with the same state;
    the first one's hooks are called, and any of them can be asked to stop. masks: of the images, where they have any.
    """
    recipe, last, device = config.train, iterations(config), replica.device
    objective, watch = build_objective(config), Watch(state, at_once=device.type == "cpu")
    if replica.rank > 0:
        hooks = Hooks(should_stop=hooks.should_stop)

    # Batches are a function of the iteration, so resuming is starting in the middle.
    loader = DataLoader(
        batches_of(config, images, objective.reads, masks, replica),
        batch_size=None,
        sampler=range(state.iteration, last),
        num_workers=_workers(config, device),
        pin_memory=device.type == "cuda",
    )
    started = time.perf_counter() - state.seconds

    for batch in loader:
        state.scale_rates(rate_factor(config, state.iteration))
        values = iterate(
            state,
            objective,
            batch.to(device),
            ema=recipe.ema,
            precision=config.precision,
            n_critic=recipe.n_critic,
            replica=replica,
        )
        done = state.iteration
        watch.look(done, values)

        # Curves. Reading the values waits for the device, so it is not done at every iteration.
        if done % recipe.log_every == 0 or done == last:
            watch.check()
            numbers = {name: value.item() for name, value in values.items()}
            hooks.log(done, numbers)
            hooks.progress(done, numbers)

        # Pictures.
        if recipe.sample_every and done % recipe.sample_every == 0:
            watch.check()
            hooks.sample(done, state)

        # Evaluations, before the checkpoint that has them behind it; the last one is the caller's.
        if recipe.evaluate_every and done % recipe.evaluate_every == 0 and done < last:
            watch.check()
            paused = time.perf_counter()
            hooks.evaluate(done, state)
            started += time.perf_counter() - paused

        # Checkpoints, and the way out.
        stop = replica.any(hooks.should_stop())
        if stop or done == last or done % recipe.checkpoint_every == 0:
            watch.check()
            state.seconds = time.perf_counter() - started
            hooks.checkpoint(state)
            replica.wait_for_all()
        if stop and done < last:
            raise Stopped(f"stopped after iteration {done} of {last}")


def _workers(config: Config, device: torch.device) -> int:
    if config.data.workers >= 0:
        return config.data.workers
    # On a CPU a reader would take a core from training; a GPU must not wait for pictures.
    return 2 if device.type == "cuda" else 0
