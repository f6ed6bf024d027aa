"""Numbers of attempts, and the end of those that were killed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from experiments.tracking.folders import attempt_folders, end_abandoned, end_earlier, reserve
from experiments.tracking.stored import StoredAttempt
from tests.experiments.attempts import change, copies, fail, record, said


def test_a_number_is_taken_once(tmp_path: Path) -> None:
    for name in ("key-1", "key-7", "key-s0-9", "other-12", "key-x", "keys-20"):  # -7 half made: it has no files
        (tmp_path / name).mkdir()
    assert reserve(tmp_path, "key").name == "key-8"
    assert reserve(tmp_path, "key").name == "key-9"
    assert reserve(tmp_path, "key-s0").name == "key-s0-10"
    assert reserve(tmp_path / "new" / "place", "[key]").name == "[key]-1"
    assert reserve(tmp_path / "new" / "place", "[key]").name == "[key]-2"


def test_numbers_reserved_at_the_same_time_differ(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: reserve(tmp_path, "key").name, range(40)))
    assert sorted(names) == sorted(f"key-{number}" for number in range(1, 41))


def test_only_the_earlier_attempts_of_the_run_are_ended(tmp_path: Path) -> None:
    ended = record(tmp_path, fail, "key")
    killed, other = record(tmp_path, key="key"), record(tmp_path, key="other")
    for folder in (killed, other):
        change(folder, status="RUNNING", heartbeat="2026-01-02T03:04:05.678901", stop_time=None)
    (tmp_path / "sacred" / "key-3").mkdir()
    assert end_earlier(tmp_path / "sacred", "key") == [killed]
    assert said(killed)["status"] == "INTERRUPTED"
    assert said(killed)["stop_time"] == "2026-01-02T03:04:05.678901"
    assert said(ended)["status"] == "FAILED"
    assert said(other)["status"] == "RUNNING"


@pytest.mark.parametrize("minutes, status", [(1, "RUNNING"), (9, "RUNNING"), (11, "INTERRUPTED")])
def test_silence_ends_an_attempt(tmp_path: Path, minutes: int, status: str) -> None:
    folder = record(tmp_path)
    change(folder, status="RUNNING", stop_time=None)
    end_abandoned(tmp_path / "sacred", StoredAttempt.read(folder).heartbeat + timedelta(minutes=minutes))
    assert said(folder)["status"] == status


def test_a_later_attempt_ends_an_earlier_one(tmp_path: Path) -> None:
    folders = [record(tmp_path) for _ in range(2)]
    for folder in folders:
        change(folder, status="RUNNING", stop_time=None)
    damaged = copies(folders[0], 1)[0]
    (damaged / "run.json").write_text("{")
    end_abandoned(tmp_path / "sacred", StoredAttempt.read(folders[1]).heartbeat)
    assert [said(folder)["status"] for folder in folders] == ["INTERRUPTED", "RUNNING"]


def test_folders_come_by_run_and_number(tmp_path: Path) -> None:
    first = record(tmp_path, key="b")
    for name in ("b-10", "b-2", "a-1", "unfinished-1", "_sources-x"):
        (tmp_path / "sacred" / name).mkdir()
        if name != "unfinished-1":
            (tmp_path / "sacred" / name / "run.json").write_bytes((first / "run.json").read_bytes())
    assert [path.name for path in attempt_folders(tmp_path / "sacred")] == ["a-1", "b-1", "b-2", "b-10"]
    assert attempt_folders(tmp_path / "nowhere") == []
    assert StoredAttempt.read(first).started <= datetime.fromisoformat(said(first)["heartbeat"])
