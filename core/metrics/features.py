"""Feature extractors: images -> the features in which a Fréchet or kernel distance is measured."""

from __future__ import annotations

from typing import Protocol
from unittest import mock

import torch
from torch import Tensor, nn

from core.data.images import to_uint8
from core.metrics import weights


class Extractor(Protocol):
    """Images float (n, 3, R, R) in [-1, 1] -> features float32 (n, d), whatever the batch they come in."""

    name: str
    checksum: str  # of the weights

    def __call__(self, images: Tensor) -> Tensor:
        """See the class."""
        ...


class Inception:
    """pytorch-fid's Inception, pool3: what FID and KID are defined on. Features (n, 2048)."""

    name = "pytorch-fid Inception"

    def __init__(self, device: torch.device):
        """The weights must lie in torch's cache: see `weights.fetch`. Raises UserError where the file is damaged."""
        state, self.checksum = weights.load(weights.INCEPTION)
        self._network = _network(state).to(device)
        self._device = device

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """images: float (n, 3, R, R) in [-1, 1]; seen through 8 bits, as pytorch-fid sees them in PNG files."""
        pixels = to_uint8(images.to(self._device)).float() / 255
        return self._network(pixels)[0].flatten(1)


def _network(state: dict[str, Tensor]) -> nn.Module:
    from pytorch_fid import inception  # loads torchvision: only where FID is measured

    # pytorch-fid unpickles its weights unguarded; it gets the ones that were loaded as data.
    given = mock.patch.object(inception, "load_state_dict_from_url", return_value=state)
    with given, torch.random.fork_rng(devices=[]):
        try:
            return inception.InceptionV3().eval()
        except RuntimeError as error:
            raise weights.damaged(weights.INCEPTION, error) from error
