"""The study loop with known functions in place of runs: it finds what is best, ends early what is not, counts right."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState
from scipy.stats import mannwhitneyu

from core.errors import UserError
from experiments.tuning.loop import PATIENCE
from experiments.tuning.study import Outcome, Sampling
from tests.experiments.tuning.stubs import OPTIMUM, SPACE, StubBench, bowl, done, open_study, run

UNTUNED = {dimension.path: dimension.default for dimension in SPACE}


def best(sampler: str, seed: int, trials: int) -> float:
    return float(run(None, trials, sampling=Sampling(sampler, seed=1000 * seed)).optuna.best_value)


def test_it_finds_the_optimum_better_than_random_search() -> None:
    """Twelve studies each with equal budgets and fixed seeds, so this comes out the same every time."""
    found = {sampler: [best(sampler, seed, 30) for seed in range(12)] for sampler in ("tpe", "random")}
    assert mannwhitneyu(found["tpe"], found["random"], alternative="less").pvalue < 0.01
    # 0.1 in squared orders of magnitude over four settings: each within a factor of 1.5 or so of the best.
    assert max(found["tpe"]) < 0.25 < max(found["random"])
    assert all(value < bowl(UNTUNED) for values in found.values() for value in values)


def test_the_first_trial_is_the_untuned_one_and_numbers_run_on(tmp_path: Path) -> None:
    study = run(tmp_path, 5)
    assert study.trials()[0].params == UNTUNED
    assert [trial.number for trial in study.trials()] == list(range(5))
    assert all(trial.value == pytest.approx(bowl(trial.params)) for trial in study.trials())
    assert study.trials()[2].user_attrs["hours"] == 0.5


def test_more_trials_go_on_with_the_same_study_and_fewer_change_nothing(tmp_path: Path) -> None:
    first = [dict(trial.params) for trial in run(tmp_path, 4).trials()]
    bench = StubBench()
    more = run(tmp_path, 7, bench)
    assert bench.started == [4, 5, 6]
    assert [dict(trial.params) for trial in more.trials()][:4] == first
    assert len(run(tmp_path, 3).trials()) == 7


@pytest.mark.parametrize("sampler", ["tpe", "random", "gp"])
def test_suggestions_are_those_of_the_study_and_the_seed_wherever_it_was_interrupted(
    tmp_path: Path, sampler: str
) -> None:
    for name in ("whole", "parts", "other"):
        (tmp_path / name).mkdir()
    whole = run(tmp_path / "whole", 11, sampling=Sampling(sampler))
    for trials in (3, 4, 9, 11):
        parts = run(tmp_path / "parts", trials, sampling=Sampling(sampler))
    assert [trial.params for trial in parts.trials()] == [trial.params for trial in whole.trials()]
    other = run(tmp_path / "other", 11, sampling=Sampling(sampler, seed=50))
    assert [trial.params for trial in other.trials()][1:] != [trial.params for trial in whole.trials()][1:]


def test_several_trials_at_a_time_are_all_different() -> None:
    bench = StubBench(room=4, steps=3)
    study = run(None, 14, bench)
    assert sorted(bench.started) == list(range(14))
    assert len({tuple(trial.params.values()) for trial in study.trials()}) == 14


def test_trials_that_are_worse_on_the_way_are_ended_early() -> None:
    """Every trial's looks fall alike to its value, so those that are worse at the same look are worse at the end."""
    bench = StubBench(steps=6)
    study = run(None, 24, bench, sampling=Sampling("random", "median", first=1, last=6))
    pruned = [trial for trial in study.trials() if trial.state is TrialState.PRUNED]
    kept = [trial for trial in study.trials() if trial.state is TrialState.COMPLETE]
    assert 4 <= len(pruned) <= 20
    assert [trial.number for trial in pruned] == sorted(bench.given_up)
    assert all(trial.user_attrs["outcome"] == "pruned" for trial in pruned)
    assert all(max(trial.intermediate_values) < 5 for trial in pruned)
    assert min(map(bowl, (trial.params for trial in pruned))) > min(trial.value for trial in kept if trial.value)
    assert study.trials()[0].state is TrialState.COMPLETE


def test_hyperband_ends_most_trials_early() -> None:
    study = run(None, 24, StubBench(steps=9), sampling=Sampling("random", "hyperband", first=1, last=9))
    pruned = sum(trial.state is TrialState.PRUNED for trial in study.trials())
    assert 6 <= pruned <= 22


