"""The command `tune`: what it refuses before anything trains, and a small study from first trial to pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from core.config import ConfigError
from core.errors import UserError
from experiments import clean, environment, status
from experiments.command import Interrupted, parse
from experiments.engines import choice
from experiments.engines.engine import Job
from experiments.execution import execute
from experiments.preflight import foresight
from experiments.preflight.rehearsing import Rehearsed
from experiments.records import RunFolder
from experiments.registry import StartedStudy, started
from experiments.tune import SETTINGS, main, name_of, untuned
from experiments.tuning import session as tuning
from tests.experiments.preflight.test_outlook import SEEN

WORDS = (
    "F",
    "smoke",
    "train.steps=4",
    "train.log_every=2",
    "eval.judge_steps=20",
    "tune.looks=1",
    "workers=1",
    "preflight=false",
)


def words(place: Path, *more: str) -> list[str]:
    return ["with", *WORDS, f"runs={place}/runs", *more]


def refused(place: Path, *more: str) -> str:
    with pytest.raises(UserError) as error:
        main(words(place, *more))
    assert not list(place.glob("runs/*-s*")), "something was trained"
    return str(error.value)


@pytest.mark.parametrize(
    "word, message",
    [
        ("trials=0", "trials=0: must be at least 1"),
        ("tune.sampler=magic", "tune.sampler=magic: choose one of"),
        ("tune.smapler=tpe", "tune.smapler: there is no such setting (did you mean tune.sampler?)"),
        ("space=wide", "space=wide: choose one of default, rates, empty"),
        ("space.loss.cylce=1:2", "space.loss.cylce: there is no such setting (did you mean loss.cycle?)"),
        ("space.loss.cycle=3:1", "the range is upside down"),
        ("space.loss.cycle=0:1:log", "a logarithmic range must begin above 0"),
        ("space.model.bottleneck_size=4,8,32", "and that cannot run: model.bottleneck_size is larger"),
        ("space.model.head=acgan,multitask", "this is what the ladder varies"),
        ("tune.objective=beauty", "tune.objective=beauty: choose of"),
        ("tune.storage=mysql://me:hunter2@host/db", "tune.storage=mysql://***@host/db: not an address"),
        ("tune.storage=postgresql://me:hunter2@127.0.0.1:1/db", "cannot be reached"),
        ("eval.part=rest", "tuning measures on the tuning split"),
        ("eval.tuning_share=0.9", "does not leave 2 of every domain on both sides"),
        ("engine=magic", "engine=magic: the engines are"),
    ],
)
def test_a_mistake_is_one_message_before_anything_trains(tmp_path: Path, word: str, message: str) -> None:
    said = refused(tmp_path, word)
    assert message in said
    assert "hunter2" not in said


def test_the_configuration_is_the_arm_s_on_the_tuning_split() -> None:
    command = parse(["with", "C", "smoke", "eval.tuning_share=0.3", "train.batch=4"], SETTINGS, rungs_allowed=True)
    config = untuned(command)
    assert (config.eval.part, config.eval.tuning_share, config.train.batch) == ("tuning", 0.3, 4)
    assert (config.model.code, config.model.injection) == ("label", "adain")
    assert name_of(command) == "smoke-C"


@pytest.mark.parametrize("name", ["..", "a/b"])
def test_a_name_is_one_file(name: str) -> None:
    with pytest.raises(ConfigError, match="a name is one file"):
        name_of(parse(["with", f"name={name}"], SETTINGS, rungs_allowed=True))


class HereEngine:
    """Computes a run at once, in this process: as an engine's process does, without its start."""

    kept: ClassVar[list[list[str]]] = []  # outcomes of the trials that are known of beside the runs, at each start

    def __init__(self, *_: object) -> None:
        self.over: list[tuple[Job, str]] = []

    def room(self) -> int:
        return 1 - len(self.over)

    def submit(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            (entry,) = started(job.folder.parent)
            self.kept.append([trial.outcome for trial in StartedStudy.read(entry.path).trials])
            execute(RunFolder(job.folder), job.folder.parent, quiet=True)
            self.over.append((job, "exit status 0"))

    def running(self) -> list[Job]:
        return []

    def ended(self) -> list[tuple[Job, str]]:
        over, self.over = self.over, []
        return over

    def cancel(self) -> None:
        pass


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a study of two trials was made."""
    folder = tmp_path_factory.mktemp("tuned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "build_engine", HereEngine)
        assert main(words(folder, "trials=2", "tune.pruner=none")) == 0
    return folder


def runs_of(place: Path) -> list[RunFolder]:
    return [RunFolder(path.parent) for path in sorted(place.glob("runs/*-s*/result.json"))]


def test_trials_are_ordinary_runs_measured_on_the_tuning_split(place: Path) -> None:
    runs = runs_of(place)
    assert len(runs) == 2
    for run in runs:
        config, result = run.config(), run.result()
        assert (config.seed, config.eval.part, run.label()) == (1000, "tuning", "F")
        frechet = [row for row in result.rows if row["metric"] == "judge_frechet" and row["outputs"] == 1]
        assert {row["samples"] for row in frechet} == {6}  # half of 12 validation images
        assert all(row["protocol"].endswith("16 px, tuning split of 0.5") for row in frechet)


def test_the_same_command_trains_nothing_more(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {run.path: (run.path / "result.json").stat().st_mtime_ns for run in runs_of(place)}
    capsys.readouterr()
    assert main(words(place, "trials=2", "tune.pruner=none")) == 0
    said = capsys.readouterr().out
    assert {run.path: (run.path / "result.json").stat().st_mtime_ns for run in runs_of(place)} == before
    assert "2 trials: 2 done" in said
    assert f"python -m experiments.tune show smoke-F runs={place}/runs" in said


def test_another_space_or_objective_or_other_images_are_refused(place: Path) -> None:
    for word, what in (
        ("space.loss.cycle=0.5:2", "space of loss.cycle"),
        ("tune.objective=kernel", "objective"),
        ("tune.seeds=2", "seeds"),
        ("data.val_images=14", "images"),
        ("train.steps=5", "iterations"),
        ("loss.cycle=1.5", "arm"),
    ):
        with pytest.raises(UserError, match=rf"the study smoke-F was made with something else[^$]*  - {what}: "):
            main(words(place, "trials=2", word))


def test_show_prints_and_draws(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "smoke-F", f"runs={place}/runs"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^0.*done +\d+", said, re.MULTILINE)
    assert re.search(r"^loss\.diversity +1 ", said, re.MULTILINE)
    history = place / "runs" / "studies" / "smoke-F" / "history.png"
    assert str(history) in said and history.stat().st_size > 5000


def test_status_and_clean_know_the_study(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (entry,) = started(place / "runs")
    study = entry.read()
    assert study.name == "smoke-F"
    assert HereEngine.kept == [[], ["done"]]
    assert study.command == "python -m experiments.tune " + " ".join(words(place, "trials=2", "tune.pruner=none"))
    assert [cell.name for cell in study.cells] == ["F trial 0 seed 1000", "F trial 1 seed 1000"]
    assert {cell.key for cell in study.cells} == {path.parent.name for path in place.glob("runs/*-s*/result.json")}
    assert status.main([f"runs={place}/runs"]) == 0
    assert capsys.readouterr().out == "smoke-F: 2 trials of F; 2 done\n\ntrials\n  done       0-1\n"
    assert clean.main(["smoke-F", f"runs={place}/runs"]) == 0
    assert re.match(r"tuning smoke-F: \d+ files?, \d+ MiB\n  F trial 0 seed 1000: ", capsys.readouterr().out)


def test_show_says_which_studies_there_are(place: Path) -> None:
    with pytest.raises(UserError, match=r"other: name a study of .*/studies\. There are: smoke-F\."):
        main(["show", "other", f"runs={place}/runs"])
    with pytest.raises(UserError, match="There is none"):
        main(["show", "other", f"runs={place}/elsewhere"])


@pytest.mark.skipif(not os.environ.get("LONG_TESTS"), reason="trains in another process: set LONG_TESTS=1")
def test_a_trial_that_was_pruned_is_a_run_that_can_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a pruner that ends every trial at its first look, and then an ordinary run of the same configuration."""
    from experiments import run
    from experiments.tuning import study as module

    class Axe:
        def prune(self, *_: Any) -> bool:
            return True

    monkeypatch.setattr(module, "build_pruner", lambda *_: Axe())
    slow = ["train.steps=400", "train.checkpoint_every=10", "train.evaluate_every=5", "eval.sources=2"]
    assert main([*words(tmp_path, "trials=1", "tune.pruner=median", *slow)]) == 1
    [folder] = [RunFolder(path.parent) for path in tmp_path.glob("runs/*-s*/config.json")]
    assert folder.given_up and not folder.settled
    assert 5 <= folder.saved_iteration < 400
    stopped = folder.saved_iteration
    of_tuning = ("tune.", "workers", "preflight", "train.steps")
    asked = [w for w in words(tmp_path, "seed=1000", "eval.part=tuning", *slow) if not w.startswith(of_tuning)]

    def nothing(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "_execute_when_free", nothing)
    with pytest.raises(KeyboardInterrupt):
        run.main([*asked, "train.steps=400"])
    assert not folder.given_up and folder.saved_iteration == stopped


def test_it_is_foreseen_before_anything_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(session: tuning.Session, device_type: str, fit: int | None) -> None:
        assert (session.label, device_type, fit) == ("F", "cpu", 3)
        raise KeyboardInterrupt

    monkeypatch.setattr(foresight, "rehearse_arms", lambda *_: Rehearsed({"F": SEEN}, [], 1, 5.0))
    monkeypatch.setattr(environment, "available_memory", lambda: 2**40)
    monkeypatch.setattr(tuning, "work", stop)
    asked = [*words(tmp_path, "trials=3", "device=cpu"), "preflight=true"]
    with pytest.raises(Interrupted):
        main(asked)
    said = capsys.readouterr().err
    # 4 iterations of 1 s, 9 s to start, and 1 s beside.
    assert (
        "tuning    3 trials for F, of which 0 are done already: at most 3 runs, each at most 14 s, 1 at a time" in said
    )
    assert "time      at most about 42 s: until " in said and "\nruns " not in said
    monkeypatch.setattr(foresight, "rehearse_arms", lambda *_: Rehearsed({}, ["F: it does not fit"], 0, 5.0))
    with pytest.raises(UserError, match=r"this study cannot run as it is[^$]*  - F: it does not fit\nWith preflight="):
        main(asked)


def test_help_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "tune show NAME" in capsys.readouterr().out


def test_the_password_of_a_storage_is_not_repeated() -> None:
    command = parse(["with", "tune.storage=postgresql://me:hunter2@h/db"], SETTINGS, rungs_allowed=True)
    assert command.again == "with tune.storage=postgresql://***@h/db"
