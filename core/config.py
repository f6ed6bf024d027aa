"""The whole configuration of one training run: frozen dataclasses, the rules they must keep, and their identity.

A configuration that breaks anything raises one `ConfigError` that lists all of it. Nothing here imports torch, so the
command lines can check what they were given at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.errors import UserError
from core.rules import RULES
from core.settings import identifies, leaves, option, with_paths

# Of the fields below; part of every digest, so a changed meaning never aliases an old run. Where it goes up,
# core/migrations.py says what becomes of the runs of before.
SCHEMA = 2

Backbone = Literal["starganv2", "stargan"]
Code = Literal["label", "latent", "style"]
Injection = Literal["concat", "adain"]
Head = Literal["acgan", "multitask"]
Adversarial = Literal["wasserstein", "logistic", "hinge"]
Penalty = Literal["gradient_penalty", "r1", "none"]
Targets = Literal["random", "permuted"]
Decay = Literal["none", "linear", "authors"]


class ConfigError(UserError):
    """A configuration is impossible; the message lists every reason."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"this configuration cannot run:\n{lines}")


@dataclass(frozen=True)
class ModelConfig:
    """Networks. The defaults are StarGAN v2's at 256 px."""

    backbone: Backbone = option("starganv2")  # whose generator and discriminator
    resolution: int = option(256, least=16, power_of_two=True)  # side of an image, pixels
    first_width: int = option(64, least=1)  # channels at full resolution; v2's paper has 2^14 / resolution
    max_width: int = option(512, least=1)  # v2: widths double per halving of the resolution up to this
    bottleneck_size: int = option(16, least=4, power_of_two=True)  # v2: side of the generator's smallest feature map
    bottleneck_blocks: int = option(2, least=1)  # residual blocks at that size; v2: in the encoder and in the decoder
    patch_convs: int = option(0, least=0)  # stargan: halvings in the discriminator; 0: six, or fewer down to 2 px
    attention_size: int = option(0, least=0)  # side of the feature map with self-attention; 0: none
    code: Code = option("style")  # what tells the generator where to go
    injection: Injection = option("adain")  # how that code enters the generator
    head: Head = option("multitask")  # what the discriminator says of an image
    latent_dim: int = option(16, least=1)  # length of the latent code z
    style_dim: int = option(64, least=1)  # length of the style code s
    mapping_width: int = option(512, least=1)  # hidden width of the mapping network
    high_pass: float = option(0.0, least=0)  # w of the high-pass skip, which adds edges / w back in; 0: none
    landmarks: str = option("", identity=False)  # TorchScript file that makes the skip's two masks of an image


@dataclass(frozen=True)
class LossConfig:
    """Weights and kinds of the terms. A term of weight 0 does not exist."""

    adversarial: Adversarial = option("logistic")
    penalty: Penalty = option("r1")
    penalty_weight: float = option(1.0, least=0)  # gamma of R1 (halved in the loss), or lambda of WGAN-GP
    classification: float = option(0.0, least=0)  # domain classification of the ACGAN head
    cycle: float = option(1.0, least=0)
    reconstruction: float = option(1.0, least=0)  # of the latent or style code, from the translated image
    diversity: float = option(1.0, least=0)  # at the first step; falls linearly to 0
    diversity_steps: int = option(0, least=0)  # iterations until it is 0; 0: the whole run


@dataclass(frozen=True)
class TrainConfig:
    """The recipe. The defaults are StarGAN v2's."""

    steps: int = option(100_000, least=1)  # iterations of a code with two guides (see `iterations`)
    budget: Literal["updates", "iterations"] = option("updates")  # what is equal in all rungs
    batch: int = option(8, least=1)
    n_critic: int = option(1, least=1)  # iterations for one update of the generator; each updates the discriminator
    targets: Targets = option("random")  # where to go: any domain, or the batch's own domains in another order
    learning_rate: float = option(1e-4, above=0)  # of G, D and E
    mapping_learning_rate: float = option(1e-6, above=0)  # of the mapping network F
    decay: Decay = option("none")  # of all rates; see core/training/schedule.py
    beta1: float = option(0.0, least=0, most=0.9999)
    beta2: float = option(0.99, least=0, most=0.999999)
    weight_decay: float = option(1e-4, least=0)  # added to the gradient
    ema: float = option(0.999, least=0, most=0.999999)  # of the averaged weights, per iteration; 0: the weights
    log_every: int = option(100, least=1, identity=False)  # iterations between two points of the curves
    sample_every: int = option(5_000, least=0, identity=False)  # iterations between two sample grids; 0: none
    checkpoint_every: int = option(5_000, least=1, identity=False)  # iterations between two checkpoints
    evaluate_every: int = option(0, least=0, identity=False)  # iterations between two evaluations; 0: only at the end
    keep_best: bool = option(False, identity=False)  # the checkpoint of the best of them, by the Frechet distance


