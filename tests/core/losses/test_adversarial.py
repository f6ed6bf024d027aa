"""Adversarial losses and penalties against their closed forms."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch

from core import config as configuration
from core.losses.adversarial import ADVERSARIAL, gradient_penalty, r1
from core.losses.objective import PENALTIES

SCORES = torch.tensor([-2.0, 0.5])


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


@pytest.mark.parametrize(
    ("name", "real", "fake", "generator"),
    [
        ("wasserstein", 0.75, -0.75, 0.75),
        (
            "logistic",
            (softplus(2) + softplus(-0.5)) / 2,
            (softplus(-2) + softplus(0.5)) / 2,
            (softplus(2) + softplus(-0.5)) / 2,
        ),
        ("hinge", (3 + 0.5) / 2, (0 + 1.5) / 2, 0.75),
    ],
)
def test_values(name: configuration.Adversarial, real: float, fake: float, generator: float) -> None:
    loss = ADVERSARIAL[name]
    assert loss.real(SCORES).item() == pytest.approx(real, abs=1e-6)
    assert loss.fake(SCORES).item() == pytest.approx(fake, abs=1e-6)
    assert loss.generator(SCORES).item() == pytest.approx(generator, abs=1e-6)


def test_names_are_those_of_the_configuration() -> None:
    assert set(ADVERSARIAL) == set(get_args(configuration.Adversarial))
    assert set(PENALTIES) == set(get_args(configuration.Penalty))


def test_penalties_of_a_linear_discriminator() -> None:
    """D(x) = <w, x>: the gradient is w everywhere, so both penalties are known."""
    torch.manual_seed(0)
    weight = torch.randn(3, 4, 4)
    image = torch.randn(2, 3, 4, 4, requires_grad=True)
    score = (image * weight).sum((1, 2, 3))
    norm = weight.square().sum().item() ** 0.5
    assert r1(score, image).item() == pytest.approx(0.5 * norm**2, rel=1e-5)
    assert gradient_penalty(score, image).item() == pytest.approx((norm - 1) ** 2, rel=1e-5)


def test_penalties_reach_the_weights() -> None:
    weight = torch.full((3, 4, 4), 0.5, requires_grad=True)
    image = torch.randn(2, 3, 4, 4, requires_grad=True)
    r1((image * weight).sum((1, 2, 3)), image).backward()
    assert torch.allclose(weight.grad, weight.detach())  # d/dw 1/2 ||w||^2
