"""The generator: an image and a code in, the translated image out (StarGAN v2, appendix, generator architecture)."""

from __future__ import annotations

import math
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from core.config import ModelConfig
from core.model.injection import Injection
from core.model.layers import PlainNorm, ResidualBlock, SelfAttention
from core.model.skip import Skip


def widths(config: ModelConfig, smallest: int) -> list[int]:
    """Channels at resolution, resolution / 2, ... down to a map of side `smallest`."""
    halvings = int(math.log2(config.resolution // smallest))
    return [min(config.first_width * 2**level, config.max_width) for level in range(halvings + 1)]


class Generator(nn.Module):
    """Encoder with instance norm down to the bottleneck, decoder with the injection's norm back up."""

    def __init__(self, config: ModelConfig, injection: Injection, skip: Skip) -> None:
        super().__init__()
        self.injection, self.skip = injection, skip
        size = config.bottleneck_size // 2**skip.extra_pairs
        sizes = widths(config, size)
        bottom = sizes[-1]
        self.from_rgb = nn.Conv2d(3 + injection.extra_channels, sizes[0], 3, padding=1)
        encoder: list[nn.Module] = [ResidualBlock(wide, deep, PlainNorm, "down") for wide, deep in pairwise(sizes)]
        encoder += [ResidualBlock(bottom, bottom, PlainNorm) for _ in range(config.bottleneck_blocks)]
        decoder: list[nn.Module] = [skip.block(bottom, bottom, injection.norm) for _ in range(config.bottleneck_blocks)]
        if config.attention_size == size:
            decoder.append(SelfAttention(bottom))
        for deep, wide in zip(sizes[::-1], sizes[-2::-1], strict=False):
            decoder.append(skip.block(deep, wide, injection.norm, "up"))
            size *= 2
            if config.attention_size == size:
                decoder.append(SelfAttention(wide))
        self.encoder, self.decoder = nn.ModuleList(encoder), nn.ModuleList(decoder)
        self.to_rgb_norm = PlainNorm(sizes[0])
        self.to_rgb = nn.Conv2d(sizes[0], 3, 1)

    def forward(self, image: Tensor, code: Tensor, masks: Tensor | None = None) -> Tensor:
        """image: (n, 3, R, R) in [-1, 1]; code: (n, code_dim) -> (n, 3, R, R), not bounded: no tanh.

        masks: (n, 2, R/4, R/4) in [0, 1], where the skip looks; a skip that does not look anywhere needs none.
        """
        x = self.from_rgb(self.injection.input(image, code))
        kept: dict[int, Tensor] = {}
        for block in self.encoder:
            self.skip.keep(x, kept)
            x = block(x, code)
        for block in self.decoder:
            x = self.skip.add(block(x, code), kept, masks)
        return self.to_rgb(F.leaky_relu(self.to_rgb_norm(x), 0.2))
