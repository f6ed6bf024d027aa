"""A study whose trials are computed by a real SLURM, started here; skipped where there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.experiments.engines.slurm_cluster import SlurmCluster, started_slurm

ROOT = Path(__file__).parents[3]
WORDS = (
    "F", "smoke", "train.steps=4", "train.sample_every=0", "data.train_images=20", "data.val_images=8",
    "eval.judge_steps=5", "preflight=false", "trials=3", "tune.sampler=random", "tune.pruner=none",
)  # fmt: skip


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    with started_slurm(tmp_path_factory.mktemp("slurm")) as slurm:
        yield slurm


def tuned(runs: Path, environment: dict[str, str], *words: str) -> dict[str, Any]:
    """{run: rows of its result} of a study that was brought to its end."""
    command = [sys.executable, "-m", "experiments.tune", "with", *WORDS, f"runs={runs}", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "3 trials: 3 done" in done.stdout
    return {path.parent.name: json.loads(path.read_text())["rows"] for path in runs.glob("*-s*/result.json")}


def test_trials_come_to_the_same_on_slurm_as_here(cluster: SlurmCluster, tmp_path: Path) -> None:
    here = tuned(tmp_path / "here", dict(os.environ), "workers=2")
    there = tuned(tmp_path / "there", cluster.environment, "engine=slurm", "engine.cpus_per_task=1")
    assert len(here) == 3
    assert there == here
    assert list((tmp_path / "there" / "slurm").glob("[0-9]*_submission.sh"))
