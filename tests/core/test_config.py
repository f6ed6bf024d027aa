"""Configurations: what is refused and why, what counts for identity."""

from __future__ import annotations

import pytest

from core.config import (
    GUIDES,
    RULES,
    Config,
    ConfigError,
    as_flat,
    broken_rules,
    changed,
    digest,
    from_flat,
    generator_updates,
    iterations,
    label_table,
)
from core.settings import leaves

LABEL = {"model.code": "label", "loss.diversity": 0.0, "loss.reconstruction": 0.0}
ATTRIBUTES = {
    **LABEL,
    "model.head": "acgan",
    "loss.classification": 1.0,
    "data.root": "a folder",
    "data.attributes": ["Male", "Young"],
}

# One configuration for every rule, in the order of RULES, that breaks this rule and no other.
BREAKS = [
    {"model.code": "label", "loss.reconstruction": 0.0},
    {"model.code": "label", "loss.diversity": 0.0},
    {"loss.cycle": 0.0, "loss.reconstruction": 0.0},
    {"model.head": "acgan"},
    {"loss.classification": 1.0},
    {"loss.adversarial": "wasserstein", "loss.penalty": "none", "loss.penalty_weight": 0.0},
    {"loss.penalty": "none"},
    {"train.keep_best": True},
    {"model.resolution": 16, "model.bottleneck_size": 32},
    {"model.first_width": 64, "model.max_width": 32},
    {"model.attention_size": 24},
    {"model.high_pass": 1.0},
    {"model.landmarks": "landmarks.pt"},
    {"model.high_pass": 1.0, "model.landmarks": "landmarks.pt", "data.masks": "masks", "data.root": "images"},
    {"model.high_pass": 1.0, "data.masks": "masks"},
    {"model.high_pass": 1.0, "model.landmarks": "landmarks.pt", "model.bottleneck_size": 64},
    {"data.domains": ["cat"]},
    {"model.backbone": "stargan"},
    {"model.backbone": "stargan", "model.injection": "concat", "model.attention_size": 16},
    {"model.backbone": "stargan", "model.injection": "concat", "model.high_pass": 1.0, "model.landmarks": "model.pt"},
    {"model.backbone": "stargan", "model.injection": "concat", "model.patch_convs": 9},
    {"train.n_critic": 5, "train.steps": 4, "train.budget": "iterations"},
    {"eval.tuning_share": 0.25},
    {**ATTRIBUTES, "data.root": ""},
    {**ATTRIBUTES, "model.code": "style"},
    {**ATTRIBUTES, "model.head": "multitask", "loss.classification": 0.0},
    {**ATTRIBUTES, "data.attributes": ["Male", "Male"]},
]


def test_the_defaults_are_valid() -> None:
    assert broken_rules(Config()) == []


@pytest.mark.parametrize(("number", "changes"), list(enumerate(BREAKS)))
def test_every_rule_fires_alone(number: int, changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as error:
        changed(Config(), changes)
    assert error.value.problems == [RULES[number].message]


def test_no_rule_is_without_a_case() -> None:
    assert len(BREAKS) == len(RULES)


def test_one_error_lists_everything() -> None:
    wrong = {
        "model.hed": "acgan",
        "train.batch": 0,
        "train.steps": 1.5,
        "loss.penalty": "r2",
        "data.augment": 1,
        "loss.cycle": float("nan"),
        "model.resolution": 48,
        "train.beta1": 1.0,
        "train.learning_rate": 0,
    }
    with pytest.raises(ConfigError) as error:
        changed(Config(), wrong)
    assert error.value.problems == [
        "model.hed: there is no such setting (did you mean model.head?)",
        "train.batch=0: must be at least 1",
        "train.steps=1.5: must be a whole number",
        "loss.penalty=r2: choose one of gradient_penalty, r1, none",
        "data.augment=1: must be True or False",
        "loss.cycle=nan: must be finite",
        "model.resolution=48: must be a power of two",
        "train.beta1=1.0: must be at most 0.9999",
        "train.learning_rate=0.0: must be above 0",
    ]


def test_a_setting_without_its_section_is_recognised() -> None:
    with pytest.raises(ConfigError, match=r"did you mean train\.batch or eval\.batch\?"):
        changed(Config(), {"batch": 4})


def test_numbers_take_their_type() -> None:
    config = changed(Config(), {"train.steps": 1e3, "loss.cycle": 2, "data.root": 2024})
    assert (config.train.steps, config.loss.cycle, config.data.root) == (1000, 2.0, "2024")
    assert isinstance(config.train.steps, int)
    assert isinstance(config.loss.cycle, float)


def test_flat_form_returns() -> None:
    config = changed(Config(), {**LABEL, "data.domains": ["a", "b"], "seed": 7})
    assert from_flat(as_flat(config)) == config


def test_digest_covers_what_changes_results_and_nothing_else() -> None:
    base = digest(Config())
    for path, item, value in leaves(Config()):
        other = {"bool": not value, "int": 24, "float": 0.25, "str": "x", "tuple": ("a", "b")}[type(value).__name__]
        if isinstance(value, str) and path not in (
            "data.root",
            "data.fingerprint",
            "data.masks_fingerprint",
        ):
            continue  # names: tried below
        changes = {path: other}
        section, _, name = path.rpartition(".")
        config = Config()
        owner = getattr(config, section) if section else config
        moved = type(owner)(**{**{f: getattr(owner, f) for f in owner.__dataclass_fields__}, name: other})
        config = Config(**{section: moved}) if section else moved
        assert (digest(config) != base) == item.metadata["identity"], changes
    assert digest(changed(Config(), {"model.injection": "concat"})) != base
    assert digest(changed(Config(), {"precision": "bf16"})) != base
    assert digest(changed(Config(), {"device": "cpu"})) == base


def test_a_setting_that_came_later_leaves_the_names_of_before_alone() -> None:
    assert digest(changed(Config(), {"eval.part": "all", "eval.tuning_share": 0.5})) == digest(Config())
    parts = [changed(Config(), {"eval.part": part}) for part in ("tuning", "rest")]
    shares = [changed(Config(), {"eval.part": "rest", "eval.tuning_share": share}) for share in (0.25, 0.75)]
    assert len({digest(config) for config in (Config(), *parts, *shares)}) == 5


def test_budget_gives_equal_updates_or_equal_iterations() -> None:
    for code, guides in GUIDES.items():
        changes = LABEL if code == "label" else {"model.code": code}
        by_updates = changed(Config(), {**changes, "train.steps": 50})
        by_iterations = changed(by_updates, {"train.budget": "iterations"})
        assert iterations(by_updates) * len(guides) == 100
        assert iterations(by_iterations) == 50
        critic = {"train.n_critic": 5}
        assert generator_updates(changed(by_updates, critic), iterations(changed(by_updates, critic))) == 100
        assert iterations(changed(by_iterations, critic)) == 50
        assert generator_updates(changed(by_iterations, critic), 49) == 9 * len(guides)


def test_lists_come_from_a_command_line_as_text() -> None:
    config = changed(Config(), {**ATTRIBUTES, "data.attributes": "Black_Hair, Male"})
    assert config.data.attributes == ("Black_Hair", "Male")
    assert from_flat(as_flat(config)) == config


def test_labels_are_one_hot_or_the_attributes_of_a_combination() -> None:
    assert label_table(Config()) == ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    config = changed(Config(), {**ATTRIBUTES, "data.domains": ["none", "Young", "Male+Young"]})
    assert label_table(config) == ((0, 0), (0, 1), (1, 1))
