"""The judge: a small network, trained on the real training images, that says which domain an image shows.

Where the true factors of the images are known, it reads those as well. It measures how many translations are recognised
as their target domain (StarGAN's own measure: Choi et al. 2018, section 5), and stands in where published weights
cannot be had: a Fréchet distance and a diversity in its features, which must never be called FID and LPIPS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.images import to_float, to_uint8
from core.metrics.perceptual import mean_pairwise
from core.metrics.weights import checksum

VERSION = 1  # raise it whenever the network or its training changes: judges of two versions are not comparable
LARGEST = 64  # pixels: larger images are scaled down to this
FEATURES = 64
CHUNK = 256  # images in the network at once
CHANNELS = (16, 32, 64)


class JudgeNetwork(nn.Module):
    """Three halvings, a 4x4 map (where things are must stay readable), 64 features, two linear heads."""

    factor_mean: Tensor
    factor_scale: Tensor

    def __init__(self, resolution: int, domains: int, factors: int):
        """resolution: of the data set's images; a power of two, at least 16."""
        super().__init__()
        self.side = min(resolution, LARGEST)
        widths = (3, *CHANNELS)
        # At 64 pixels the first convolution has a stride, so that the work is that of 32.
        strides = (2 if self.side == LARGEST else 1, 1, 1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 5 if stride == 2 else 3, stride, padding=stride, bias=False),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(0.1),
            )
            for before, after, stride in zip(widths, widths[1:], strides, strict=False)
        )
        self.read = nn.Sequential(
            nn.Linear(CHANNELS[-1] * 16, FEATURES, bias=False), nn.BatchNorm1d(FEATURES), nn.LeakyReLU(0.1)
        )
        self.heads = nn.Linear(FEATURES, domains + factors)  # factors in standard deviations from their mean
        self.register_buffer("factor_mean", torch.zeros(factors))
        self.register_buffer("factor_scale", torch.ones(factors))

    def maps(self, images: Tensor) -> list[Tensor]:
        """Float (n, 3, side, side) in [-1, 1] -> the feature maps after each block."""
        maps = []
        for number, block in enumerate(self.blocks):
            images = block(F.max_pool2d(images, 2) if number else images)
            maps.append(images)
        return maps

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """-> features (n, 64), domain logits (n, K), standardised factors (n, F)."""
        top = F.adaptive_avg_pool2d(self.maps(images)[-1], 4)
        features = self.read(top.flatten(1))
        factors = len(self.factor_mean)
        logits, standardised = self.heads(features).split((self.heads.out_features - factors, factors), dim=1)
        return features, logits, standardised


@dataclass(frozen=True)
class Reading:
    """What the judge sees in n images, on the CPU."""

    domains: Tensor  # (n,) int64, the most likely domain
    features: Tensor  # (n, 64) float32
    factors: Tensor  # (n, F) float32, in the units of the true factors; F = 0 where none are known


class Judge:
    """A trained judge. Images: float (n, 3, R, R) in [-1, 1], any R; seen through 8 bits, one by one."""

    name = f"judge v{VERSION}"

    def __init__(self, network: JudgeNetwork, factors: Sequence[str], report: dict, device: torch.device):
        """factors: the names of what it reads beside the domain. report: how good it is on held-out real images."""
        self.network = network.eval().requires_grad_(False).to(device)
        self.factor_names = tuple(factors)
        self.report = report
        self.checksum = checksum(network.state_dict())
        self._device = device

    @property
    def protocol(self) -> str:
        """What stands beside every number of its own."""
        return f"{self.name} {self.checksum}"

    @torch.inference_mode()
    def read(self, images: Tensor) -> Reading:
        """Everything at once."""
        parts = []
        for chunk in images.split(CHUNK):
            features, logits, factors = self.network(self._prepare(chunk))
            factors = factors * self.network.factor_scale + self.network.factor_mean
            parts.append((logits.argmax(1).cpu(), features.cpu(), factors.cpu()))
        domains, features, factors = (torch.cat(column) for column in zip(*parts, strict=True))
        return Reading(domains, features, factors)

    def domains(self, images: Tensor) -> Tensor:
        """The most likely domain of each, (n,)."""
        return self.read(images).domains

    def features(self, images: Tensor) -> Tensor:
        """The layer before the heads, (n, 64)."""
        return self.read(images).features

    def factors(self, images: Tensor) -> Tensor:
        """The factors read, (n, F)."""
        return self.read(images).factors

    def __call__(self, images: Tensor) -> Tensor:
        """The features: a judge is an `Extractor`."""
        return self.features(images)

    @torch.inference_mode()
    def mean_pairwise(self, images: Tensor) -> Tensor:
        """A judge is a `Perceptual`: LPIPS's construction on the judge's own maps, all channels weighing the same."""
        groups = []
        for group in images.split(max(1, CHUNK // images.shape[1])):
            maps = self.network.maps(self._prepare(group.flatten(0, 1)))
            groups.append(mean_pairwise(maps, [None] * len(maps), images.shape[1]).cpu())
        return torch.cat(groups)

    def _prepare(self, images: Tensor) -> Tensor:
        return shrink(to_uint8(images.to(self._device)), self.network.side)


def shrink(images: Tensor, side: int) -> Tensor:
    """uint8 (n, 3, R, R) -> float [-1, 1] (n, 3, side, side), antialiased."""
    floats = to_float(images)
    if images.shape[-1] == side:
        return floats
    return F.interpolate(floats, (side, side), mode="bilinear", antialias=True, align_corners=False)
