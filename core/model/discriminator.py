"""The discriminator, and the convolutional trunk that it shares in kind with the encoders.

Heads: ACGAN (one real/fake output and a domain classifier: StarGAN, section 3.1) and multi-task (one real/fake output
per domain: StarGAN v2, section 2.1).
"""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, Literal, NamedTuple, Protocol

import torch.nn.functional as F
from torch import Tensor, nn

from core.config import ModelConfig
from core.model.generator import widths
from core.model.layers import NoNorm, ResidualBlock, SelfAttention


class Trunk(nn.Module):
    """Image -> one feature vector: residual blocks without norm down to 4 px, then a 4x4 convolution."""

    def __init__(self, config: ModelConfig, attention: bool) -> None:
        super().__init__()
        sizes = widths(config, 4)
        self.from_rgb = nn.Conv2d(3, sizes[0], 3, padding=1)
        blocks: list[nn.Module] = []
        side = config.resolution
        for wide, deep in pairwise(sizes):
            if attention and side == config.attention_size:
                blocks.append(SelfAttention(wide))
            blocks.append(ResidualBlock(wide, deep, NoNorm, "down"))
            side //= 2
        if attention and side == config.attention_size:
            blocks.append(SelfAttention(sizes[-1]))
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Conv2d(sizes[-1], sizes[-1], 4)
        self.width, self.side = sizes[-1], 1

    def forward(self, image: Tensor) -> Tensor:
        """(n, 3, R, R) in [-1, 1] -> (n, width)."""
        x = F.leaky_relu(self.blocks(self.from_rgb(image)), 0.2)
        return F.leaky_relu(self.last(x), 0.2).flatten(1)


class Verdict(NamedTuple):
    """What a discriminator says of n images that pass as images of a domain."""

    score: Tensor  # (n,), or (n, h, w) where patches are judged; above 0: real
    classes: Tensor | None  # (n, labels) logits, where the head classifies


class Head(Protocol):
    """What the discriminator asks of a head."""

    penalised_with: ClassVar[Literal["image", "reference"]]  # the real partner of a fake in the gradient penalty

    def __call__(self, features: Tensor, domain: Tensor) -> Verdict:
        """features: what the trunk gives; domain: (n,) int64."""
        ...


class AcganHead(nn.Module):
    """One real/fake output, whatever the domain, and a classifier of labels."""

    penalised_with: ClassVar[Literal["image", "reference"]] = "image"

    def __init__(self, width: int, side: int, labels: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1)
        self.classes = nn.Linear(width, labels)

    def forward(self, features: Tensor, domain: Tensor) -> Verdict:
        """See `Head`."""
        return Verdict(self.score(features)[:, 0], self.classes(features))


class MultitaskHead(nn.Module):
    """One real/fake output per domain; only the asked domain's is looked at."""

    # The branch of the target domain is penalised, so the real partner has to come from that domain (a reading).
    penalised_with: ClassVar[Literal["image", "reference"]] = "reference"

    def __init__(self, width: int, side: int, labels: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, labels)

    def forward(self, features: Tensor, domain: Tensor) -> Verdict:
        """See `Head`."""
        return Verdict(self.score(features).gather(1, domain[:, None])[:, 0], None)


class Discriminator(nn.Module):
    """A trunk and a head."""

    head: Head

    def __init__(self, trunk: nn.Module, head: nn.Module) -> None:
        """head: a `Head`."""
        super().__init__()
        self.trunk, self.head = trunk, head  # type: ignore[assignment]

    def forward(self, image: Tensor, domain: Tensor) -> Verdict:
        """image: (n, 3, R, R) in [-1, 1]; domain: (n,) int64, the domain that the image has or passes for."""
        return self.head(self.trunk(image), domain)
