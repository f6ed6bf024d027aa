"""How a code enters the generator: concatenated to the image (StarGAN), or by AdaIN in every decoder block (v2)."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from core.model.layers import AdaptiveNorm, PlainNorm


class Injection(Protocol):
    """What the generator asks of an injection."""

    extra_channels: int  # that the generator's first convolution sees beside RGB

    def input(self, image: Tensor, code: Tensor) -> Tensor:
        """What the first convolution sees: (n, 3 + extra_channels, h, w)."""
        ...

    def norm(self, width: int) -> nn.Module:
        """A norm of the decoder."""
        ...


class Concat:
    """The code, repeated at every pixel, is appended to the image as channels (StarGAN, section 3.1)."""

    def __init__(self, code_dim: int) -> None:
        self.extra_channels = code_dim

    def input(self, image: Tensor, code: Tensor) -> Tensor:
        """(n, 3 + code_dim, h, w)."""
        planes = code[:, :, None, None].expand(-1, -1, *image.shape[2:])
        return torch.cat([image, planes.to(image.dtype)], dim=1)

    def norm(self, width: int) -> nn.Module:
        """Instance norm that ignores the code."""
        return PlainNorm(width)


class AdaIN:
    """The code sets scale and shift of every norm of the decoder (StarGAN v2, section 2.1)."""

    extra_channels = 0

    def __init__(self, code_dim: int) -> None:
        self.code_dim = code_dim

    def input(self, image: Tensor, code: Tensor) -> Tensor:
        """The image alone."""
        return image

    def norm(self, width: int) -> nn.Module:
        """Adaptive instance norm."""
        return AdaptiveNorm(width, self.code_dim)
