"""Questions are balanced over arms, domains and seeds, repeatable, and never ask twice for one translation."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from core.errors import UserError
from experiments.study.planning import Kind, Question, Setup, draw, pairs_in_rounds

ROUTES = tuple(itertools.permutations(range(3), 2))


def setup(arms: str = "ADEF", **changes: Any) -> Setup:
    values: dict[str, Any] = {
        "seeds": dict.fromkeys(arms, (0, 1, 2)),
        "referenced": ("E", "F"),
        "routes": ROUTES,
        "domains": ("bird", "cat", "dog"),
        "sizes": (20, 20, 20),
        "questions": 120,
        "at_once": True,
    }
    return Setup(**{**values, **changes})


def asked(plan: Setup, kind: Kind = "quality", seed: int = 0) -> list[Question]:
    return [q for block in draw(plan, np.random.default_rng(seed))[kind] for q in block if not q.check]


def spread(values: Sequence[object]) -> int:
    """The most frequent comes how much more often than the rarest."""
    counts = Counter(values).values()
    return max(counts) - min(counts)


@pytest.mark.parametrize("questions", [97, 120])
@pytest.mark.parametrize("at_once", [True, False])
def test_everything_comes_equally_often(questions: int, at_once: bool) -> None:
    plan = setup(questions=questions, at_once=at_once)
    for kind in ("quality", "style"):
        found = asked(plan, kind)
        assert len(found) == plan.counts[kind]
        assert spread([q.route for q in found]) <= 1
        sets = [frozenset(option.shows for option in q.options) for q in found]
        assert spread(sets) <= 1
        assert set(sets) == (
            {frozenset(plan.arms(kind))} if at_once else set(map(frozenset, itertools.combinations(plan.arms(kind), 2)))
        )
        for chosen in set(sets):
            assert spread([q.seed for q, own in zip(found, sets, strict=True) if own == chosen]) <= 1
        assert spread([option.shows for q in found for option in q.options]) <= 1
    assert set(plan.counts) == {"quality", "style"} and sum(plan.counts.values()) == questions


def test_every_combination_of_pair_and_route_comes_before_one_comes_twice() -> None:
    found = asked(setup("ABCDEF", at_once=False, questions=90, referenced=()))
    assert len({(frozenset(o.shows for o in q.options), q.route) for q in found}) == 15 * 6


def test_no_translation_is_asked_for_twice_and_images_exist() -> None:
    found = asked(setup(questions=240, sizes=(20, 21, 22)))
    assert len({(q.route, q.source) for q in found}) == len(found) == 120
    assert all(q.source < (20, 21, 22)[q.route[0]] and q.image < (20, 21, 22)[q.route[1]] for q in found)


def test_places_of_options_are_random() -> None:
    firsts = Counter(q.options[0].shows for q in asked(setup(questions=800, sizes=(80, 80, 80))))
    assert all(60 <= firsts[label] <= 140 for label in "ADEF")  # 100 expected, sd 8.7


def test_one_check_in_each_block_of_about_ten() -> None:
    drawn = draw(setup(questions=100), np.random.default_rng(0))
    for kind in ("quality", "style"):
        assert [len(block) for block in drawn[kind]] == [11] * 5
        for block in drawn[kind]:
            (check,) = [question for question in block if question.check]
            shown = [option.shows for option in check.options]
            assert shown.count("real") == 1
            assert len(set(shown)) == len(shown) == (4 if kind == "quality" else 2)
            assert set(shown) <= {"real", "noise", "untouched", "broken"}
    places = {place for block in drawn["quality"] for place, question in enumerate(block) if question.check}
    assert len(places) > 1


def test_names_say_nothing_and_are_used_once() -> None:
    everything = [q for blocks in draw(setup(), np.random.default_rng(0)).values() for block in blocks for q in block]
    names = [name for q in everything for name in (q.id, *(option.id for option in q.options))]
    assert len(set(names)) == len(names)
    assert {len(name) for name in names} == {10} and set("".join(names)) <= set("0123456789abcdef")


def test_equal_seeds_equal_questions() -> None:
    assert asked(setup(), seed=3) == asked(setup(), seed=3) != asked(setup(), seed=4)


def test_style_needs_two_arms_that_take_references() -> None:
    plan = setup(referenced=("F",))
    assert plan.counts == {"quality": 120}
    assert set(draw(plan, np.random.default_rng(0))) == {"quality"}


@pytest.mark.parametrize("count", range(2, 8))
def test_rounds_hold_every_pair_once_and_every_arm_in_turn(count: int) -> None:
    arms = "ABCDEFG"[:count]
    pairs = pairs_in_rounds(arms)
    assert sorted(map(sorted, pairs)) == sorted(map(list, itertools.combinations(arms, 2)))
    for length in range(1, len(pairs) + 1):
        counts = Counter(itertools.chain(*pairs[:length]))
        assert max(counts.values()) - min(counts[label] for label in arms) <= 1 + count % 2


def test_too_few_images_say_how_many_questions_there_can_be() -> None:
    with pytest.raises(UserError, match=r"10 different validation images .* of cat there are 7") as refusal:
        draw(setup(sizes=(20, 7, 20)), np.random.default_rng(0))
    assert "at most questions=84" in str(refusal.value)
    draw(setup(sizes=(20, 7, 20), questions=84), np.random.default_rng(0))


def test_arms_without_a_common_seed_are_refused() -> None:
    with pytest.raises(UserError, match="D, F: these arms have no training seed in common"):
        draw(setup(seeds={"D": (0,), "F": (1,)}), np.random.default_rng(0))
