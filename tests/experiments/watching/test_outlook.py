"""The time left is that of what was seen, and unknown where nothing was."""

from __future__ import annotations

from typing import Any

from experiments.watching.outlook import Left, Outlook
from experiments.watching.sight import Sight, State


def sight(arm: str, seed: int, state: State, **changes: Any) -> Sight:
    return Sight(arm, seed, f"runs/{arm}-s{seed}", state, **{"of": 100, **changes})


def done(arm: str, seed: int, train: float, evaluate: float) -> Sight:
    return sight(arm, seed, "done", iteration=100, train_seconds=train, evaluate_seconds=evaluate)


def test_what_trains_goes_on_at_its_own_rate() -> None:
    training = sight("A", 1, "training", iteration=60, rate=2.0)
    assert Outlook([training]).of(training) == Left(20.0, evaluated=False)
    known = [training, done("A", 0, 1000.0, 7.0), done("A", 2, 1000.0, 9.0), done("B", 0, 1.0, 500.0)]
    assert Outlook(known).of(training) == Left(28.0, evaluated=True)


def test_what_waits_takes_as_long_as_finished_runs_of_its_arm() -> None:
    waiting, stopped = sight("A", 3, "waiting"), sight("A", 4, "stopped", iteration=75)
    outlook = Outlook([waiting, stopped, done("A", 0, 40.0, 6.0), done("A", 1, 60.0, 8.0)])
    assert outlook.of(waiting) == Left(57.0, evaluated=True)
    assert outlook.of(stopped) == Left(12.5 + 7.0, evaluated=True)


def test_without_a_finished_run_its_arm_goes_at_the_rate_of_what_trains() -> None:
    waiting = sight("A", 3, "waiting")
    assert Outlook([waiting, sight("A", 0, "training", iteration=9, rate=4.0)]).of(waiting) == Left(25.0, False)
    assert Outlook([waiting, sight("B", 0, "training", iteration=9, rate=4.0)]).of(waiting) is None
    assert Outlook([sight("A", 0, "training", rate=4.0)]).of(sight("A", 3, "waiting", of=0)) is None


def test_of_an_evaluation_what_it_has_taken_is_taken_off() -> None:
    evaluating = sight("A", 1, "evaluating", iteration=100, age=3.0)
    assert Outlook([evaluating]).of(evaluating) == Left(0.0, evaluated=False)
    assert Outlook([evaluating, done("A", 0, 40.0, 8.0)]).of(evaluating) == Left(5.0, evaluated=True)
    assert Outlook([evaluating, done("A", 0, 40.0, 2.0)]).of(evaluating) == Left(0.0, evaluated=True)


def test_the_whole_takes_as_long_as_its_processes_need() -> None:
    at_work = [sight("A", 1, "training", iteration=90, rate=1.0), sight("B", 1, "training", iteration=60, rate=1.0)]
    ahead = [sight("A", 2, "waiting"), sight("B", 2, "lost", iteration=50)]
    ended = [done("A", 0, 20.0, 0.0), done("B", 0, 30.0, 0.0), sight("C", 0, "failed"), sight("C", 1, "diverged")]
    # Two at a time: 10 s of A and 40 s of B; then A's 20 s, and B's 15 s after it.
    assert Outlook([*at_work, *ahead, *ended]).of_all() == Left(45.0, evaluated=True)
    assert Outlook([at_work[0], *ahead, *ended]).of_all() == Left(45.0, evaluated=True)  # one at a time: 10, 20, 15
    assert Outlook([*ahead, *ended]).of_all() is None  # nobody works
    assert Outlook([*at_work, *ahead, sight("D", 0, "waiting"), *ended]).of_all() is None
    assert Outlook(at_work).of_all() == Left(40.0, evaluated=False)


def test_a_run_that_two_arms_share_is_counted_once() -> None:
    first, second = (Sight(arm, 0, "runs/same", "training", 50, 100, 1.0) for arm in "AB")
    assert Outlook([first, second, sight("A", 1, "waiting")]).of_all() == Left(150.0, evaluated=False)


def test_every_evaluation_that_is_left_counts() -> None:
    known = done("A", 0, 40.0, 8.0)
    ahead = {
        "training": (sight("A", 1, "training", iteration=60, rate=2.0, evaluations=3), 20.0 + 3 * 8.0),
        "waiting": (sight("A", 2, "waiting", evaluations=3), 40.0 + 3 * 8.0),
        "evaluating": (sight("A", 3, "evaluating", iteration=100, age=3.0, evaluations=2), 2 * 8.0 - 3.0),
        "incomplete": (sight("A", 4, "incomplete", iteration=100, age=3.0, evaluations=2), 2 * 8.0),
        "pictures": (sight("A", 5, "incomplete", iteration=100, evaluations=0), 0.0),
    }
    for one, seconds in ahead.values():
        assert Outlook([known, one]).of(one) == Left(seconds, evaluated=True)
