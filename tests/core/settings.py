"""Small configurations that tests share."""

from __future__ import annotations

from typing import Any

import torch

from core.config import Config, changed
from core.data.batches import Batch

TINY: dict[str, Any] = {
    "model.resolution": 16,
    "model.first_width": 4,
    "model.max_width": 8,
    "model.bottleneck_size": 8,
    "model.bottleneck_blocks": 1,
    "model.latent_dim": 4,
    "model.style_dim": 6,
    "model.mapping_width": 8,
    "train.batch": 3,
    "train.steps": 4,
}
LABEL: dict[str, Any] = {"model.code": "label", "loss.diversity": 0.0, "loss.reconstruction": 0.0}
STARGAN: dict[str, Any] = LABEL | {
    "model.backbone": "stargan",
    "model.injection": "concat",
    "model.head": "acgan",
    "loss.classification": 1.0,
    "loss.adversarial": "wasserstein",
    "loss.penalty": "gradient_penalty",
}


def tiny(**changes: Any) -> Config:
    """The tiny style-code configuration with changes; `__` in a name stands for a dot."""
    return changed(Config(), TINY | {name.replace("__", "."): value for name, value in changes.items()})


def random_batch(config: Config, seed: int = 0) -> Batch:
    """A batch of noise with every image that a batch can hold, as the networks see it."""
    draws = torch.Generator().manual_seed(seed)
    size, side = config.train.batch, config.model.resolution
    domain, target = (torch.randint(len(config.data.domains), (size,), generator=draws) for _ in range(2))
    latent, latent2 = torch.randn(2, size, config.model.latent_dim, generator=draws)
    images = torch.rand(3, size, 3, side, side, generator=draws) * 2 - 1
    return Batch(domain, target, latent, latent2, torch.rand(size, 1, 1, 1, generator=draws), *images)
