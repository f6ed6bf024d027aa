"""Half of a factorial design: which half, what its effects are aliased with, and what invalid combinations cost it.

Box, Hunter and Hunter, Statistics for Experimenters (2nd edition, 2005), chapter 6: levels are +1 (in) and -1 (out),
an effect is a product of levels, and a half is where one product, its word, is constant. The length of the word is the
resolution: from IV on, no main effect is aliased with a two-factor interaction; from V on, no two of these are with
each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ablations.combinations import Combination

LOWEST_RESOLUTION = 4

Effect = tuple[str, ...]  # one sub-change, or several that interact, in the ladder's order; none: the mean


@dataclass(frozen=True)
class Fraction:
    """Half of all combinations: those that leave out an even number of the word's sub-changes, so the last rung too."""

    word: Effect
    aliases: Mapping[Effect, Effect]  # in the whole half: an effect of up to two sub-changes -> what is added to it
    members: tuple[Combination, ...]  # those of the half that can run
    missing: tuple[Combination, ...]  # those that cannot
    # Main effects and interactions of two that the whole half tells apart from each other and `members` do not.
    lost: tuple[Effect, ...]

    @property
    def resolution(self) -> int:
        """The length of the word."""
        return len(self.word)


def half(names: Sequence[str], runs: Mapping[Combination, str]) -> Fraction | None:
    """The half of the fewest runs. Of several, the one that tells the most effects apart, then of the longest word.

    runs: every combination that can run -> its run, which several may share. None where the resolution would be below
    IV: with fewer than four sub-changes.
    """
    every = [frozenset(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size)]
    halves = {
        word: [combination for combination in every if len(set(word) - combination) % 2 == 0]
        for size in range(LOWEST_RESOLUTION, len(names) + 1)
        for word in combinations(names, size)
    }
    if not halves:
        return None
    costs = {word: len({runs[member] for member in members if member in runs}) for word, members in halves.items()}
    cheapest = [word for word, cost in costs.items() if cost == min(costs.values())]
    valid = {word: tuple(member for member in halves[word] if member in runs) for word in cheapest}
    told_apart = {word: separable(names, valid[word]) for word in cheapest}
    word = max(cheapest, key=lambda word: (len(told_apart[word]), len(word)))
    return Fraction(
        word=word,
        aliases={effect: alias(names, word, effect) for effect in effects(names)},
        members=valid[word],
        missing=tuple(member for member in halves[word] if member not in runs),
        lost=tuple(effect for effect in separable(names, halves[word]) if effect not in told_apart[word]),
    )


def effects(names: Sequence[str]) -> list[Effect]:
    """The mean, the main effects and the interactions of two."""
    return [effect for size in range(3) for effect in combinations(names, size)]


def alias(names: Sequence[str], word: Effect, effect: Effect) -> Effect:
    """What cannot be told apart from an effect where the product of the word is constant: the product of both."""
    return tuple(name for name in names if (name in word) != (name in effect))


def levels(members: Collection[Combination], effect: Effect) -> np.ndarray:
    """(members,) of an effect in each member: +1 or -1, its sub-changes' product."""
    return np.array([np.prod([1 if name in member else -1 for name in effect]) for member in members])


def separable(names: Sequence[str], members: Collection[Combination]) -> tuple[Effect, ...]:
    """The main effects and interactions of two that a linear model of them all can estimate from these members.

    An effect can be estimated exactly where it has no part in the null space of the model's matrix (Searle, Linear
    Models, 1971, section 5.4).
    """
    model = np.stack([levels(members, effect) for effect in effects(names)], axis=1)
    _, singular, directions = np.linalg.svd(model, full_matrices=True)
    rank = int((singular > 1e-9 * singular.max(initial=1)).sum())
    free = np.abs(directions[rank:]).max(axis=0, initial=0) < 1e-9
    return tuple(effect for effect, estimable in zip(effects(names), free, strict=True) if estimable and effect)
