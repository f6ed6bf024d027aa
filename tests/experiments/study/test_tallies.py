"""Shares, preferences and agreement against closed forms, statsmodels and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.inter_rater import fleiss_kappa

from experiments.study.tallies import Vote, agreement, preferences, shares

ARMS = ("A", "F")


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def votes_of(rater: str, chosen: str, shown: tuple[str, ...] = ARMS) -> list[Vote]:
    return [Vote(rater, f"q{number}", shown, label) for number, label in enumerate(chosen)]


def test_one_rater_has_wilsons_interval() -> None:
    share = shares(votes_of("anna", "FFFFFFFFAA"), ARMS, generator())["F"]
    p, n, z = 0.8, 10, 1.959963984540054
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (share.chosen, share.shown, share.interval.n) == (8, 10, 1)
    assert share.interval.mean == 0.8
    assert (share.interval.low, share.interval.high) == pytest.approx((centre - half, centre + half), abs=1e-9)
    assert "one rater" in share.interval.note


def test_raters_who_disagree_widen_the_interval() -> None:
    """Equal votes in all: shared by every rater, or split between raters who each take one arm alone."""
    alike = [vote for rater in "abcdefgh" for vote in votes_of(rater, "AF" * 10)]
    split = [vote for rater in "abcd" for vote in votes_of(rater, "A" * 20)]
    split += [vote for rater in "efgh" for vote in votes_of(rater, "F" * 20)]
    even, torn = (shares(votes, ARMS, generator())["F"].interval for votes in (alike, split))
    assert even.mean == torn.mean == 0.5
    assert even.high - even.low == pytest.approx(0.154, abs=0.002)  # Wilson's, of 160 answers
    assert torn.high - torn.low > 0.6


def test_unanimous_raters_still_leave_something_open() -> None:
    votes = [vote for rater in "abcdef" for vote in votes_of(rater, "F" * 10)]
    interval = shares(votes, ARMS, generator())["F"].interval
    assert (interval.mean, interval.high) == (1, 1)
    assert interval.low == pytest.approx(60 / (60 + 1.959963984540054**2), abs=1e-9)  # Wilson's at p = 1


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Raters differ: each likes F with a probability of his own, 0.6 in the mean."""
    drawn = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        likings = drawn.beta(3, 2, size=15)
        votes = [
            vote
            for rater, liking in enumerate(likings)
            for vote in votes_of(str(rater), "".join(np.where(drawn.random(20) < liking, "F", "A")))
        ]
        held += shares(votes, ["F"], drawn)["F"].interval.holds(0.6)
    assert 0.91 <= held / 200 <= 0.99


def test_shares_are_of_the_questions_that_showed_an_arm() -> None:
    votes = votes_of("anna", "FFA") + votes_of("anna", "DD", ("D", "F"))
    found = shares(votes, ("A", "D", "E", "F"), generator())
    assert {label: (share.chosen, share.shown) for label, share in found.items()} == {
        "A": (1, 3),
        "D": (2, 2),
        "F": (2, 5),
    }


def test_preferences_are_of_pairs_alone() -> None:
    votes = votes_of("anna", "FFA") + votes_of("ben", "D", ("D", "F")) + votes_of("ben", "A", ("A", "D", "F"))
    found = preferences(votes, ("A", "D", "F"), generator())
    assert [(pair.first, pair.second, pair.share.chosen, pair.share.shown) for pair in found] == [
        ("A", "F", 1, 3),
        ("D", "F", 1, 1),
    ]


def test_agreement_is_statsmodels_where_all_answered() -> None:
    drawn = np.random.default_rng(1)
    chosen = drawn.integers(3, size=(4, 30))  # raters, questions
    votes = [
        Vote(str(rater), str(question), ("A", "D", "F"), "ADF"[chosen[rater, question]])
        for rater in range(4)
        for question in range(30)
    ]
    table = np.stack([(chosen == label).sum(axis=0) for label in range(3)], axis=1)
    found = agreement(votes)
    assert found is not None
    assert found.kappa == pytest.approx(fleiss_kappa(table, method="randolph"), abs=1e-12)
    pairs = [(chosen[a] == chosen[b]).mean() for a in range(4) for b in range(a)]
    assert found.observed == pytest.approx(np.mean(pairs), abs=1e-12)
    assert (found.questions, found.answers) == (30, 120)


def test_agreement_joins_questions_that_fewer_raters_answered() -> None:
    """Two of three alike in one question of three answers, both of one with two, one alone: weights 3, 2 and none."""
    votes = [Vote(r, "one", ARMS, c) for r, c in zip("abc", "AAF", strict=True)]
    votes += [Vote("a", "two", ARMS, "F"), Vote("b", "two", ("F", "A"), "F"), Vote("a", "three", ARMS, "F")]
    found = agreement(votes)
    assert found is not None
    assert found.observed == pytest.approx((3 * (1 / 3) + 2 * 1) / 5)
    assert found.kappa == pytest.approx(2 * found.observed - 1)
    assert (found.questions, found.answers) == (2, 5)
    assert agreement(votes_of("anna", "AF")) is None


def test_raters_who_all_take_one_arm_agree() -> None:
    """Where Fleiss' own kappa is undefined."""
    found = agreement([vote for rater in "abc" for vote in votes_of(rater, "FFFF")])
    assert found is not None and found.kappa == pytest.approx(1) and found.observed == pytest.approx(1)
