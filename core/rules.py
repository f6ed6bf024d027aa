"""What must not be true of a configuration, as a table: each rule with what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.settings import is_power_of_two


@dataclass(frozen=True)
class Rule:
    """Something that must not be true of a configuration, and what to do about it."""

    message: str
    broken: Callable[[Any], bool]  # of a core.config.Config, which imports this file


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
        "train.keep_best needs evaluations to choose by: set train.evaluate_every above 0, or train.keep_best=false",
        lambda c: c.train.keep_best and c.train.evaluate_every == 0,
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
    Rule(
        "model.backbone=stargan takes its code at the input alone: set model.injection=concat",
        lambda c: c.model.backbone == "stargan" and c.model.injection != "concat",
    ),
    Rule(
        "model.backbone=stargan has no self-attention: set model.attention_size=0",
        lambda c: c.model.backbone == "stargan" and c.model.attention_size != 0,
    ),
    Rule(
        "model.high_pass is StarGAN v2's: set model.backbone=starganv2, or model.high_pass=0",
        lambda c: c.model.backbone == "stargan" and c.model.high_pass > 0,
    ),
    Rule(
        "model.patch_convs halves the image more often than model.resolution allows: make it smaller, or 0",
        lambda c: c.model.backbone == "stargan" and 2**c.model.patch_convs > c.model.resolution,
    ),
    Rule(
        "train.n_critic is larger than train.steps, so the generator would never be updated",
        lambda c: c.train.budget == "iterations" and c.train.n_critic > c.train.steps,
    ),
    Rule(
        "eval.tuning_share parts the validation images for eval.part=tuning and eval.part=rest: leave it out",
        lambda c: c.eval.part == "all" and c.eval.tuning_share != 0.5,
    ),
    Rule(
        "data.attributes are of the images in a folder: set data.root",
        lambda c: bool(c.data.attributes) and not c.data.root,
    ),
    Rule(
        "data.attributes are labels: set model.code=label",
        lambda c: bool(c.data.attributes) and c.model.code != "label",
    ),
    Rule(
        "data.attributes need a discriminator that classifies them: set model.head=acgan",
        lambda c: bool(c.data.attributes) and c.model.head != "acgan",
    ),
    Rule(
        "data.attributes must differ from each other, have no plus sign, and not be called none",
        lambda c: (
            len(set(c.data.attributes)) != len(c.data.attributes)
            or "+" in "".join(c.data.attributes)
            or "none" in c.data.attributes
        ),
    ),
)
