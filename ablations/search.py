"""What is tuned, as data: spaces of settings, each with its range and with the toggles that it belongs to.

A range lies around the value that an arm has anyway, or is written out. The arm's own value is always in it: it is the
first trial, so tuning never ends below where it began.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from core.config import Config, ConfigError, broken_rules
from core.settings import leaves, nearest, with_paths

LEFT_OUT = "off"  # as a setting's range: not in the space
COMPARED_BY = ("data.", "eval.")  # what trials are measured on and by
BUDGET = ("train.steps", "train.budget", "train.n_critic")  # what all trials have alike


@dataclass(frozen=True)
class Parameter:
    """A setting that is tuned, where the configuration needs it."""

    path: str
    around: float = 0.0  # from the arm's value over this factor to the arm's value times it; log scale
    low: float = 0.0  # or the range itself
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()  # or these values and no others
    needs: Callable[[Config], bool] = lambda config: True


@dataclass(frozen=True)
class Space:
    """Settings that are tuned together."""

    name: str
    title: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class Dimension:
    """A setting of one arm with its values: a whole number, a number, or one of a list."""

    path: str
    default: Any  # the arm's own value, which is one of them
    low: float = 0.0  # whole if `whole`; both ends belong to the range
    high: float = 0.0
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] = ()

    def __str__(self) -> str:
        if self.choices:
            return ", ".join(map(str, self.choices))
        return f"{self.low:g} to {self.high:g}{' (log)' if self.log else ''}"

    def grid(self, levels: int) -> tuple[Any, ...]:
        """So many evenly spaced values from end to end, or all choices; a whole number may have fewer."""
        if self.choices:
            return self.choices
        shares = [number / (levels - 1) for number in range(levels)] if levels > 1 else [0.5]
        if self.log:
            values = [self.low * (self.high / self.low) ** share for share in shares]
        else:
            values = [self.low + (self.high - self.low) * share for share in shares]
        values = [min(max(value, self.low), self.high) for value in values]  # a power may round past an end
        return tuple(dict.fromkeys(round(value) if self.whole else value for value in values))

    def tried(self) -> tuple[Any, ...]:
        """Values that stand for all where rules are checked: the ends, and of whole numbers the next and the middle."""
        if not self.whole:
            return self.choices or (self.low, self.high)
        inside = (self.low + 1, (self.low + self.high) // 2)
        return tuple(sorted({int(value) for value in (self.low, *inside, self.high)}))


DEFAULT = Space(
    "default",
    "learning rates and the weights of all terms that the arm has",
    (
        Parameter("train.learning_rate", around=10),
        Parameter("train.mapping_learning_rate", around=10, needs=lambda c: c.model.code == "style"),
        Parameter("loss.penalty_weight", around=10, needs=lambda c: c.loss.penalty == "r1"),
        # Wasserstein losses need a bounded critic: below a tenth of 10 it is hardly one.
        Parameter("loss.penalty_weight", around=5, needs=lambda c: c.loss.penalty == "gradient_penalty"),
        Parameter("loss.classification", around=10, needs=lambda c: c.model.head == "acgan"),
        Parameter("loss.cycle", around=10, needs=lambda c: c.loss.cycle > 0),
        Parameter("loss.reconstruction", around=10, needs=lambda c: c.loss.reconstruction > 0),
        Parameter("loss.diversity", around=10, needs=lambda c: c.loss.diversity > 0),
    ),
)
SPACES = {
    space.name: space
    for space in (
        DEFAULT,
        Space("rates", "learning rates alone", DEFAULT.parameters[:2]),
        Space("empty", "nothing but what space.PATH=RANGE adds", ()),
    )
}


def read_space(name: str, ranges: Mapping[str, Any]) -> Space:
    """The space of a name with a person's own ranges {dotted path: text} in it. Raises ConfigError with all problems.

    A range is LOW:HIGH, LOW:HIGH:log, a list A,B,C of choices, or `off`.
    """
    problems: list[str] = []
    if name not in SPACES:
        problems.append(f"space={name}: choose one of {', '.join(SPACES)}")
    known = {path: item.metadata["identity"] for path, item, _ in leaves(Config())}
    own: dict[str, Parameter] = {}
    for path, text in ranges.items():
        if path not in known:
            problems.append(f"space.{path}: there is no such setting{nearest(path, list(known))}")
        elif path.startswith(COMPARED_BY):
            problems.append(f"space.{path}: trials are compared by their images and metrics, so these are not tuned")
        elif path in BUDGET:
            problems.append(f"space.{path}: every trial has the same budget, so this is not tuned")
        elif not known[path] or path == "seed":
            problems.append(f"space.{path}: this changes no result that could be tuned")
        elif text != LEFT_OUT:
            own[path] = _read(path, text, problems)
    if problems:
        raise ConfigError(problems)
    kept = tuple(parameter for parameter in SPACES[name].parameters if parameter.path not in ranges)
    return Space(name, SPACES[name].title, (*kept, *own.values()))


def dimensions(space: Space, config: Config, varied: Mapping[str, bool] | None = None) -> tuple[Dimension, ...]:
    """What of a space is tuned in an arm. Raises ConfigError with everything that is wrong with it there.

    varied: {dotted path: ...} of what a ladder sets itself, see `ablations.rung.varied`. What kind of part an arm has
    is then fixed, and so is whether it has a term at all: of those that it has not, the weight is not tuned.
    """
    problems: list[str] = []
    values = {path: value for path, _, value in leaves(config)}
    found: list[Dimension] = []
    for parameter in space.parameters:
        value, fixed = values[parameter.path], parameter.path in (varied or {})
        if fixed and (isinstance(value, bool) or not isinstance(value, int | float)):
            problems.append(
                f"space.{parameter.path}: this is what the ladder varies, so tuning it would make one arm another. "
                f"Leave it out: space.{parameter.path}={LEFT_OUT}"
            )
        elif parameter.needs(config) and not (fixed and value == 0):
            dimension = _dimension(parameter, value)
            mistakes = _mistakes(dimension, config, fixed)
            problems += mistakes
            found += [] if mistakes else [dimension]
    problems += [] if problems else _broken(found, config)
    if not problems and not found:
        problems.append(f"space={space.name}: there is nothing to tune in this configuration; add space.PATH=LOW:HIGH")
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def _read(path: str, value: Any, problems: list[str]) -> Parameter:
    """A person's range; choices that the command line has split already come as a list."""
    if isinstance(value, list | tuple):
        return Parameter(path, choices=tuple(value))
    text = str(value)
    if ":" not in text:
        return Parameter(path, choices=tuple(text.split(",")) if isinstance(value, str) else (value,))
    low, _, rest = text.partition(":")
    high, colon, scale = rest.partition(":")
    try:
        if scale == ("log" if colon else ""):
            return Parameter(path, low=float(low), high=float(high), log=bool(colon))
    except ValueError:
        pass
    problems.append(f"space.{path}={text}: write LOW:HIGH, LOW:HIGH:log, a list A,B,C or {LEFT_OUT}")
    return Parameter(path)


