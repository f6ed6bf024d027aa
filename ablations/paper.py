"""The same six rungs as the paper may have trained them: A and B are StarGAN, its networks and its recipe.

StarGAN: Choi et al., CVPR 2018 (arXiv 1711.09020), section 5 and appendix. From C on, everything is StarGAN v2's. So
the step from B to C holds a change of networks and recipe beside the components that it is named for.
"""

from __future__ import annotations

from dataclasses import replace

from ablations.rung import RECIPE, Change, Ladder
from ablations.stargan import LADDER as CONTROLLED

STARGAN = Change(
    "stargan",
    "StarGAN's own networks and recipe",
    {
        "model.backbone": "stargan",
        "model.bottleneck_blocks": 6,
        "train.batch": 16,
        "train.n_critic": 5,
        "train.targets": "permuted",
        "train.learning_rate": 1e-4,
        "train.decay": "linear",
        "train.beta1": 0.5,
        "train.beta2": 0.999,
        "train.weight_decay": 0.0,
        "train.ema": 0.0,
        "data.sampling": "uniform",
        "data.crops": False,
    },
)
STARGAN_V2 = Change("stargan_v2", "StarGAN v2's networks and recipe", dict.fromkeys(STARGAN.settings, RECIPE))

_ADDED = {"A": (STARGAN,), "C": (STARGAN_V2,)}  # to the controlled rung of the same letter
_READINGS = {
    "A": "StarGAN's networks, objective and recipe, with the channels and the resolution of the scale",
    "B": "one map of patches for each domain; the gradient penalty is on the target's map, interpolating with a real "
    "image of the target domain",
    "C": "StarGAN v2's networks and recipe from here on; the one-hot label enters each AdaIN",
}

LADDER = Ladder(
    name="paper",
    title="StarGAN to StarGAN v2, with each paper's networks and recipe",
    source=CONTROLLED.source,
    settings={"train.budget": "iterations"},
    rungs=tuple(
        replace(
            rung,
            changes=(*rung.changes, *_ADDED.get(rung.letter, ())),
            reading=_READINGS.get(rung.letter, rung.reading),
        )
        for rung in CONTROLLED.rungs
    ),
)
