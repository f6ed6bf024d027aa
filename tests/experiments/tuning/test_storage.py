"""Where studies are kept: what can be reached, what cannot, and one process at a time."""

from __future__ import annotations

import importlib.util
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core.errors import UserError
from experiments.tuning.storage import FileLock, open_storage
from tests.experiments.postgres import Postgres
from tests.experiments.tuning.stubs import open_study, run

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys, time
from pathlib import Path
from experiments.tuning.storage import open_storage
with open_storage(sys.argv[1], Path(sys.argv[2])).locked():
    print("held", flush=True)
    time.sleep(60)
"""
numbers = itertools.count()


@pytest.fixture(params=["journal", "sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres").create(f"storage{os.getpid()}_{next(numbers)}"))
    return "" if request.param == "journal" else f"sqlite:///{tmp_path}/studies.db"


def test_what_one_process_writes_another_reads(tmp_path: Path, address: str) -> None:
    written = run(tmp_path, 3, address=address)
    read = open_study(tmp_path, address=address)
    assert [trial.params for trial in read.trials()] == [trial.params for trial in written.trials()]
    assert read.optuna.best_value == written.optuna.best_value


def test_the_lock_keeps_others_out_and_dies_with_its_process(tmp_path: Path, address: str) -> None:
    journal = tmp_path / "stub.journal"
    storage = open_storage(address, journal)
    command = [sys.executable, "-c", HOLDER, address, str(journal)]
    holder = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    got: list[float] = []

    def wait() -> None:
        with storage.locked():
            got.append(time.monotonic())

    waiter = threading.Thread(target=wait)
    waiter.start()
    time.sleep(0.5)
    assert got == []
    killed = time.monotonic()
    holder.kill()
    waiter.join(timeout=300)
    assert killed <= got[0] < killed + 10
    holder.wait()


def test_a_line_that_a_loss_of_power_cut_is_cut_off(tmp_path: Path) -> None:
    run(tmp_path, 3)
    journal = tmp_path / "stub.journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 4, "worker')
    assert len(open_study(tmp_path).trials()) == 3
    assert journal.read_bytes() == whole
    assert len(run(tmp_path, 5).trials()) == 5


def test_a_file_that_is_no_journal_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    journal = tmp_path / "stub.journal"
    journal.write_text("my diary\nof today")
    with pytest.raises(UserError, match="this is no journal of a study"):
        open_study(tmp_path)
    assert journal.read_text() == "my diary\nof today"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"no study can be kept there.*runs=FOLDER"):
        open_storage("", tmp_path / "file" / "stub.journal")
    with pytest.raises(UserError, match="no study can be kept there"):
        open_storage(f"sqlite:{tmp_path}/file/studies.db", tmp_path)
    (tmp_path / "notes.db").write_text("this is no database, and long enough to be looked at" * 9)
    with pytest.raises(UserError, match="no study can be kept there"):
        open_storage(f"sqlite:{tmp_path}/notes.db", tmp_path)


@pytest.mark.parametrize("text", ["mysql://me:hunter2@host/db", "studies", "postgresql://me:hunter2@host", "redis://h"])
def test_an_address_that_is_none_is_refused_without_its_password(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"tune\.storage=") as error:
        open_storage(text, tmp_path / "j")
    assert "hunter2" not in str(error.value)
    assert "sqlite:PATH or postgresql://" in str(error.value)


def test_a_server_that_does_not_answer_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(UserError, match=r"tune\.storage=postgresql://\*\*\*@127\.0\.0\.1.*cannot be reached") as error:
        open_storage(f"postgresql://me:hunter2@127.0.0.1:{port}/studies", tmp_path / "j")
    assert "hunter2" not in str(error.value)
    assert time.monotonic() - started < 10


def test_a_missing_driver_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "psycopg2" else find(name))
    with pytest.raises(UserError, match="pip install psycopg2-binary"):
        open_storage("postgresql://me@host/db", tmp_path / "j")


def test_a_database_that_is_lost_in_the_middle_is_said_and_gone_on_with(tmp_path: Path, postgres: Postgres) -> None:
    address = postgres.create(f"lost{os.getpid()}")
    study = run(tmp_path, 2, address=address)
    postgres.kill()
    try:
        with pytest.raises(UserError, match=r"does not answer any more.*the same command goes on") as error:
            study.take(4)
        assert "hunter2" not in str(error.value)
    finally:
        postgres.start()
    assert len(run(tmp_path, 4, address=address).trials()) == 4


def test_a_file_lock_is_free_again(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "mutex")
    for _ in range(3):
        with lock():
            pass
