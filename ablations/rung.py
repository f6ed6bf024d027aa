"""A ladder as data: rungs made of named sub-changes, and the arms (configurations) that they fold into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core.config import Config, ConfigError, broken_rules
from core.settings import leaves, with_paths


class _Recipe:
    def __repr__(self) -> str:
        return "RECIPE"


RECIPE: Final = _Recipe()  # as a setting's value: what the recipe has, so that a data set's own loss weights count


@dataclass(frozen=True)
class Change:
    """One component: what a leave-one-out or factorial design adds and removes."""

    name: str
    title: str
    settings: Mapping[str, Any]  # dotted path -> value or RECIPE


@dataclass(frozen=True)
class Rung:
    """A step of the ladder: what it changes of the rung before, and what was published of it."""

    letter: str
    title: str
    changes: tuple[Change, ...]
    published: Mapping[str, float | None] = field(default_factory=dict)  # metric -> the paper's number
    reading: str = ""  # our interpretation where the paper is silent; printed as such


@dataclass(frozen=True)
class Ladder:
    """Rungs in order; the first one's changes are against the recipe."""

    name: str
    title: str
    source: str  # where the published numbers stand
    rungs: tuple[Rung, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)  # dotted path -> value: over the scale's, in all rungs

    @property
    def letters(self) -> tuple[str, ...]:
        """Of the rungs, in order."""
        return tuple(rung.letter for rung in self.rungs)

    def changes_to(self, letter: str) -> tuple[Change, ...]:
        """All changes from the first rung to this one."""
        last = self.letters.index(letter)
        return tuple(change for rung in self.rungs[: last + 1] for change in rung.changes)


@dataclass(frozen=True)
class Arm:
    """One configuration of a comparison."""

    label: str
    title: str
    config: Config
    difference: Mapping[str, tuple[Any, Any]]  # dotted path -> (in `against`, here)
    against: str = ""  # the label that it is compared with: the rung before, or an end of the ladder; of none: empty
    changes: tuple[Change, ...] = ()  # that lie between the two; of the first rung its own


def fold(recipe: Config, changes: tuple[Change, ...]) -> Config:
    """The recipe with changes applied in order, later ones winning. Raises ConfigError."""
    problems: list[str] = []
    config = with_paths(recipe, folded_settings(recipe, changes), problems)
    problems += [] if problems else broken_rules(config)
    if problems:
        raise ConfigError(problems)
    return config


def folded_settings(recipe: Config, changes: tuple[Change, ...]) -> dict[str, Any]:
    """{dotted path: value} of all changes, with RECIPE resolved."""
    base = {path: value for path, _, value in leaves(recipe)}
    settings = {path: value for change in changes for path, value in change.settings.items()}
    return {path: base[path] if value is RECIPE else value for path, value in settings.items()}


def difference(before: Config, after: Config) -> dict[str, tuple[Any, Any]]:
    """{dotted path: (before, after)} where two configurations differ."""
    old = {path: value for path, _, value in leaves(before)}
    return {path: (old[path], value) for path, _, value in leaves(after) if old[path] != value}


def varied(ladder: Ladder) -> dict[str, bool]:
    """{dotted path: whether some rung takes it from the recipe} of every setting that the ladder sets itself."""
    result: dict[str, bool] = {}
    for rung in ladder.rungs:
        for path, value in folded_raw(ladder, rung.letter).items():
            result[path] = result.get(path, False) or value is RECIPE
    return result


def folded_raw(ladder: Ladder, letter: str) -> dict[str, Any]:
    """{dotted path: value or RECIPE} at one rung."""
    return {path: value for change in ladder.changes_to(letter) for path, value in change.settings.items()}


def ladder_arms(ladder: Ladder, recipe: Config, letters: tuple[str, ...] = ()) -> list[Arm]:
    """One arm a rung (all, or those named), each differing from the rung before it. Raises ConfigError."""
    arms: list[Arm] = []
    for rung in ladder.rungs:
        config = fold(recipe, ladder.changes_to(rung.letter))
        before = arms[-1] if arms else None
        changed = difference(before.config, config) if before else {}
        arms.append(Arm(rung.letter, rung.title, config, changed, before.label if before else "", rung.changes))
    return [arm for arm in arms if not letters or arm.label in letters]
