"""An attempt in SQLite and in a real PostgreSQL: all of it, once, whatever happens in between."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from experiments.tracking import sql
from experiments.tracking.sql import SqlTracker
from experiments.tracking.stored import StoredAttempt
from experiments.tracking.tracker import Unavailable
from tests.experiments.attempts import KEY, change, copies, fail, record, said, stop

ROOT = Path(__file__).parents[3]
TWO_AT_ONCE = """
import sys
from pathlib import Path
from experiments.tracking.sql import SqlTracker
from experiments.tracking.stored import StoredAttempt
print("ready", flush=True)
sys.stdin.readline()
for folder in sys.argv[2:]:
    assert SqlTracker(sys.argv[1]).store(StoredAttempt.read(Path(folder)))
"""
numbers = itertools.count()


@dataclass(frozen=True)
class Database:
    address: str
    query: Callable[[str], Sequence[Any]]

    def counts(self) -> dict[str, int]:
        tables = ("run", "experiment", "host", "source", "artifact", "repository", "dependency")
        return {table: self.query(f"SELECT count(*) FROM {table}")[0][0] for table in tables}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        name = f"sql{os.getpid()}_{next(numbers)}"
        yield Database(server.create(name), lambda statement: server.query(name, statement))
        return
    engine = sa.create_engine(f"sqlite:///{tmp_path}/runs.db")

    def query(statement: str) -> Sequence[Any]:
        with engine.connect() as connection:
            return connection.execute(sa.text(statement)).fetchall()

    yield Database(f"sqlite:{tmp_path}/runs.db", query)
    engine.dispose()


@pytest.fixture
def tracker(database: Database) -> SqlTracker:
    return SqlTracker(database.address)


def store(tracker: SqlTracker, folder: Path) -> bool:
    return tracker.store(StoredAttempt.read(folder))


def test_a_finished_attempt_is_all_there(tracker: SqlTracker, database: Database, tmp_path: Path) -> None:
    folder = record(tmp_path)
    assert store(tracker, folder)
    [run] = database.query("SELECT * FROM run")
    assert (run.run_id, run.status, run.comment) == (f"{KEY}-1", "COMPLETED", f"{KEY}-1")
    assert json.loads(run.info)["result"] == {"judge_frechet/latent/1": 12.5}
    assert json.loads(run.config)["model"]["resolution"] == 16
    times = [str(time) for time in (run.start_time, run.heartbeat, run.stop_time)]
    expected = [said(folder)[name].replace("T", " ") for name in ("start_time", "heartbeat", "stop_time")]
    assert times == expected
    [artifact] = database.query("SELECT filename, content FROM artifact")
    assert artifact.filename == "attempts.py"
    assert bytes(artifact.content) == (folder / "attempts.py").read_bytes()
    sources = dict(said(folder)["experiment"]["sources"])
    stored = dict(database.query("SELECT filename, content FROM source"))
    assert set(stored) == set(sources)
    assert stored["core/config.py"] == (folder.parent / sources["core/config.py"]).read_text()
    assert database.query("SELECT count(*) FROM experiments_sources")[0][0] == len(sources)


def test_failed_and_interrupted_attempts(tracker: SqlTracker, database: Database, tmp_path: Path) -> None:
    for body in (fail, stop):
        assert store(tracker, record(tmp_path, body))
    failed, stopped = database.query("SELECT status, fail_trace, stop_time FROM run ORDER BY run_id")
    assert (failed.status, stopped.status, stopped.fail_trace) == ("FAILED", "INTERRUPTED", None)
    assert "ValueError: no" in failed.fail_trace
    assert failed.stop_time is not None and stopped.stop_time is not None


def test_stored_again_changes_nothing(tracker: SqlTracker, database: Database, tmp_path: Path) -> None:
    folders = [record(tmp_path) for _ in range(2)]
    assert [store(tracker, folder) for folder in folders] == [True, True]
    before = database.counts()
    assert before["run"] == before["artifact"] == 2
    assert before["host"] == before["experiment"] == 1
    assert [store(SqlTracker(database.address), folder) for folder in folders] == [False, False]
    assert database.counts() == before


def test_interrupted_in_the_middle_nothing_is_there(
    tracker: SqlTracker, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    folder = record(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("sacred.observers.SqlObserver.artifact_event", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store(tracker, folder)
    assert set(database.counts().values()) == {0}
    assert store(tracker, folder)
    assert database.counts()["artifact"] == 1


def test_a_running_attempt_is_completed_later(tracker: SqlTracker, database: Database, tmp_path: Path) -> None:
    folder = record(tmp_path)
    end = said(folder)
    change(folder, status="RUNNING", stop_time=None, heartbeat=None)
    assert [store(tracker, folder) for _ in range(2)] == [True, True]
    assert database.query("SELECT status, stop_time FROM run") == [("RUNNING", None)]
    change(folder, **end)
    assert [store(tracker, folder) for _ in range(2)] == [True, False]
    assert database.query("SELECT status FROM run") == [("COMPLETED",)]
    assert database.counts()["artifact"] == 1
    change(folder, status="RUNNING", stop_time=None)  # what a slower process had read before the end
    assert not store(tracker, folder)
    assert database.query("SELECT status FROM run") == [("COMPLETED",)]


def test_one_that_only_seemed_dead_gets_its_true_end(tracker: SqlTracker, database: Database, tmp_path: Path) -> None:
    folder = record(tmp_path)
    end = said(folder)
    change(folder, status="INTERRUPTED", stop_time=end["start_time"])
    assert store(tracker, folder)
    change(folder, **end)
    assert [store(tracker, folder) for _ in range(2)] == [True, False]
    assert database.query("SELECT status FROM run") == [("COMPLETED",)]


def test_two_machines_may_have_the_same_run(tracker: SqlTracker, database: Database, tmp_path: Path) -> None:
    ours, theirs = record(tmp_path / "ours"), record(tmp_path / "theirs")
    assert ours.name == theirs.name
    assert [store(tracker, folder) for folder in (ours, theirs, ours, theirs)] == [True, True, False, False]
    rows = database.query("SELECT run_id, comment, start_time FROM run ORDER BY start_time")
    assert [row.comment for row in rows] == [f"{KEY}-1"] * 2
    assert rows[0].run_id == f"{KEY}-1" != rows[1].run_id
    assert [str(row.start_time) for row in rows] == [
        said(folder)["start_time"].replace("T", " ") for folder in (ours, theirs)
    ]


def test_what_is_wider_than_sacreds_columns_is_cut(tracker: SqlTracker, database: Database, tmp_path: Path) -> None:
    keys = [f"leave-out-the-mapping-network-0123456789ab-s{seed}" for seed in (1, 2)]
    for key in keys:
        folder = record(tmp_path, key=key)
        run = said(folder)
        run["experiment"] |= {"base_dir": "/deep" * 40, "dependencies": ["torch==2.9.0.dev20991231+cu999", "n" * 50]}
        run["host"] |= {
            "hostname": "h" * 300,
            "cpu": None,
            "os": ["Linux" * 9, "long" * 90],
            "python_version": "3" * 40,
        }
        change(folder, **run)
        assert [store(tracker, folder) for _ in range(2)] == [True, False]
    rows = database.query("SELECT run_id, comment FROM run ORDER BY comment")
    assert [row.comment for row in rows] == [f"{key}-1" for key in keys]
    assert len({row.run_id for row in rows}) == 2 and {len(row.run_id) for row in rows} == {24}
    assert database.counts()["host"] == 1
    assert set(database.query("SELECT name, version FROM dependency")) == {
        ("torch", "2.9.0.dev2099123"),
        ("n" * 32, ""),
    }


def test_two_processes_at_once(database: Database, tmp_path: Path) -> None:
    folders = copies(record(tmp_path), 16)
    halves = [map(str, folders[start::2]) for start in (0, 1)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TWO_AT_ONCE, database.address, *half],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for half in halves
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=300)
        assert process.returncode == 0
    counts = database.counts()
    assert counts["run"] == counts["artifact"] == 16
    assert counts["host"] == counts["experiment"] == 1
    assert counts["source"] == len(said(folders[0])["experiment"]["sources"])
    assert database.query("SELECT DISTINCT status FROM run") == [("COMPLETED",)]


def test_a_locked_file_is_waited_for_and_never_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "SQLITE_PATIENCE", {"timeout": 0.2})
    folder = record(tmp_path)
    tracker = SqlTracker(f"sqlite:{tmp_path}/runs.db")
    tracker.reach()
    other = sa.create_engine(f"sqlite:///{tmp_path}/runs.db").raw_connection()
    other.isolation_level = None  # type: ignore[attr-defined]
    other.cursor().execute("BEGIN EXCLUSIVE")
    with pytest.raises(Unavailable, match="locked"):
        store(tracker, folder)
    monkeypatch.setattr(sql, "SQLITE_PATIENCE", {"timeout": 20})
    tracker = SqlTracker(f"sqlite:{tmp_path}/runs.db")
    release = threading.Timer(0.3, lambda: other.cursor().execute("ROLLBACK"))
    release.start()
    assert store(tracker, folder)
    release.join()


def test_times_are_compared_to_the_millisecond(tmp_path: Path) -> None:
    attempt = StoredAttempt.read(record(tmp_path))
    assert attempt.stopped is not None
    for microseconds, missing in ((0, False), (-900, False), (1100, True), (-1100, True)):
        assert attempt.adds_to("COMPLETED", attempt.stopped + timedelta(microseconds=microseconds)) is missing
    assert attempt.adds_to("FAILED", attempt.stopped)
    assert attempt.adds_to("COMPLETED", None)
    assert attempt.id_at(lambda name: datetime(2020, 1, 1)) != attempt.id
