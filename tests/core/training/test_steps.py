"""Updates: every valid combination trains, only what should train moves, and the average starts as a copy."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest
import torch

from ablations.rung import ladder_arms
from ablations.stargan import LADDER
from core import config as configuration
from core.config import Config, broken_rules
from core.losses.objective import build_objective
from core.settings import with_paths
from core.training.state import TrainingState
from core.training.steps import discriminator_step, generator_step, iterate
from tests.core.settings import STARGAN, TINY, random_batch, tiny

CPU = torch.device("cpu")
TOGGLES: dict[str, tuple[Any, ...]] = {
    "model.backbone": get_args(configuration.Backbone),
    "model.code": get_args(configuration.Code),
    "model.injection": get_args(configuration.Injection),
    "model.head": get_args(configuration.Head),
    "loss.adversarial": get_args(configuration.Adversarial),
    "loss.penalty": get_args(configuration.Penalty),
    "loss.penalty_weight": (0.0, 1.0),
    "loss.classification": (0.0, 1.0),
    "loss.cycle": (0.0, 1.0),
    "loss.reconstruction": (0.0, 1.0),
    "loss.diversity": (0.0, 1.0),
    "model.attention_size": (0, 8),
}


def combinations() -> tuple[list[Config], int]:
    """(valid configurations, number of invalid ones) of the whole product."""
    valid, invalid = [], 0
    base = with_paths(Config(), TINY | {"train.batch": 2}, [])
    for values in itertools.product(*TOGGLES.values()):
        problems: list[str] = []
        config = with_paths(base, dict(zip(TOGGLES, values, strict=True)), problems)
        assert not problems
        if broken_rules(config):
            invalid += 1
        else:
            valid.append(config)
    return valid, invalid


VALID, INVALID = combinations()
PARTS = 8  # so that several processes share the walk


def test_the_product_is_all_there() -> None:
    assert len(VALID) + INVALID == 2 * 3 * 2 * 2 * 3 * 3 * 2**6
    # label: cycle or not; latent and style: three ways to train the encoder, diversity or not. Two heads; three losses
    # by two penalties, and two of them without a penalty. Two injections, attention or not: StarGAN's has one and none.
    assert len(VALID) == (2 + 2 * 3 * 2) * 2 * (3 * 2 + 2) * (2 * 2 + 1)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_valid_combination_trains(part: int) -> None:
    for config in VALID[part::PARTS]:
        state, batch = TrainingState(config, CPU), random_batch(config)
        objective = build_objective(config)
        # Only what the objective says it reads is there.
        kept = {name: getattr(batch, name) if name in objective.reads else None for name in ("reference", "reference2")}
        batch = type(batch)(batch.domain, batch.target, batch.latent, batch.latent2, batch.mix, batch.image, **kept)
        before = {name: value.clone() for name, value in weights(state).items()}
        for attention in attentions(state):  # its gate starts at 0, where nothing behind it gets a gradient
            attention.data.fill_(0.1)
        values = iterate(state, objective, batch, ema=0.9)
        assert all(value.isfinite() for value in values.values()), config
        still = {name for name, value in weights(state).items() if torch.equal(value, before[name])}
        assert still <= indifferent(config), config


def indifferent(config: Config) -> set[str]:
    """What may stay where it is, because the loss does not depend on it.

    A critic's loss does not change when a constant is added to all scores, and the norms that follow the generator's
    attention remove what its value's bias adds.
    """
    critic = config.loss.adversarial in ("wasserstein", "hinge")
    return {"generator.decoder.1.h.bias"} | ({"discriminator.head.score.bias"} if critic else set())


def weights(state: TrainingState) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{path}": weight
        for name, network in state.networks.items()
        for path, weight in network.named_parameters()
    }


def attentions(state: TrainingState) -> list[torch.Tensor]:
    return [weight for name, weight in weights(state).items() if name.endswith(".gamma")]


@pytest.mark.parametrize("arm", ladder_arms(LADDER, tiny()), ids=lambda arm: arm.label)
def test_gradients_reach_what_trains_and_nothing_else(arm: Any) -> None:
    state, objective = TrainingState(arm.config, CPU), build_objective(arm.config)
    batch = random_batch(arm.config)
    names = set(state.networks)
    for guide in state.translator.code.guides:
        clear(state)
        discriminator_step(state, objective, batch, guide)
        assert with_gradient(state) == {"discriminator"}
        clear(state)
        generator_step(state, objective, batch, guide)
        # Guided by references, only the generator steps.
        assert with_gradient(state) == (names - {"discriminator"} if guide == "latent" else {"generator"})


def clear(state: TrainingState) -> None:
    for network in state.networks.values():
        network.zero_grad(set_to_none=True)


def with_gradient(state: TrainingState) -> set[str]:
    found = set()
    for name, network in state.networks.items():
        gradients = [weight.grad for weight in network.parameters()]
        assert all(g is None for g in gradients) or all(g is not None for g in gradients), name
        if gradients[0] is not None:
            found.add(name)
    return found


def test_the_average_starts_as_the_live_weights_and_follows_them() -> None:
    config = tiny()
    state = TrainingState(config, CPU)
    for live, average in zip(state.translator.parameters(), state.average.parameters(), strict=True):
        assert torch.equal(live, average)
        assert live.data_ptr() != average.data_ptr()
    start = [weight.clone() for weight in state.average.parameters()]
    iterate(state, build_objective(config), random_batch(config), ema=0.9)
    for old, live, average in zip(start, state.translator.parameters(), state.average.parameters(), strict=True):
        assert torch.allclose(average, 0.9 * old + 0.1 * live, atol=1e-6)


def test_the_generator_steps_in_every_nth_iteration() -> None:
    config = tiny(**STARGAN | {"train.n_critic": 3})
    state, objective = TrainingState(config, CPU), build_objective(config)
    for iteration in range(1, 7):
        before = {name: weight.clone() for name, weight in weights(state).items()}
        values = iterate(state, objective, random_batch(config, iteration), ema=0.0, n_critic=3)
        moved = {name.split(".")[0] for name, weight in weights(state).items() if not torch.equal(weight, before[name])}
        assert moved == ({"discriminator", "generator"} if iteration % 3 == 0 else {"discriminator"})
        assert any(name.startswith("g/") for name in values) == (iteration % 3 == 0)
        live, average = state.translator.state_dict(), state.average.state_dict()
        assert all(torch.equal(live[name], average[name]) for name in live)  # an average by 0 is the weights


def test_rates_are_scaled_from_where_they_started() -> None:
    state = TrainingState(tiny(train__learning_rate=1e-3, train__mapping_learning_rate=1e-5), CPU)
    for factor in (0.5, 0.25, 1.0):
        state.scale_rates(factor)
        for name, optimiser in state.optimisers.items():
            assert optimiser.param_groups[0]["lr"] == factor * (1e-5 if name == "mapping_network" else 1e-3)


def test_bf16_trains_with_float32_weights() -> None:
    config = tiny(precision="bf16")
    state = TrainingState(config, CPU)
    values = iterate(state, build_objective(config), random_batch(config), ema=0.9, precision="bf16")
    assert all(value.isfinite() for value in values.values())
    assert {weight.dtype for weight in weights(state).values()} == {torch.float32}


def test_the_optimisers_follow_the_recipe() -> None:
    config = tiny(train__learning_rate=2e-3, train__mapping_learning_rate=3e-5)
    state = TrainingState(config, CPU)
    for name, optimiser in state.optimisers.items():
        group = optimiser.param_groups[0]
        assert group["lr"] == (3e-5 if name == "mapping_network" else 2e-3)
        assert (group["betas"], group["weight_decay"]) == ((0.0, 0.99), 1e-4)
