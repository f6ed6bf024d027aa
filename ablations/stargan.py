"""From StarGAN to StarGAN v2 in six rungs: Choi et al., CVPR 2020 (arXiv 1912.01865v2), table 1.

This is the controlled ladder: one backbone and one recipe, StarGAN v2's, in every rung; only the named components
change.
"""

from __future__ import annotations

from ablations.rung import RECIPE, Change, Ladder, Rung

BASELINE = Change(
    "baseline",
    "label by concatenation, ACGAN discriminator, WGAN-GP",
    {
        "model.code": "label",
        "model.injection": "concat",
        "model.head": "acgan",
        "loss.adversarial": "wasserstein",
        "loss.penalty": "gradient_penalty",
        "loss.penalty_weight": 10.0,
        "loss.classification": 1.0,
        "loss.cycle": 10.0,
        "loss.reconstruction": 0.0,
        "loss.diversity": 0.0,
    },
)
MULTITASK = Change(
    "multitask",
    "multi-task discriminator",
    {"model.head": "multitask", "loss.classification": 0.0},
)
R1 = Change(
    "r1",
    "R1 objective",
    {
        "loss.adversarial": "logistic",
        "loss.penalty": "r1",
        "loss.penalty_weight": RECIPE,
        "loss.cycle": RECIPE,  # 10 is the scale of WGAN-GP's losses
    },
)
ADAIN = Change("adain", "AdaIN", {"model.injection": "adain"})
LATENT = Change("latent", "latent code", {"model.code": "latent", "loss.reconstruction": RECIPE})
STYLE = Change("style", "style code", {"model.code": "style", "loss.reconstruction": RECIPE})
DIVERSITY = Change("diversity", "diversity regularization", {"loss.diversity": RECIPE})

LADDER = Ladder(
    name="controlled",
    title="StarGAN to StarGAN v2, one component at a time",
    source="Choi et al., arXiv 1912.01865v2, table 1: CelebA-HQ, 256 px, latent-guided, one training run a rung",
    rungs=(
        Rung(
            "A",
            "Baseline StarGAN",
            (BASELINE,),
            {"fid": 98.4, "lpips": None},
            "on StarGAN v2's networks and recipe; cycle consistency by the label; cycle weight 10, WGAN-GP's scale",
        ),
        Rung(
            "B",
            "+ multi-task discriminator",
            (MULTITASK,),
            {"fid": 91.4, "lpips": None},
            "the gradient penalty is on the target's branch, interpolating with a real image of the target domain",
        ),
        Rung(
            "C",
            "+ tuning (R1, AdaIN)",
            (R1, ADAIN),
            {"fid": 80.5, "lpips": None},
            "the one-hot label enters each AdaIN; the cycle weight falls to the recipe's with WGAN-GP's scale",
        ),
        Rung(
            "D",
            "+ latent code injection",
            (LATENT,),
            {"fid": 32.3, "lpips": 0.312},
            "[z; one-hot domain] enters each AdaIN; the reconstruction is over z only; the cycle uses E(x)",
        ),
        Rung("E", "+ style code in its place", (STYLE,), {"fid": 17.1, "lpips": 0.405}),
        Rung("F", "+ diversity regularization", (DIVERSITY,), {"fid": 13.7, "lpips": 0.452}),
    ),
)
