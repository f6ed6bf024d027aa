"""A study that is killed and gone on with, by several processes at once, in every storage."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.experiments.tuning.stubs import bowl, open_study

ROOT = Path(__file__).parents[3]
TRIALS = 18
numbers = itertools.count()


def start(place: Path, address: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.experiments.tuning.stubs", str(place), str(TRIALS), address]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def begun(place: Path) -> list[tuple[int, dict[str, float]]]:
    """(number, settings) of every time that a trial was begun or gone on with."""
    log = place / "log"
    return [tuple(json.loads(line)) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.fixture(params=["journal", "sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        return str(server.create(f"together{os.getpid()}_{next(numbers)}"))
    return "" if request.param == "journal" else f"sqlite:{tmp_path}/studies.db"


def test_killed_three_times_and_continued_by_two_at_once(tmp_path: Path, address: str) -> None:
    choose = random.Random(0)
    for kill in range(3):
        process = start(tmp_path, address)
        while len(begun(tmp_path)) < 4 * kill + 2:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.02)
        time.sleep(choose.uniform(0, 0.3))
        process.kill()
        process.wait()
    both = [start(tmp_path, address) for _ in range(2)]
    for process in both:
        said = process.communicate(timeout=600)[1]
        assert process.returncode == 0, said

    study = open_study(tmp_path, address=address)
    trials = study.trials()
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    for trial in trials:
        assert trial.value == pytest.approx(bowl(trial.params), rel=1e-12)
    # Some were gone on with, and all with the settings that they began with.
    starts = begun(tmp_path)
    assert TRIALS < len(starts) <= TRIALS + 3 * 2
    for number, settings in starts:
        assert settings == pytest.approx(trials[number].params)
    assert len({tuple(trial.params.values()) for trial in trials}) == TRIALS
    owners = {trial.user_attrs["owner"]["pid"] for trial in trials}
    assert {process.pid for process in both} <= owners
