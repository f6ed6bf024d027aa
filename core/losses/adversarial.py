"""Adversarial losses and the penalties that keep a discriminator smooth.

Wasserstein with gradient penalty: Gulrajani et al., arXiv 1704.00028, eq. 3. Logistic (non-saturating) with R1:
Mescheder et al., arXiv 1801.04406, eq. 9. Hinge: SAGAN, arXiv 1805.08318, eq. 4. Scores are (n,), above 0 meaning real;
or (n, h, w), one for each patch of an image: losses are their mean, penalties differentiate their sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from core import config as configuration


class AdversarialLoss(NamedTuple):
    """Three functions of scores -> scalar: what D pays for real and for fake images, and what G pays for fakes."""

    real: Callable[[Tensor], Tensor]
    fake: Callable[[Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


ADVERSARIAL: dict[configuration.Adversarial, AdversarialLoss] = {
    "wasserstein": AdversarialLoss(
        real=lambda score: -score.mean(),
        fake=lambda score: score.mean(),
        generator=lambda score: -score.mean(),
    ),
    "logistic": AdversarialLoss(
        real=lambda score: F.softplus(-score).mean(),
        fake=lambda score: F.softplus(score).mean(),
        generator=lambda score: F.softplus(-score).mean(),
    ),
    "hinge": AdversarialLoss(
        real=lambda score: F.relu(1 - score).mean(),
        fake=lambda score: F.relu(1 + score).mean(),
        generator=lambda score: -score.mean(),
    ),
}


def squared_gradient_norm(score: Tensor, image: Tensor) -> Tensor:
    """||d score / d image||^2 of each image: (n,). `image` must require its gradient."""
    (gradient,) = torch.autograd.grad(score.sum(), image, create_graph=True)
    return gradient.square().flatten(1).sum(1)


def r1(score: Tensor, image: Tensor) -> Tensor:
    """1/2 E ||grad D(x)||^2 at real images."""
    return 0.5 * squared_gradient_norm(score, image).mean()


def gradient_penalty(score: Tensor, image: Tensor) -> Tensor:
    """E (||grad D(x)|| - 1)^2 at interpolates of real and fake images."""
    return (squared_gradient_norm(score, image).sqrt() - 1).square().mean()
