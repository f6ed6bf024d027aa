"""What is kept of a study beside its runs: each process writes what the storage says, whoever's trial it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial

from core.config import changed
from experiments.claims import Owner
from experiments.records import run_key
from experiments.registry import StartedStudy, StartedTrial, started
from experiments.tuning.loop import tune
from experiments.tuning.register import Register
from experiments.tuning.session import Session
from experiments.tuning.study import OWNER, Outcome
from tests.core.settings import tiny
from tests.experiments.tuning.stubs import SPACE, StubBench, bowl, done, open_study

CONFIG = tiny()


def session(runs: Path, trials: int, ladder: str = "") -> Session:
    return Session("stub", "F", CONFIG, SPACE, (), range(7, 9), {"trials": trials}, runs, "go on", ladder)


def kept(runs: Path) -> StartedStudy:
    (entry,) = started(runs)
    study = entry.read()
    assert isinstance(study, StartedStudy)
    return study


def keys(trial: FrozenTrial) -> dict[str, str]:
    return {str(seed): run_key(changed(CONFIG, {**trial.params, "seed": seed})) for seed in (7, 8)}


def ends(settings: Mapping[str, Any]) -> Outcome:
    """Every kind of end, by what the settings are worth."""
    if bowl(settings) > 1:
        return Outcome("diverged", details={"reason": "DIVERGED at iteration 3"})
    return done(settings)


def test_a_study_is_kept_as_it_is_in_its_storage(tmp_path: Path) -> None:
    register, study = Register(session(tmp_path, 12, "tuned")), open_study(tmp_path)
    assert kept(tmp_path) == StartedStudy("stub", "go on", "F", 12, 2, "tuned")
    seen: list[list[str]] = []

    def watch(_: list[int], known: list[FrozenTrial]) -> None:
        register.note(known)
        seen.append([trial.outcome for trial in kept(tmp_path).trials])

    tune(study, StubBench(ends, room=2, steps=2), 12, watch)
    assert seen[0] == ["", ""] and [len(outcomes) for outcomes in seen] == sorted(map(len, seen))
    assert kept(tmp_path).trials == tuple(
        StartedTrial(
            trial.number,
            keys(trial),
            trial.user_attrs["outcome"],
            trial.user_attrs.get("reason", ""),
            Owner.here(),
        )
        for trial in study.trials()
    )
    assert {trial.outcome for trial in kept(tmp_path).trials} == {"done", "diverged"}


def test_nothing_is_written_again_that_is_not_new(tmp_path: Path) -> None:
    register, study = Register(session(tmp_path, 2)), open_study(tmp_path)
    study.take(2)
    register.note(study.trials())
    file = tmp_path / "studies" / "stub" / "trial-0000.json"
    file.unlink()
    register.note(study.trials())
    assert not file.exists()
    study.finish(0, Outcome("pruned"))
    register.note(study.trials())
    assert [trial.outcome for trial in kept(tmp_path).trials] == ["pruned"]


def test_a_process_that_begins_later_keeps_what_others_did(tmp_path: Path) -> None:
    """As one that was killed before it wrote how its trial ended, or one whose folder of runs is another."""
    study = open_study(tmp_path)
    tune(study, StubBench(), 3)
    Register(session(tmp_path, 3)).note(open_study(tmp_path).trials())
    assert [(trial.number, trial.outcome) for trial in kept(tmp_path).trials] == [(0, "done"), (1, "done"), (2, "done")]


def test_what_was_read_too_early_is_put_right_by_the_next_look(tmp_path: Path) -> None:
    study, slow, quick = open_study(tmp_path), Register(session(tmp_path, 1)), Register(session(tmp_path, 1))
    study.take(1)
    early = study.trials()
    study.finish(0, Outcome("failed", details={"reason": "the disk"}))
    quick.note(study.trials())
    slow.note(early)
    assert kept(tmp_path).trials[0].outcome == ""
    slow.note(study.trials())
    assert (kept(tmp_path).trials[0].outcome, kept(tmp_path).trials[0].reason) == ("failed", "the disk")


def test_a_trial_that_is_not_taken_yet_has_no_settings_and_is_left_out(tmp_path: Path) -> None:
    register, study = Register(session(tmp_path, 2)), open_study(tmp_path)
    assert len(study.trials()) == 1 and OWNER not in study.trials()[0].user_attrs  # the untuned one waits
    register.note(study.trials())
    assert kept(tmp_path).trials == ()


def test_trials_of_an_earlier_study_of_the_same_name_are_forgotten(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    tune(study, StubBench(), 3)
    Register(session(tmp_path, 3)).note(study.trials())
    (tmp_path / "stub.journal").unlink()
    register, anew = Register(session(tmp_path, 3)), open_study(tmp_path)
    tune(anew, StubBench(), 1)
    register.note(anew.trials())
    assert [trial.number for trial in kept(tmp_path).trials] == [0]
    tune(anew, StubBench(), 2)  # by another process meanwhile, which keeps it itself
    Register(session(tmp_path, 2)).note(anew.trials())
    register.note(anew.trials()[:1])
    assert [trial.number for trial in kept(tmp_path).trials] == [0, 1]
