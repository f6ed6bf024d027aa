"""Which arms are rehearsed, how often, and what is said of those that cannot be. The rehearsals are played."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from experiments import environment
from experiments.engines import sharing
from experiments.engines.engine import Job
from experiments.plan import Plan, planned_runs, read_plan
from experiments.preflight import rehearsing
from experiments.preflight.ahead import configurations, look_ahead
from experiments.preflight.rehearsing import Rehearsed, rehearse_arms
from experiments.prepare import Prepared, prepare
from experiments.records import RunFolder
from tests.experiments.preflight.test_rehearsal import SEEN

CPU = torch.device("cpu")
# Fails in the way that the arm's name stands for, the first time or always, or writes what a rehearsal writes.
PLAYED = """
import json, os, signal, sys
from pathlib import Path
from experiments.files import write_json
from experiments.preflight.rehearsal import RehearsalFolder
folder = RehearsalFolder(Path(sys.argv[1]))
print("started", flush=True)
arm, starts = folder.label(), folder.log.read_text().count("started")
if arm == "F" or (arm == "E" and starts == 1):
    os.kill(os.getpid(), signal.SIGKILL)
if arm == "D":
    folder.write_status("failed", reason="DIVERGED at iteration 1")
else:
    write_json(folder.path / "rehearsal.json", json.loads(sys.argv[2]))
"""


@pytest.fixture(autouse=True)
def played(monkeypatch: pytest.MonkeyPatch) -> None:
    def job(folder: RunFolder) -> Job:
        path = folder.path.resolve()
        return Job("played", path, ("-c", PLAYED, str(path), json.dumps(asdict(SEEN))))

    monkeypatch.setattr(rehearsing, "_job", job)


def plan_of(folder: Path, *words: str) -> tuple[Plan, Prepared]:
    settings = ("smoke", "device=cpu", "eval.metrics=judge", f"runs={folder}", "data.train_images=4")
    plan = read_plan([*settings, *words])
    return plan, prepare(plan.recipe, folder / "cache")


def rehearsed(folder: Path, *words: str) -> Rehearsed:
    plan, prepared = plan_of(folder, *words)
    ahead = look_ahead(plan, prepared)
    configs = configurations(plan, prepared, ahead)
    return rehearse_arms(configs, plan.command.settings, plan.runs, ahead.count, CPU)


def test_an_arm_is_rehearsed_once_whatever_its_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "cores", lambda: 2)
    first = rehearsed(tmp_path, "rungs=AB", "seeds=3")
    assert (sorted(first.arms), first.made, first.problems) == (["A", "B"], 2, [])
    assert len(list((tmp_path / "cache" / "preflight").iterdir())) == 2
    again = rehearsed(tmp_path, "rungs=ABC", "seeds=2", "workers=auto")
    assert (sorted(again.arms), again.made) == (["A", "B", "C"], 1)
    other = rehearsed(tmp_path, "rungs=A", "seeds=2", "workers=2", "data.workers=1")
    assert other.made == 1
    monkeypatch.setattr(rehearsing, "program", lambda: "changed")
    assert rehearsed(tmp_path, "rungs=A", "seeds=2").made == 1


def test_only_arms_with_something_left_to_do_are_rehearsed(tmp_path: Path) -> None:
    for run in planned_runs(*plan_of(tmp_path, "rungs=AB", "seeds=2")):
        if run.arm.label == "A":
            run.folder.write_divergence(1, "no matter")
    assert sorted(rehearsed(tmp_path, "rungs=AB", "seeds=2").arms) == ["B"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")
def test_all_problems_are_said_and_a_killed_process_is_tried_again(tmp_path: Path) -> None:
    seen = rehearsed(tmp_path, "rungs=CDEF")
    assert sorted(seen.arms) == ["C", "E"]
    killed, diverged = sorted(seen.problems, reverse=True)
    assert killed.startswith("F: its process ended 2 times") and "killed by SIGKILL" in killed
    assert "log.txt" in killed and Path(killed.split()[-1]).read_text().split() == ["started"] * 2
    assert diverged.startswith("D: DIVERGED at iteration 1\n")
    assert rehearsed(tmp_path, "rungs=CE").made == 0


def test_what_cannot_fit_is_not_even_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "available_memory", lambda: 2**20)
    seen = rehearsed(tmp_path, "rungs=AB")
    assert (seen.arms, seen.made) == ({}, 0)
    assert [problem[:59] for problem in seen.problems] == [
        f"{letter}: train.batch=8 at 16 px needs about 0.5 GiB of memory and" for letter in "BA"
    ]
    assert not list(tmp_path.glob("cache/preflight/*/log.txt"))


def test_a_process_of_several_trains_its_share_of_the_batch(tmp_path: Path) -> None:
    rehearsed(tmp_path, "rungs=A", "gpus_per_run=2")
    (folder,) = (tmp_path / "cache" / "preflight").iterdir()
    assert RunFolder(folder).config().train.batch == 4
