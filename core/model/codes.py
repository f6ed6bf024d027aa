"""What tells the generator where to go: a domain label, a label with a latent code, or a style code.

Every code is made from noise (`of_noise`) or read off an image (`of_image`), so the cycle and the reconstruction of the
code are written once for all of them (StarGAN v2, section 2).
"""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.config import GUIDES, ModelConfig
from core.model.discriminator import Trunk
from core.model.layers import DomainLinear, of_domain

Labels = tuple[tuple[float, ...], ...]  # of every domain, see core.config.label_table


class Code(nn.Module):
    """Common to all codes. The children of the module are the networks that make it."""

    guides: ClassVar[tuple[str, ...]]  # the updates of an iteration, in order; what `of_noise` and `of_image` serve
    dim: int  # length of the code
    stochastic: int  # how many of its leading entries vary; these are reconstructed

    def __init__(self, config: ModelConfig, labels: Labels) -> None:
        super().__init__()

    def of_noise(self, latent: Tensor, domain: Tensor) -> Tensor:
        """latent: (n, latent_dim); domain: (n,) int64, where to go -> (n, dim)."""
        raise NotImplementedError

    def of_image(self, image: Tensor, domain: Tensor) -> Tensor:
        """image: (n, 3, R, R) of `domain` -> (n, dim), the code that describes it."""
        raise NotImplementedError

    def networks_trained_by(self, guide: str) -> dict[str, nn.Module]:
        """The networks of the code that take a step in a generator update under this guide.

        Only those guided by noise: the authors found that training them by references too degrades results.
        """
        return dict(self.named_children()) if guide == "latent" else {}


class LabelCode(Code):
    """The label of the domain: one-hot, or its attributes. It does not vary (rungs A to C)."""

    guides = GUIDES["label"]
    stochastic = 0

    def __init__(self, config: ModelConfig, labels: Labels) -> None:
        super().__init__(config, labels)
        self.dim = len(labels[0])
        self.labels: Tensor
        self.register_buffer("labels", torch.tensor(labels), persistent=False)

    def of_noise(self, latent: Tensor, domain: Tensor) -> Tensor:
        """See `Code`."""
        return self.labels[domain]

    def of_image(self, image: Tensor, domain: Tensor) -> Tensor:
        """See `Code`."""
        return self.labels[domain]


class Encoder(nn.Module):
    """Image -> a code, one output for all domains (rung D)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.trunk = Trunk(config, attention=False)
        self.output = nn.Linear(self.trunk.width, config.latent_dim)

    def forward(self, image: Tensor) -> Tensor:
        """(n, 3, R, R) -> (n, latent_dim)."""
        return self.output(self.trunk(image))


class LatentCode(Code):
    """[z; one-hot domain]: the latent code goes straight in, styles are shared by the domains (rung D)."""

    guides = GUIDES["latent"]

    def __init__(self, config: ModelConfig, labels: Labels) -> None:
        super().__init__(config, labels)
        self.domains = len(labels)
        self.stochastic = config.latent_dim
        self.dim = config.latent_dim + len(labels)
        self.encoder = Encoder(config)

    def of_noise(self, latent: Tensor, domain: Tensor) -> Tensor:
        """See `Code`."""
        return torch.cat([latent, F.one_hot(domain, self.domains).to(latent.dtype)], dim=1)

    def of_image(self, image: Tensor, domain: Tensor) -> Tensor:
        """See `Code`."""
        return self.of_noise(self.encoder(image), domain)


class MappingNetwork(nn.Module):
    """F: a latent code and a domain -> a style code. Four shared layers, four per domain."""

    def __init__(self, config: ModelConfig, domains: int) -> None:
        super().__init__()
        width = config.mapping_width
        self.shared = nn.ModuleList(nn.Linear(config.latent_dim if i == 0 else width, width) for i in range(4))
        self.unshared = nn.ModuleList(DomainLinear(domains, width, width) for _ in range(3))
        self.output = DomainLinear(domains, width, config.style_dim)

    def forward(self, latent: Tensor, domain: Tensor) -> Tensor:
        """latent: (n, latent_dim); domain: (n,) int64 -> (n, style_dim)."""
        x = latent
        for layer in (*self.shared, *self.unshared):
            x = F.relu(layer(x))
        return of_domain(self.output(x), domain)


class StyleEncoder(nn.Module):
    """E: an image and its domain -> the style code of the image in that domain."""

    def __init__(self, config: ModelConfig, domains: int) -> None:
        super().__init__()
        self.trunk = Trunk(config, attention=False)
        self.output = DomainLinear(domains, self.trunk.width, config.style_dim)

    def forward(self, image: Tensor, domain: Tensor) -> Tensor:
        """image: (n, 3, R, R); domain: (n,) int64 -> (n, style_dim)."""
        return of_domain(self.output(self.trunk(image)), domain)


class StyleCode(Code):
    """A style code of the target domain, by the mapping network or read off a reference (rungs E and F)."""

    guides = GUIDES["style"]

    def __init__(self, config: ModelConfig, labels: Labels) -> None:
        super().__init__(config, labels)
        self.dim = self.stochastic = config.style_dim
        self.mapping_network = MappingNetwork(config, len(labels))
        self.style_encoder = StyleEncoder(config, len(labels))

    def of_noise(self, latent: Tensor, domain: Tensor) -> Tensor:
        """See `Code`."""
        return self.mapping_network(latent, domain)

    def of_image(self, image: Tensor, domain: Tensor) -> Tensor:
        """See `Code`."""
        return self.style_encoder(image, domain)