@dataclass(frozen=True)
class DataConfig:
    """Images: the built-in critters, or a folder."""

    root: str = option("", identity=False)  # folder with train/DOMAIN/* and val/DOMAIN/*, or DOMAIN/*; empty: critters
    train_images: int = option(2_000, least=1)  # critters drawn per domain
    val_images: int = option(200, least=1)
    attributes: tuple[str, ...] = option(())  # binary labels, from a list beside the images; none: folders are domains
    sampling: Literal["balanced", "uniform"] = option("balanced")  # uniform: each image as often, not each domain
    fit: Literal["crop", "stretch"] = option("crop")  # how a picture that is not square becomes square
    augment: bool = option(True)  # random resized crop and flip, for images from a folder
    crops: bool = option(True)  # in that; StarGAN flips only
    val_fraction: float = option(0.1, above=0, most=0.9)  # held out where the folder has no train and val
    skip_bad: bool = option(False)  # leave out images that cannot be read, instead of stopping
    workers: int = option(-1, least=-1, identity=False)  # processes that read images ahead; -1: as the data needs
    domains: tuple[str, ...] = option(("bird", "cat", "dog"))  # found in the data
    fingerprint: str = option("")  # of the images, found in the data
    masks: str = option("", identity=False)  # folder with the skip's masks: the same names as in root, PNG
    masks_fingerprint: str = option("")  # of the masks, or of the landmark model that makes them; found in them


@dataclass(frozen=True)
class EvalConfig:
    """The fixed protocol by which every run is measured."""

    metrics: Literal["auto", "paper", "judge"] = option("auto")  # paper: FID and LPIPS; judge: without their weights
    protocol: Literal["standard", "authors"] = option("standard")  # of FID and LPIPS; authors: their released program's
    outputs: int = option(10, least=2)  # translations of one source image, for codes that can vary
    sources: int = option(0, least=0)  # validation images per domain that are translated; 0: all
    references: int = option(0, least=0)  # training images per domain in the Frechet distance; 0: all
    seed: int = option(0, least=0)  # of the latents and references
    part: Literal["all", "tuning", "rest"] = option("all", neutral="all")  # of the validation images: see data/parts.py
    tuning_share: float = option(0.5, above=0, most=0.9, neutral=0.5)  # of them, in the part to tune on
    judge_steps: int = option(400, least=1)  # training steps of the judge
    batch: int = option(64, least=1, identity=False)


@dataclass(frozen=True)
class Config:
    """One run. Its identity is `digest(config)` and `seed`."""

    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    data: DataConfig = field(default_factory=DataConfig)
    eval: EvalConfig = field(default_factory=EvalConfig)
    precision: Literal["fp32", "bf16"] = option("fp32")
    device: Literal["auto", "cpu", "cuda"] = option("auto", identity=False)
    seed: int = option(0, least=0, identity=False)  # stands beside the digest


# How a code is guided, in the order in which an iteration makes its updates; the code classes hold to this.
GUIDES: Mapping[str, tuple[str, ...]] = {
    "label": ("latent",),
    "latent": ("latent",),
    "style": ("latent", "reference"),
}


def iterations(config: Config) -> int:
    """Training iterations of this run.

    Under `train.budget=updates` a code with one guide makes twice as many iterations as one with two, and one that
    updates its generator in every fifth iteration makes five times as many, so that every rung makes the same number
    of generator updates.
    """
    train = config.train
    if train.budget == "iterations":
        return train.steps
    return train.steps * train.n_critic * max(map(len, GUIDES.values())) // len(GUIDES[config.model.code])


def generator_updates(config: Config, done: int) -> int:
    """How many updates the generator has had after `done` iterations."""
    return done // config.train.n_critic * len(GUIDES[config.model.code])


def label_table(config: Config) -> tuple[tuple[float, ...], ...]:
    """The label of every domain: one-hot, or the attributes that it has.

    Over attributes a domain is a combination of them and is called by those that it has, e.g. `Black_Hair+Male`.
    """
    names, attributes = config.data.domains, config.data.attributes
    if attributes:
        return tuple(tuple(float(attribute in name.split("+")) for attribute in attributes) for name in names)
    return tuple(tuple(float(name == other) for other in names) for name in names)


def as_flat(config: Config) -> dict[str, Any]:
    """{dotted path: value} of every setting, tuples as lists: what JSON keeps."""
    return {path: list(value) if isinstance(value, tuple) else value for path, _, value in leaves(config)}


def changed(config: Config, changes: Mapping[str, Any]) -> Config:
    """`config` with dotted paths set. Raises ConfigError with every unknown path, wrong value and broken rule."""
    problems: list[str] = []
    result = with_paths(config, changes, problems)
    problems += [] if problems else broken_rules(result)
    if problems:
        raise ConfigError(problems)
    return result


def broken_rules(config: Config) -> list[str]:
    """The messages of the rules that this configuration breaks."""
    return [rule.message for rule in RULES if rule.broken(config)]


def from_flat(flat: Mapping[str, Any]) -> Config:
    """The configuration that `as_flat` described. Raises ConfigError."""
    return changed(Config(), flat)


def digest(config: Config) -> str:
    """12 hex digits over everything that changes results, with the schema number: the identity of a run."""
    content = {
        path: list(value) if isinstance(value, tuple) else value
        for path, item, value in leaves(config)
        if identifies(item, value)
    }
    text = json.dumps({"schema": SCHEMA, "config": content}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
