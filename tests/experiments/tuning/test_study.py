"""Who may take which trial, and which studies are not for joining."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from core.errors import UserError
from experiments.claims import Owner
from experiments.tuning import study as module
from experiments.tuning.storage import open_storage
from experiments.tuning.study import COUNT, IDENTITY, OWNER, SILENCE, Outcome, Study, Task
from tests.experiments.tuning.stubs import IDENTITY as MADE_WITH
from tests.experiments.tuning.stubs import SPACE, done, open_study

ELSEWHERE = dataclasses.replace(Owner.here(), machine="another")


def taken(study: Study, trials: int = 5) -> Task:
    task = study.take(trials)
    assert task is not None
    return task


def own(study: Study, number: int, owner: Owner | None, **attributes: Any) -> None:
    """Have a trial be somebody else's."""
    trial = study._mine.pop(number)
    trial.set_user_attr(OWNER, asdict(owner) if owner else None)
    for key, value in attributes.items():
        trial.set_user_attr(key, value)


def dead() -> Owner:
    process = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    return dataclasses.replace(Owner.here(), pid=int(process.stdout))


def test_each_trial_is_taken_once_and_no_more_than_asked_for(tmp_path: Path) -> None:
    studies = [open_study(tmp_path) for _ in range(2)]
    tasks = [taken(studies[number % 2]) for number in range(5)]
    assert [task.number for task in tasks] == list(range(5))
    assert [study.take(5) for study in studies] == [None, None]
    assert taken(studies[0], 6).number == 5


def test_a_trial_whose_process_died_is_taken_up_with_its_settings(tmp_path: Path) -> None:
    first, second = open_study(tmp_path), open_study(tmp_path)
    tasks = [taken(first), taken(first)]
    own(first, 1, dead())
    assert taken(second) == tasks[1]
    assert taken(second).number == 2
    second.finish(1, done(tasks[1].settings))
    assert second.trials()[1].user_attrs[OWNER] == asdict(Owner.here())


def test_one_that_died_between_taking_a_trial_and_its_settings_is_no_loss(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    taken(study)
    half = study.optuna.ask()
    value = half.suggest_float(SPACE[0].path, SPACE[0].low, SPACE[0].high, log=True)
    task = taken(study)
    assert task.number == half.number == 1
    assert task.settings[SPACE[0].path] == value
    assert set(task.settings) == {dimension.path for dimension in SPACE}


def test_one_that_died_before_the_untuned_settings_were_queued_is_no_loss(tmp_path: Path) -> None:
    storage = open_storage("", tmp_path / "stub.journal")
    optuna.create_study(study_name="stub", storage=storage.optuna)
    assert taken(open_study(tmp_path)).settings == {dimension.path: dimension.default for dimension in SPACE}


def test_on_another_machine_only_silence_means_death(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = open_study(tmp_path), open_study(tmp_path)
    own(first, taken(first, 1).number, ELSEWHERE, **{COUNT: 4})
    now = 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    assert second.take(1) is None
    now += SILENCE - 1
    assert second.take(1) is None
    first.optuna._storage.set_trial_user_attr(0, COUNT, 5)  # it lives
    assert second.take(1) is None
    now += SILENCE - 1
    assert second.take(1) is None
    now += 2
    assert taken(second, 1).number == 0


def test_an_owner_lets_others_see_that_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    study = open_study(tmp_path)
    taken(study)
    counts = []
    for _ in range(3):
        now += module.BEAT
        study.beat()
        study.beat()
        counts.append(study.trials()[0].user_attrs[COUNT])
    assert counts == [1, 2, 3]


def test_what_the_first_one_tells_of_a_trial_counts(tmp_path: Path) -> None:
    first, second = open_study(tmp_path), open_study(tmp_path)
    task = taken(first)
    trial = first._mine[task.number]
    own(first, task.number, dead())
    taken(second)
    first._mine[task.number] = trial  # it was only asleep
    second.finish(task.number, Outcome("done", (1.0,), {"hours": 1.0}))
    first.finish(task.number, Outcome("done", (2.0,), {"hours": 9.0}))
    [told] = first.trials()
    assert (told.value, told.user_attrs["hours"]) == (1.0, 1.0)


def test_complete_means_that_all_have_ended(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    tasks = [taken(study, 2), taken(study, 2)]
    study.finish(0, done(tasks[0].settings))
    assert not study.complete(1)
    study.finish(1, Outcome("failed"))
    assert study.complete(2) and not study.complete(3)
    assert [trial.state for trial in study.trials()] == [TrialState.COMPLETE, TrialState.FAIL]


def test_a_study_made_with_something_else_is_refused_with_what_differs(tmp_path: Path) -> None:
    open_study(tmp_path)
    with pytest.raises(UserError) as error:
        open_study(tmp_path, identity={**MADE_WITH, "space": "three weights", "seeds": "2"})
    said = str(error.value)
    assert "space: four weights\n    now: three weights" in said
    assert "seeds: nothing\n    now: 2" in said
    assert "arm" not in said and "name=" in said


def test_somebody_else_s_study_is_refused(tmp_path: Path) -> None:
    storage = open_storage("", tmp_path / "stub.journal")
    optuna.create_study(study_name="stub", storage=storage.optuna).ask()
    with pytest.raises(UserError, match="was made with something else"):
        open_study(tmp_path)


def test_it_opens_in_optuna_alone_with_its_objective_and_settings(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    study.finish(0, done(taken(study).settings))
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(tmp_path / "stub.journal")))
    there = optuna.load_study(study_name="stub", storage=storage)
    assert there.best_params == {dimension.path: dimension.default for dimension in SPACE}
    assert there.user_attrs[IDENTITY] == MADE_WITH
    assert there.metric_names == ["loss"]
