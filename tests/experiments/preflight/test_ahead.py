"""What a tuned ladder still computes, read off its studies without making any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.data.critters import load_critters
from core.errors import UserError
from experiments.plan import Plan, read_plan
from experiments.preflight.ahead import Ahead, configurations, look_ahead
from experiments.prepare import Prepared
from experiments.tuning.arms import read_sessions
from experiments.tuning.session import join
from experiments.tuning.study import Outcome

PREPARED = Prepared(load_critters(8, 8, 16), "judge", ())


def plan(place: Path, *words: str) -> Plan:
    return read_plan(["with", "smoke", "tuned", "rungs=CF", "trials=3", f"runs={place}/runs", *words])


def ahead(place: Path, *words: str) -> Ahead:
    return look_ahead(plan(place, *words), PREPARED)


def tune(place: Path, *words: str, values: dict[str, tuple[float, ...]]) -> None:
    """Trials of each arm with these objectives, nothing trained."""
    for session in read_sessions(plan(place, *words), PREPARED):
        study = join(session)
        for value in values.get(session.label, ()):
            task = study.take(3)
            assert task
            study.finish(task.number, Outcome("done", (value,)))


def left(seen: Ahead) -> dict[str, int]:
    return {trials.session.label: trials.left for trials in seen.trials}


def test_all_is_left_of_studies_that_are_not_there_and_none_is_made(tmp_path: Path) -> None:
    seen = ahead(tmp_path, "seeds=2", "tune.seeds=4", "evaluations=3")
    assert left(seen) == {"C": 3, "F": 3} and [trials.runs for trials in seen.trials] == [12, 12]
    assert [run.name for run in seen.runs] == [run.name for run in seen.unknown]
    assert ({run.folder.asked for run in seen.runs}, {run.folder.asked for run in seen.unknown}) == ({0}, {3})
    assert (len(seen.runs), seen.cells, seen.count, seen.settled) == (4, 8, 12, False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("storage", [(), ("tune.storage=sqlite:{}/studies.db",)])
def test_trials_that_ended_are_not_left(tmp_path: Path, storage: tuple[str, ...]) -> None:
    words = [word.format(tmp_path) for word in storage]
    tune(tmp_path, *words, values={"C": (5.0, 4.0)})
    assert left(ahead(tmp_path, *words)) == {"C": 1, "F": 3}
    assert all(trials.seen for trials in ahead(tmp_path, *words).trials)


def test_a_server_is_not_asked(tmp_path: Path) -> None:
    seen = ahead(tmp_path, "tune.storage=postgresql://me:hunter2@nowhere.invalid/studies")
    assert left(seen) == {"C": 3, "F": 3} and not any(trials.seen for trials in seen.trials)


def test_a_study_of_something_else_is_refused(tmp_path: Path) -> None:
    tune(tmp_path, values={})
    with pytest.raises(UserError, match="the study smoke-tuned-C was made with something else"):
        ahead(tmp_path, "space.loss.cycle=0.5:2")


def test_once_all_trials_ended_the_tuned_runs_are_known(tmp_path: Path) -> None:
    tune(tmp_path, values={"C": (5.0, 4.0, 6.0), "F": (1.0, 2.0, 3.0)})
    seen = ahead(tmp_path, "evaluations=2")
    # The untuned settings are the best of F: one run is both.
    assert [(run.name, run.folder.asked) for run in seen.runs] == [("F seed 0", 2), ("C seed 0", 2), ("C seed 0", 0)]
    tuned, untuned = (run.config.train.learning_rate for run in seen.runs[1:])
    assert untuned == 1e-3 and tuned != untuned
    assert (list(seen.unknown), seen.trials_left, seen.cells, seen.settled) == ([], [], 4, False)
    for run in seen.runs[:2]:
        run.folder.write_divergence(1, "no matter")
    assert seen.labels == {"C"} and [*configurations(plan(tmp_path), PREPARED, seen)] == ["C"]
    seen.runs[2].folder.write_divergence(1, "no matter")
    assert ahead(tmp_path, "evaluations=2").settled


@pytest.mark.parametrize(
    "word, bounded", [("space=default", True), ("space.train.batch=4,8", False), ("space.loss.cycle=0.5:2", True)]
)
def test_trials_are_bounded_where_no_setting_makes_them_longer(tmp_path: Path, word: Any, bounded: bool) -> None:
    assert {trials.bounded for trials in ahead(tmp_path, word).trials} == {bounded}


def test_without_tuning_there_are_runs_alone(tmp_path: Path) -> None:
    seen = look_ahead(read_plan(["with", "smoke", "seeds=2", "evaluations=2", f"runs={tmp_path}"]), PREPARED)
    assert (len(seen.runs), seen.cells, seen.count, list(seen.unknown), list(seen.trials)) == (12, 12, 12, [], [])
    assert {run.folder.asked for run in seen.runs} == {2}
