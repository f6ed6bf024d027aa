"""From words to an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.config import ConfigError
from core.errors import UserError
from experiments.command import parse
from experiments.engines import choice
from experiments.engines.local import LocalEngine
from experiments.records import RunFolder
from tests.core.settings import tiny


def settings(*words: str) -> dict[str, Any]:
    return dict(parse(["with", *words], choice.SETTINGS, rungs_allowed=False).settings)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["engine=lokal"], "engine=lokal: the engines are local, ray, slurm"),
        (["engine.partition=gpu"], "engine.partition: engine=local has no such setting"),
        (["workers=0"], "workers=0: must be auto"),
        (["workers=many"], "workers=many: must be auto"),
        (["gpus=a"], "gpus=a: must be auto"),
        (["gpus=0,0"], "gpus=0,0: must be auto"),
        (["gpus=-1"], "gpus=-1: must be auto"),
        (["runs_per_gpu=0"], "runs_per_gpu=0: must be at least 1"),
        (["gpus_per_run=0"], "gpus_per_run=0: must be at least 1"),
    ],
)
def test_wrong_words_are_said(words: list[str], problem: str) -> None:
    problems = choice.problems_of(settings(*words))
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(choice.problems_of(settings("workers=0", "gpus=a", "runs_per_gpu=0"))) == 3


@pytest.mark.parametrize(
    "words", [[], ["workers=2"], ["gpus=0,1"], ["gpus=1"], ["engine=slurm", "engine.partition=gpu", "engine.time=60"]]
)
def test_right_words_have_no_problem(words: list[str]) -> None:
    assert choice.problems_of(settings(*words)) == []


def test_settings_of_an_engine_are_passed_on_as_they_are() -> None:
    found = settings("engine=slurm", "engine.partition=gpu", "engine.time=60", "engine.mem=16G")
    assert found["engine."] == {"partition": "gpu", "time": 60, "mem": "16G"}
    with pytest.raises(ConfigError, match="enginn"):
        settings("enginn.partition=gpu")


def test_on_a_cpu_no_gpu_is_named() -> None:
    engine = choice.build_engine(settings("workers=2", "gpus=0,1"), runs=5, device_type="cpu")
    assert isinstance(engine, LocalEngine)
    assert [slot.gpus for slot in engine.slots] == [(), ()]


def test_gpus_that_are_not_there_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    engine = choice.build_engine(settings(), runs=5, device_type="cuda")
    assert isinstance(engine, LocalEngine)
    assert [slot.gpus for slot in engine.slots] == [(0,), (1,)]
    with pytest.raises(UserError, match="this machine has 2"):
        choice.build_engine(settings("gpus=1,2"), runs=5, device_type="cuda")


def test_the_job_of_a_run_says_what_is_asked_for(tmp_path: Path) -> None:
    for asked in (0, 3):
        folder = RunFolder.of(tmp_path, tiny(seed=4), asked)
        folder.prepare(tiny(seed=4), "F")
        job = choice.job_of(settings("gpus_per_run=2"), folder)
        assert (job.name, job.folder, job.processes) == ("F-s4", folder.path.resolve(), 2)
        assert job.arguments[-4:] == ("--folder", str(folder.path.resolve()), "--evaluations", str(asked))
