"""An attempt in MongoDB, which stands here in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gridfs
import mongomock
import pymongo
import pytest
from mongomock.gridfs import enable_gridfs_integration
from pymongo.errors import ServerSelectionTimeoutError

from experiments.tracking.mongo import MongoTracker
from experiments.tracking.stored import StoredAttempt
from experiments.tracking.tracker import Unavailable
from tests.experiments.attempts import KEY, change, fail, record, said

ADDRESS = "mongodb://localhost:27017/runs"


@pytest.fixture
def database() -> Iterator[Any]:
    enable_gridfs_integration()
    with mongomock.patch(servers=("localhost:27017",)):
        yield pymongo.MongoClient(ADDRESS)["runs"]


def store(folder: Path, tracker: MongoTracker | None = None) -> bool:
    return (tracker or MongoTracker(ADDRESS)).store(StoredAttempt.read(folder))


def counts(database: Any) -> dict[str, int]:
    names = ("runs", "metrics", "fs.files", "fs.chunks")
    return {name: database[name].count_documents({}) for name in names}


def test_a_finished_attempt_is_all_there(database: Any, tmp_path: Path) -> None:
    folder = record(tmp_path)
    assert store(folder)
    [run] = database["runs"].find()
    assert (run["_id"], run["status"], run["result"]) == (f"{KEY}-1", "COMPLETED", "well")
    assert run["format"].startswith("MongoObserver")
    assert run["config"]["model"]["resolution"] == 16
    assert run["info"]["result"] == {"judge_frechet/latent/1": 12.5}
    scalars = {scalar["name"]: scalar for scalar in database["metrics"].find({"run_id": f"{KEY}-1"})}
    assert scalars["loss"]["values"] == [0.5] and scalars["loss"]["steps"] == [3]
    assert {(scalar["name"], scalar["id"]) for scalar in run["info"]["metrics"]} == {
        (name, str(scalar["_id"])) for name, scalar in scalars.items()
    }
    files = gridfs.GridFS(database)
    [artifact] = run["artifacts"]
    assert artifact["name"] == "attempts.py"
    assert files.get(artifact["file_id"]).read() == (folder / "attempts.py").read_bytes()
    copies = dict(said(folder)["experiment"]["sources"])
    assert [name for name, _ in run["experiment"]["sources"]] == list(copies)
    for name, file in run["experiment"]["sources"]:
        assert files.get(file).read() == (folder.parent / copies[name]).read_bytes()


def test_stored_again_changes_nothing(database: Any, tmp_path: Path) -> None:
    folders = [record(tmp_path), record(tmp_path, fail)]
    assert [store(folder) for folder in folders] == [True, True]
    before = counts(database)
    assert before["runs"] == 2
    assert before["fs.files"] == len(said(folders[0])["experiment"]["sources"]) + 1  # one artifact
    assert [store(folder) for folder in folders] == [False, False]
    assert counts(database) == before
    assert "ValueError: no" in "".join(database["runs"].find_one({"status": "FAILED"})["fail_trace"])


def test_interrupted_in_the_middle_it_is_completed_without_doubles(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = record(tmp_path)
    calls = []
    put = gridfs.GridFS.put

    def interrupted(self: Any, data: bytes, **named: Any) -> Any:
        calls.append(named["_id"])
        if len(calls) == 3:
            database["fs.chunks"].insert_one({"files_id": named["_id"], "n": 0, "data": b"half"})
            raise KeyboardInterrupt
        return put(self, data, **named)

    with monkeypatch.context() as patch:
        patch.setattr(gridfs.GridFS, "put", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store(folder)
    assert counts(database)["runs"] == 0 and counts(database)["fs.files"] == 2
    assert store(folder)
    expected = len(said(folder)["experiment"]["sources"]) + 1
    full = sum(file["length"] > 0 for file in database["fs.files"].find())  # an empty file has no chunk
    assert counts(database) == {"runs": 1, "metrics": 2, "fs.files": expected, "fs.chunks": full}


def test_a_running_attempt_grows_and_ends_once(database: Any, tmp_path: Path) -> None:
    folder = record(tmp_path)
    end = said(folder)
    tracker = MongoTracker(ADDRESS)
    change(folder, status="RUNNING", stop_time=None, artifacts=[])
    assert [store(folder, tracker) for _ in range(2)] == [True, True]
    assert database["runs"].find_one()["status"] == "RUNNING"
    change(folder, **end)
    assert [store(folder, tracker) for _ in range(2)] == [True, False]
    assert counts(database)["runs"] == 1 and counts(database)["metrics"] == 2
    assert database["metrics"].find_one({"name": "loss"})["values"] == [0.5]  # not once a heartbeat
    change(folder, status="RUNNING", stop_time=None)
    assert not store(folder)
    assert database["runs"].find_one()["status"] == "COMPLETED"


def test_two_machines_may_have_the_same_run(database: Any, tmp_path: Path) -> None:
    ours, theirs = record(tmp_path / "ours"), record(tmp_path / "theirs")
    assert [store(folder) for folder in (ours, theirs, ours, theirs)] == [True, True, False, False]
    names = [run["_id"] for run in database["runs"].find().sort("start_time")]
    assert names[0] == f"{KEY}-1" and names[1].startswith(f"{KEY}-1-")


def test_a_run_is_followed_while_it_goes_on(database: Any, tmp_path: Path) -> None:
    folder = record(tmp_path, tracking=ADDRESS)
    assert database["runs"].find_one()["status"] == "COMPLETED"
    assert not store(folder)


def test_a_server_out_of_reach_is_said_to_be_so(database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: Any, **__: Any) -> None:
        raise ServerSelectionTimeoutError("localhost:27017: [Errno 111] Connection refused")

    monkeypatch.setattr(mongomock.Collection, "find_one", silent)
    with pytest.raises(Unavailable, match="Connection refused"):
        store(record(tmp_path))
