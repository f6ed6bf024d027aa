"""Trains small runs in float64 and says what came of them: alone where it is imported, in several under torchrun."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from ablations import paper
from ablations.rung import ladder_arms
from ablations.stargan import LADDER
from core.config import Config, changed
from core.data import batches
from core.data.critters import load_critters
from core.data.images import ImageSet, Item
from core.training.divergence import Diverged
from core.training.loop import Hooks, Stopped, train
from core.training.replicas import Replica, open_replica
from core.training.state import TrainingState, load, save
from tests.core.settings import tiny

CPU = torch.device("cpu")
RECIPE: dict[str, Any] = {"train__batch": 4, "train__log_every": 1, "train__budget": "iterations"}


class Masks:
    """As the high-pass skip wants them, made of the images: two channels of a quarter of the side."""

    def __init__(self, images: ImageSet) -> None:
        self.domains, self.sizes, self.resolution = images.domains, images.sizes, images.resolution // 4
        self.images = images

    def read(self, items: Sequence[Item], augment: Tensor | None = None) -> Tensor:
        return self.images.read(items, augment)[:, :2, ::4, ::4]


def cases() -> dict[str, Config]:
    """Every rung, StarGAN with several critic updates and permuted targets, and the generator with unused weights."""
    short = tiny(train__steps=4, **RECIPE)
    long = tiny(train__steps=7, **RECIPE)
    rungs = {arm.label: arm.config for arm in ladder_arms(LADDER, short)}
    stargan = {f"paper-{arm.label}": arm.config for arm in ladder_arms(paper.LADDER, long, ("A",))}
    size = {"model.resolution": 32, "model.high_pass": 1.0, "data.masks": "masks", "data.root": "images"}
    return {**rungs, **stargan, "high-pass": changed(short, size)}


def outcomes(replica: Replica, folder: Path) -> dict[str, Any]:
    """{case: the run's curve and the state at its end}, and how runs end that do not end well."""
    results = {name: trained(config, replica) for name, config in cases().items()}
    return {**results, "resumed": resumed(cases()["F"], replica, folder), "diverged": diverged(cases()["A"], replica)}


def trained(config: Config, replica: Replica, state: TrainingState | None = None, **hooks: Any) -> dict[str, Any]:
    side = config.model.resolution
    data = load_critters(6, 2, side).train
    state = state or TrainingState(config, replica.device)
    curve: list[dict[str, float]] = []
    watching = Hooks(log=lambda _, values: curve.append(values), **hooks)
    train(config, state, data, replica, watching, Masks(data) if config.model.high_pass else None)
    return {"curve": curve, "state": state.state_dict()}


def resumed(config: Config, replica: Replica, folder: Path) -> dict[str, Any]:
    """As the last process is asked to stop in the middle, the first one saves, and all go on from there."""
    state, path = TrainingState(config, replica.device), folder / f"of-{replica.count}.pt"
    hooks = {
        "checkpoint": lambda state: save(state.state_dict(), path),
        "should_stop": lambda: replica.rank == replica.count - 1 and state.iteration == 2,
    }
    try:
        trained(config, replica, state, **hooks)
    except Stopped:
        state = TrainingState(config, replica.device)
        state.load_state_dict(load(path, replica.device))
    return trained(config, replica, state)


def diverged(config: Config, replica: Replica) -> tuple[int, tuple[str, ...]]:
    """What is said by each, where only the last one's networks make a loss that is not finite."""
    state = TrainingState(config, replica.device)
    if replica.rank == replica.count - 1:
        state.translator.generator.to_rgb.bias.data.fill_(torch.nan)
    try:
        trained(config, replica, state)
    except Diverged as divergence:
        return divergence.iteration, divergence.what
    return 0, ()


@contextmanager
def in_float64() -> Iterator[None]:
    """Networks, latents and images in float64 inside the block: rounding is then far below what a mistake makes."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with (
            mock.patch.object(batches, "to_float", lambda images: images.double() / 127.5 - 1),
            mock.patch.object(batches, "masks_to_float", lambda masks: masks.double() / 255),
        ):
            yield
    finally:
        torch.set_default_dtype(before)


def main(folder: Path) -> None:
    with in_float64():
        replica = open_replica(CPU)
        torch.save(outcomes(replica, folder), folder / f"outcomes-{replica.rank}.pt")
        replica.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
