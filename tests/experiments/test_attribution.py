"""Shapley values and interactions: games with known values, and brute force over all orders."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest

from ablations.combinations import Combination
from ablations.designs import build_design
from ablations.paper import LADDER as PAPER
from ablations.stargan import LADDER
from core.config import Config, changed
from core.errors import UserError
from experiments.attribution import Game, attribute, main_effects, steps

Worth = Callable[[frozenset[str]], float]


def coalitions(players: str) -> list[frozenset[str]]:
    return [frozenset(chosen) for size in range(len(players) + 1) for chosen in combinations(players, size)]


def game_of(players: str, worth: Worth, feasible: Callable[[frozenset[str]], bool] = lambda _: True) -> Game:
    values = {one: np.array([float(worth(one))]) for one in coalitions(players) if feasible(one)}
    return Game(tuple(players), values)


def shapley(game: Game) -> dict[str, float]:
    return {player: float(game.shapley(player)[0]) for player in game.players}


def brute_force(game: Game) -> tuple[int, dict[str, float], dict[tuple[str, str], tuple[float, int]]]:
    """(admissible orders, mean marginal gains, {pair: (mean second difference, orders in which it can swap)})."""
    orders = [
        order
        for order in permutations(game.players)
        if all(frozenset(order[:length]) in game.values for length in range(len(order) + 1))
    ]
    value = {coalition: float(values[0]) for coalition, values in game.values.items()}
    gains: dict[str, list[float]] = {player: [] for player in game.players}
    seconds: dict[tuple[str, str], list[float]] = {pair: [] for pair in combinations(game.players, 2)}
    for order in orders:
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            gains[player].append(value[before | {player}] - value[before])
            if place + 1 < len(order) and before | {order[place + 1]} in value:
                follower = order[place + 1]
                if (player, follower) in seconds:  # each adjacent pair once: the swapped order is admissible as well
                    both = value[before | {player, follower}]
                    second = both - value[before | {player}] - value[before | {follower}] + value[before]
                    seconds[player, follower].append(second)
    means = {player: float(np.mean(found)) for player, found in gains.items()}
    return len(orders), means, {pair: (float(np.mean(f)) if f else math.nan, len(f)) for pair, f in seconds.items()}


# Games whose values are known


def test_an_additive_game_pays_each_its_own() -> None:
    worth = {"a": 3.0, "b": -1.0, "c": 0.0, "d": 2.5}
    game = game_of("abcd", lambda one: 7 + sum(worth[player] for player in one))
    assert shapley(game) == pytest.approx(worth)
    assert game.admissible == 24 and float(game.total[0]) == 4.5
    for pair in combinations("abcd", 2):
        effect, orders = game.interaction(*pair)
        assert effect is not None and effect[0] == pytest.approx(0) and orders == 6


def test_the_glove_game() -> None:
    """One left glove, two right ones: the left one is worth 2/3, a right one 1/6 (Osborne and Rubinstein, 14.4)."""
    game = game_of("lrs", lambda one: float("l" in one and bool(one & {"r", "s"})))
    assert shapley(game) == pytest.approx({"l": 2 / 3, "r": 1 / 6, "s": 1 / 6})
    effect, _ = game.interaction("r", "s")
    assert effect is not None and effect[0] == pytest.approx(-0.5)  # substitutes: -1 with the left glove, 0 without


def test_majority_is_shared_equally() -> None:
    assert shapley(game_of("abcde", lambda one: len(one) >= 3)) == pytest.approx(dict.fromkeys("abcde", 0.2))


def test_a_weighted_vote() -> None:
    """Weights 4, 2, 1, 1 and 5 to win. The first decides in 18 of 24 orders, each other one in 2: Shapley, Shubik."""
    weights = {"a": 4, "b": 2, "c": 1, "d": 1}
    game = game_of("abcd", lambda one: sum(weights[player] for player in one) >= 5)
    assert shapley(game) == pytest.approx({"a": 18 / 24, "b": 2 / 24, "c": 2 / 24, "d": 2 / 24})


def test_a_pure_pairwise_interaction() -> None:
    game = game_of("abcd", lambda one: 4.0 * ({"a", "c"} <= one))
    assert shapley(game) == pytest.approx({"a": 2, "b": 0, "c": 2, "d": 0})
    found = {pair: game.interaction(*pair)[0] for pair in combinations("abcd", 2)}
    assert {pair: float(effect[0]) for pair, effect in found.items() if effect is not None} == pytest.approx(
        {pair: 4.0 * (pair == ("a", "c")) for pair in combinations("abcd", 2)}
    )


def test_the_interaction_index_of_unanimity() -> None:
    """Three that are worth something only together: the index of a pair is 1/2 (Grabisch and Roubens, 1999)."""
    effect, orders = game_of("abc", lambda one: len(one) == 3).interaction("a", "b")
    assert effect is not None and effect[0] == pytest.approx(1 / 2) and orders == 2


def test_a_null_player_and_symmetric_players() -> None:
    found = shapley(game_of("abcz", lambda one: len(one - {"z"}) ** 2))
    assert found["z"] == 0 and found["a"] == pytest.approx(found["b"]) == pytest.approx(found["c"]) == pytest.approx(3)


# Restricted feasibility


def test_a_chain_has_one_order() -> None:
    """Each player needs the one before it: the account is that of the only order."""
    game = game_of(
        "abc", lambda one: {0: 0, 1: 5, 2: 7, 3: 20}[len(one)], lambda one: sorted(one) == [*"abc"][: len(one)]
    )
    assert game.admissible == 1 and shapley(game) == pytest.approx({"a": 5, "b": 2, "c": 13})
    assert game.interaction("a", "b") == (None, 0)


def test_one_player_after_another() -> None:
    """b only after a: three of six orders. An interaction of the two is nowhere to be seen."""
    game = game_of("abc", lambda one: len(one) ** 2, lambda one: "b" not in one or "a" in one)
    assert game.admissible == 3
    # Orders abc, acb, cab: gains 1, 3, 5 by place.
    assert shapley(game) == pytest.approx({"a": (1 + 1 + 3) / 3, "b": (3 + 5 + 5) / 3, "c": (5 + 3 + 1) / 3})
    assert game.interaction("a", "b") == (None, 0)
    effect, orders = game.interaction("a", "c")
    assert effect is not None and effect[0] == pytest.approx(2) and orders == 1


@pytest.mark.parametrize("seed", range(12))
def test_against_brute_force(seed: int) -> None:
    """Games of up to six players in which a third of the coalitions is forbidden at random, dead ends among them."""
    draws = np.random.default_rng(seed)
    players = "abcdef"[: 3 + seed % 4]
    whole, worth = frozenset(players), {one: float(draws.normal()) for one in coalitions(players)}
    allowed = {one for one in coalitions(players) if draws.random() < 0.67} | {frozenset(), whole}
    chain = draws.permutation(list(players))  # so that some order is admissible
    allowed |= {frozenset(chain[:length].tolist()) for length in range(len(chain))}
    game = game_of(players, worth.__getitem__, allowed.__contains__)
    orders, means, seconds = brute_force(game)
    assert game.admissible == orders
    assert shapley(game) == pytest.approx(means)
    assert sum(shapley(game).values()) == pytest.approx(worth[whole] - worth[frozenset()])
    for pair, (mean, count) in seconds.items():
        effect, ways = game.interaction(*pair)
        assert ways == count
        assert (effect is None) == (count == 0)
        if effect is not None:
            assert float(effect[0]) == pytest.approx(mean)


def test_the_ladders_own_feasibility_against_brute_force() -> None:
    """Diversity comes after a code: in 2/3 of all orders the first of latent, style and diversity is a code."""
    members = build_design("factorial", LADDER, Config()).members
    names = [change.name for rung in LADDER.rungs[1:] for change in rung.changes]
    draws = np.random.default_rng(0)
    worth = {label: float(draws.normal()) for label in set(members.values())}
    game = Game(tuple(names), {member: np.array([worth[label]]) for member, label in members.items()})
    orders, means, _ = brute_force(game)
    assert game.admissible == orders == 720 * 2 / 3
    assert shapley(game) == pytest.approx(means)
    assert sum(means.values()) == pytest.approx(worth["F"] - worth["A"])


def test_many_players_are_counted_and_not_listed() -> None:
    players = "abcdefghijkl"
    game = game_of(players, len, lambda one: "b" not in one or "a" in one)
    assert game.admissible == math.factorial(12) // 2
    assert float(game.shapley("b")[0]) == pytest.approx(1)


def test_without_an_order_there_is_no_account() -> None:
    """All coalitions of one are missing, or the whole, or none at all."""
    for missing in (lambda one: len(one) != 1, lambda one: len(one) != 3, lambda one: len(one) != 0):
        with pytest.raises(UserError, match=r"use design=factorial"):
            game_of("abc", len, missing)


# Over seeds


def table_and_members(**arms: list[float]) -> tuple[pd.DataFrame, dict[Combination, str]]:
    members = {frozenset(): "A", frozenset("a"): "A+a", frozenset("b"): "A+b", frozenset("ab"): "F"}
    return pd.DataFrame(arms).rename(columns={"Aa": "A+a", "Ab": "A+b"}), members


def test_seeds_give_intervals() -> None:
    table, members = table_and_members(A=[10, 20, 30], Aa=[8, 17, 25], Ab=[9, 19, 30], F=[4, 15, 21])
    found = attribute(("a", "b"), members, table)
    first, second = (contribution.effect for contribution in found.contributions)
    # Per seed: ((A+a - A) + (F - A+b)) / 2 and ((A+b - A) + (F - A+a)) / 2.
    np.testing.assert_allclose(first.mean, np.mean([(-2 - 5) / 2, (-3 - 4) / 2, (-5 - 9) / 2]))
    np.testing.assert_allclose(second.mean, np.mean([(-1 - 4) / 2, (-1 - 2) / 2, (0 - 4) / 2]))
    assert first.n == 3 and first.low < first.mean < first.high
    assert first.mean + second.mean == pytest.approx(found.total.mean) == pytest.approx(-20 / 3)
    effect = found.interactions[0].effect
    assert effect is not None and effect.mean == pytest.approx(np.mean([-3, -1, -4]))
    assert (found.admissible, found.orders, found.dropped, found.depends_on_order) == (2, 2, 0, False)
    assert found.interactions[0].names == ("a", "b") and found.interactions[0].orders == 1


def test_seeds_that_lack_a_value_are_dropped_and_arms_without_any_are_infeasible() -> None:
    nan = math.nan
    table, members = table_and_members(A=[10, 20, nan], Aa=[8, nan, nan], Ab=[nan, nan, nan], F=[4, 15, nan])
    found = attribute(("a", "b"), members, table)
    assert [contribution.effect.mean for contribution in found.contributions] == [-2, -4]
    assert (found.admissible, found.orders, found.dropped, found.depends_on_order) == (1, 2, 1, True)
    assert found.interactions[0].effect is None
    assert found.contributions[0].effect.note == "one run: no interval"


def test_the_paper_ladder_can_be_attributed() -> None:
    members = build_design("factorial", PAPER, changed(Config(), PAPER.settings)).members
    draws = np.random.default_rng(0)
    labels = sorted(set(members.values()))
    table = pd.DataFrame(draws.normal(size=(3, len(labels))), columns=labels)
    names = [change.name for rung in PAPER.rungs[1:] for change in rung.changes]
    found = attribute(names, members, table)
    assert found.orders == math.factorial(7) and found.admissible == 5040 * 2 / 3 / 2  # AdaIN after the networks
    assert sum(one.effect.mean for one in found.contributions) == pytest.approx((table["F"] - table["A"]).mean())
    assert not found.depends_on_order
    missing = [pair.names for pair in found.interactions if pair.effect is None]
    assert missing == [("adain", "stargan_v2")]


def test_main_effects_of_half_are_those_of_the_whole() -> None:
    """Of a metric with effects of one and of two sub-changes, a half of resolution V tells the averages exactly."""
    design = build_design("half", LADDER, Config())
    own = {"multitask": -3.0, "r1": -8.0, "adain": -5.0, "style": -20.0, "diversity": -2.0, "latent": 0.0}
    together = {frozenset({"r1", "adain"}): 4.0, frozenset({"style", "diversity"}): -6.0}

    def worth(member: frozenset[str]) -> float:
        pairs = sum(value for pair, value in together.items() if pair <= member)
        return 90 + sum(own[name] for name in member) + pairs

    values = {label: worth(member) for member, label in design.members.items()}
    table = pd.DataFrame([values, {label: value + 1 for label, value in values.items()}])
    found = {one.name: one.effect for one in main_effects(list(own), design.members, table)}
    expected = {"multitask": -3, "r1": -8 + 2, "adain": -5 + 2, "latent": 0, "style": -20 - 3, "diversity": -2 - 3}
    assert {name: effect.mean for name, effect in found.items()} == pytest.approx(expected)
    assert {effect.n for effect in found.values()} == {2}


def test_a_main_effect_that_cannot_be_told_apart_has_no_value() -> None:
    table, members = table_and_members(A=[1.0, 2.0], F=[3.0, 5.0])
    found = main_effects(("a", "b"), members, table)
    assert all(math.isnan(one.effect.mean) and "tell it apart" in one.effect.note for one in found)


def test_the_steps_of_a_plain_ladder() -> None:
    table = pd.DataFrame({"A": [90.0, 92, 94], "B": [80.0, 84, 85], "C": [20.0, 22, 30], "D": [20.0, 21, math.nan]})
    found = steps(table)
    assert [one.name for one in found.contributions] == ["B", "C", "D"]
    assert [one.effect.mean for one in found.contributions] == [-9, -61, -0.5]
    assert found.total.mean == pytest.approx(-70.5) and found.total.n == 2
    assert (found.admissible, found.orders, found.dropped, found.depends_on_order) == (1, 6, 1, True)
    assert found.interactions == ()
