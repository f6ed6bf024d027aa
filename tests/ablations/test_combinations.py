"""What combinations of sub-changes fold into and are called, also in ladders odder than ours."""

from __future__ import annotations

import numpy as np
import pytest

from ablations.combinations import Combinations
from ablations.rung import Change, Ladder, Rung
from ablations.stargan import LADDER
from core.config import Config, ConfigError, digest

SPACE = Combinations(LADDER, Config())


def made(*settings: dict[str, float]) -> Combinations:
    """Rungs B, C, ... with one sub-change each: b, c, ..."""
    rungs = [Rung(chr(66 + n), "", (Change(chr(98 + n), f"change {n}", one),)) for n, one in enumerate(settings)]
    return Combinations(Ladder("made", "made", "", (Rung("A", "first", ()), *rungs)), Config())


def test_sub_changes_are_those_of_the_later_rungs() -> None:
    assert SPACE.names == ("multitask", "r1", "adain", "latent", "style", "diversity")
    assert SPACE.of_rung("A") == frozenset()
    assert SPACE.of_rung("C") == {"multitask", "r1", "adain"}
    every = list(SPACE.every())
    assert len(every) == len(set(every)) == 64 and every[0] == frozenset() and every[-1] == set(SPACE.names)


@pytest.mark.parametrize(
    "combination, spelt, label",
    [
        (set(), "A", "A"),
        ({"multitask"}, "A+multitask", "B"),
        ({"r1", "style"}, "A+r1+style", "A+r1+style"),
        ({"latent", "style"}, "A+latent+style", "A+style"),  # the style code overrides the latent one
        ({"multitask", "adain", "style", "diversity"}, "F-r1-latent", "F-r1"),
        ({"multitask", "r1", "adain", "latent", "style"}, "F-diversity", "E"),
        ({"multitask", "latent", "adain"}, "F-r1-style-diversity", "F-r1-style-diversity"),  # three and three: the last
    ],
)
def test_names(combination: set[str], spelt: str, label: str) -> None:
    assert (SPACE.spelt(frozenset(combination)), SPACE.arm(frozenset(combination)).label) == (spelt, label)


def test_a_broken_rule_is_raised() -> None:
    with pytest.raises(ConfigError) as error:
        SPACE.arm(frozenset({"diversity", "r1"}))
    assert error.value.problems == [
        "loss.diversity needs a code that varies: set model.code=latent or style, or loss.diversity=0"
    ]


def test_a_change_of_several_settings_may_be_overridden_in_part() -> None:
    """b sets two of which c sets one again: without b the other differs, so b is no idle part of `both`."""
    space = made({"train.beta1": 0.1, "train.ema": 0.5}, {"train.beta1": 0.2})
    assert [space.arm(frozenset(one)).label for one in ("", "b", "c", "bc")] == ["A", "B", "C-b", "C"]


def test_what_a_later_change_hides_is_found_behind_it() -> None:
    """d sets what b set. Between them c has an effect after b alone and none before d: b is as good as b, c and d."""
    space = made(
        {"train.ema": 0.1}, {"train.ema": 0.2}, {"train.ema": 0.1},
        {"train.beta1": 0.3}, {"train.beta2": 0.4}, {"train.weight_decay": 0.5},
    )  # fmt: skip
    labels = {"".join(sorted(one)): space.arm(one).label for one in space.every()}
    assert {labels[one] for one in ("b", "d", "bd", "cd", "bcd")} == {"B"}
    assert {labels[one] for one in ("bfg", "dfg", "bdfg", "cdfg", "bcdfg")} == {"G-e"}
    assert {labels[one] for one in ("cfg", "bcfg")} == {"G-d-e"}


@pytest.mark.parametrize("seed", range(30))
def test_one_configuration_one_label(seed: int) -> None:
    """In ladders of five sub-changes that set the same few settings over and over."""
    draws = np.random.default_rng(seed)
    paths = ["train.beta1", "train.ema", "train.weight_decay"]
    chosen = [draws.choice(paths, size=draws.integers(1, 3), replace=False) for _ in range(5)]
    space = made(*({path: float(draws.choice([0.1, 0.2, 0.3])) for path in some} for some in chosen))
    labels: dict[str, set[str]] = {}
    for combination in space.every():
        arm = space.arm(combination)
        labels.setdefault(digest(arm.config), set()).add(arm.label)
    assert {len(found) for found in labels.values()} == {1}
    assert len(set.union(*labels.values())) == len(labels)
