"""The local engine: real processes in slots, how they end, and that they are asked to stop."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from experiments.engines.engine import Job
from experiments.engines.local import LocalEngine, Slot

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")


def job(folder: Path, name: str, code: str, **changes: object) -> Job:
    (folder / name).mkdir(exist_ok=True)
    return Job(name, folder / name, ("-c", code), **changes)  # type: ignore[arg-type]


def all_ended(engine: LocalEngine, seconds: float = 300) -> dict[str, str]:
    deadline, over = time.monotonic() + seconds, {}
    while engine.running() and time.monotonic() < deadline:
        over |= {job.name: how for job, how in engine.ended()}
        time.sleep(0.02)
    assert engine.running() == []
    return over


def test_it_says_how_each_ended_and_keeps_what_it_printed(tmp_path: Path) -> None:
    engine = LocalEngine([Slot(1)] * 3)
    jobs = [
        job(tmp_path, "well", "print('here')"),
        job(tmp_path, "ill", "import sys; print('there', file=sys.stderr); sys.exit(3)"),
        job(tmp_path, "killed", "import os; os.kill(os.getpid(), 9)"),
    ]
    engine.submit(jobs)
    assert engine.room() == 0
    assert all_ended(engine) == {"well": "exit status 0", "ill": "exit status 3", "killed": "killed by SIGKILL"}
    assert engine.room() == 3
    assert [entry.log.read_text().strip() for entry in jobs] == ["here", "there", ""]


def test_each_gets_the_threads_and_gpus_of_its_slot(tmp_path: Path) -> None:
    code = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ.get('CUDA_VISIBLE_DEVICES'), os.environ['X'])"
    engine = LocalEngine([Slot(4, (0, 1)), Slot(2, (2,))])
    jobs = [
        job(tmp_path, "a", code, environment={"X": "y"}),
        job(tmp_path, "b", code, environment={"X": "z"}),
    ]
    engine.submit(jobs)
    all_ended(engine)
    assert [entry.log.read_text().split() for entry in jobs] == [["4", "0,1", "y"], ["2", "2", "z"]]
    engine.submit([again := job(tmp_path, "c", code, environment={"X": "w"})])
    all_ended(engine)
    assert again.log.read_text().split() == ["4", "0,1", "w"]  # the slot is free again


def test_several_processes_of_one_run_share_its_threads_under_torchrun(tmp_path: Path) -> None:
    entry = Job("a", tmp_path, ("-m", "experiments.run", "--folder", "f"), processes=2)
    assert entry.command[0] == sys.executable
    assert entry.command[1:] == [
        *("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "experiments.run", "--folder", "f"),
    ]
    assert entry.variables(threads=6)["OMP_NUM_THREADS"] == "3"
    assert entry.variables(threads=1)["OMP_NUM_THREADS"] == "1"


def test_cancelling_asks_and_waits(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time, pathlib\n"
        "def save(*_):\n    time.sleep(0.3); pathlib.Path('{0}').write_text('saved'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, save)\nprint('ready', flush=True)\ntime.sleep(60)"
    )
    engine = LocalEngine([Slot(1)])
    entry = job(tmp_path, "a", code.format(tmp_path / "state"))
    engine.submit([entry])
    deadline = time.monotonic() + 300
    while "ready" not in entry.log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    engine.cancel()
    assert (tmp_path / "state").read_text() == "saved"
    assert engine.running() == []
