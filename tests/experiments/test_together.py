"""A run of several processes, started by a ladder: it follows that of one process, and survives the loss of any."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
WORDS = [
    "rungs=F", "train.steps=60", "train.log_every=1", "train.checkpoint_every=5", "train.sample_every=0",
    "data.train_images=20", "data.val_images=4", "eval.judge_steps=5", "device=cpu", "preflight=false",
]  # fmt: skip


def ladder(folder: Path, *words: str) -> list[str]:
    places = [f"runs={folder}/runs", f"reports={folder}/reports"]
    return [sys.executable, "-m", "experiments.ladder", "with", "smoke", *places, *WORDS, *words]


def curves(folder: Path) -> list[dict[str, float]]:
    (path,) = (folder / "runs").glob("*-s0/curves.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def members(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes that train, the first one first; torchrun is their parent."""
    trainers = [
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if "--folder" in child.cmdline() and "torch.distributed.run" not in child.cmdline()
    ]
    return sorted(trainers, key=lambda trainer: trainer.environ()["RANK"])


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_two_processes_follow_one_and_the_loss_of_one_is_made_good(tmp_path: Path) -> None:
    alone, two = tmp_path / "alone", tmp_path / "two"
    assert subprocess.run(ladder(alone), cwd=ROOT, capture_output=True, timeout=600).returncode == 0
    process = subprocess.Popen(ladder(two, "gpus_per_run=2"), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 600
    while not list((two / "runs").glob("*-s0/checkpoint-*.pt")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    found = members(process)
    assert [trainer.environ()["WORLD_SIZE"] for trainer in found] == ["2", "2"]
    found[1].send_signal(signal.SIGKILL)
    _, message = process.communicate(timeout=600)
    assert process.returncode == 0, message
    (log,) = (two / "runs").glob("*-s0/log.txt")
    assert "going on from iteration" in log.read_text()
    ours, theirs = curves(two), curves(alone)
    assert [point["iteration"] for point in ours] == list(range(1, 61))
    for mine, yours in zip(ours[:3], theirs[:3], strict=True):  # later the rounding of float32 has grown
        assert mine == pytest.approx(yours, rel=2e-3)


def test_a_batch_that_cannot_be_shared_out_is_refused(tmp_path: Path) -> None:
    command = ladder(tmp_path, "gpus_per_run=3")
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert refused.returncode == 2
    assert "cannot be shared evenly by gpus_per_run=3" in refused.stderr
    assert not (tmp_path / "runs").exists()
