"""Combinations of a ladder's sub-changes: what each folds into, what forbids it, and what it is called.

The first rung's own changes are in every combination; those of the later rungs are in it or not, and fold in the
ladder's order, later ones winning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from ablations.rung import Arm, Change, Ladder, difference, fold, folded_settings, ladder_arms
from core.config import Config, digest
from core.settings import leaves

Combination = frozenset[str]  # names of the sub-changes that are in it


@dataclass(frozen=True)
class Combinations:
    """All combinations of one ladder's sub-changes on one recipe."""

    ladder: Ladder
    recipe: Config

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """The sub-changes that can be in or out, in the ladder's order."""
        return tuple(change for rung in self.ladder.rungs[1:] for change in rung.changes)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the sub-changes, in the ladder's order."""
        return tuple(change.name for change in self.changes)

    @cached_property
    def rungs(self) -> dict[str, Arm]:
        """{letter: arm}. Raises ConfigError where a rung cannot run."""
        return {arm.label: arm for arm in ladder_arms(self.ladder, self.recipe)}

    def of_rung(self, letter: str) -> Combination:
        """What a rung holds over the first one."""
        return frozenset(change.name for change in self.ladder.changes_to(letter)) & set(self.names)

    def every(self) -> Iterator[Combination]:
        """All 2^n of them, small ones first."""
        for size in range(len(self.names) + 1):
            yield from map(frozenset, combinations(self.names, size))

    def spelt(self, combination: Combination) -> str:
        """As a change of the nearer end of the ladder, e.g. `F-adain` or `A+r1`; of the last rung on a tie."""
        return self._spelling(self._left_out(combination), self._chosen(combination))[1]

    def arm(self, combination: Combination) -> Arm:
        """What it folds into: a rung where it is one, else the difference from the nearer end of the ladder.

        The label depends on the configuration alone. A sub-change that changes nothing beside the others, as the latent
        code beside the style code that replaces it, is in no label. Raises ConfigError with the rules that forbid it.
        """
        config = fold(self.recipe, self._folded(combination))
        rung = self._rungs_by_digest.get(digest(config))
        if rung:
            return rung
        left_out, chosen = self._left_out(self._largest(combination)), self._chosen(self._smallest(combination))
        letter, label, title, changes = self._spelling(left_out, chosen)
        end = self._rungs_by_digest[digest(self.rungs[letter].config)]
        return Arm(label, title, config, difference(end.config, config), end.label, changes)

    @cached_property
    def _rungs_by_digest(self) -> dict[str, Arm]:
        arms: dict[str, Arm] = {}
        for arm in self.rungs.values():
            arms.setdefault(digest(arm.config), arm)
        return arms

    @cached_property
    def _base(self) -> dict[str, Any]:
        return {path: value for path, _, value in leaves(self.recipe)}

    def _chosen(self, combination: Combination) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.name in combination)

    def _left_out(self, combination: Combination) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.name not in combination)

    def _folded(self, combination: Combination) -> tuple[Change, ...]:
        return (*self.ladder.rungs[0].changes, *self._chosen(combination))

    def _settings(self, combination: Combination) -> dict[str, Any]:
        return self._base | folded_settings(self.recipe, self._folded(combination))

    def _largest(self, combination: Combination) -> Combination:
        """With every sub-change that it could hold to no effect; later ones first, for they may override others."""
        settings = self._settings(combination)
        for name in reversed(self.names):
            if self._settings(combination | {name}) == settings:
                combination |= {name}
        return combination

    def _smallest(self, combination: Combination) -> Combination:
        """Without the sub-changes that have no effect in it."""
        settings, combination = self._settings(combination), self._largest(combination)
        for name in self.names:
            if self._settings(combination - {name}) == settings:
                combination -= {name}
        return combination

    def _spelling(
        self, left_out: tuple[Change, ...], chosen: tuple[Change, ...]
    ) -> tuple[str, str, str, tuple[Change, ...]]:
        """(letter of the nearer end of the ladder, label, title, what is changed of that end)."""
        near_last = len(left_out) <= len(chosen)
        letter = self.ladder.letters[-1 if near_last else 0]
        sign, word, changes = ("-", "without", left_out) if near_last else ("+", "with", chosen)
        titles = ", ".join(change.title for change in changes)
        return letter, sign.join([letter, *(change.name for change in changes)]), f"{letter} {word} {titles}", changes
