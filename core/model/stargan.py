"""StarGAN's own networks: an encoder-decoder generator and a PatchGAN discriminator (Choi et al., CVPR 2018).

arXiv 1711.09020, appendix on network architecture. Padding is by zeros: reflected edges would let the instance norm
erase a label that is constant over the image.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.config import ModelConfig
from core.model.discriminator import Verdict
from core.model.injection import Injection
from core.model.skip import Skip
from core.runtime import stream

DOWN = 2  # halvings in the generator
PAPER_CONVS = 6  # in the discriminator, at 128 px


class TrackedNorm(nn.InstanceNorm2d):
    """Instance norm by the image's own statistics, always.

    The running ones are kept only because the authors' checkpoints have them: their program never leaves training mode.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, affine=True, track_running_stats=True)

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, width, h, w)."""
        return super().forward(x) if self.training else F.instance_norm(x, weight=self.weight, bias=self.bias)


class PlainResidual(nn.Module):
    """x + norm(conv(relu(norm(conv(x)))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm1 = TrackedNorm(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = TrackedNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, width, h, w)."""
        return x + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))


class ConvNorm(nn.Module):
    """relu(norm(conv(x)))."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d) -> None:
        super().__init__()
        self.conv, self.norm = conv, TrackedNorm(conv.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, inputs, h, w)."""
        return F.relu(self.norm(self.conv(x)))


class StarGANGenerator(nn.Module):
    """The image and the code in at full resolution, residual blocks at a quarter of it, tanh at the end."""

    def __init__(self, config: ModelConfig, injection: Injection, skip: Skip) -> None:
        """skip: StarGAN has none, whatever it is."""
        super().__init__()
        self.injection = injection
        sizes = [config.first_width * 2**level for level in range(DOWN + 1)]
        inputs = 3 + injection.extra_channels
        self.first = ConvNorm(nn.Conv2d(inputs, sizes[0], 7, padding=3, bias=False))
        self.down = nn.Sequential(*(ConvNorm(nn.Conv2d(a, b, 4, 2, 1, bias=False)) for a, b in pairwise(sizes)))
        self.blocks = nn.Sequential(*(PlainResidual(sizes[-1]) for _ in range(config.bottleneck_blocks)))
        back = pairwise(sizes[::-1])
        self.up = nn.Sequential(*(ConvNorm(nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False)) for a, b in back))
        self.to_rgb = nn.Conv2d(sizes[0], 3, 7, padding=3, bias=False)

    def forward(self, image: Tensor, code: Tensor, masks: Tensor | None = None) -> Tensor:
        """image: (n, 3, R, R) in [-1, 1]; code: (n, code_dim) -> (n, 3, R, R) in (-1, 1). masks serve no part here."""
        x = self.first(self.injection.input(image, code))
        return torch.tanh(self.to_rgb(self.up(self.blocks(self.down(x)))))


class PatchTrunk(nn.Module):
    """Image -> a map of features, each seeing a patch: 4x4 convolutions of stride 2 without norm, widths doubling."""

    def __init__(self, config: ModelConfig, attention: bool) -> None:
        super().__init__()
        levels = config.patch_convs or min(PAPER_CONVS, int(math.log2(config.resolution)) - 1)
        sizes = [3, *(config.first_width * 2**level for level in range(levels))]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(sizes))
        self.width, self.side = sizes[-1], config.resolution >> levels

    def forward(self, image: Tensor) -> Tensor:
        """(n, 3, R, R) in [-1, 1] -> (n, width, side, side)."""
        x = image
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.01)
        return x


class PatchAcganHead(nn.Module):
    """A real/fake output for every patch, and a classifier of the whole map."""

    penalised_with: ClassVar[Literal["image", "reference"]] = "image"

    def __init__(self, width: int, side: int, labels: int) -> None:
        super().__init__()
        self.score = nn.Conv2d(width, 1, 3, padding=1, bias=False)
        self.classes = nn.Conv2d(width, labels, side, bias=False)

    def forward(self, features: Tensor, domain: Tensor) -> Verdict:
        """features: (n, width, side, side); domain: (n,) int64."""
        return Verdict(self.score(features)[:, 0], self.classes(features).flatten(1))


class PatchMultitaskHead(nn.Module):
    """A real/fake output for every patch and domain; only the asked domain's map is looked at."""

    # As in `MultitaskHead`: a reading.
    penalised_with: ClassVar[Literal["image", "reference"]] = "reference"

    def __init__(self, width: int, side: int, labels: int) -> None:
        super().__init__()
        self.score = nn.Conv2d(width, labels, 3, padding=1, bias=False)

    def forward(self, features: Tensor, domain: Tensor) -> Verdict:
        """features: (n, width, side, side); domain: (n,) int64."""
        scores = self.score(features)
        return Verdict(scores[torch.arange(len(domain), device=domain.device), domain], None)


@torch.no_grad()
def initialise_uniformly(network: nn.Module, seed: int, name: str) -> None:
    """Weights and biases uniform in +-1 / sqrt(fan-in), torch's default: StarGAN's paper states nothing else.

    Every layer has a random stream of its own, named by its place.
    """
    for path, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            # As torch counts it: a transposed convolution's weight starts with its inputs.
            bound = 1 / math.sqrt(module.weight[0].numel())
            draws = stream(seed, "initialise", name, path) if module.weight.device.type != "meta" else None
            module.weight.uniform_(-bound, bound, generator=draws)
            if module.bias is not None:
                module.bias.uniform_(-bound, bound, generator=draws)
