"""The objectives of D and G as sums of named, weighted terms; what terms need is computed when first asked for, once.

A term of weight 0 does not exist: its networks do not run and its images are not read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from core import config as configuration
from core.config import GUIDES, Config, iterations, label_table
from core.data.batches import Batch
from core.losses import terms
from core.losses.adversarial import ADVERSARIAL, gradient_penalty, r1
from core.model.build import BACKBONES, Translator
from core.model.discriminator import Discriminator, Verdict

Weight = Callable[[int], float]  # iteration -> weight


@dataclass
class Pass:
    """One update's use of the networks on one batch, guided by latents or by reference images."""

    translator: Translator
    discriminator: Discriminator
    batch: Batch
    guide: str

    def code_of(self, latent: Tensor, reference: Tensor | None) -> Tensor:
        """The code of the target domain, (n, dim)."""
        code = self.translator.code
        if self.guide == "latent":
            return code.of_noise(latent, self.batch.target)
        return code.of_image(present(reference), self.batch.target)

    @cached_property
    def image(self) -> Tensor:
        """The source images."""
        return present(self.batch.image)

    @cached_property
    def code(self) -> Tensor:
        """The code that guides the translation, (n, dim)."""
        return self.code_of(self.batch.latent, self.batch.reference)

    @cached_property
    def fake(self) -> Tensor:
        """The translated images."""
        return self.translator(self.image, self.code, self.batch.masks)

    @cached_property
    def verdict(self) -> Verdict:
        """The discriminator on the translations, as images of the target domain."""
        return self.discriminator(self.fake, self.batch.target)


@dataclass
class DiscriminatorPass(Pass):
    """A discriminator update: nothing of the translator's work is kept for a gradient."""

    @cached_property
    def fake(self) -> Tensor:
        """The translated images, cut off from the generator."""
        with torch.no_grad():
            return self.translator(self.image, self.code, self.batch.masks)

    @cached_property
    def real(self) -> Tensor:
        """The source images, as a leaf that R1 differentiates by."""
        return self.image.detach().requires_grad_()

    @cached_property
    def real_verdict(self) -> Verdict:
        """The discriminator on the sources, in their own domain."""
        return self.discriminator(self.real, self.batch.domain)

    @cached_property
    def interpolate(self) -> Tensor:
        """Between a real image and a fake one; which real image, the head says (`Head.penalised_with`)."""
        real = present(getattr(self.batch, self.discriminator.head.penalised_with))
        return (self.batch.mix * real + (1 - self.batch.mix) * self.fake).detach().requires_grad_()


@dataclass
class GeneratorPass(Pass):
    """A generator update."""

    @cached_property
    def second(self) -> Tensor:
        """A translation by another code of the same domain; the loss moves only the first one away from it."""
        with torch.no_grad():
            code = self.code_of(self.batch.latent2, self.batch.reference2)
            return self.translator(self.image, code, self.batch.masks)

    @cached_property
    def back(self) -> Tensor:
        """The translation translated back, by the source's own code."""
        # Masks that came with the source serve its translation too, which has its pose; a landmark model looks anew.
        code = self.translator.code.of_image(self.image, self.batch.domain)
        return self.translator(self.fake, code, self.batch.masks)

    @cached_property
    def read(self) -> Tensor:
        """The code that the encoder finds in the translation, (n, dim)."""
        return self.translator.code.of_image(self.fake, self.batch.target)


@dataclass(frozen=True)
class Term:
    """One summand of an objective: weight(iteration) * value(pass)."""

    name: str
    weight: Weight
    value: Callable[[Any], Tensor]  # of a DiscriminatorPass or a GeneratorPass


@dataclass(frozen=True)
class Objective:
    """What D and what G minimise, and which images of a batch that takes."""

    discriminator: tuple[Term, ...]
    generator: tuple[Term, ...]
    reads: frozenset[str]


def build_objective(config: Config) -> Objective:
    """The terms with a weight above 0."""
    loss = config.loss
    adversarial, classification = ADVERSARIAL[loss.adversarial], _classification(config)
    discriminator = (
        Term("real", constant(1), lambda p: adversarial.real(p.real_verdict.score)),
        Term("fake", constant(1), lambda p: adversarial.fake(p.verdict.score)),
        Term(
            "classification",
            constant(loss.classification),
            lambda p: classification(present(p.real_verdict.classes), p.batch.domain),
        ),
        Term("penalty", constant(loss.penalty_weight), PENALTIES[loss.penalty]),
    )
    generator = (
        Term("adversarial", constant(1), lambda p: adversarial.generator(p.verdict.score)),
        Term(
            "classification",
            constant(loss.classification),
            lambda p: classification(present(p.verdict.classes), p.batch.target),
        ),
        Term("reconstruction", constant(loss.reconstruction), _reconstruction),
        Term(
            "diversity",
            falling(-loss.diversity, loss.diversity_steps or iterations(config)),
            lambda p: terms.diversity(p.fake, p.second),
        ),
        Term("cycle", constant(loss.cycle), lambda p: terms.cycle(p.image, p.back)),
    )
    return Objective(_existing(discriminator), _existing(generator), _reads(config))


def total(objective: tuple[Term, ...], step: int, update: Pass) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum at this iteration, and every term's own value, detached."""
    values = {term.name: term.value(update) for term in objective}
    weighted = [term.weight(step) * values[term.name] for term in objective]
    return torch.stack(weighted).sum(), {name: value.detach() for name, value in values.items()}


def constant(weight: float) -> Weight:
    """The same weight at every iteration."""
    return lambda step: weight


def falling(weight: float, steps: int) -> Weight:
    """Linear from `weight` at iteration 0 to 0 at iteration `steps`, then 0."""
    return lambda step: weight * max(0.0, 1 - step / steps)


def present(value: Tensor | None) -> Tensor:
    """What the configuration promises to be there."""
    assert value is not None
    return value


def _r1(update: DiscriminatorPass) -> Tensor:
    return r1(update.real_verdict.score, update.real)


def _gradient_penalty(update: DiscriminatorPass) -> Tensor:
    verdict = update.discriminator(update.interpolate, update.batch.target)
    return gradient_penalty(verdict.score, update.interpolate)


def _no_penalty(update: DiscriminatorPass) -> Tensor:
    return torch.zeros((), device=update.image.device)


PENALTIES: dict[configuration.Penalty, Callable[[DiscriminatorPass], Tensor]] = {
    "r1": _r1,
    "gradient_penalty": _gradient_penalty,
    "none": _no_penalty,
}


def _reconstruction(update: GeneratorPass) -> Tensor:
    varying = slice(update.translator.code.stochastic)
    return terms.reconstruction(update.code[:, varying], update.read[:, varying])


def _classification(config: Config) -> Callable[[Tensor, Tensor], Tensor]:
    """A function of logits (n, labels) and domains (n,)."""
    if not config.data.attributes:
        return terms.classification
    labels = torch.tensor(label_table(config))
    return lambda classes, domain: terms.attributes(classes, labels.to(domain.device)[domain])


def _reads(config: Config) -> frozenset[str]:
    """The images of a batch that the terms above will ask for."""
    reads = {"image"}
    referenced = "reference" in GUIDES[config.model.code]
    if referenced:
        reads.add("reference")
    if referenced and config.loss.diversity > 0:
        reads.add("reference2")
    if config.loss.penalty == "gradient_penalty":
        reads.add(BACKBONES[config.model.backbone].heads[config.model.head].penalised_with)
    return frozenset(reads)


def _existing(candidates: tuple[Term, ...]) -> tuple[Term, ...]:
    return tuple(term for term in candidates if term.weight(0) != 0)
