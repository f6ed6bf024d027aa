"""Spaces: what is tuned in which arm, and every way in which a space can be wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ablations.presets import PRESETS
from ablations.rung import ladder_arms, varied
from ablations.search import DEFAULT, SPACES, Dimension, Parameter, Space, dimensions, read_space
from ablations.stargan import LADDER
from core.config import Config, ConfigError, changed

RECIPE = changed(Config(), PRESETS[0].settings)
ARMS = {arm.label: arm.config for arm in ladder_arms(LADDER, RECIPE)}
VARIED = varied(LADDER)

WEIGHTS = {
    "A": {"penalty_weight", "classification", "cycle"},
    "B": {"penalty_weight", "cycle"},
    "C": {"penalty_weight", "cycle"},
    "D": {"penalty_weight", "cycle", "reconstruction"},
    "E": {"penalty_weight", "cycle", "reconstruction"},
    "F": {"penalty_weight", "cycle", "reconstruction", "diversity"},
}


def problems(config: Config = ARMS["F"], ladder: bool = True, name: str = "empty", **ranges: Any) -> list[str]:
    """What is wrong with a space of these ranges; `__` stands for a dot."""

    def build() -> None:
        space = read_space(name, {path.replace("__", "."): text for path, text in ranges.items()})
        dimensions(space, config, VARIED if ladder else None)

    with pytest.raises(ConfigError) as error:
        build()
    return error.value.problems


def tuned(text: Any, path: str = "loss.cycle", config: Config = ARMS["F"]) -> Dimension:
    [dimension] = dimensions(read_space("empty", {path: text}), config, VARIED)
    return dimension


@pytest.mark.parametrize("label", ARMS)
def test_an_arm_tunes_the_weights_of_the_terms_that_it_has(label: str) -> None:
    paths = [dimension.path for dimension in dimensions(DEFAULT, ARMS[label], VARIED)]
    assert {path.removeprefix("loss.") for path in paths if path.startswith("loss.")} == WEIGHTS[label]
    rates = {"train.learning_rate"} | ({"train.mapping_learning_rate"} if label in "EF" else set())
    assert {path for path in paths if path.startswith("train.")} == rates
    assert len(set(paths)) == len(paths)


def test_a_range_lies_around_what_the_arm_has() -> None:
    of = {label: {each.path: each for each in dimensions(DEFAULT, config, VARIED)} for label, config in ARMS.items()}
    cycle, penalty = of["A"]["loss.cycle"], of["A"]["loss.penalty_weight"]
    assert (cycle.low, cycle.default, cycle.high, cycle.log) == (1.0, 10.0, 100.0, True)
    assert (penalty.low, penalty.high) == (2.0, 50.0)
    assert (of["F"]["loss.penalty_weight"].low, of["F"]["loss.penalty_weight"].high) == pytest.approx((0.01, 1.0))


def test_ranges_of_a_person_take_the_place_of_the_space_s() -> None:
    space = read_space("default", {"loss.cycle": "0.5:2", "loss.diversity": "off", "train.batch": [4, 8]})
    found = {each.path: each for each in dimensions(space, ARMS["F"], VARIED)}
    assert "loss.diversity" not in found
    assert found["loss.cycle"] == Dimension("loss.cycle", 1.0, 0.5, 2.0)
    assert found["train.batch"].choices == (4, 8)
    assert set(found) == {each.path for each in DEFAULT.parameters} - {"loss.diversity", "loss.classification"} | {
        "train.batch"
    }


def test_the_shapes_of_a_range() -> None:
    assert tuned("0.1:10:log") == Dimension("loss.cycle", 1.0, 0.1, 10.0, log=True)
    assert tuned([1, 2, 5]).choices == (1.0, 2.0, 5.0)
    assert tuned("4:16", "train.batch") == Dimension("train.batch", 8, 4.0, 16.0, whole=True)
    assert tuned("none,linear", "train.decay").choices == ("none", "linear")
    assert str(tuned("0.1:10:log")) == "0.1 to 10 (log)"
    assert str(tuned("none,linear", "train.decay")) == "none, linear"


def test_a_weight_of_a_term_that_an_arm_has_not_is_left_out_of_it() -> None:
    space = read_space("empty", {"loss.diversity": "0.5:2", "loss.cycle": "0.5:20"})
    assert [each.path for each in dimensions(space, ARMS["E"], VARIED)] == ["loss.cycle"]
    assert [each.path for each in dimensions(space, ARMS["F"], VARIED)] == ["loss.diversity", "loss.cycle"]


def test_a_grid_runs_from_end_to_end() -> None:
    assert tuned("0.25:4:log").grid(3) == pytest.approx((0.25, 1.0, 4.0))
    assert tuned("0:4", "train.weight_decay").grid(3) == (0.0, 2.0, 4.0)
    assert tuned("4:16", "train.batch").grid(3) == (4, 10, 16)
    assert tuned("7:9", "train.batch").grid(5) == (7, 8, 9)
    assert tuned("none,linear", "train.decay").grid(3) == ("none", "linear")
    assert tuned("0:4", "train.weight_decay").grid(1) == (2.0,)


@pytest.mark.parametrize(
    "ranges, message",
    [
        ({"loss__cycel": "0:1"}, r"^space\.loss\.cycel: there is no such setting \(did you mean loss\.cycle\?\)$"),
        ({"loss__cycle": "2:2"}, r"^space\.loss\.cycle=2 to 2: the range is empty; set loss\.cycle=2 instead$"),
        ({"loss__cycle": "3:0.5"}, r"upside down; write space\.loss\.cycle=0\.5:3$"),
        ({"loss__cycle": "0:3:log"}, r"a logarithmic range must begin above 0$"),
        ({"loss__cycle": "-1:3"}, r"^space\.loss\.cycle=-1\.0: must be at least 0$"),
        ({"loss__cycle": "1:inf"}, r"must be finite$"),
        ({"loss__cycle": "1:3:linear"}, r"write LOW:HIGH, LOW:HIGH:log, a list A,B,C or off$"),
        ({"loss__cycle": "1:"}, r"write LOW:HIGH"),
        ({"loss__cycle": "low:high"}, r"write LOW:HIGH"),
        ({"loss__cycle": "2:3"}, r"what the arm has untuned, 1\.0, is the first trial"),
        ({"loss__cycle": [2, 3]}, r"what the arm has untuned, 1\.0, is the first trial"),
        ({"loss__cycle": 1.0}, r"one choice is none; set loss\.cycle=1\.0 instead$"),
        ({"train__decay": "0:1"}, r"this is no number; list its values"),
        ({"train__decay": "none,cubic"}, r"^space\.train\.decay=cubic: choose one of none, linear, authors$"),
        ({"train__batch": "4:8.5"}, r"the ends must be whole numbers$"),
        ({"model__bottleneck_size": "4:16"}, r"bottleneck_size=5: must be a power of two$"),
        ({"model__injection": "concat,adain"}, r"this is what the ladder varies.*space\.model\.injection=off$"),
        ({"loss__diversity": "0:2"}, r"at 0 the term is gone"),
        ({"eval__outputs": "2:9"}, r"trials are compared by their images and metrics"),
        ({"data__augment": "true,false"}, r"trials are compared by their images and metrics"),
        ({"train__steps": "5:20"}, r"every trial has the same budget"),
        ({"train__log_every": "1:5"}, r"changes no result"),
        ({"seed": "0:5"}, r"changes no result"),
        ({"model__bottleneck_size": [8, 32]}, r"bottleneck_size=32, and that cannot run: model\.bottleneck_size is l"),
        ({}, r"^space=empty: there is nothing to tune"),
    ],
)
def test_what_is_wrong_is_said(ranges: dict[str, Any], message: str) -> None:
    [problem] = problems(**ranges)
    assert re.search(message, problem), problem


def test_everything_wrong_is_said_at_once() -> None:
    assert len(problems(name="wide", loss__cycel="0:1", seed="0:1")) == 3
    assert len(problems(loss__cycle="2:2", loss__reconstruction="3:2", model__code="style,latent")) == 3


def test_two_settings_that_break_a_rule_together() -> None:
    free = changed(RECIPE, {"model.attention_size": 16})
    [problem] = problems(free, False, model__bottleneck_size=[8, 16], model__attention_size=[8, 16])
    assert "model.bottleneck_size=16, model.attention_size=8, and that cannot run" in problem


def test_without_a_ladder_kinds_can_be_tuned_where_the_rules_allow_it() -> None:
    space = read_space("empty", {"model.injection": "concat,adain"})
    [dimension] = dimensions(space, ARMS["F"])
    assert dimension.choices == ("concat", "adain")
    assert any("loss.penalty=none goes with" in each for each in problems(ladder=False, loss__penalty="r1,none"))


def test_every_named_space_fits_every_arm_and_scale() -> None:
    for preset in PRESETS:
        for arm in ladder_arms(LADDER, changed(Config(), preset.settings)):
            for space in (space for space in SPACES.values() if space.parameters):
                assert all(each.low < each.default < each.high for each in dimensions(space, arm.config, VARIED))


def test_booleans_are_read_as_a_person_types_them() -> None:
    space = Space("own", "", (Parameter("data.augment", choices=("True", "false")),))
    [dimension] = dimensions(space, RECIPE)
    assert dimension.choices == (True, False)
