"""A whole ladder whose processes are killed at random, and started again, ends in the table of an undisturbed one.

Takes minutes, so it runs where LONG_TESTS is set.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
KILLS = 20

pytestmark = [
    pytest.mark.skipif(not os.environ.get("LONG_TESTS"), reason="takes minutes: set LONG_TESTS=1"),
    pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX"),
]


def start(folder: Path) -> subprocess.Popen[bytes]:
    words = ["smoke", "seeds=3", "workers=2", "train.checkpoint_every=5", "train.log_every=2", "preflight=false"]
    places = [f"runs={folder}/runs", f"reports={folder}/reports"]
    with (folder / "ladder.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "experiments.ladder", "with", *words, *places], cwd=ROOT, stdout=log, stderr=log
        )


def finish(process: subprocess.Popen[bytes], folder: Path) -> dict[str, list[str]]:
    """{arm and seed: lines of the table}."""
    assert process.wait(timeout=900) == 0, (folder / "ladder.txt").read_text()[-3000:]
    runs: dict[str, list[str]] = {}
    for line in (folder / "reports" / "smoke" / "tables" / "results.csv").read_text().splitlines():
        runs.setdefault(line[:3], []).append(line)
    return runs


def test_killed_twenty_times_a_ladder_of_18_runs_ends_with_the_same_table(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    expected = finish(start(whole), whole)
    # Of three seeds: A, B and C give one output for each of six pairs, D one and three, E and F those by two guides.
    distances = ["judge_frechet" in line for lines in expected.values() for line in lines]
    assert sum(distances) == 3 * 6 * (3 * 1 + 2 + 2 * 4)
    choose, kills, ladders = random.Random(0), 0, 1
    process = start(broken)
    while kills < KILLS:
        time.sleep(choose.uniform(0.5, 4))
        if process.poll() is not None:  # it was quicker than its killer, or was killed itself
            process, ladders = start(broken), ladders + 1
            continue
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        victim = choose.choice(family)
        with_children = victim.pid == process.pid and choose.random() < 0.5
        for doomed in family if with_children else [victim]:
            try:
                doomed.kill()
            except psutil.NoSuchProcess:
                continue
        kills += 1
    while process.poll() not in (None, 0) or process.wait() != 0:
        process, ladders = start(broken), ladders + 1
    assert ladders > 1
    found = finish(process, broken)
    assert found.keys() == expected.keys()
    assert [run for run in expected if found[run] != expected[run]] == []
