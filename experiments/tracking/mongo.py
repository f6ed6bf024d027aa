"""MongoDB: the collections of Sacred's MongoObserver. An attempt's document is written whole, and last."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError, PyMongoError
from pymongo.uri_parser import parse_uri
from sacred.observers import MongoObserver

from experiments.tracking.stored import RUNNING, StoredAttempt
from experiments.tracking.tracker import Unavailable

PATIENCE: dict[str, Any] = {"serverSelectionTimeoutMS": 5_000, "connectTimeoutMS": 5_000, "socketTimeoutMS": 30_000}


class MongoTracker:
    """A MongoDB database."""

    def __init__(self, address: str) -> None:
        database = parse_uri(address)["database"]
        self._observer = _OneDocument(address, db_name=database, **PATIENCE)

    def reach(self) -> None:
        """See Tracker."""
        try:
            self._observer.runs.database.command("ping")
        except PyMongoError as error:
            raise Unavailable(str(error)) from error

    def store(self, attempt: StoredAttempt) -> bool:
        """See Tracker."""
        try:
            return self._store(attempt)
        except PyMongoError as error:
            raise Unavailable(str(error)) from error

    def _store(self, attempt: StoredAttempt) -> bool:
        runs = self._observer.runs

        def started(name: str) -> datetime | None:
            found = runs.find_one({"_id": name}, {"start_time": 1})
            return found and found["start_time"]

        name = attempt.id_at(started)
        stored = runs.find_one({"_id": name}, {"status": 1, "stop_time": 1}) or {}
        if not attempt.adds_to(stored.get("status"), stored.get("stop_time")):
            return False
        document = self._observer.document(attempt, name)
        # One that runs must not replace one that ended since the question above.
        replaced = {"_id": name, "status": RUNNING} if attempt.running else {"_id": name}
        try:
            runs.replace_one(replaced, document, upsert=True)
        except DuplicateKeyError:
            return False
        return True


class _OneDocument(MongoObserver):
    """Sacred's observer, made to keep an attempt's document to itself until it is whole.

    All else that it writes has an id made from its content, so that writing it again changes nothing.
    """

    def __init__(self, *where: Any, **named: Any) -> None:
        super().__init__(*where, **named)
        self._kept: set[ObjectId] = set()  # files that are known to be there

    def document(self, attempt: StoredAttempt, name: str) -> dict[str, Any]:
        """The document of an attempt; what it points at is stored already."""
        program = {**attempt.run["experiment"], "sources": attempt.sources()}
        meta = attempt.run["meta"]
        self.started_event(
            program, attempt.run["command"], attempt.run["host"], attempt.started, attempt.config, meta, name
        )
        attempt.replay(self, attempt.run.get("result"), attempt.artifacts())
        scalars = [self._keep_scalar(name, scalar, attempt.metrics[scalar]) for scalar in attempt.metrics]
        return {**self._entry, "info": {**attempt.info, "metrics": scalars}}

    def insert(self) -> None:
        """Nothing: see above."""

    def save(self) -> None:
        """Nothing: see above."""

    def final_save(self, attempts: int) -> None:
        """Nothing: see above."""

    def save_sources(self, ex_info: dict[str, Any]) -> list[list[Any]]:
        """[name, id of the file] of each source, from the copies: the program's files may have changed since."""
        return [[source.name, self._keep(source.path, source.name, source.md5)] for source in ex_info["sources"]]

    def artifact_event(self, name: str, filename: str, metadata: Any = None, content_type: Any = None) -> None:
        """Sacred's event."""
        address = f"artifact://{self.runs.name}/{self._entry['_id']}/{name}"
        self._entry["artifacts"].append({"name": name, "file_id": self._keep(Path(filename), address)})

    @property
    def _entry(self) -> Any:
        return self.run_entry

    def _keep(self, path: Path, name: str, version: str = "") -> ObjectId:
        file = _id_of("file", name, version)
        if file not in self._kept and not self.fs.exists(file):
            self.fs.delete(file)  # the pieces that an interrupted process left
            try:
                self.fs.put(path.read_bytes(), _id=file, filename=name)
            except PyMongoError:
                if not self.fs.exists(file):  # another process was faster
                    raise
        self._kept.add(file)
        return file

    def _keep_scalar(self, attempt: str, name: str, points: Any) -> dict[str, str]:
        scalar = _id_of("scalar", attempt, name)
        times = [datetime.fromisoformat(time) for time in points["timestamps"]]
        content = {"run_id": attempt, "name": name, "steps": points["steps"], "values": points["values"]}
        self.metrics.replace_one({"_id": scalar}, {**content, "timestamps": times}, upsert=True)
        return {"name": name, "id": str(scalar)}


def _id_of(*words: str) -> ObjectId:
    return ObjectId(hashlib.md5("\0".join(words).encode()).digest()[:12])
