"""An attempt as Sacred's files keep it.

It is a folder `runs/sacred/KEY-NUMBER/`:

    run.json      status, times, host and program; there from the start
    config.json   the configuration
    metrics.json  the scalars
    info.json     the main numbers of a finished run
    cout.txt      what Sacred captured of the output
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from experiments.files import read_json

RUNNING = "RUNNING"
RESOLUTION = timedelta(milliseconds=1)  # of MongoDB's times


@dataclass(frozen=True)
class Source:
    """A file of the program, as it was when the attempt began."""

    name: str  # relative to the program's folder
    path: Path  # of the copy
    md5: str


@dataclass(frozen=True)
class StoredAttempt:
    """An attempt as its files have it."""

    path: Path
    run: Mapping[str, Any]
    config: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, Any]]
    info: Mapping[str, Any]
    captured_out: str

    @classmethod
    def read(cls, path: Path) -> StoredAttempt:
        """Read a folder. Raises UserError where a file is damaged."""
        run = read_json(path / "run.json")  # first: what it speaks of was written before it
        config, metrics, info = (_read(path / f"{name}.json") for name in ("config", "metrics", "info"))
        printed = path / "cout.txt"
        output = printed.read_text(encoding="utf-8", errors="replace") if printed.exists() else ""
        return cls(path, run, config, metrics, info, output)

    @property
    def id(self) -> str:
        """KEY-NUMBER."""
        return self.path.name

    @property
    def status(self) -> str:
        """Sacred's word."""
        return str(self.run["status"])

    @property
    def running(self) -> bool:
        """Whether the files say that it has not ended."""
        return self.status == RUNNING

    @property
    def started(self) -> datetime:
        """UTC, without a zone, as all of Sacred's times."""
        return datetime.fromisoformat(self.run["start_time"])

    @property
    def heartbeat(self) -> datetime:
        """The last sign of life."""
        return datetime.fromisoformat(self.run["heartbeat"] or self.run["start_time"])

    @property
    def stopped(self) -> datetime | None:
        """The end."""
        return datetime.fromisoformat(self.run["stop_time"]) if self.run.get("stop_time") else None

    def artifacts(self) -> dict[str, Path]:
        """{name: file}."""
        return {name: self.path / name for name in self.run["artifacts"]}

    def sources(self) -> list[Source]:
        """The program's files."""
        copies = [(name, self.path.parent / copy) for name, copy in self.run["experiment"]["sources"]]
        return [Source(name, copy, hashlib.md5(copy.read_bytes()).hexdigest()) for name, copy in copies]

    def id_at(self, started: Callable[[str], datetime | None]) -> str:
        """The id under which a tracker keeps this attempt: its own, unless an attempt of another machine has that.

        started: gives, for an id, when the attempt that the tracker keeps under it began; None where there is none.
        """
        other = started(self.id)
        if other is None or _same(other, self.started):
            return self.id
        origin = f"{self.run['start_time']} {self.run['host'].get('hostname')}"
        return f"{self.id}-{hashlib.md5(origin.encode()).hexdigest()[:6]}"

    def adds_to(self, status: str | None, stopped: datetime | None) -> bool:
        """Whether a tracker that has this status and end of the attempt (None: nothing of it) still misses something.

        The end is stored with or after all else, so one that has it has all.
        """
        if self.running:
            return status in (None, RUNNING)
        return status != self.status or stopped is None or not _same(stopped, self.stopped)

    def replay(self, observer: Any, result: Any, artifacts: Mapping[str, Path]) -> None:
        """Tell an observer, which knows that the attempt has started, what came after."""
        observer.heartbeat_event(dict(self.info), self.captured_out, self.heartbeat, result)
        for name, path in artifacts.items():
            observer.artifact_event(name, str(path))
        if self.status == "COMPLETED":
            observer.completed_event(self.stopped, result)
        elif self.status == "FAILED":
            observer.failed_event(self.stopped, self.run["fail_trace"])
        elif not self.running:
            observer.interrupted_event(self.stopped, self.status)


def _same(one: datetime, other: datetime | None) -> bool:
    return other is not None and abs(one - other) < RESOLUTION


def _read(path: Path) -> dict[str, Any]:
    return dict(read_json(path)) if path.exists() else {}
