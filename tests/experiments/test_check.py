from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from core.config import ConfigError
from core.errors import UserError
from experiments import check, environment
from experiments.preflight import rehearsal
from experiments.preflight.rehearsal import typical_seconds

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "BUDGET", 0.0)
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)  # it would outlast the test


def run(folder: Path, *words: str) -> int:
    settings = ("smoke", "device=cpu", "eval.metrics=judge", f"runs={folder}/runs", f"reports={folder}/reports")
    return check.main(["with", *settings, *words])


def test_all_is_said_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "seeds=2") == 0
    said = capsys.readouterr().out
    lines = said.splitlines()
    heading = next(number for number, line in enumerate(lines) if line.startswith("arm"))
    arms = lines[heading + 1 : heading + 7]
    assert [line[0] for line in arms] == list("ABCDEF")
    assert len({len(line) for line in lines[heading : heading + 7]}) == 1
    assert [line.split()[3] for line in arms] == ["20", "20", "20", "20", "10", "10"]
    assert "bird: 120 training and 12 validation images" in said
    assert "judge     not trained yet; that takes about" in said
    assert "runs      12, of which 0 are done already" in said
    assert "Everything fits." in said
    assert list(tmp_path.iterdir()) == []


def test_finished_runs_cost_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from experiments.plan import planned_runs, read_plan
    from experiments.prepare import prepare

    plan = read_plan(["smoke", "rungs=A", "device=cpu", "eval.metrics=judge", f"runs={tmp_path}/runs"])
    (only,) = planned_runs(plan, prepare(plan.recipe, tmp_path / "cache"))
    only.folder.path.mkdir(parents=True)
    (only.folder.path / "result.json").write_text("{}")
    assert run(tmp_path, "rungs=A") == 0
    said = capsys.readouterr().out
    assert "runs      1, of which 1 are done already" in said
    assert "disk      up to 0 MiB" in said


def test_a_trained_judge_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from core.data.critters import load_critters
    from core.metrics.judge_training import load_judge

    load_judge(load_critters(120, 12, 16), tmp_path / "runs/cache/judges", 2, CPU)
    assert run(tmp_path, "rungs=A", "eval.judge_steps=2") == 0
    assert "judge     at hand; right for" in capsys.readouterr().out


def test_too_little_memory_names_the_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "available_memory", lambda: 2**20)
    assert run(tmp_path, "rungs=AF") == 1
    said = capsys.readouterr().out
    assert "This does not fit:" in said and "  - A: train.batch=8 at 16 px needs about" in said
    monkeypatch.setattr(environment, "available_memory", lambda: int(0.8 * 2**30))
    assert run(tmp_path, "rungs=AF", "workers=2") == 1
    assert "Use workers=1." in capsys.readouterr().out


def test_too_little_disk_names_the_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 99, 1))
    assert run(tmp_path, "rungs=A") == 1
    assert "choose another disk with runs=FOLDER" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert run(tmp_path, "rungs=A") == 1
    assert f"{tmp_path}/reports/smoke: nothing can be written there" in capsys.readouterr().out


def test_bad_data_and_bad_words_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        run(tmp_path, f"data.root={tmp_path}/none")
    for word in ("workers=0", "workers=many", "seeds=-1", "rungs=X", "name=a/b", "train.stepz=3"):
        with pytest.raises(ConfigError):
            run(tmp_path, word)


def test_the_median_counts_and_slow_work_is_timed_less(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, lengths = [0.0], [9.0, 9.0, 1.0, 2.0, 6.0, 3.0, 4.0]
    monkeypatch.setattr(rehearsal.time, "perf_counter", lambda: clock[0])

    def work(number: int) -> None:
        clock[0] += lengths[number]

    monkeypatch.setattr(rehearsal, "BUDGET", 100.0)
    assert typical_seconds(work, CPU) == 3.0
    monkeypatch.setattr(rehearsal, "BUDGET", 10.0)
    assert typical_seconds(work, CPU) == 9.0
