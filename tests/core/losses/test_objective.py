"""Objectives: which terms exist, what they are worth, what they read."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from ablations.rung import ladder_arms
from ablations.stargan import LADDER
from core.losses import terms
from core.losses.objective import DiscriminatorPass, GeneratorPass, build_objective, falling, total
from core.model.build import build_discriminator, build_translator
from tests.core.settings import LABEL, STARGAN, random_batch, tiny

TERMS = {  # of the generator, by rung of the controlled ladder
    "A": {"adversarial", "classification", "cycle"},
    "B": {"adversarial", "cycle"},
    "C": {"adversarial", "cycle"},
    "D": {"adversarial", "reconstruction", "cycle"},
    "E": {"adversarial", "reconstruction", "cycle"},
    "F": {"adversarial", "reconstruction", "diversity", "cycle"},
}
READS = {
    "A": {"image"},
    "B": {"image", "reference"},  # the gradient penalty's real partner
    "C": {"image"},
    "D": {"image"},
    "E": {"image", "reference"},
    "F": {"image", "reference", "reference2"},
}


@pytest.mark.parametrize("arm", ladder_arms(LADDER, tiny()), ids=lambda arm: arm.label)
def test_each_rung_has_its_terms_and_reads_no_image_it_need_not(arm: Any) -> None:
    objective = build_objective(arm.config)
    assert {term.name for term in objective.generator} == TERMS[arm.label]
    assert objective.reads == READS[arm.label]


def test_the_diversity_weight_falls_linearly_to_zero() -> None:
    weight = falling(-2.0, 100)
    assert [weight(step) for step in (0, 25, 100, 150)] == [-2.0, -1.5, 0.0, 0.0]


def test_simple_terms() -> None:
    a, b = torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, -1.0]])
    assert terms.cycle(a, b).item() == terms.reconstruction(a, b).item() == terms.diversity(a, b).item() == 2.0
    assert terms.classification(a, torch.tensor([1])).item() == pytest.approx(F.cross_entropy(a, torch.tensor([1])))


def test_attributes_are_classified_one_by_one() -> None:
    logits, label = torch.tensor([[0.0, 2.0], [1.0, -1.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    signed = torch.tensor([[0.0, -2.0], [1.0, -1.0]])  # the logit of what is true
    expected = F.softplus(-signed).sum().item() / 2
    assert terms.attributes(logits, label).item() == pytest.approx(expected)
    names = {"data.domains": ["none", "b", "a+b"], "data.attributes": ["a", "b"], "data.root": "a folder"}
    config = tiny(**STARGAN | names)
    translator, discriminator, batch = build_translator(config), build_discriminator(config), random_batch(config)
    _, values = total(
        build_objective(config).discriminator, 0, DiscriminatorPass(translator, discriminator, batch, "latent")
    )
    assert batch.image is not None
    classes = discriminator(batch.image, batch.domain).classes
    label = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]])[batch.domain]
    assert values["classification"].item() == pytest.approx(terms.attributes(classes, label).item(), rel=1e-5)


def test_patches_are_penalised_by_the_gradient_of_their_sum() -> None:
    config = tiny(**STARGAN)
    translator, discriminator, batch = build_translator(config), build_discriminator(config), random_batch(config)
    update = DiscriminatorPass(translator, discriminator, batch, "latent")
    _, values = total(build_objective(config).discriminator, 0, update)
    image = update.interpolate.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(image, batch.target).score.sum(), image)
    expected = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    assert values["penalty"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert values["real"].item() == pytest.approx(-discriminator(update.image, batch.domain).score.mean().item())


def test_the_generator_objective_by_its_equation() -> None:
    config = tiny(loss__diversity=2.0, loss__cycle=3.0, loss__reconstruction=0.5, loss__diversity_steps=10)
    translator, discriminator, batch = build_translator(config), build_discriminator(config), random_batch(config)
    loss, _ = total(build_objective(config).generator, 5, GeneratorPass(translator, discriminator, batch, "latent"))
    generator, code, x = translator.generator, translator.code, batch.image
    assert x is not None
    s1, s2 = code.of_noise(batch.latent, batch.target), code.of_noise(batch.latent2, batch.target)
    fake = generator(x, s1)
    expected = (
        F.softplus(-discriminator(fake, batch.target).score).mean()
        + 0.5 * (s1 - code.of_image(fake, batch.target)).abs().mean()
        - 2.0 * 0.5 * (fake - generator(x, s2)).abs().mean()
        + 3.0 * (x - generator(fake, code.of_image(x, batch.domain))).abs().mean()
    )
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_latent_code_is_reconstructed_over_z_alone() -> None:
    config = tiny(model__code="latent", loss__diversity=0.0)
    translator, discriminator, batch = build_translator(config), build_discriminator(config), random_batch(config)
    update = GeneratorPass(translator, discriminator, batch, "latent")
    _, values = total(build_objective(config).generator, 0, update)
    expected = (batch.latent - translator.code.encoder(update.fake)).abs().mean()
    assert values["reconstruction"].item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(("head", "partner"), [("acgan", "image"), ("multitask", "reference")])
def test_the_gradient_penalty_interpolates_with_the_heads_partner(head: str, partner: str) -> None:
    config = tiny(
        model__head=head,
        loss__classification=float(head == "acgan"),
        loss__penalty="gradient_penalty",
        loss__adversarial="wasserstein",
        **LABEL,
    )
    batch = random_batch(config)
    update = DiscriminatorPass(build_translator(config), build_discriminator(config), batch, "latent")
    expected = batch.mix * getattr(batch, partner) + (1 - batch.mix) * update.fake
    assert torch.allclose(update.interpolate, expected)


def test_the_diversity_moves_only_the_first_sample() -> None:
    config = tiny()
    update = GeneratorPass(build_translator(config), build_discriminator(config), random_batch(config), "reference")
    assert update.fake.requires_grad
    assert not update.second.requires_grad
    assert not torch.equal(update.fake, update.second)
