"""Layers that the networks share: norms, residual blocks, per-domain linear layers, self-attention.

StarGAN v2 (arXiv 1912.01865), appendix on network architecture; self-attention from SAGAN (arXiv 1805.08318),
section 3. Everything that can take a code has the signature `forward(x, code)`; a part that has no use for the code
ignores it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.runtime import stream

Norm = Callable[[int], nn.Module]  # width -> a module with forward(x, code)


class NoNorm(nn.Module):
    """Lets x pass: the discriminator and the encoders have no norm."""

    def __init__(self, width: int) -> None:
        super().__init__()

    def forward(self, x: Tensor, code: Tensor | None) -> Tensor:
        """x: (n, width, h, w)."""
        return x


class PlainNorm(nn.InstanceNorm2d):
    """Instance norm with learned scale and shift, whatever the code."""

    def __init__(self, width: int) -> None:
        super().__init__(width, affine=True)

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:  # type: ignore[override]
        """x: (n, width, h, w)."""
        return super().forward(x)


class AdaptiveNorm(nn.Module):
    """Adaptive instance norm (AdaIN): scale and shift are linear functions of the code."""

    def __init__(self, width: int, code_dim: int) -> None:
        super().__init__()
        self.affine = nn.Linear(code_dim, 2 * width)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """x: (n, width, h, w); code: (n, code_dim)."""
        scale, shift = self.affine(code)[:, :, None, None].chunk(2, dim=1)
        return torch.addcmul(shift, F.instance_norm(x), 1 + scale)


class ResidualBlock(nn.Module):
    """Pre-activation residual block: norm, leaky ReLU, conv, twice; then (shortcut + residual) / sqrt 2.

    `resample` halves the side by average pooling ("down"), doubles it by nearest neighbours ("up") or keeps it ("").
    """

    def __init__(self, inputs: int, outputs: int, norm: Norm, resample: str = "") -> None:
        super().__init__()
        # The width changes where the map is small: after the pooling on the way down, before it grows on the way up.
        hidden = outputs if resample == "up" else inputs
        self.norm1, self.norm2 = norm(inputs), norm(hidden)
        self.conv1 = nn.Conv2d(inputs, hidden, 3, padding=1)
        self.conv2 = nn.Conv2d(hidden, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()
        self.down = nn.AvgPool2d(2) if resample == "down" else nn.Identity()
        self.up = nn.Upsample(scale_factor=2, mode="nearest") if resample == "up" else nn.Identity()

    def residual(self, x: Tensor, code: Tensor | None) -> Tensor:
        """What is added to the shortcut."""
        residual = self.conv1(self.up(F.leaky_relu(self.norm1(x, code), 0.2)))
        return self.conv2(F.leaky_relu(self.norm2(self.down(residual), code), 0.2))

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        """x: (n, inputs, h, w); code: (n, code_dim) or None where the norm takes none."""
        residual = self.residual(x, code)
        # A 1x1 convolution commutes with nearest upsampling and with average pooling: do it on the smaller map.
        shortcut = self.up(self.shortcut(self.down(x)))
        return (shortcut + residual) / math.sqrt(2)


class BareBlock(ResidualBlock):
    """The residual alone. The shortcut's weights stay, unused: the published networks hold and count them."""

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        """See `ResidualBlock`."""
        return self.residual(x, code)


class SelfAttention(nn.Module):
    """x + gamma * v(h(x) beta), beta = softmax(f(x)^T g(x)); gamma starts at 0, so the layer starts as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = max(1, width // 8)
        self.f, self.g = nn.Conv2d(width, inner, 1), nn.Conv2d(width, inner, 1)
        self.h, self.v = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        """x: (n, width, h, w)."""
        query, key, value = (part(x).flatten(2) for part in (self.f, self.g, self.h))  # (n, inner, places)
        beta = torch.softmax(query.transpose(1, 2) @ key, dim=1)  # beta[i, j]: how much place j looks at place i
        return x + self.gamma * self.v((value @ beta).unflatten(2, x.shape[2:]))


class DomainLinear(nn.Module):
    """One linear layer per domain, all of them applied to every row.

    A single weight of shape (domains, outputs, inputs): a domain that a batch does not ask for gets the gradient 0 and
    not none, so Adam treats it as the other weights.
    """

    def __init__(self, domains: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(domains, outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(domains, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) or (domains, n, inputs) -> (domains, n, outputs)."""
        return torch.matmul(x, self.weight.transpose(1, 2)) + self.bias[:, None]


def of_domain(branches: Tensor, domain: Tensor) -> Tensor:
    """Of (domains, n, d) the rows of each image's own domain: (n, d)."""
    return branches[domain, torch.arange(len(domain), device=domain.device)]


@torch.no_grad()
def initialise(network: nn.Module, seed: int, name: str) -> None:
    """Kaiming normal by fan-in, biases 0 (the paper's recipe).

    Every layer has a random stream of its own, named by its place, so two networks share the weights of the layers
    that they share.
    """
    for path, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear | DomainLinear):
            fan_in = module.weight.shape[2] if isinstance(module, DomainLinear) else module.weight[0].numel()
            draws = stream(seed, "initialise", name, path) if module.weight.device.type != "meta" else None
            module.weight.normal_(0, math.sqrt(2 / fan_in), generator=draws)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
