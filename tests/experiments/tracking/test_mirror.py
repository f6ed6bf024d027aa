"""The guard: a run's tracker follows it while it lives, and the run goes on as if there were none when it does not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from experiments.tracking import mirror
from experiments.tracking.address import Address
from experiments.tracking.attempts import Attempt
from experiments.tracking.sql import SqlTracker
from experiments.tracking.stored import StoredAttempt
from tests.experiments.attempts import KEY, SECRET, change, fail, finish, record, said, stop, wait_for
from tests.experiments.postgres import Postgres

ROOT = Path(__file__).parents[3]
WAITING = """
import sys
from pathlib import Path
from core.config import Config
from experiments.tracking import mirror
from experiments.tracking.attempts import track
mirror.PATIENCE_SECONDS = 0.5
track(Config(), "key", Path(sys.argv[1]), lambda attempt: sys.stdin.readline().strip(), KeyError, sys.argv[2])
"""


class Fake:
    """A tracker that does as it is told."""

    def __init__(self, behaviour: Callable[[StoredAttempt], None]) -> None:
        self.behaviour = behaviour
        self.seen: list[tuple[str, str]] = []

    def reach(self) -> None:
        raise AssertionError("the guard asks only once there is something to store")

    def store(self, attempt: StoredAttempt) -> bool:
        self.behaviour(attempt)
        self.seen.append((attempt.id, attempt.status))
        return True


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[StoredAttempt], None]], Fake]:
    def make(behaviour: Callable[[StoredAttempt], None]) -> Fake:
        tracker = Fake(behaviour)
        monkeypatch.setattr(Address, "open", lambda _: tracker)
        return tracker

    return make


@pytest.mark.parametrize("body, status", [(finish, "COMPLETED"), (fail, "FAILED"), (stop, "INTERRUPTED")])
def test_the_start_is_stored_at_once_and_the_end_at_the_end(fake: Any, tmp_path: Path, body: Any, status: str) -> None:
    tracker = fake(lambda attempt: None)

    def attend(attempt: Attempt) -> str:
        wait_for(lambda: tracker.seen)
        return str(body(attempt))

    record(tmp_path, attend, tracking="fake:")
    assert tracker.seen[0] == (f"{KEY}-1", "RUNNING")
    assert tracker.seen[-1] == (f"{KEY}-1", status)


def test_whatever_a_tracker_raises_is_said_once(fake: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calls = []

    def broken(attempt: StoredAttempt) -> None:
        calls.append(attempt.status)
        raise RuntimeError(f"for {SECRET}\nand more")

    fake(broken)

    def attend(attempt: Attempt) -> str:
        for count in range(1, 4):
            wait_for(lambda count=count: len(calls) >= count)
            attempt.artifact(Path(__file__))
        return finish(attempt)

    folder = record(tmp_path, attend, tracking=f"postgresql://me:{SECRET}@server/runs")
    assert said(folder)["status"] == "COMPLETED"
    assert calls[-1] == "COMPLETED"  # it goes on trying
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "tracking to postgresql://***@server/runs fails (for ***). The run goes on" in message
    assert f"python -m experiments.track {tmp_path} --to 'postgresql://***@server/runs'" in message


def test_an_address_that_cannot_be_opened_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(record(tmp_path, tracking="nonsense:x"))["status"] == "COMPLETED"
    assert capsys.readouterr().err.count("warning:") == 1


def test_a_tracker_that_hangs_holds_nothing_up(
    fake: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PATIENCE_SECONDS", 0.5)
    release = threading.Event()
    fake(lambda attempt: release.wait(60))
    inside = []

    def attend(attempt: Attempt) -> str:
        began = time.monotonic()
        answer = finish(attempt)
        inside.append(time.monotonic() - began)
        return answer

    began = time.monotonic()
    folder = record(tmp_path, attend, tracking="fake:")
    took = time.monotonic() - began
    release.set()
    assert inside[0] < 5  # training does not notice
    assert 0.5 < took < 20
    assert said(folder)["status"] == "COMPLETED"
    assert "no answer within 0.5 s" in capsys.readouterr().err


def test_the_tracker_hears_of_a_killed_attempt_when_the_next_one_starts(fake: Any, tmp_path: Path) -> None:
    change(record(tmp_path), status="RUNNING", stop_time=None)
    tracker = fake(lambda attempt: None)
    record(tmp_path, tracking="fake:")
    assert tracker.seen.count((f"{KEY}-1", "INTERRUPTED")) == 1
    assert (f"{KEY}-2", "COMPLETED") in tracker.seen


def test_a_server_killed_in_the_middle_and_back_before_the_end(
    postgres: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"mirror{os.getpid()}"
    address = postgres.create(name)

    def attend(attempt: Attempt) -> str:
        wait_for(lambda: postgres.query(name, "SELECT to_regclass('run')") != [(None,)])
        wait_for(lambda: postgres.query(name, "SELECT status FROM run") == [("RUNNING",)])
        postgres.kill()
        attempt.artifact(Path(__file__))
        wait_for(lambda: "warning:" in capsys.readouterr().err)
        postgres.start()
        return finish(attempt)

    folder = record(tmp_path, attend, tracking=address)
    assert said(folder)["status"] == "COMPLETED"
    assert postgres.query(name, "SELECT status FROM run") == [("COMPLETED",)]
    assert sorted(postgres.query(name, "SELECT filename FROM artifact")) == [("attempts.py",), ("test_mirror.py",)]
    assert not SqlTracker(address).store(StoredAttempt.read(folder))  # nothing is missing


def test_a_process_ends_though_its_question_is_never_answered(postgres: Postgres, tmp_path: Path) -> None:
    name = f"locked{os.getpid()}"
    words = [sys.executable, "-c", WAITING, str(tmp_path), postgres.create(name)]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(words, cwd=ROOT, text=True, **pipes)
    wait_for(lambda: postgres.query(name, "SELECT to_regclass('run')") != [(None,)])
    wait_for(lambda: postgres.query(name, "SELECT status FROM run"))
    with postgres.connect(name) as connection:
        connection.execute(sa.text("BEGIN"))
        connection.execute(sa.text("LOCK TABLE run IN ACCESS EXCLUSIVE MODE"))
        _, message = process.communicate("done\n", timeout=15)
    assert process.returncode == 0
    assert "no answer within 0.5 s" in message
    assert said(tmp_path / "sacred" / "key-1")["result"] == "done"


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_a_server_that_accepts_and_never_answers(
    postgres: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PATIENCE_SECONDS", 0.5)
    address = postgres.create(f"hanging{os.getpid()}")
    with postgres.hanging():
        began = time.monotonic()
        folder = record(tmp_path, tracking=address)
        assert time.monotonic() - began < 10  # each event alone would wait for 5 s
    assert said(folder)["status"] == "COMPLETED"
    assert "warning:" in capsys.readouterr().err
