"""The evaluation of the released program of StarGAN v2, which gave the published numbers: protocol `authors`.

Not comparable with FID and LPIPS as published by their own authors (protocol `standard`):

- The network is torchvision's, trained on ImageNet, not the one of Heusel et al. It sees pixels as normalised by
  ImageNet's mean and deviation: torchvision's own step back to [-1, 1] is left out.
- Images are brought to the network's side bilinearly in 8 bits. That they came to their own resolution in the same way
  is the data's business: `core/data/decode.py` does it.
- LPIPS sees the generator's floats, FID the 8 bits of a saved picture.
- LPIPS is averaged in a batch of sources and then over batches, so the last, smaller one counts too much.

Their LPIPS is taken to be the lpips package's version 0.1 on AlexNet. Their program stops where a target domain has
fewer references than a batch; here references are drawn for each source, so any number will do.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from core.data.images import to_uint8
from core.metrics import weights

BATCH = 32  # sources in a batch of the released program's evaluation
SIDE = 299  # pixels, of Inception's input
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels in [0, 1]


class TorchvisionInception:
    """torchvision's Inception v3, trained on ImageNet: the features (n, 2048) of its last average pooling."""

    name = "torchvision Inception"

    def __init__(self, device: torch.device):
        """The weights must lie in torch's cache: see `weights.fetch`. Raises UserError where the file is damaged."""
        state, self.checksum = weights.load(weights.TORCHVISION_INCEPTION)
        self._network = _network(state).to(device)
        self._mean, self._deviation = (torch.tensor(v, device=device).view(3, 1, 1) for v in (MEAN, DEVIATION))
        self._device = device

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """images: float (n, 3, R, R) in [-1, 1]; seen through 8 bits, as in PNG files."""
        pixels = resized(to_uint8(images), SIDE).to(self._device).float() / 255
        return self._network((pixels - self._mean) / self._deviation)


def resized(images: Tensor, side: int) -> Tensor:
    """uint8 (n, 3, R, R) -> uint8 (n, 3, side, side) as Pillow does it: bilinear, antialiased where it shrinks."""
    arrays = images.permute(0, 2, 3, 1).cpu().numpy()
    pictures = [Image.fromarray(array).resize((side, side), Image.Resampling.BILINEAR) for array in arrays]
    return torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])).permute(0, 3, 1, 2)


def mean_over_batches(values: Tensor, batch: int = BATCH) -> Tensor:
    """Values (n,), one a source: averaged in consecutive batches, then over batches, each counting the same."""
    return torch.stack([part.mean() for part in values.split(batch)]).mean()


def _network(state: dict[str, Tensor]) -> nn.Module:
    from torchvision.models import Inception3  # loads torchvision: only where FID is measured

    with torch.random.fork_rng(devices=[]):
        network = Inception3(init_weights=False)  # transform_input=False: pixels come as they are
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise weights.damaged(weights.TORCHVISION_INCEPTION, error) from error
    network.AuxLogits = None  # of training
    network.fc = nn.Identity()
    return network.eval()
