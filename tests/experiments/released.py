"""Checkpoints in the form in which the authors of StarGAN v2 released theirs, with small networks."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch

from core.config import Config, changed
from core.interop import to_stargan_v2
from core.model.build import Translator, build_translator

SIDE = 32


def network(**changes: Any) -> Translator:
    """Networks of the authors' sizes at 32 px, but narrow, with every weight drawn."""
    small = {
        "model.resolution": SIDE,
        "model.first_width": 4,
        "model.max_width": 12,
        "model.mapping_width": 10,
        "model.latent_dim": 5,
        "model.style_dim": 6,
        "data.domains": ["a", "b"],
    }
    translator = build_translator(changed(Config(), small | {key.replace("__", "."): v for key, v in changes.items()}))
    draws = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in translator.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=draws))
    return translator.eval()


def released(translator: Translator, prefix: str = "") -> dict[str, Any]:
    """The content of a `*_nets_ema.ckpt` with these weights."""
    networks = {"generator": translator.generator, **dict(translator.code.named_children())}
    return {
        name: OrderedDict((prefix + key, value) for key, value in to_stargan_v2(name, net.state_dict()).items())
        for name, net in networks.items()
    }
