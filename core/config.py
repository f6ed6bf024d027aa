"""The whole configuration of one training run: frozen dataclasses, the rules they must keep, and their identity.

A configuration that breaks anything raises one `ConfigError` that lists all of it. Nothing here imports torch, so the
command lines can check what they were given at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.errors import UserError
from core.settings import is_power_of_two, leaves, option, with_paths

SCHEMA = 2  # of the fields below; part of every digest, so a changed meaning never aliases an old run

Code = Literal["label", "latent", "style"]
Injection = Literal["concat", "adain"]
Head = Literal["acgan", "multitask"]
Adversarial = Literal["wasserstein", "logistic", "hinge"]
Penalty = Literal["gradient_penalty", "r1", "none"]


class ConfigError(UserError):
    """A configuration is impossible; the message lists every reason."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"this configuration cannot run:\n{lines}")


@dataclass(frozen=True)
class ModelConfig:
    """Networks. The defaults are StarGAN v2's at 256 px."""

    resolution: int = option(256, least=16, power_of_two=True)  # side of an image, pixels
    first_width: int = option(64, least=1)  # channels at full resolution; 2^14 / resolution in the paper
    max_width: int = option(512, least=1)  # widths double per halving of the resolution up to this
    bottleneck_size: int = option(16, least=4, power_of_two=True)  # side of the generator's smallest feature map
    bottleneck_blocks: int = option(2, least=1)  # residual blocks at that size, in the encoder and in the decoder
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
    learning_rate: float = option(1e-4, above=0)  # of G, D and E
    mapping_learning_rate: float = option(1e-6, above=0)  # of the mapping network F
    beta1: float = option(0.0, least=0, most=0.9999)
    beta2: float = option(0.99, least=0, most=0.999999)
    weight_decay: float = option(1e-4, least=0)  # added to the gradient
    ema: float = option(0.999, least=0, most=0.999999)  # decay of the averaged weights, per iteration
    log_every: int = option(100, least=1, identity=False)  # iterations between two points of the curves
    sample_every: int = option(5_000, least=0, identity=False)  # iterations between two sample grids; 0: none
    checkpoint_every: int = option(5_000, least=1, identity=False)  # iterations between two checkpoints


@dataclass(frozen=True)
class DataConfig:
    """Images: the built-in critters, or a folder."""

    root: str = option("", identity=False)  # folder with train/DOMAIN/* and val/DOMAIN/*, or DOMAIN/*; empty: critters
    train_images: int = option(2_000, least=1)  # critters drawn per domain
    val_images: int = option(200, least=1)
    fit: Literal["crop", "stretch"] = option("crop")  # how a picture that is not square becomes square
    augment: bool = option(True)  # random resized crop and flip, for images from a folder
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
    outputs: int = option(10, least=2)  # translations of one source image, for codes that can vary
    sources: int = option(0, least=0)  # validation images per domain that are translated; 0: all
    references: int = option(0, least=0)  # training images per domain in the Frechet distance; 0: all
    seed: int = option(0, least=0)  # of the latents and references
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

    Under `train.budget=updates` a code with one guide makes twice as many iterations as one with two, so that every
    rung makes the same number of generator updates.
    """
    if config.train.budget == "iterations":
        return config.train.steps
    return config.train.steps * max(map(len, GUIDES.values())) // len(GUIDES[config.model.code])


@dataclass(frozen=True)
class Rule:
    """Something that must not be true of a configuration, and what to do about it."""

    message: str
    broken: Callable[[Config], bool]


RULES: tuple[Rule, ...] = (
    Rule(
        "loss.diversity needs a code that varies: set model.code=latent or style, or loss.diversity=0",
        lambda c: c.model.code == "label" and c.loss.diversity > 0,
    ),
    Rule(
        "loss.reconstruction has nothing to reconstruct from a label: set model.code=latent or style, or "
        "loss.reconstruction=0",
        lambda c: c.model.code == "label" and c.loss.reconstruction > 0,
    ),
    Rule(
        "nothing would train the encoder: set loss.cycle or loss.reconstruction above 0, or model.code=label",
        lambda c: c.model.code != "label" and c.loss.cycle == 0 and c.loss.reconstruction == 0,
    ),
    Rule(
        "model.head=acgan learns domains only by classification: set loss.classification above 0, or "
        "model.head=multitask",
        lambda c: c.model.head == "acgan" and c.loss.classification == 0,
    ),
    Rule(
        "model.head=multitask has no classes: set loss.classification=0, or model.head=acgan",
        lambda c: c.model.head == "multitask" and c.loss.classification > 0,
    ),
    Rule(
        "loss.adversarial=wasserstein needs a bounded critic: set loss.penalty=gradient_penalty or r1",
        lambda c: c.loss.adversarial == "wasserstein" and c.loss.penalty == "none",
    ),
    Rule(
        "loss.penalty=none goes with loss.penalty_weight=0, and every other penalty with a weight above 0",
        lambda c: (c.loss.penalty == "none") != (c.loss.penalty_weight == 0),
    ),
    Rule(
        "model.bottleneck_size is larger than model.resolution: make it smaller",
        lambda c: c.model.bottleneck_size > c.model.resolution,
    ),
    Rule(
        "model.first_width is larger than model.max_width",
        lambda c: c.model.first_width > c.model.max_width,
    ),
    Rule(
        "model.attention_size must be 0 or the side of a feature map: a power of two from model.bottleneck_size to "
        "model.resolution",
        lambda c: (
            c.model.attention_size != 0
            and not (
                is_power_of_two(c.model.attention_size)
                and c.model.bottleneck_size <= c.model.attention_size <= c.model.resolution
            )
        ),
    ),
    Rule(
        "model.high_pass looks where facial landmarks are and has no masks that say where: set "
        "model.landmarks=MODEL.pt or data.masks=FOLDER, or model.high_pass=0",
        lambda c: c.model.high_pass > 0 and not (c.model.landmarks or c.data.masks),
    ),
    Rule(
        "model.landmarks and data.masks serve the high-pass skip alone: set model.high_pass above 0, or leave them out",
        lambda c: c.model.high_pass == 0 and bool(c.model.landmarks or c.data.masks),
    ),
    Rule(
        "model.landmarks and data.masks are two sources of the same masks: leave one out",
        lambda c: bool(c.model.landmarks and c.data.masks),
    ),
    Rule(
        "data.masks are masks of the images in data.root: set it too, or use model.landmarks",
        lambda c: bool(c.data.masks) and not c.data.root,
    ),
    Rule(
        "model.high_pass adds features of 32 to 128 px: set model.resolution to 32 or more and model.bottleneck_size "
        "to 32 or less",
        lambda c: c.model.high_pass > 0 and (c.model.resolution < 32 or c.model.bottleneck_size > 32),
    ),
    Rule(
        "translation needs at least two domains in data.domains",
        lambda c: len(c.data.domains) < 2,
    ),
)


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
        if item.metadata.get("identity", True)
    }
    text = json.dumps({"schema": SCHEMA, "config": content}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
