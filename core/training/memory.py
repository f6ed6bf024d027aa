"""How much memory a training step takes, found without taking it: the step's graph on torch's meta device.

Saved activations are counted exactly, once each; weights, gradients, Adam's two moments and the average are five times
the parameters at most. What libraries need beside that is an allowance.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from core.config import Config
from core.data.batches import Batch
from core.errors import UserError
from core.losses.objective import GeneratorPass, build_objective, total
from core.model.build import build_discriminator, build_translator

ALLOWANCE = 500 * 2**20  # bytes: interpreter, libraries, workspaces
HEADROOM = 1.3  # of what is counted: fragmentation, temporaries, the backward pass's own


def step_bytes(config: Config) -> int:
    """Bytes that training takes at its peak: the generator update, the largest graph of an iteration."""
    small = dataclasses.replace(config, train=dataclasses.replace(config.train, batch=1))
    return int(ALLOWANCE + HEADROOM * (_weights(config) + config.train.batch * _activations(small)))


def refuse_too_large(config: Config, device: torch.device, available: int | None) -> None:
    """Raise UserError where a step cannot fit in the device's free memory, naming a batch that does."""
    if device.type == "cuda":
        available = torch.cuda.mem_get_info(device)[0]
    needed = step_bytes(config)
    if available is None or needed <= available:
        return
    single = dataclasses.replace(config, train=dataclasses.replace(config.train, batch=1))
    fixed, one = ALLOWANCE + HEADROOM * _weights(config), HEADROOM * _activations(single)
    fits = int((available - fixed) // one)
    advice = f"train.batch={fits}" if fits >= 1 else "a smaller model.resolution or model.first_width"
    raise UserError(
        f"train.batch={config.train.batch} at {config.model.resolution} px needs about {needed / 2**30:.1f} GiB of "
        f"memory and {available / 2**30:.1f} GiB are free: use {advice}."
    )


def _weights(config: Config) -> float:
    with torch.device("meta"):
        networks = (build_translator(config), build_discriminator(config))
    return 5 * sum(p.numel() * p.element_size() for network in networks for p in network.parameters())


def _activations(config: Config) -> float:
    """Bytes kept for the backward pass of a generator update."""
    sizes: dict[int, int] = {}
    kept: list[Tensor] = []  # alive until counted, so that no storage takes the place of another

    def count(tensor: Tensor) -> Tensor:
        sizes[tensor.untyped_storage()._cdata] = tensor.untyped_storage().nbytes()
        kept.append(tensor)
        return tensor

    with torch.device("meta"):
        translator, discriminator = build_translator(config), build_discriminator(config)
        discriminator.requires_grad_(False)
        objective = build_objective(config)
        update = GeneratorPass(translator, discriminator, _empty_batch(config), "latent")
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            total(objective.generator, 0, update)
    weights = {p.untyped_storage()._cdata for network in (translator, discriminator) for p in network.parameters()}
    return float(sum(size for name, size in sizes.items() if name not in weights))


def _empty_batch(config: Config) -> Batch:
    size, side = config.train.batch, config.model.resolution
    domain = torch.zeros(size, dtype=torch.int64)
    image = torch.empty(size, 3, side, side)
    latent = torch.empty(size, config.model.latent_dim)
    masks = torch.empty(size, 2, side // 4, side // 4)
    return Batch(domain, domain, latent, latent, torch.empty(size, 1, 1, 1), image, image, image, masks)
