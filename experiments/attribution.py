"""What each sub-change contributes: exact Shapley values and interactions over the combinations that have a value.

Players are sub-changes, a coalition is a combination of them, and its value is a metric of the arm that it folds into.
Combinations that cannot run have none, so only admissible orders count: those of all n! in which sub-changes can be
added one by one with a value after every step. This is the Shapley value of games under precedence constraints
(Faigle and Kern, International Journal of Game Theory 21, 1992) for any set of coalitions; where all have a value it is
Shapley's (1953). Orders are counted over subsets, not listed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from ablations.fractions import effects, levels, separable
from core.errors import UserError
from experiments.statistics import LEVEL, Interval, t_interval

Coalition = frozenset[str]
Values = Mapping[Coalition, np.ndarray]  # (seeds,) each


@dataclass(frozen=True)
class Contribution:
    """What one sub-change, or one step, moves the metric by."""

    name: str
    effect: Interval  # over seeds


@dataclass(frozen=True)
class Interaction:
    """How much two sub-changes move the metric beyond the sum of what each does without the other."""

    names: tuple[str, str]
    effect: Interval | None  # None where no order lets the two change places
    orders: int  # orders of all sub-changes, these two as one, in which they can; at most (n - 1)!


@dataclass(frozen=True)
class Attribution:
    """A difference between two arms, shared out among the changes that lie between them."""

    contributions: tuple[Contribution, ...]  # their means add up to that of `total`
    interactions: tuple[Interaction, ...]
    total: Interval  # with all changes, less with none
    admissible: int  # orders that were averaged over
    orders: int  # that there are of the changes: n!
    dropped: int  # seeds that lack one of the values

    @property
    def depends_on_order(self) -> bool:
        """Whether this is one order's account, and another order's would differ."""
        return self.admissible == 1 < self.orders


def attribute(
    names: Sequence[str], members: Mapping[Coalition, str], table: pd.DataFrame, level: float = LEVEL
) -> Attribution:
    """Shapley values and interactions of sub-changes over the arms of a factorial design.

    names: the sub-changes. members: combination -> label of its arm, see `ablations.designs.Design`. table: seeds x
    arms; an arm without any value takes its combinations out, and a seed without a value of some other arm is dropped.
    Raises UserError where no order leads from none to all of the sub-changes.
    """
    values, dropped = _values(members, table)
    game = Game(tuple(names), values)
    return Attribution(
        contributions=tuple(Contribution(name, t_interval(game.shapley(name), level)) for name in names),
        interactions=tuple(_interaction(game, (one, other), level) for one, other in combinations(names, 2)),
        total=t_interval(game.total, level),
        admissible=game.admissible,
        orders=math.factorial(len(names)),
        dropped=dropped,
    )


def main_effects(
    names: Sequence[str], members: Mapping[Coalition, str], table: pd.DataFrame, level: float = LEVEL
) -> tuple[Contribution, ...]:
    """What a sub-change moves the metric by on average over all combinations of the others: for half a factorial.

    A linear model of the levels and of their products two by two, fitted to the arms of each seed by least squares; see
    `ablations.fractions` for what such a half can tell apart. An effect that it cannot has no value. Arguments as in
    `attribute`.
    """
    values, _ = _values(members, table)
    terms = effects(names)
    model = np.stack([levels(list(values), term) for term in terms], axis=1)
    fitted, *_ = np.linalg.lstsq(model, np.stack(list(values.values())), rcond=None)
    estimable = separable(names, list(values))
    return tuple(
        Contribution(
            name,
            t_interval(2 * fitted[terms.index((name,))], level)
            if (name,) in estimable
            else Interval(math.nan, math.nan, math.nan, 0, level, "these arms do not tell it apart"),
        )
        for name in names
    )


def steps(table: pd.DataFrame, level: float = LEVEL) -> Attribution:
    """The account of a plain ladder: what each of its steps moved the metric by, in its order alone.

    table: seeds x rungs, in the ladder's order. A step is called by the rung that it leads to; seeds without a value of
    some rung are dropped. The rungs' effects in another order would differ, and this says nothing of that.
    """
    complete = table.dropna()
    differences = {after: (complete[after] - complete[before]).to_numpy(float) for before, after in pairwise(table)}
    return Attribution(
        contributions=tuple(Contribution(str(name), t_interval(values, level)) for name, values in differences.items()),
        interactions=(),
        total=t_interval(sum(differences.values(), np.zeros(len(complete))), level),
        admissible=1,
        orders=math.factorial(len(differences)),
        dropped=_dropped(table),
    )


def _values(members: Mapping[Coalition, str], table: pd.DataFrame) -> tuple[dict[Coalition, np.ndarray], int]:
    """({combination: (seeds,)} of the arms that have a value, over the seeds that have all of these; seeds dropped)."""
    measured = {label for label in table.columns if table[label].notna().any()}
    feasible = {coalition: label for coalition, label in members.items() if label in measured}
    arms = table[sorted(set(feasible.values()))]
    complete = arms.dropna()
    values = {coalition: complete[label].to_numpy(float) for coalition, label in feasible.items()}
    return values, _dropped(arms)


def _dropped(table: pd.DataFrame) -> int:
    """How many seeds have a value of some arm and not of all."""
    return int((table.notna().any(axis=1) & table.isna().any(axis=1)).sum())


class Game:
    """A value for some coalitions of the players, and how many ways lead to and from each of them.

    Raises UserError where no way leads from the empty coalition to the whole one.
    """

    def __init__(self, players: tuple[str, ...], values: Values) -> None:
        self.players = players
        self.values = values
        self._whole = frozenset(players)
        # Ways to reach a coalition from none, and the whole from it, adding one player at a time.
        self._to: dict[Coalition, int] = {}
        self._from: dict[Coalition, int] = {}
        by_size = sorted((coalition for coalition in values if coalition <= self._whole), key=len)
        for coalition in by_size:
            before = (coalition - {player} for player in coalition)
            self._to[coalition] = sum(self._to.get(one, 0) for one in before) if coalition else 1
        for coalition in reversed(by_size):
            after = (coalition | {player} for player in self._whole - coalition)
            self._from[coalition] = sum(self._from.get(one, 0) for one in after) if coalition != self._whole else 1
        if not self.admissible:
            raise UserError(
                "attribution: no order of the sub-changes has a value after every step. Train the arms that are "
                "missing, or use design=factorial."
            )

    @property
    def admissible(self) -> int:
        """How many orders of the players have a value after every step."""
        return self._to.get(self._whole, 0)

    @property
    def total(self) -> np.ndarray:
        """What all players together are worth."""
        return self.values[self._whole] - self.values[frozenset()]

    def shapley(self, player: str) -> np.ndarray:
        """What the player adds when it comes, averaged over the admissible orders. (seeds,)."""
        gains = np.zeros_like(self.total)
        for coalition, value in self.values.items():
            joined = coalition | {player}
            if player not in coalition and joined in self.values:
                gains += self._to[coalition] * self._from[joined] * (self.values[joined] - value)
        return gains / self.admissible

    def interaction(self, one: str, other: str) -> tuple[np.ndarray | None, int]:
        """(Shapley interaction index, orders that it is averaged over).

        The second difference v(S + both) - v(S + one) - v(S + other) + v(S), averaged over the orders in which the two
        come next to each other and may change places: all four coalitions have a value, S can be reached and the
        whole can be reached from there. Where all coalitions have values, the weights are s! (n - s - 2)! / (n - 1)!
        (Grabisch and Roubens, International Journal of Game Theory 28, 1999). None where there is no such order.
        """
        total, orders = np.zeros_like(self.total), 0
        for coalition, value in self.values.items():
            first, second, both = coalition | {one}, coalition | {other}, coalition | {one, other}
            if coalition & {one, other} or not {first, second, both} <= self.values.keys():
                continue
            ways = self._to[coalition] * self._from[both]
            total += ways * (self.values[both] - self.values[first] - self.values[second] + value)
            orders += ways
        return (total / orders, orders) if orders else (None, 0)


def _interaction(game: Game, names: tuple[str, str], level: float) -> Interaction:
    effect, orders = game.interaction(*names)
    return Interaction(names, None if effect is None else t_interval(effect, level), orders)