def test_outcomes_are_recorded_as_what_they_are_and_all_are_counted() -> None:
    def end(settings: Mapping[str, Any]) -> Outcome:
        if settings["train.learning_rate"] > 4e-3:
            return Outcome("diverged", details={"reason": "DIVERGED at iteration 3"})
        return Outcome("failed", details={"reason": "the disk"}) if settings["loss.cycle"] > 4 else done(settings)

    study = run(None, 20, StubBench(end), sampling=Sampling("random"))
    states = {"diverged": TrialState.PRUNED, "failed": TrialState.FAIL, "done": TrialState.COMPLETE}
    kinds = [trial.user_attrs["outcome"] for trial in study.trials()]
    assert set(kinds) == set(states) and len(kinds) == 20
    assert [trial.state for trial in study.trials()] == [states[kind] for kind in kinds]
    assert study.trials()[kinds.index("diverged")].user_attrs["reason"] == "DIVERGED at iteration 3"


def test_tpe_learns_to_stay_away_from_what_diverges() -> None:
    def end(settings: Mapping[str, Any]) -> Outcome:
        return Outcome("diverged") if settings["train.learning_rate"] > 2e-3 else done(settings)

    trials = run(None, 40, StubBench(end)).trials()
    diverged = [trial.user_attrs["outcome"] == "diverged" for trial in trials]
    assert sum(diverged[20:]) < 0.35 * 20  # by lot: 35 % of the range
    assert sum(diverged) > 0


def test_a_command_ends_where_nothing_but_failures_comes(tmp_path: Path) -> None:
    bench = StubBench(lambda settings: Outcome("failed", details={"reason": "the disk is full"}))
    with pytest.raises(UserError, match=rf"{PATIENCE} trials failed.*the disk is full\. Mend that"):
        run(tmp_path, 20, bench)
    assert len(open_study(tmp_path).trials()) == PATIENCE


def test_settings_are_never_computed_twice(tmp_path: Path) -> None:
    few = (dataclasses.replace(SPACE[0], choices=(1e-3, 2e-3)),)

    def end(settings: Mapping[str, Any]) -> Outcome:
        return Outcome("done", (settings["train.learning_rate"],), {"hours": 1.0, "gpu hours": 2.0})

    for room in (1, 3):
        place = tmp_path / str(room)
        place.mkdir()
        bench = StubBench(end, room=room, steps=2)
        study = run(place, 9, bench, space=few)
        assert len(bench.started) == 2
        assert len(study.trials()) == 9
        assert sum(trial.user_attrs["hours"] for trial in study.trials()) == 2.0
        repeated = [trial for trial in study.trials() if "repeats" in trial.user_attrs]
        assert len(repeated) == 7
        for trial in repeated:
            assert trial.value == trial.params["train.learning_rate"]
            assert study.trials()[trial.user_attrs["repeats"]].params == trial.params


def test_a_repeated_trial_that_was_ended_early_is_that_again() -> None:
    few = (dataclasses.replace(SPACE[0], choices=(1e-3, 2e-3)),)
    study = run(None, 6, StubBench(lambda settings: Outcome("diverged")), space=few)
    assert {trial.user_attrs["outcome"] for trial in study.trials()} == {"diverged"}
    assert sum("repeats" in trial.user_attrs for trial in study.trials()) == 4


def test_a_grid_is_tried_out_whole() -> None:
    """The untuned settings are the grid's middle, and are not tried again."""
    space = SPACE[1:3]
    settings = [
        (trial.params["loss.cycle"], trial.params["loss.penalty_weight"])
        for trial in run(
            None, 9, StubBench(lambda _: Outcome("done", (1.0,))), space=space, sampling=Sampling("grid")
        ).trials()
    ]
    assert settings[0] == (1.0, 1.0)
    assert {tuple(round(value, 9) for value in pair) for pair in settings} == {
        (cycle, penalty) for cycle in (0.1, 1.0, 10.0) for penalty in (0.1, 1.0, 10.0)
    }


def test_two_objectives_give_a_front(tmp_path: Path) -> None:
    def end(settings: Mapping[str, Any]) -> Outcome:
        return Outcome("done", (bowl(settings), settings["loss.diversity"]))

    for sampler in ("tpe", "random", "gp"):
        place = tmp_path / sampler
        place.mkdir()
        directions = {"distance": "minimize", "diversity": "maximize"}
        study = run(place, 14, StubBench(end), sampling=Sampling(sampler), directions=directions)
        front = study.optuna.best_trials
        assert 1 <= len(front) < 14
        assert max(trial.values[1] for trial in study.trials()) == max(trial.values[1] for trial in front)


def test_the_optimum_is_where_it_is_said_to_be() -> None:
    assert bowl(dict(zip(UNTUNED, OPTIMUM, strict=True))) == pytest.approx(0, abs=1e-12)
