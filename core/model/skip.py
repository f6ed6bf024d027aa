"""What of the encoder's features goes around the generator's bottleneck: nothing, or their edges (the high-pass skip).

The published CelebA-HQ networks of StarGAN v2 keep the eyes, nose, mouth and outline of a face by the latter.
"""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.errors import UserError
from core.model.layers import BareBlock, ResidualBlock


class Skip(nn.Module):
    """Common to all skips."""

    extra_pairs: ClassVar[int]  # of down and up blocks, beside those to the bottleneck's usual size
    block: ClassVar[type[ResidualBlock]]  # of the decoder

    def keep(self, x: Tensor, kept: dict[int, Tensor]) -> None:
        """Put what will be needed of an encoder's map (n, width, side, side) into `kept`, by its side."""
        raise NotImplementedError

    def add(self, x: Tensor, kept: dict[int, Tensor], masks: Tensor | None) -> Tensor:
        """A decoder's map (n, width, side, side) with what was kept at its side; masks: (n, 2, R/4, R/4) or None."""
        raise NotImplementedError


class NoSkip(Skip):
    """Everything passes the bottleneck."""

    extra_pairs = 0
    block = ResidualBlock

    def keep(self, x: Tensor, kept: dict[int, Tensor]) -> None:
        """Nothing."""

    def add(self, x: Tensor, kept: dict[int, Tensor], masks: Tensor | None) -> Tensor:
        """The map alone."""
        return x


class HighPassSkip(Skip):
    """x + Laplacian(mask * encoded) / weight at 32, 64 and 128 px, in a decoder whose blocks have no shortcuts."""

    extra_pairs = 1
    block = BareBlock
    filter: Tensor
    mask_of: ClassVar[dict[int, int]] = {32: 0, 64: 1, 128: 1}  # side of a map -> which of the masks serves it

    def __init__(self, weight: float) -> None:
        super().__init__()
        laplacian = -torch.ones(3, 3)
        laplacian[1, 1] = 8
        self.register_buffer("filter", laplacian / weight)

    def keep(self, x: Tensor, kept: dict[int, Tensor]) -> None:
        """The map, where a mask serves its side."""
        side = x.shape[-1]
        if side in self.mask_of:
            kept[side] = x

    def add(self, x: Tensor, kept: dict[int, Tensor], masks: Tensor | None) -> Tensor:
        """The map with the masked edges of the encoder's. Raises UserError where there are no masks."""
        side = x.shape[-1]
        encoded = kept.pop(side, None)
        if encoded is None:
            return x
        if masks is None:
            raise UserError(
                "model.high_pass needs masks of facial landmarks for every image, and these images have none. Set "
                "model.landmarks to a landmark model, which makes them for any image, or data.masks to a folder."
            )
        place = self.mask_of[side]
        mask = F.interpolate(masks[:, place : place + 1].to(x.dtype), size=side, mode="bilinear")
        width = x.shape[1]
        kernel = self.filter.to(x.dtype).expand(width, 1, 3, 3)
        return x + F.conv2d(mask * encoded, kernel, padding=1, groups=width)
