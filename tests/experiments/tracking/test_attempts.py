"""Sacred's record of an attempt: finished, failed, interrupted or killed, one id each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.environment import revision
from experiments.tracking.attempts import track
from tests.core.settings import tiny
from tests.experiments.attempts import Stop, fail, finish, record, said, stop

ROOT = Path(__file__).parents[3]
KILLED = """
import os, signal, sys
from pathlib import Path
from core.config import Config
from experiments.tracking.attempts import track
track(Config(), "key", Path(sys.argv[1]), lambda attempt: os.kill(os.getpid(), signal.SIGKILL), KeyError)
"""


def test_attempts_are_recorded_one_by_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"):
        track(tiny(), "key", tmp_path, fail, interruption=Stop)
    with pytest.raises(Stop, match="later"):
        track(tiny(), "key", tmp_path, stop, interruption=Stop)
    track(tiny(), "key", tmp_path, finish, interruption=Stop)
    assert [said(tmp_path / "sacred" / f"key-{n}")["status"] for n in (1, 2, 3)] == [
        "FAILED",
        "INTERRUPTED",
        "COMPLETED",
    ]
    kept = tmp_path / "sacred" / "key-3"
    assert said(kept)["result"] == "well"
    assert json.loads((kept / "config.json").read_text())["model"]["resolution"] == 16
    metrics = json.loads((kept / "metrics.json").read_text())
    assert metrics["loss"]["values"] == [0.5]
    assert metrics["judge_frechet/latent/1"]["steps"] == [4]
    assert json.loads((kept / "info.json").read_text()) == {"result": {"judge_frechet/latent/1": 12.5}}
    assert (kept / "attempts.py").read_bytes() == Path(record.__code__.co_filename).read_bytes()


def test_the_whole_program_is_recorded(tmp_path: Path) -> None:
    program = said(record(tmp_path))["experiment"]
    sources = dict(program["sources"])
    for name in ("core/config.py", "core/runtime.py", "core/data/batches.py"):  # loaded, not imported by tracking
        assert (tmp_path / "sacred" / sources[name]).read_bytes() == (ROOT / name).read_bytes()
    assert {package.partition("==")[0] for package in program["dependencies"]} >= {"torch", "sacred"}
    expected = [] if revision() == "unknown" else [revision().rstrip("+")]
    assert [repository["commit"] for repository in program["repositories"]] == expected


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_a_killed_attempt_is_marked_when_the_next_one_starts(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert said(tmp_path / "sacred" / "key-1")["status"] == "RUNNING"
    seen = []
    record(tmp_path, lambda attempt: seen.append(said(tmp_path / "sacred" / "key-1")) or "well", "key")
    assert seen[0]["status"] == "INTERRUPTED"
    assert seen[0]["stop_time"] == seen[0]["start_time"]  # it never gave another sign of life
    assert said(tmp_path / "sacred" / "key-2")["status"] == "COMPLETED"


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def fill_the_disk(attempt: object) -> str:
        monkeypatch.setattr("experiments.files.os.replace", full)
        return "well"

    folder = record(tmp_path, fill_the_disk)
    assert said(folder)["status"] == "RUNNING"  # as it was before, to the last bracket
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "cout.txt", "run.json"]
