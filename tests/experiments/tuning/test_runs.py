"""Trials as runs: which runs they are, when they are over, and what they come to. Nothing is trained here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.config import Config, as_flat
from experiments.dispatch import Dispatch
from experiments.engines.engine import Job
from experiments.records import Result, RunFolder
from experiments.tuning.objective import Aim
from experiments.tuning.runs import RunBench
from experiments.tuning.study import Outcome, Task
from tests.core.settings import tiny
from tests.experiments.conftest import row

FRECHET = Aim("frechet", "latent", "judge_frechet/latent/1")
DIVERSITY = Aim("diversity", "latent", "judge_diversity/latent/10")
SETTINGS = {"loss.cycle": 2.0, "train.batch": 2}


class HandEngine:
    """Jobs go on until the test ends them."""

    def __init__(self, slots: int = 4) -> None:
        self.slots = slots
        self.at_work: list[Job] = []
        self.over: list[tuple[Job, str]] = []

    def room(self) -> int:
        return self.slots - len(self.at_work)

    def submit(self, jobs: Sequence[Job]) -> None:
        self.at_work += jobs

    def running(self) -> list[Job]:
        return self.at_work

    def ended(self) -> list[tuple[Job, str]]:
        over, self.over = self.over, []
        return over

    def cancel(self) -> None:
        pass

    def end(self, folder: RunFolder) -> None:
        [job] = [job for job in self.at_work if job.folder == folder.path]
        self.at_work.remove(job)
        self.over.append((job, "exit status 0"))


@dataclasses.dataclass
class Desk:
    """A bench with what moves it."""

    bench: RunBench
    engine: HandEngine
    now: float = 0.0

    def start(self, number: int = 0, **changes: Any) -> list[RunFolder]:
        settings = {**SETTINGS, **{path.replace("__", "."): value for path, value in changes.items()}}
        self.bench.start(Task(number, settings))
        self.bench.step()
        return self.bench.folders(settings)

    def end(self, folder: RunFolder, value: float | None = None, seconds: float = 60.0) -> None:
        """Have a run's process end, with a result of this value or without."""
        if value is not None:
            write_result(folder, value)
        self.now += seconds
        self.engine.end(folder)
        self.bench.step()

    def ended(self, number: int = 0) -> Outcome:
        outcome = self.bench.outcome(number)
        assert outcome is not None
        return outcome


def write_result(folder: RunFolder, value: float) -> None:
    config = folder.config()
    rows = [row("judge_frechet", value - 1, "cat", "dog"), row("judge_frechet", value + 1, "dog", "cat")]
    rows.append(row("judge_diversity", value / 10, "cat", "dog", outputs=10))
    folder.write_result(Result("d", config.seed, as_flat(config), 4, 8, 24, {}, 30.0, 6.0, 1, "cpu", {}, tuple(rows)))


def job_of(folder: RunFolder) -> Job:
    return Job(folder.path.name, folder.path, ())


def desk(runs: Path, aims: Sequence[Aim] = (FRECHET,), gpus: float = 0.0, config: Config | None = None) -> Desk:
    engine = HandEngine()
    made = Desk(None, engine)  # type: ignore[arg-type]
    dispatch = Dispatch(engine, job_of, poll=0)
    made.bench = RunBench(
        dispatch, runs, config or tiny(), "F", (7, 8), aims, at_once=3, gpus=gpus, clock=lambda: made.now
    )
    return made


def test_a_trial_is_a_run_for_each_seed_with_the_settings_of_the_trial(tmp_path: Path) -> None:
    work = desk(tmp_path)
    folders = work.start()
    configs = [folder.config() for folder in folders]
    assert [config.seed for config in configs] == [7, 8]
    assert {config.loss.cycle for config in configs} == {2.0} and {config.train.batch for config in configs} == {2}
    assert [folder.path for folder in folders] == [RunFolder.of(tmp_path, config).path for config in configs]
    assert [job.folder for job in work.engine.at_work] == [folder.path for folder in folders]
    assert folders[0].label() == "F"
    assert work.bench.room == 2


def test_no_more_trials_than_wanted_are_at_work_however_many_places_there_are(tmp_path: Path) -> None:
    work = desk(tmp_path)
    work.engine.slots = 1000
    rooms = [work.bench.room]
    for number in range(3):
        work.start(number, loss__cycle=1.0 + number)
        rooms.append(work.bench.room)
    assert rooms == [3, 2, 1, 0]


