"""Scales for the machine at hand, and the paper's recipes: named settings that a command line can start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """Named settings; `seeds` is the number of training runs of each arm, `design` which arms (see designs.py)."""

    name: str
    title: str
    settings: Mapping[str, Any]
    seeds: int = 1
    design: str = "ladder"


# What the scales for a laptop share: small images, narrow networks, and a recipe for short runs, alike in every rung.
# The rates are higher and the average is shorter than the paper's, because a run has thousands of updates and not
# hundreds of thousands; R1 weighs less, because it sums over pixels and there are 64 times fewer.
_LAPTOP: dict[str, Any] = {
    "model.resolution": 32,
    "model.first_width": 16,
    "model.max_width": 64,
    "model.bottleneck_size": 8,
    "model.bottleneck_blocks": 1,
    "model.mapping_width": 64,
    "model.style_dim": 16,
    "loss.penalty_weight": 0.1,
    "train.learning_rate": 1e-3,
    "train.mapping_learning_rate": 1e-4,
    "train.ema": 0.99,
}

PRESETS: tuple[Preset, ...] = (
    Preset(
        "smoke",
        "does everything once in a minute; its numbers mean nothing",
        _LAPTOP
        | {
            "model.resolution": 16,
            "model.first_width": 8,
            "model.max_width": 16,
            "train.steps": 10,
            "train.log_every": 1,
            "train.sample_every": 10,
            "train.checkpoint_every": 10,
            "data.train_images": 120,
            "data.val_images": 12,
            "eval.sources": 6,
            "eval.references": 120,
            "eval.outputs": 3,
            "eval.judge_steps": 60,
        },
    ),
    Preset(
        "quick",
        "a first real look, in a quarter of an hour on two cores",
        _LAPTOP
        | {
            "train.steps": 1_500,
            "train.log_every": 10,
            "train.sample_every": 500,
            "train.checkpoint_every": 500,
            "data.train_images": 1_000,
            "data.val_images": 100,
        },
    ),
    Preset(
        "cpu",
        "three seeds of every rung, and of the last one without each component, in two hours on two cores",
        _LAPTOP
        | {
            "train.steps": 2_000,
            "train.log_every": 25,
            "train.sample_every": 500,
            "train.checkpoint_every": 500,
            "data.train_images": 2_000,
            "data.val_images": 100,
        },
        seeds=3,
        design="both",
    ),
    Preset(
        "celeba_hq",
        "the paper's recipe for faces: 256 px, batch 8, 100k iterations, days on a GPU",
        {
            "model.resolution": 256,
            "model.first_width": 64,
            "train.batch": 8,
            "train.steps": 100_000,
            "loss.diversity": 1.0,
        },
        design="both",
    ),
    Preset(
        "afhq",
        "the paper's recipe for animals: as celeba_hq, with the diversity weight 2",
        {
            "model.resolution": 256,
            "model.first_width": 64,
            "train.batch": 8,
            "train.steps": 100_000,
            "loss.diversity": 2.0,
        },
        design="both",
    ),
)

DEFAULT = "quick"
