"""The folders of attempts under `runs/sacred`: numbered, and ended for those that could not do it themselves."""

from __future__ import annotations

import glob
from datetime import datetime, timedelta
from pathlib import Path

from core.errors import UserError
from experiments.files import read_json, write_json
from experiments.tracking.stored import StoredAttempt

SILENT = timedelta(minutes=10)  # Sacred gives a sign of life every ten seconds


def reserve(observed: Path, key: str) -> Path:
    """Make the folder of the next attempt. Its number is free even if another machine reserves at the same time."""
    number = max((_number(path) for path in _folders(observed, key)), default=0)
    while True:
        number += 1
        folder = observed / f"{key}-{number}"
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            continue


def end_earlier(observed: Path, key: str) -> list[Path]:
    """Mark the attempts of a run that never ended as interrupted, and say which: they were killed."""
    dead = []
    for path in _folders(observed, key):
        try:
            if StoredAttempt.read(path).running:
                _end(path)
                dead.append(path)
        except UserError:  # killed before its first file was there
            continue
    return dead


def end_abandoned(observed: Path, now: datetime) -> None:
    """Mark as interrupted every attempt that a later one has replaced, or that has been silent for long.

    One that only slept says so itself with its next sign of life.
    """
    folders = attempt_folders(observed)
    newest = {_key(path): path for path in folders}
    for path in folders:
        try:
            attempt = StoredAttempt.read(path)
        except UserError:
            continue
        if attempt.running and (path != newest[_key(path)] or now - attempt.heartbeat > SILENT):
            _end(path)


def attempt_folders(observed: Path) -> list[Path]:
    """Every attempt that has begun, by key and number."""
    found = [path.parent for path in observed.glob("*-*/run.json") if _number(path.parent)]
    return sorted(found, key=lambda path: (_key(path), _number(path)))


def _end(path: Path) -> None:
    run = read_json(path / "run.json")
    write_json(path / "run.json", {**run, "status": "INTERRUPTED", "stop_time": run["heartbeat"] or run["start_time"]})


def _folders(observed: Path, key: str) -> list[Path]:
    return [path for path in observed.glob(f"{glob.escape(key)}-*") if _key(path) == key and _number(path)]


def _key(path: Path) -> str:
    return path.name.rpartition("-")[0]


def _number(path: Path) -> int:
    """0 where the name ends in none."""
    last = path.name.rpartition("-")[2]
    return int(last) if last.isdecimal() else 0
