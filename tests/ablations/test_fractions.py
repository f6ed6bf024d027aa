"""The half of a factorial: its alias structure from the levels themselves, and what validity costs it."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from ablations.combinations import Combination
from ablations.designs import build_design
from ablations.fractions import Effect, Fraction, effects, half, levels, separable
from ablations.paper import LADDER as PAPER
from ablations.stargan import LADDER
from core.config import Config, changed

NAMES = ("a", "b", "c", "d", "e")


def every(names: tuple[str, ...]) -> list[Combination]:
    return [frozenset(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size)]


def halved(names: tuple[str, ...], runs: dict[Combination, str] | None = None) -> Fraction:
    fraction = half(names, runs or {member: str(sorted(member)) for member in every(names)})
    assert fraction is not None
    return fraction


@pytest.mark.parametrize("count", [4, 5, 6, 7])
def test_the_half_of_independent_changes_has_the_highest_resolution(count: int) -> None:
    names = tuple("abcdefg"[:count])
    fraction = halved(names)
    assert fraction.word == names and fraction.resolution == count
    assert len(fraction.members) == 2 ** (count - 1) and frozenset(names) in fraction.members
    assert fraction.missing == () and fraction.lost == ()


@pytest.mark.parametrize("count", [4, 5, 6])
def test_aliases_are_those_of_the_levels(count: int) -> None:
    """Over the half, an effect's levels are its alias's, and stand at right angles to all other effects' but that."""
    names = tuple("abcdef"[:count])
    fraction = halved(names)
    every_effect = [effect for size in range(count + 1) for effect in combinations(names, size)]
    for effect in effects(names):
        own = levels(fraction.members, effect)
        aliased = [other for other in every_effect if abs(own @ levels(fraction.members, other)) == len(own)]
        assert set(aliased) == {effect, fraction.aliases[effect]}
        assert all(own @ levels(fraction.members, other) == 0 for other in every_effect if other not in aliased)
        np.testing.assert_array_equal(own, levels(fraction.members, fraction.aliases[effect]))
    shortest = min(len(other) for effect, other in fraction.aliases.items() if not effect)
    assert shortest == fraction.resolution  # the definition: the shortest word that is aliased with the mean
    for effect, other in fraction.aliases.items():
        assert len(effect) + len(other) >= fraction.resolution


def test_resolution_four_confuses_interactions_of_two_and_no_main_effect() -> None:
    assert set(separable(NAMES[:4], halved(NAMES[:4]).members)) == {("a",), ("b",), ("c",), ("d",)}
    assert len(separable(NAMES, halved(NAMES).members)) == 5 + 10


def test_separable_against_ranks() -> None:
    """An effect can be estimated exactly where its column is no sum of the others'."""
    generator = np.random.default_rng(0)
    for _ in range(20):
        members = [member for member in every(NAMES) if generator.random() < 0.5]
        model = {effect: levels(members, effect) for effect in effects(NAMES)}
        rank = np.linalg.matrix_rank(np.stack(list(model.values())))
        expected: list[Effect] = []
        for effect in model:
            others = np.stack([column for other, column in model.items() if other != effect])
            if effect and np.linalg.matrix_rank(others) == rank - 1:
                expected.append(effect)
        assert list(separable(NAMES, members)) == expected


def test_the_word_leaves_out_a_change_that_another_overrides() -> None:
    """Were the latent code in the word, each style arm would be in the half, with or without it: 28 arms, not 20."""
    fraction = build_design("half", LADDER, Config()).fraction
    assert fraction is not None
    assert fraction.word == ("multitask", "r1", "adain", "style", "diversity") and fraction.resolution == 5
    assert fraction.aliases["style",] == ("multitask", "r1", "adain", "diversity")
    assert fraction.aliases["latent",] == ("multitask", "r1", "adain", "latent", "style", "diversity")
    assert fraction.lost == ()
    assert len(fraction.members) == 28
    pairs = combinations(("multitask", "r1", "adain"), 2)
    assert set(fraction.missing) == {frozenset({"diversity"}), *(frozenset({"diversity", *pair}) for pair in pairs)}


def test_what_validity_costs_is_said() -> None:
    """AdaIN is never without StarGAN v2's networks: one cell of that square of four is empty."""
    fraction = build_design("half", PAPER, changed(Config(), PAPER.settings)).fraction
    assert fraction is not None
    assert fraction.word == ("multitask", "r1", "adain", "stargan_v2", "style", "diversity")
    assert fraction.lost == (("adain",), ("stargan_v2",), ("adain", "stargan_v2"))
    for member in fraction.missing:
        assert ("adain" in member and "stargan_v2" not in member) or (
            "diversity" in member and not member & {"latent", "style"}
        )


def test_the_fewest_runs_win_over_resolution() -> None:
    """Where e never matters, members with and without it share a run, and a word without e halves the runs."""
    fraction = halved(NAMES, {member: str(sorted(member - {"e"})) for member in every(NAMES)})
    assert fraction.word == ("a", "b", "c", "d")
    assert len({member - {"e"} for member in fraction.members}) == 8


def test_of_halves_of_equal_cost_the_one_that_tells_most_apart_wins() -> None:
    """Where e needs d, every half has 12 runs. That of the longest word tells nothing apart, that of abcd six."""
    runs = {member: str(sorted(member)) for member in every(NAMES) if "e" not in member or "d" in member}
    fraction = halved(NAMES, runs)
    assert fraction.word == ("a", "b", "c", "d") and len(fraction.members) == 12
    assert len(separable(NAMES, fraction.members)) == 6
    longest = [member for member in runs if len(set(NAMES) - member) % 2 == 0]
    assert len(longest) == 12 and separable(NAMES, longest) == ()


def test_too_few_changes() -> None:
    assert half(NAMES[:3], {member: str(sorted(member)) for member in every(NAMES[:3])}) is None
