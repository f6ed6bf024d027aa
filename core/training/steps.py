"""One update of the discriminator, one update of the generator, and the iteration that they make up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from core.data.batches import Batch
from core.losses.objective import DiscriminatorPass, GeneratorPass, Objective, total
from core.runtime import autocast
from core.training.replicas import ALONE, Replica
from core.training.state import TrainingState


def iterate(
    state: TrainingState,
    objective: Objective,
    batch: Batch,
    *,
    ema: float,
    precision: str = "fp32",
    n_critic: int = 1,
    replica: Replica = ALONE,
) -> dict[str, Tensor]:
    """One iteration: D by every guide, then G by every guide, then the moving average. Returns the terms' values.

    batch: the replica's rows, on its device; the updates and the values are those of the whole batch. n_critic: G is
    updated in every n_critic-th iteration only (Gulrajani et al., arXiv 1704.00028, algorithm 1).
    """
    values: dict[str, Tensor] = {}
    for guide in state.translator.code.guides:
        values |= _named("d", guide, discriminator_step(state, objective, batch, guide, precision, replica))
    generator_guides = state.translator.code.guides if (state.iteration + 1) % n_critic == 0 else ()
    for guide in generator_guides:
        values |= _named("g", guide, generator_step(state, objective, batch, guide, precision, replica))
    replica.average(state.statistics)
    state.update_average(ema)
    state.iteration += 1
    return replica.mean(values)


def discriminator_step(
    state: TrainingState,
    objective: Objective,
    batch: Batch,
    guide: str,
    precision: str = "fp32",
    replica: Replica = ALONE,
) -> dict[str, Tensor]:
    """One update of D. batch: on the device, images in [-1, 1]."""
    learners: dict[str, nn.Module] = {"discriminator": state.discriminator}
    with only_training(state, learners), autocast(batch.domain.device, precision):
        update = DiscriminatorPass(state.translator, state.discriminator, batch, guide)
        loss, values = replica.together(
            learners.values(), lambda: total(objective.discriminator, state.iteration, update)
        )
    _step(state, list(learners), loss)
    return values


def generator_step(
    state: TrainingState,
    objective: Objective,
    batch: Batch,
    guide: str,
    precision: str = "fp32",
    replica: Replica = ALONE,
) -> dict[str, Tensor]:
    """One update of G and of the code's networks that learn under this guide."""
    learners = {"generator": state.translator.generator, **state.translator.code.networks_trained_by(guide)}
    with only_training(state, learners), autocast(batch.domain.device, precision):
        update = GeneratorPass(state.translator, state.discriminator, batch, guide)
        loss, values = replica.together(learners.values(), lambda: total(objective.generator, state.iteration, update))
        # Inside the block: backward must not reach weights that do not step.
        _step(state, list(learners), loss)
    return values


def _step(state: TrainingState, names: list[str], loss: Tensor) -> None:
    for name in names:
        state.optimisers[name].zero_grad(set_to_none=True)
    loss.backward()
    for name in names:
        state.optimisers[name].step()


@contextmanager
def only_training(state: TrainingState, learners: dict[str, nn.Module]) -> Iterator[None]:
    """Gradients for the weights of these networks alone: nothing is computed for weights that take no step."""
    resting = [network for name, network in state.networks.items() if name not in learners]
    for network in resting:
        network.requires_grad_(False)
    try:
        yield
    finally:
        for network in resting:
            network.requires_grad_(True)


def _named(network: str, guide: str, values: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{network}/{guide}/{name}": value for name, value in values.items()}