def _dimension(parameter: Parameter, value: Any) -> Dimension:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if parameter.choices:
        return Dimension(parameter.path, value, choices=tuple(dict.fromkeys(_like(value, parameter.choices))))
    if parameter.around:
        low, high = value / parameter.around, value * parameter.around
        return Dimension(parameter.path, value, low, high, log=True)
    return Dimension(parameter.path, value, parameter.low, parameter.high, parameter.log, whole)


def _like(value: Any, choices: tuple[Any, ...]) -> list[Any]:
    """Choices in the type of a value, as far as a command line may have missed it."""
    if isinstance(value, bool):
        return [{"true": True, "false": False}.get(str(choice).lower(), choice) for choice in choices]
    return [float(choice) if isinstance(value, float) and type(choice) is int else choice for choice in choices]


def _mistakes(dimension: Dimension, config: Config, fixed: bool) -> list[str]:
    """What is wrong with one range alone."""
    name, low, high, default = f"space.{dimension.path}", dimension.low, dimension.high, dimension.default
    if isinstance(default, bool | str | tuple) and not dimension.choices:
        return [f"{name}: this is no number; list its values, e.g. {name}=A,B"]
    if not dimension.choices:
        if not (math.isfinite(low) and math.isfinite(high)):
            return [f"{name}={dimension}: the ends must be finite"]
        if low > high:
            return [f"{name}={dimension}: the range is upside down; write {name}={high:g}:{low:g}"]
        if low == high:
            return [f"{name}={dimension}: the range is empty; set {dimension.path}={low:g} instead"]
        if dimension.log and low <= 0:
            return [f"{name}={dimension}: a logarithmic range must begin above 0"]
        if dimension.whole and not (float(low).is_integer() and float(high).is_integer()):
            return [f"{name}={dimension}: the ends must be whole numbers"]
    elif len(dimension.choices) < 2:
        return [f"{name}={dimension}: one choice is none; set {dimension.path}={dimension} instead"]
    wrong: list[str] = []
    for value in dimension.tried():
        with_paths(config, {dimension.path: value}, wrong)
    if wrong:
        return [f"space.{wrong[0]}"]
    if fixed and 0 in dimension.tried():
        return [f"{name}={dimension}: at 0 the term is gone, and the arm would be another; begin above 0"]
    inside = default in dimension.choices if dimension.choices else low <= default <= high
    if not inside:
        return [
            f"{name}={dimension}: what the arm has untuned, {default}, is the first trial and must be among the "
            f"values: widen the range, or set {dimension.path} to one of them"
        ]
    return []


def _broken(found: list[Dimension], config: Config) -> list[str]:
    """The rules that some values break: each setting is tried alone and with every other, as far as they can go."""
    pairs = combinations(found, 2) if len(found) > 1 else [(found[0],)] if found else []
    broken: dict[str, str] = {}
    for dimensions_ in pairs:
        for values in product(*(dimension.tried() for dimension in dimensions_)):
            changes = dict(zip((dimension.path for dimension in dimensions_), values, strict=True))
            for rule in broken_rules(with_paths(config, changes, [])):
                broken.setdefault(rule, ", ".join(f"{path}={value}" for path, value in changes.items()))
    return [f"the space holds {values}, and that cannot run: {rule}" for rule, values in broken.items()]
