"""The paper's ladder: StarGAN's networks and recipe in A and B, StarGAN v2's in the others."""

from __future__ import annotations

import pytest

from ablations.ladders import DEFAULT, LADDERS
from ablations.paper import LADDER, STARGAN
from ablations.presets import PRESETS, Preset
from ablations.rung import ladder_arms, varied
from ablations.stargan import LADDER as CONTROLLED
from core.config import Config, as_flat, changed, digest, iterations

RECIPE = changed(Config(), LADDER.settings)
ARMS = {arm.label: arm for arm in ladder_arms(LADDER, RECIPE)}


@pytest.mark.parametrize("label", ["A", "B"])
def test_a_and_b_are_stargans(label: str) -> None:
    config = ARMS[label].config
    model, train, loss = config.model, config.train, config.loss
    assert (model.backbone, model.code, model.injection, model.bottleneck_blocks) == ("stargan", "label", "concat", 6)
    assert (train.beta1, train.beta2, train.learning_rate, train.weight_decay) == (0.5, 0.999, 1e-4, 0.0)
    assert (train.n_critic, train.batch, train.ema, train.decay) == (5, 16, 0.0, "linear")
    assert (train.targets, config.data.sampling, config.data.crops) == ("permuted", "uniform", False)
    assert (loss.adversarial, loss.penalty, loss.penalty_weight, loss.cycle) == (
        "wasserstein", "gradient_penalty", 10.0, 10.0,
    )  # fmt: skip
    assert (model.head, loss.classification) == (("acgan", 1.0) if label == "A" else ("multitask", 0.0))


@pytest.mark.parametrize("label", ["C", "D", "E", "F"])
def test_from_c_on_the_rungs_are_the_controlled_ones(label: str) -> None:
    controlled = {arm.label: arm.config for arm in ladder_arms(CONTROLLED, RECIPE)}
    assert ARMS[label].config == controlled[label]


def test_all_rungs_make_the_same_iterations() -> None:
    assert {iterations(arm.config) for arm in ARMS.values()} == {RECIPE.train.steps}


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_scale_folds(preset: Preset) -> None:
    arms = ladder_arms(LADDER, changed(Config(), {**preset.settings, **LADDER.settings}))
    assert len({digest(arm.config) for arm in arms}) == 6
    for arm in arms:
        assert set(arm.difference) <= set(varied(LADDER))


def test_what_stargan_sets_the_recipe_takes_back() -> None:
    flat, recipe = as_flat(ARMS["C"].config), as_flat(RECIPE)
    assert {path: flat[path] for path in STARGAN.settings} == {path: recipe[path] for path in STARGAN.settings}
    assert set(STARGAN.settings) - {"train.learning_rate"} <= set(ARMS["C"].difference)  # that is 1e-4 in both


def test_published_numbers_and_names_are_shared() -> None:
    assert [rung.published for rung in LADDER.rungs] == [rung.published for rung in CONTROLLED.rungs]
    assert {name: ladder.name for name, ladder in LADDERS.items()} == {
        "controlled_ladder": "controlled",
        "paper_ladder": "paper",
    }
    assert DEFAULT is CONTROLLED
