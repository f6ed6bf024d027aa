"""Sacred's record of an attempt: finished, failed or interrupted, one id each."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.tracking import Attempt, read_updates, track
from tests.core.settings import tiny

ROOT = Path(__file__).parents[2]


class Stop(Exception):
    pass


def finish(attempt: Attempt) -> str:
    attempt.scalar("loss", 0.5, 3)
    return "well"


def fail(attempt: Attempt) -> str:
    raise ValueError("no")


def stop(attempt: Attempt) -> str:
    raise Stop("later")


def test_attempts_are_recorded_one_by_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"):
        track(tiny(), "key", tmp_path, fail, interruption=Stop)
    with pytest.raises(Stop, match="later"):
        track(tiny(), "key", tmp_path, stop, interruption=Stop)
    track(tiny(), "key", tmp_path, finish, interruption=Stop)
    statuses = [json.loads((tmp_path / "sacred" / f"key-{n}" / "run.json").read_text())["status"] for n in (1, 2, 3)]
    assert statuses == ["FAILED", "INTERRUPTED", "COMPLETED"]
    kept = tmp_path / "sacred" / "key-3"
    assert json.loads((kept / "run.json").read_text())["result"] == "well"
    assert json.loads((kept / "config.json").read_text())["model"]["resolution"] == 16
    assert json.loads((kept / "metrics.json").read_text())["loss"]["values"] == [0.5]


def test_the_grammar_is_sacreds() -> None:
    assert read_updates("a.b=3") == ({"a": {"b": 3}}, [])
    assert read_updates("name=mine") == ({"name": "mine"}, [])
    assert read_updates("smoke") == ({}, ["smoke"])


def test_sacred_is_imported_where_python_has_dropped_find_loader(tmp_path: Path) -> None:
    program = "import pkgutil; pkgutil.__dict__.pop('find_loader', None); import experiments.tracking"
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
