"""A study's trials as points."""

from __future__ import annotations

from experiments.tuning.course import best_so_far, course, untuned_value
from tests.experiments.tuning.records import MIXED, study, trial


def test_every_ended_trial_with_a_number_is_a_point_and_a_pruned_one_its_last_look() -> None:
    points = [(0, "done", 30.0), (1, "done", 20.0), (2, "pruned", 50.0), (5, "done", 20.0)]
    assert course(study(*MIXED)) == points
    at_work = trial(0, outcome="at work", points=[[5, 9.0]])
    assert course(study(at_work)) == []


def test_the_best_so_far_goes_on_to_the_last_trial() -> None:
    trials = [trial(0, 3.0), trial(1, 5.0), trial(2, 1.0), trial(3, outcome="failed")]
    assert best_so_far(study(*trials)) == [(0, 3.0), (1, 3.0), (2, 1.0), (3, 1.0)]
    assert best_so_far(study(*trials, maximise=(True,))) == [(0, 3.0), (1, 5.0), (2, 5.0), (3, 5.0)]
    assert best_so_far(study(trial(0, outcome="failed"))) == []


def test_only_the_first_trial_is_untuned() -> None:
    assert untuned_value(study(*MIXED)) == 30.0
    assert untuned_value(study(trial(0, outcome="pruned", points=[[5, 9.0]]), trial(1, 4.0))) is None
