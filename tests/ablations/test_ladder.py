"""The ladder is what the paper's table says, and folding it keeps a recipe's own weights."""

from __future__ import annotations

import pytest

from ablations.presets import DEFAULT, PRESETS
from ablations.rung import Arm, fold, ladder_arms, varied
from ablations.stargan import ADAIN, BASELINE, DIVERSITY, LADDER, LATENT, MULTITASK, R1, STYLE
from core.config import Config, ConfigError, changed, digest, iterations

# code, injection, head, adversarial, penalty, its weight, classification, cycle, reconstruction, diversity
EXPECTED = {
    "A": ("label", "concat", "acgan", "wasserstein", "gradient_penalty", 10, 1, 10, 0, 0),
    "B": ("label", "concat", "multitask", "wasserstein", "gradient_penalty", 10, 0, 10, 0, 0),
    "C": ("label", "adain", "multitask", "logistic", "r1", 1, 0, 1, 0, 0),
    "D": ("latent", "adain", "multitask", "logistic", "r1", 1, 0, 1, 1, 0),
    "E": ("style", "adain", "multitask", "logistic", "r1", 1, 0, 1, 1, 0),
    "F": ("style", "adain", "multitask", "logistic", "r1", 1, 0, 1, 1, 1),
}


@pytest.mark.parametrize("arm", ladder_arms(LADDER, Config()), ids=lambda arm: arm.label)
def test_each_rung_is_the_papers(arm: Arm) -> None:
    model, loss = arm.config.model, arm.config.loss
    assert EXPECTED[arm.label] == (
        model.code, model.injection, model.head, loss.adversarial, loss.penalty, loss.penalty_weight,
        loss.classification, loss.cycle, loss.reconstruction, loss.diversity,
    )  # fmt: skip


def test_the_last_rung_is_the_recipe() -> None:
    assert ladder_arms(LADDER, Config())[-1].config == Config()


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_scale_folds_and_all_rungs_make_the_same_updates(preset: object) -> None:
    recipe = changed(Config(), preset.settings)  # type: ignore[attr-defined]
    arms = ladder_arms(LADDER, recipe)
    assert len({digest(arm.config) for arm in arms}) == 6
    assert [iterations(arm.config) for arm in arms] == [2 * recipe.train.steps] * 4 + [recipe.train.steps] * 2
    varying = set(varied(LADDER))
    for arm in arms:
        assert set(arm.difference) <= varying


def test_only_the_named_component_changes() -> None:
    differences = {arm.label: set(arm.difference) for arm in ladder_arms(LADDER, Config())}
    assert differences == {
        "A": set(),
        "B": {"model.head", "loss.classification"},
        "C": {"model.injection", "loss.adversarial", "loss.penalty", "loss.penalty_weight", "loss.cycle"},
        "D": {"model.code", "loss.reconstruction"},
        "E": {"model.code"},
        "F": {"loss.diversity"},
    }


def test_a_recipes_own_weights_count_where_the_rung_takes_them() -> None:
    recipe = changed(Config(), {"loss.diversity": 2.0, "loss.cycle": 0.1, "loss.reconstruction": 0.3})
    arms = {arm.label: arm.config.loss for arm in ladder_arms(LADDER, recipe)}
    assert (arms["F"].diversity, arms["F"].cycle, arms["F"].reconstruction) == (2.0, 0.1, 0.3)
    assert (arms["A"].diversity, arms["A"].cycle, arms["A"].reconstruction) == (0.0, 10.0, 0.0)
    assert arms["E"].diversity == 0.0


def test_sub_changes_can_be_left_out() -> None:
    without_latent = fold(Config(), (BASELINE, MULTITASK, R1, ADAIN, STYLE, DIVERSITY))
    assert without_latent == Config()  # a style code brings its own randomness
    without_adain = fold(Config(), (BASELINE, MULTITASK, R1, LATENT, STYLE, DIVERSITY))
    assert without_adain.model.injection == "concat"
    with pytest.raises(ConfigError, match=r"loss\.diversity needs a code that varies"):
        fold(Config(), (BASELINE, MULTITASK, R1, ADAIN, DIVERSITY))


def test_what_the_ladder_varies_is_known() -> None:
    sets = varied(LADDER)
    assert sets["loss.diversity"]
    assert not sets["model.code"]
    assert "train.batch" not in sets


def test_the_default_scale_exists() -> None:
    assert DEFAULT in {preset.name for preset in PRESETS}
    assert {preset.name: preset.seeds for preset in PRESETS}["cpu"] == 3


def test_published_numbers() -> None:
    assert [rung.published["fid"] for rung in LADDER.rungs] == [98.4, 91.4, 80.5, 32.3, 17.1, 13.7]
    assert [rung.published["lpips"] for rung in LADDER.rungs] == [None, None, None, 0.312, 0.405, 0.452]
