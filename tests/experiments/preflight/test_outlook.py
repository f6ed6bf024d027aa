"""What is foreseen of a ladder, from rehearsals that are given."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.config import Config, as_flat, digest
from core.metrics.real import RealImages
from experiments import environment
from experiments.engines import sharing
from experiments.plan import PlannedRun, planned_runs, read_plan
from experiments.preflight import foresight
from experiments.preflight.ahead import look_ahead
from experiments.preflight.forecast import Costs, Sizes
from experiments.preflight.foresight import foresee
from experiments.preflight.outlook import Outlook, table
from experiments.preflight.rehearsal import Rehearsal
from experiments.preflight.rehearsing import Rehearsed
from experiments.prepare import load_real_images, prepare
from experiments.records import Result

CPU = torch.device("cpu")
GIB = 2**30
SEEN = Rehearsal(
    device="cpu",
    threads=1,
    costs=Costs(
        start=9.0,
        iteration=1.0,
        checkpoint=0.0,
        drawing=0.0,
        translation=0.0,
        measuring=0.0,
        reference=0.0,
        pair=0.0,
    ),
    sizes=Sizes(checkpoint=GIB, translator=0, grid=0, pictures=0),
    host_bytes=GIB,
    device_bytes=0,
    parameters=1234,
    brief=False,
)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "cores", lambda: 4)
    monkeypatch.setattr(environment, "available_memory", lambda: 64 * GIB)


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    return Look(tmp_path, monkeypatch)


class Look:
    """`foresee` for the words of a ladder, its rehearsals given by label."""

    def __init__(self, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._runs, self._patch = runs, monkeypatch

    def planned(self, *words: str) -> list[PlannedRun]:
        plan, prepared, _ = self._read(*words)
        return planned_runs(plan, prepared)

    def __call__(self, *words: str, problems: tuple[str, ...] = (), **seen: Rehearsal) -> Outlook:
        rehearsed = Rehearsed(seen, list(problems), made=len(seen), seconds=5.0)
        self._patch.setattr(foresight, "rehearse_arms", lambda *_: rehearsed)
        plan, prepared, real = self._read(*words)
        return foresee(plan, prepared, look_ahead(plan, prepared), real, CPU)

    def _read(self, *words: str) -> tuple:
        settings = ("smoke", "device=cpu", "eval.metrics=judge", "eval.judge_steps=1", "data.train_images=4")
        plan = read_plan([*settings, f"runs={self._runs}", *words])
        prepared = prepare(plan.recipe, self._runs / "cache")
        config = prepared.resolve(plan.recipe)
        real: RealImages = load_real_images(config, prepared.data, self._runs / "cache", CPU)
        return plan, prepared, real


def test_time_is_that_of_the_longest_worker(look: Look) -> None:
    slow = replace(SEEN, costs=replace(SEEN.costs, iteration=10.0))
    seen = look("rungs=AF", "workers=2", A=SEEN, F=slow)
    # F: 10 iterations, A: 20; beside the 9 s of the start and 1 s for Sacred; and 2 s for the report.
    assert seen.lengths == [10 + 100, 10 + 20]
    assert "time      about 1 min 52 s: until" in seen.text()
    assert "3 min" not in seen.text() and "2 min 22 s: until" in look("rungs=AF", "workers=1", A=SEEN, F=slow).text()


def test_what_is_measured_once_for_all_runs_counts_until_it_is(look: Look) -> None:
    slow = replace(SEEN, costs=replace(SEEN.costs, reference=1.0))
    seen = look("rungs=A", A=slow)
    assert seen.once == 3 * 4  # every training image
    assert "about 44 s, of which 12 s once for all runs" in seen.text()


def test_what_is_done_is_not_foreseen_again(look: Look) -> None:
    words = ("rungs=AF", "seeds=2", "workers=1")
    first, second, *_ = look.planned(*words)
    first.folder.path.mkdir(parents=True)
    first.folder.write_divergence(1, "no matter")
    second.folder.path.mkdir(parents=True)
    with second.folder.checkpoint(15).open("wb") as file:
        file.truncate(GIB)
    seen = look(*words, A=SEEN, F=SEEN)
    assert seen.lengths == [10 + 5, 10 + 10, 10 + 20]
    assert "runs      4, of which 1 are done already" in seen.text()
    assert seen.disk.needed == pytest.approx((2 + 1 + 2 - 1) * GIB, rel=0.01)


def test_tuning_comes_before_tuned_and_untuned_runs(look: Look) -> None:
    seen = look("rungs=AF", "tuned", "trials=3", "workers=2", A=SEEN, F=SEEN)
    assert seen.tuning is not None
    # Three runs of each arm by two workers: one after another twice. A takes 20 iterations and F 10.
    assert (seen.tuning.lengths, seen.tuning.seconds) == ({"A": 10 + 20, "F": 10 + 10}, 2 * 30 + 2 * 20)
    assert seen.lengths == [20, 30, 20, 30]
    assert seen.disk.needed == pytest.approx((3 + 1 + 1) * (2 + 1) * GIB, rel=0.01)
    lines = seen.text().splitlines()
    assert (
        "tuning    3 trials for each of 2 arms, of which 0 are done already: at most 6 runs, each at most 30 s, "
        "2 at a time"
    ) in lines
    assert "runs      4, tuned and untuned, of which 0 are done already" in lines
    # Those take 60 s, and the report 2.
    assert lines[-1].startswith("time      at most about 2 min 42 s, of which 1 min 40 s for tuning: until ")


def test_a_trial_is_looked_at_on_the_way_on_its_part_of_the_images(look: Look) -> None:
    slow = replace(SEEN, costs=replace(SEEN.costs, translation=1.0))
    words = ("rungs=F", "tuned", "trials=2", "tune.seeds=3", "eval.sources=0", "data.val_images=10")
    seen = look(*words, "eval.tuning_share=0.4", "space.train.batch=4,8", F=slow)
    assert seen.tuning is not None
    once = 2 * 3 * 6  # of an image of each domain: two guides, three outputs, six pairs
    assert seen.tuning.lengths == {"F": 10 + 10 + 10 * 4 * once}  # after every iteration
    assert seen.lengths == [10 + 10 + 6 * once] * 2
    assert "tuning    2 trials of 3 runs for F, of which 0 are done already: at most 6 runs, each about " in seen.text()
    assert "time      about " in seen.text()


def test_few_runs_do_not_keep_trials_from_going_beside_each_other(look: Look) -> None:
    seen = look("rungs=F", "tuned", "trials=8", F=SEEN)
    assert seen.tuning is not None
    assert (len(seen.slots), seen.tuning.places, seen.fit, seen.tuning.seconds) == (2, 4, 6, 2 * 20)
    assert seen.memory is not None and seen.memory.line(4) in seen.text()
    assert look("rungs=F", "tuned", "trials=8", "tune.at_once=3", F=SEEN).text().count("3 at a time") == 1


def test_what_a_server_has_already_is_not_known(look: Look) -> None:
    words = ("rungs=F", "tuned", "trials=2", "tune.storage=postgresql://me:hunter2@nowhere.invalid/studies")
    text = look(*words, "engine=slurm", F=SEEN).text()
    assert "tuning    2 trials for F, with those that postgresql://***@nowhere.invalid/studies may have already" in text
    assert re.search(
        r"time +at most about 1 min 20 s of computing, of which 40 s for tuning, the longest run 20 s", text
    )


def test_workers_are_as_many_as_fit(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = look("rungs=AF", "seeds=2", A=SEEN, F=SEEN)
    assert (len(seen.slots), seen.fit, seen.problems) == (4, 4, [])
    assert "4 runs at a time, threads of each: 1" in seen.text()
    monkeypatch.setattr(environment, "available_memory", lambda: int(2.5 * GIB))
    seen = look("rungs=AF", "seeds=2", A=SEEN, F=SEEN)
    assert (len(seen.slots), seen.fit, seen.problems) == (2, 2, [])
    assert "memory    up to 2.2 GiB of 2.5 GiB that are free" in seen.text()
    (problem,) = look("rungs=AF", "seeds=2", "workers=3", A=SEEN, F=SEEN).problems
    assert problem.endswith("Use workers=2.")
    (problem,) = look("rungs=AF", "seeds=2", "gpus_per_run=2", "workers=2", A=SEEN, F=SEEN).problems
    assert problem.endswith("Use workers=1.")


def test_every_arm_is_a_row_and_every_problem_is_kept(look: Look) -> None:
    seen = look("rungs=ABF", problems=("B: DIVERGED",), A=SEEN, F=replace(SEEN, brief=True))
    assert seen.problems == ["B: DIVERGED"]
    lines = seen.text().splitlines()
    assert [line.split()[:4] for line in lines[:3]] == [
        ["arm", "parameters", "s/iteration", "iterations"],
        ["A", "1,234", "1", "20"],
        ["F", "1,234", "~1", "10"],
    ]
    assert lines[3].startswith("~ timed only once")
    assert not any(line.startswith("time") for line in lines)  # B's is not known


def test_a_queue_has_no_end_that_could_be_foreseen(look: Look) -> None:
    text = look("rungs=AF", "engine=slurm", A=SEEN, F=SEEN).text()
    assert re.search(r"time +about 50 s of computing, the longest run 30 s", text)
    assert "memory    as above, for each run" in text


def test_nothing_left_to_do(look: Look) -> None:
    (only,) = look.planned("rungs=A")
    only.folder.path.mkdir(parents=True)
    only.folder.write_divergence(1, "no matter")
    seen = look("rungs=A")
    assert (seen.problems, seen.text()) == ([], "runs      1, of which 1 are done already")


def test_what_lacks_something_is_completed_and_not_trained(look: Look) -> None:
    words = ("rungs=AF", "seeds=2", "evaluations=3")
    planned = {run.name: run for run in look.planned(*words)}
    for name, seconds in (("F seed 0", 30.0), ("A seed 0", 7.0)):
        run = planned[name]
        run.folder.prepare(run.config, run.arm.label)
        run.folder.write_result(result_of(run.config, seconds, peak=2 * GIB))
        run.folder.translator.touch()
    seen = look(*words, "workers=2", A=SEEN, F=SEEN)
    assert (seen.planned, seen.done, seen.completed) == (4, 2, 2)
    # F and A at seed 1 are trained; of those at seed 0, F is measured twice, and A, which does not vary, not at all.
    assert seen.lengths == [10 + 10, 10 + 20, 1 + 2 * 30, 1]
    lines = seen.text().splitlines()
    assert "runs      4, of which 2 are done already" in lines
    assert "completed 2 of these, without training: what they lack is made" in lines
    assert seen.memory is not None and seen.memory.peaks == [GIB, GIB, 2 * GIB, 2 * GIB]


def test_where_all_is_trained_only_the_time_of_completing_is_foreseen(look: Look) -> None:
    (run,) = look.planned("rungs=F", "evaluations=2")
    run.folder.prepare(run.config, run.arm.label)
    run.folder.write_result(result_of(run.config, 30.0, peak=GIB))
    run.folder.translator.touch()
    said = look("rungs=F", "evaluations=2").text().splitlines()
    assert said[:2] == [
        "runs      1, of which 1 are done already",
        "completed 1 of these, without training: what they lack is made",
    ]
    assert said[2].startswith("time      about ") and len(said) == 3
    run.folder.translator.unlink()
    assert look("rungs=F", "evaluations=2").text() == "runs      1, of which 1 are done already"


def result_of(config: Config, evaluate_seconds: float, peak: int) -> Result:
    flat = as_flat(config)
    return Result(digest(config), config.seed, flat, 10, 20, 80, {}, 9.0, evaluate_seconds, peak, "cpu", {}, rows=())


def test_a_table_has_names_to_the_left_and_numbers_to_the_right() -> None:
    assert table([("arm", "s"), ("F - diversity", "1.5")]).splitlines() == [
        "arm               s",
        "F - diversity   1.5",
    ]
