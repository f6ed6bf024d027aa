"""Dispatch: what is lost starts again, what fails does not, what others have is left to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from experiments import dispatch as module
from experiments.claims import Claim
from experiments.dispatch import TRIES, Dispatch
from experiments.engines.engine import Job
from experiments.records import RunFolder
from tests.core.settings import tiny

Ending = Callable[[RunFolder], str]


def finishes(folder: RunFolder) -> str:
    (folder.path / "result.json").write_text("{}")
    return "exit status 0"


def is_lost(folder: RunFolder) -> str:
    return "killed by SIGKILL"


def gets_on_and_is_lost(folder: RunFolder) -> str:
    folder.checkpoint(folder.saved_iteration + 10).touch()
    return "killed by SIGKILL"


def fails(folder: RunFolder) -> str:
    folder.write_status("failed", reason="a reason of its own")
    return "exit status 1"


def diverges(folder: RunFolder) -> str:
    folder.write_divergence(3, "DIVERGED at iteration 3")
    return "exit status 1"


class ScriptedEngine:
    """Jobs end in the next look, each as the script of its folder says."""

    def __init__(self, scripts: dict[Path, Sequence[Ending]], slots: int = 2) -> None:
        self._scripts = {path: iter(script) for path, script in scripts.items()}
        self._slots = slots
        self._running: list[Job] = []
        self.started: list[str] = []
        self.cancelled = False

    def room(self) -> int:
        return self._slots - len(self._running)

    def submit(self, jobs: Sequence[Job]) -> None:
        assert len(jobs) <= self.room()
        self._running += jobs
        self.started += [job.name for job in jobs]

    def running(self) -> list[Job]:
        return self._running

    def ended(self) -> list[tuple[Job, str]]:
        over, self._running = self._running, []
        return [(job, next(self._scripts[job.folder])(RunFolder(job.folder))) for job in over]

    def cancel(self) -> None:
        self.cancelled = True


def job_of(folder: RunFolder) -> Job:
    return Job(folder.path.name, folder.path, ())


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., tuple[ScriptedEngine, dict[str, RunFolder]]]:
    def make(**scripts: Sequence[Ending]) -> tuple[ScriptedEngine, dict[str, RunFolder]]:
        folders = {name: RunFolder(tmp_path / name) for name in scripts}
        for folder in folders.values():
            folder.path.mkdir()
        return ScriptedEngine({folders[name].path: script for name, script in scripts.items()}), folders

    return make


def test_all_runs_come_to_their_end_and_failures_stop_nobody(make: Callable[..., object]) -> None:
    engine, folders = make(a=[fails], b=[finishes], c=[diverges], d=[finishes])  # type: ignore[misc]
    seen: list[str] = []
    watching = Dispatch(engine, job_of, lambda running, ended: seen.extend(run.path.name for run in ended), poll=0)
    assert watching.run([*folders.values()]) == [folders["a"], folders["c"]]
    assert engine.started == ["a", "b", "c", "d"]
    assert seen == ["a", "b", "c", "d"]
    assert engine.cancelled
    assert folders["a"].status()["reason"] == "a reason of its own"


def test_what_an_earlier_attempt_said_is_not_taken_for_this_ones_word(make: Callable[..., object]) -> None:
    """Of a finished run that lacks something: it has said that it is done, and another attempt is only being made."""
    engine, folders = make(a=[finishes])  # type: ignore[misc]
    folders["a"].write_status("done")
    said: list[str] = []
    Dispatch(engine, job_of, lambda *_: said.append(folders["a"].status()["state"]), poll=0).run([folders["a"]])
    assert said[0] == "waiting"


def test_an_evaluation_more_is_getting_on(make: Callable[..., object]) -> None:
    def measures_and_is_lost(folder: RunFolder) -> str:
        folder.repeats.add(len(folder.repeats.seeds) + 1, {})
        return "killed by SIGKILL"

    engine, folders = make(a=[measures_and_is_lost] * TRIES + [is_lost] * TRIES)  # type: ignore[misc]
    Dispatch(engine, job_of, poll=0).run([folders["a"]])
    assert len(engine.started) == 2 * TRIES - 1
    assert folders["a"].status()["state"] == "failed"


def test_settled_runs_are_not_started(make: Callable[..., object]) -> None:
    engine, folders = make(a=[], b=[])  # type: ignore[misc]
    finishes(folders["a"])
    diverges(folders["b"])
    assert Dispatch(engine, job_of, poll=0).run([*folders.values()]) == [folders["b"]]
    assert engine.started == []


def test_a_run_that_failed_before_is_tried_again(make: Callable[..., object]) -> None:
    engine, folders = make(a=[finishes])  # type: ignore[misc]
    folders["a"].write_status("failed", reason="an old one")
    assert Dispatch(engine, job_of, poll=0).run([*folders.values()]) == []


def test_a_lost_run_starts_again_as_long_as_it_gets_on(make: Callable[..., object]) -> None:
    engine, folders = make(a=[gets_on_and_is_lost] * 5 + [is_lost, finishes], b=[finishes])  # type: ignore[misc]
    assert Dispatch(engine, job_of, poll=0).run([*folders.values()]) == []
    assert engine.started.count("a") == 7


def test_a_run_that_is_lost_again_and_again_is_given_up_with_how(make: Callable[..., object]) -> None:
    engine, folders = make(a=[is_lost] * 9, b=[finishes])  # type: ignore[misc]
    assert Dispatch(engine, job_of, poll=0).run([*folders.values()]) == [folders["a"]]
    assert engine.started.count("a") == TRIES
    assert folders["a"].status()["state"] == "failed"
    assert "killed by SIGKILL" in folders["a"].status()["reason"]


def test_what_another_process_has_is_left_to_it_until_it_ends_or_dies(
    make: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, folders = make(a=[], b=[finishes], c=[finishes])  # type: ignore[misc]
    others = {name: Claim(folders[name].path) for name in "ab"}
    for claim in others.values():
        claim.take()
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 4:
            assert engine.started == ["c"]
            finishes(folders["a"])
            for claim in others.values():
                claim.release()

    monkeypatch.setattr(module.time, "sleep", nap)
    assert Dispatch(engine, job_of).run([*folders.values()]) == []
    assert engine.started == ["c", "b"]  # a was finished by the other


def test_a_run_whose_process_found_it_taken_waits(make: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    claims: list[Claim] = []

    def finds_it_taken(folder: RunFolder) -> str:
        claims.append(Claim(folder.path))
        claims[0].take()
        return "exit status 75"

    engine, folders = make(a=[finds_it_taken, finishes])  # type: ignore[misc]
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 9:
            claims[0].release()

    monkeypatch.setattr(module.time, "sleep", nap)
    assert Dispatch(engine, job_of).run([*folders.values()]) == []
    assert engine.started == ["a", "a"]
    assert len(naps) >= 9


def test_an_interruption_cancels(make: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    engine, folders = make(a=[finishes])  # type: ignore[misc]
    monkeypatch.setattr(module.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Dispatch(engine, job_of).run([*folders.values()])
    assert engine.cancelled


def test_a_run_that_is_given_up_is_not_started_again_until_it_is_asked_for(make: Callable[..., object]) -> None:
    def is_given_up(folder: RunFolder) -> str:
        folder.give_up("pruned")
        return "exit status 130"

    engine, folders = make(a=[is_given_up, finishes])  # type: ignore[misc]
    [folder] = folders.values()
    assert Dispatch(engine, job_of, poll=0).run([folder]) == [folder]
    assert Dispatch(engine, job_of, poll=0).run([folder]) == [folder]
    assert engine.started == ["a"]
    folder.prepare(tiny(), "F")
    assert Dispatch(engine, job_of, poll=0).run([folder]) == []
    assert engine.started == ["a", "a"]


def test_runs_can_be_added_while_others_are_at_work(make: Callable[..., object]) -> None:
    engine, folders = make(a=[finishes], b=[is_lost, finishes], c=[fails])  # type: ignore[misc]
    dispatch = Dispatch(engine, job_of, poll=0)
    dispatch.add([folders["a"]])
    assert (dispatch.room, dispatch.busy) == (1, True)
    assert dispatch.step() == [folders["a"]]
    dispatch.add([folders["b"], folders["c"], folders["a"]])
    assert dispatch.room == 0
    assert dispatch.step() == [folders["c"]]
    assert dispatch.step() == [folders["b"]]
    assert (dispatch.room, dispatch.busy) == (2, False)