def test_its_values_are_means_over_pairs_and_seeds(tmp_path: Path) -> None:
    work = desk(tmp_path, (FRECHET, DIVERSITY), gpus=0.5)
    one, two = work.start()
    work.end(one, 10.0)
    assert work.bench.outcome(0) is None
    work.end(two, 20.0)
    outcome = work.ended()
    assert (outcome.kind, outcome.values) == ("done", (15.0, 1.5))
    assert outcome.details["runs"] == [one.path.name, two.path.name]
    assert outcome.details["hours"] == pytest.approx(2 * 36 / 3600)
    assert outcome.details["gpu hours"] == pytest.approx(36 / 3600)


def test_runs_that_are_there_are_not_started_and_cost_nothing(tmp_path: Path) -> None:
    first = desk(tmp_path)
    folders = first.start()
    for folder in folders:
        first.end(folder, 5.0)
    again = desk(tmp_path)
    again.start(3)
    assert again.engine.at_work == []
    outcome = again.ended(3)
    assert (outcome.values, outcome.details["hours"]) == ((5.0,), 0.0)
    assert again.bench.room == 3


def test_one_that_is_there_and_one_that_is_not(tmp_path: Path) -> None:
    first = desk(tmp_path)
    one, two = first.start()
    first.end(one, 5.0)
    again = desk(tmp_path)
    again.start(3)
    assert [job.folder for job in again.engine.at_work] == [two.path]
    again.end(two, 7.0)
    outcome = again.ended(3)
    assert outcome.values == (6.0,)
    assert outcome.details["hours"] == pytest.approx(36 / 3600)


def test_looks_are_means_at_the_iterations_that_all_seeds_have(tmp_path: Path) -> None:
    work = desk(tmp_path)
    one, two = work.start()
    for iteration, value in ((2, 30.0), (4, 20.0)):
        one.evaluations.append(iteration, {FRECHET.key: value})
    two.evaluations.append(2, {FRECHET.key: 40.0})
    assert list(work.bench.points(0)) == [(2, 35.0)]
    two.evaluations.append(4, {FRECHET.key: 22.0})
    assert list(work.bench.points(0)) == [(2, 35.0), (4, 21.0)]
    both = desk(tmp_path / "both", (FRECHET, DIVERSITY))
    both.start()
    assert list(both.bench.points(0)) == []


def test_a_trial_that_is_ended_early_stops_its_runs_and_they_can_be_asked_for_again(tmp_path: Path) -> None:
    work = desk(tmp_path)
    one, two = work.start()
    work.end(one, 5.0)
    work.bench.give_up(0)
    assert two.given_up and not one.given_up
    assert work.bench.outcome(0) is None
    work.end(two)
    outcome = work.ended()
    assert (outcome.kind, outcome.values) == ("pruned", ())
    assert outcome.details["hours"] == pytest.approx((36 + 120) / 3600, abs=1e-4)
    desk(tmp_path).start(1)
    assert not two.given_up


def test_a_run_that_diverges_ends_its_trial(tmp_path: Path) -> None:
    work = desk(tmp_path)
    one, two = work.start()
    one.write_divergence(3, "DIVERGED at iteration 3")
    work.end(one)
    assert work.bench.outcome(0) is None
    assert two.given_up
    work.end(two)
    outcome = work.ended()
    assert (outcome.kind, outcome.details["reason"]) == ("diverged", "DIVERGED at iteration 3")


def test_a_run_that_fails_ends_its_trial_with_the_reason(tmp_path: Path) -> None:
    work = desk(tmp_path)
    one, two = work.start()
    one.write_status("failed", reason="the disk is full")
    work.end(one)
    assert work.bench.outcome(0) is None
    work.end(two)
    outcome = work.ended()
    assert (outcome.kind, outcome.details["reason"]) == ("failed", "the disk is full")


def test_an_objective_that_is_no_number_is_a_failure(tmp_path: Path) -> None:
    work = desk(tmp_path)
    for folder in work.start():
        work.end(folder, float("nan"))
    assert work.ended().kind == "failed"


def test_what_is_done_of_a_trial_is_seen(tmp_path: Path) -> None:
    work = desk(tmp_path)
    one, two = work.start()
    one.write_status("training", iteration=2, of=4)
    two.write_status("training", iteration=4, of=4)
    assert work.bench.share(0) == 0.75
    assert work.bench.share(9) == 0.0
