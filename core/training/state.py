"""Everything a training run changes, in one object: networks, moving averages, optimisers, counters."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.config import Config
from core.errors import UserError
from core.model.build import Translator, build_discriminator, build_translator


class TrainingState:
    """The state of a run; `save` and `load` keep all of it."""

    def __init__(self, config: Config, device: torch.device) -> None:
        """Fresh networks, a function of `config.seed`; the average is a copy made after initialisation."""
        self.iteration = 0  # iterations done
        self.seconds = 0.0  # spent in training so far, over all attempts
        self.translator = build_translator(config).to(device)
        self.discriminator = build_discriminator(config).to(device)
        self.average: Translator = copy.deepcopy(self.translator).eval().requires_grad_(False)
        self.networks: dict[str, nn.Module] = {
            "generator": self.translator.generator,
            "discriminator": self.discriminator,
            **dict(self.translator.code.named_children()),
        }
        self.rates = {name: _rate(config, name) for name in self.networks}
        self.optimisers = {name: _adam(config, self.rates[name], network) for name, network in self.networks.items()}

    def scale_rates(self, factor: float) -> None:
        """Set every learning rate to `factor` times its own at the start of the run."""
        for name, optimiser in self.optimisers.items():
            for group in optimiser.param_groups:
                group["lr"] = factor * self.rates[name]

    @torch.no_grad()
    def update_average(self, decay: float) -> None:
        """One step of the exponential moving average of generator and code networks; by decay 0 it is their weights."""
        averages: list[Tensor] = list(self.average.parameters())
        weights: list[Tensor] = list(self.translator.parameters())
        torch._foreach_lerp_(averages, weights, 1 - decay)
        for average, live in zip(self.average.buffers(), self.translator.buffers(), strict=True):
            average.copy_(live)

    def parameters_of(self) -> dict[str, int]:
        """Number of weights of every network."""
        return {name: sum(p.numel() for p in network.parameters()) for name, network in self.networks.items()}

    def state_dict(self) -> dict[str, Any]:
        """Plain data and tensors only, so that it can be loaded without executing anything."""
        return {
            "iteration": self.iteration,
            "seconds": self.seconds,
            "networks": {name: network.state_dict() for name, network in self.networks.items()},
            "average": self.average.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        self.iteration, self.seconds = state["iteration"], state["seconds"]
        for name, network in self.networks.items():
            network.load_state_dict(state["networks"][name])
            self.optimisers[name].load_state_dict(state["optimisers"][name])
        self.average.load_state_dict(state["average"])


def _rate(config: Config, name: str) -> float:
    return config.train.mapping_learning_rate if name == "mapping_network" else config.train.learning_rate


def _adam(config: Config, rate: float, network: nn.Module) -> torch.optim.Adam:
    recipe = config.train
    return torch.optim.Adam(
        network.parameters(),
        lr=rate,
        betas=(recipe.beta1, recipe.beta2),
        weight_decay=recipe.weight_decay,
        fused=True,
    )


def save(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint whole or not at all: under a temporary name, then renamed.

    Raises UserError where it cannot be written; what was saved before is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch says RuntimeError where a disk is full
        raise UserError(
            f"{path}: cannot be written ({error}). Free the disk: the same command goes on from the last checkpoint."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def load(path: Path, device: torch.device) -> dict[str, Any]:
    """Read a checkpoint as data only. Raises UserError where it is damaged."""
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise UserError(f"{path}: this checkpoint is damaged ({type(error).__name__}). Delete it.") from error
