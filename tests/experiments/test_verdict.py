"""The verdict on a ladder: what each published step comes to, and the words for all of them."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from ablations.stargan import LADDER
from experiments.verdict import Verdict, kendall_tau_b, verdict

PUBLISHED = {rung.letter: rung.published["fid"] for rung in LADDER.rungs}
MEANS = {"A": 95.0, "B": 90.0, "C": 70.0, "D": 40.0, "E": 30.0, "F": 20.0}


def measured(seeds: int, scatter: float = 0.3, **means: float) -> pd.DataFrame:
    """Seeds x rungs around the given means."""
    draws = np.random.default_rng(0)
    return pd.DataFrame({rung: mean + draws.normal(0, scatter, seeds) for rung, mean in {**MEANS, **means}.items()})


def of(table: pd.DataFrame, published: dict[str, float | None] | None = None) -> Verdict:
    return verdict(table, published or PUBLISHED, np.random.default_rng(0))


def test_a_ladder_that_reproduces() -> None:
    found = of(measured(5))
    assert found.conclusion == "reproduced"
    assert found.sentence == "Reproduced at 5 seeds: of 5 published differences, 5 agree."
    assert [step.finding for step in found.steps] == ["agrees"] * 5
    assert [step.published for step in found.steps] == pytest.approx([-7.0, -10.9, -48.2, -15.2, -3.4])
    assert found.rungs == tuple("ABCDEF")
    assert found.tau_by_seed == pytest.approx(dict.fromkeys(range(5), 1.0))
    assert found.tau_of_means == pytest.approx(1)


def test_one_resolved_step_against_the_paper_contradicts() -> None:
    found = of(measured(5, B=69.0))
    assert found.conclusion == "contradicted"
    assert found.sentence == "Contradicted at 5 seeds: of 5 published differences, 4 agree, 1 contradicts (B to C)."
    assert [step.same_sign for step in found.steps] == [True, False, True, True, True]
    assert found.tau_of_means == pytest.approx(13 / 15)


def test_a_step_that_is_not_resolved_leaves_it_undecided() -> None:
    """Also where its sign is the published one, and where it is not: B and C are within the scatter."""
    for level in (70.05, 69.95):
        found = of(measured(5, B=level))
        assert found.conclusion == "undecided"
        assert found.sentence == (
            "Undecided at 5 seeds: of 5 published differences, 4 agree, 1 is not resolved (B to C)."
        )


def test_one_seed_is_undecided() -> None:
    found = of(measured(1))
    assert found.conclusion == "undecided" and {step.finding for step in found.steps} == {"unresolved"}
    assert found.sentence == (
        "Undecided at one seed: of 5 published differences, "
        "5 are not resolved (A to B, B to C, C to D, D to E, E to F)."
    )
    assert all(step.same_sign for step in found.steps) and found.tau_by_seed == pytest.approx({0: 1})


def test_rungs_without_a_number_are_stepped_over() -> None:
    table = measured(4).drop(columns="D")
    table.loc[0, "E"] = math.nan
    found = of(table)
    assert [(step.ours.before, step.ours.after) for step in found.steps] == [
        ("A", "B"),
        ("B", "C"),
        ("C", "E"),
        ("E", "F"),
    ]
    assert found.steps[2].published == pytest.approx(17.1 - 80.5)
    assert sorted(found.tau_by_seed) == [1, 2, 3] and found.sentence.startswith("Reproduced at 3 to 4 seeds")
    lpips = {rung.letter: rung.published["lpips"] for rung in LADDER.rungs}
    assert of(measured(4), lpips).rungs == ("D", "E", "F")


def test_a_metric_that_is_better_higher() -> None:
    lpips = {rung.letter: rung.published["lpips"] for rung in LADDER.rungs}
    table = measured(5, 0.002, D=0.30, E=0.35, F=0.45)
    assert of(table, lpips).conclusion == "reproduced"
    assert of(table.rename(columns={"D": "F", "F": "D"}), lpips).conclusion == "contradicted"


def test_equal_published_numbers_say_nothing() -> None:
    found = of(measured(5), {"A": 2.0, "B": 2.0, "C": 1.0})
    assert [(step.ours.before, step.ours.after) for step in found.steps] == [("B", "C")]
    assert found.conclusion == "reproduced"


def test_nothing_to_compare() -> None:
    found = of(measured(3)[["A"]])
    assert (found.conclusion, found.steps, found.rungs) == ("undecided", (), ("A",))
    assert found.sentence == "Undecided: no two rungs have both a published number and a measured one."
    assert math.isnan(found.tau_of_means)


def test_chance_rarely_decides() -> None:
    """Where no rung differs from another, at most 5 % of ladders contradict, and none reproduces."""
    draws, decided = np.random.default_rng(0), []
    for _ in range(300):
        decided.append(of(pd.DataFrame(draws.normal(size=(5, 6)), columns=list("ABCDEF"))).conclusion)
    assert decided.count("contradicted") / 300 < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 300)
    assert decided.count("reproduced") == 0


def test_tau_b_by_its_definition() -> None:
    ours, theirs = [1.0, 2.0, 2.0, 4.0, 3.0], [1.0, 3.0, 2.0, 2.0, 5.0]
    agree = ties_ours = ties_theirs = 0
    for i, j in combinations(range(5), 2):
        agree += int(np.sign(ours[i] - ours[j]) * np.sign(theirs[i] - theirs[j]))
        ties_ours, ties_theirs = ties_ours + (ours[i] == ours[j]), ties_theirs + (theirs[i] == theirs[j])
    assert kendall_tau_b(ours, theirs) == pytest.approx(agree / math.sqrt((10 - ties_ours) * (10 - ties_theirs)))
    assert math.isnan(kendall_tau_b([1.0], [2.0])) and math.isnan(kendall_tau_b([1.0, 1.0], [1.0, 2.0]))
    assert kendall_tau_b([3.0, 2.0, 1.0], [1.0, 2.0, 3.0]) == pytest.approx(-1)
