"""What trials are doing, and how it is said: by their outcomes, their owners and their runs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from experiments.claims import Owner
from experiments.registry import StartedStudy, StartedTrial
from experiments.watching.sight import Sight, State
from experiments.watching.study_screen import lines_of_study
from experiments.watching.trials import StudySight

AWAY = Owner("far", 7, 0.0, "another machine")
COMMAND = "python -m experiments.tune with F quick"


def sight(trial: int, state: State, seed: int = 1000, folder: str = "", **changes: Any) -> Sight:
    return Sight("F", seed, folder or f"runs/{trial}-s{seed}", state, trial=trial, of=100, **changes)


def study(*trials: StartedTrial, asked: int = 0, seeds: int = 1, ladder: str = "") -> StartedStudy:
    return StartedStudy("quick-F", COMMAND, "F", asked or len(trials), seeds, ladder, trials)


def trial(number: int, outcome: str = "", reason: str = "", owner: Owner | None = None) -> StartedTrial:
    return StartedTrial(number, {"1000": f"{number}-s1000"}, outcome, reason, owner)


def state(of: StartedTrial, *sights: Sight) -> str:
    (seen,) = StudySight(study(of), sights).trials
    return seen.state


@pytest.mark.parametrize(
    "of, sights, expected",
    [
        (trial(0, "pruned"), [sight(0, "training")], "pruned"),  # its run was asked for by somebody since
        (trial(0, "failed"), [sight(0, "done")], "failed"),  # without a finite number
        (trial(0), [sight(0, "evaluating")], "at work"),
        (trial(0), [sight(0, "done"), sight(0, "training", 1001)], "at work"),
        (trial(0, owner=Owner.here()), [sight(0, "waiting")], "at work"),  # its run's process is starting
        (trial(0, owner=dataclasses.replace(Owner.here(), pid=2**30)), [sight(0, "lost")], "waiting"),
        (trial(0), [sight(0, "stopped")], "waiting"),
        (trial(0, owner=AWAY), [sight(0, "gone")], "elsewhere"),
        (trial(0, owner=AWAY), [sight(0, "training")], "at work"),
        (trial(0, owner=AWAY), [sight(0, "lost")], "waiting"),
        (trial(0), [sight(0, "gone")], "waiting"),
    ],
)
def test_a_trial_is_what_the_study_says_and_before_that_what_its_owner_and_runs_do(
    of: StartedTrial, sights: list[Sight], expected: str
) -> None:
    assert state(of, *sights) == expected


def test_trials_that_nobody_has_begun_wait_and_more_than_asked_for_are_there() -> None:
    seen = StudySight(study(trial(0, "done"), trial(4, "done"), asked=3), [sight(0, "done"), sight(4, "done")])
    assert [(one.number, one.state) for one in seen.trials] == [
        (0, "done"),
        (1, "waiting"),
        (2, "waiting"),
        (4, "done"),
    ]
    assert not seen.over
    assert StudySight(study(trial(0, "done"), trial(1, "pruned"), trial(2, "diverged"), trial(3, "failed")), []).over


DONE: dict[str, Any] = {"iteration": 100, "train_seconds": 50.0, "evaluate_seconds": 10.0}


def test_the_time_left_counts_trials_that_are_not_begun_and_none_that_ended() -> None:
    trials = [trial(0, "done"), trial(1, "pruned"), trial(2), trial(3, "done"), trial(4, "pruned")]
    sights = [
        sight(0, "done", **DONE),
        sight(1, "pruned", iteration=30),
        sight(2, "training", iteration=60, rate=1.0, owner="process 42 on host"),
        sight(3, "done", folder="runs/0-s1000", **DONE),  # the same settings again
        sight(4, "stopped", iteration=30),  # asked for as a run of its own since
    ]
    left = StudySight(study(*trials, asked=7), sights).outlook.of_all()
    assert left is not None
    # 40 iterations at 1 a second and 10 s of evaluation; then two runs of 50 s and 10 s, one after the other.
    assert left.seconds == pytest.approx(50 + 2 * 60)
    assert left.evaluated
    left = StudySight(study(*trials, asked=7, seeds=3), sights).outlook.of_all()
    assert left is not None and left.seconds == pytest.approx(50 + 6 * 60)


def test_two_trials_at_the_same_run_are_one_run_at_work() -> None:
    sights = [sight(1, "training", folder="runs/same", rate=1.0), sight(2, "training", folder="runs/same", rate=1.0)]
    seen = StudySight(study(trial(1), trial(2)), sights)
    assert [one.name for one in seen.outlook.sights if one.state == "training"] == ["F trial 1 seed 1000"]
    assert [one.state for one in seen.trials[1:]] == ["at work", "at work"]


def test_every_trial_is_in_the_list_and_what_needs_more_words_below_it() -> None:
    trials = [*(trial(number, "done") for number in range(3)), trial(3, "pruned"), trial(4, "done"), trial(5)]
    trials += [trial(6, "diverged", "DIVERGED at\niteration 7"), trial(7, "failed", "the disk"), trial(8)]
    sights = [sight(number, "done", **DONE) for number in (0, 1, 2, 4)]
    sights += [
        sight(3, "pruned", iteration=30),
        sight(5, "training", iteration=60, rate=1.0, owner="process 42 on host"),
        sight(6, "diverged", iteration=7, reason="DIVERGED"),
        sight(7, "failed", reason="the disk", log="runs/7-s1000/log.txt"),
        sight(8, "lost", iteration=20),
    ]
    lines = lines_of_study(StudySight(study(*trials, asked=12, ladder="quick-tuned"), sights), None)
    assert lines == [
        "quick-F: 12 trials of F; 1 at work, 4 done, 1 pruned, 1 diverged, 1 failed, 4 waiting",
        "part of the tuned ladder quick-tuned",
        "about 4 min 40 s left; less where trials are ended early",
        "",
        "trials",
        "  at work    5",
        "  done       0-2, 4",
        "  pruned     3",
        "  diverged   6",
        "  failed     7",
        "  waiting    8-11",
        "",
        "at work",
        "  F trial 5 seed 1000: 60 of 100, 1.00 it/s, 50 s left, process 42 on host",
        "",
        "lost, their processes are dead; the next start goes on from",
        "  F trial 8 seed 1000: iteration 20 of 100",
        "",
        "diverged",
        "  F trial 6: DIVERGED at iteration 7",
        "",
        "failed",
        "  F trial 7: the disk",
        "    runs/7-s1000/log.txt",
    ]
    assert all(len(line) <= 40 for line in lines_of_study(StudySight(study(*trials), sights), 40))


def test_the_way_to_go_on_is_named_where_nothing_is_at_work_and_something_is_left() -> None:
    idle = lines_of_study(StudySight(study(trial(0), asked=2), [sight(0, "stopped", iteration=20)]), None)
    assert idle[0] == "quick-F: 2 trials of F; 2 waiting"
    assert "  F trial 0 seed 1000: iteration 20 of 100" in idle
    assert idle[-2:] == ["nothing is at work; to go on:", f"  {COMMAND}"]
    rates = sight(0, "training", rate=2.0)
    assert lines_of_study(StudySight(study(trial(0), asked=2), [rates]), None)[1] == (
        "about 1 min 40 s left, not counting evaluations; less where trials are ended early"
    )
    starting = lines_of_study(StudySight(study(trial(0, owner=Owner.here())), [sight(0, "waiting")]), None)
    assert starting == ["quick-F: 1 trial of F; 1 at work", "", "trials", "  at work    0"]
    begun = lines_of_study(StudySight(study(trial(0)), [sight(0, "starting")]), None)
    assert begun[1] == "time left: unknown; there is nothing to go by yet"
    over = lines_of_study(StudySight(study(trial(0, "pruned")), [sight(0, "pruned", iteration=20)]), None)
    assert over == ["quick-F: 1 trial of F; 1 pruned", "", "trials", "  pruned     0"]


def test_trials_of_another_machine_are_said_to_be_elsewhere() -> None:
    lines = lines_of_study(StudySight(study(trial(0, owner=AWAY)), [sight(0, "gone")]), None)
    assert lines[0] == "quick-F: 1 trial of F; 1 elsewhere"
    assert "gone" not in "\n".join(lines)
