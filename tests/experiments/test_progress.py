"""The ladder's bar counts what runs have to do: iterations and evaluations, and of finished runs only the latter."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config import as_flat
from experiments.progress import LadderProgress
from experiments.records import Result, RunFolder
from tests.core.settings import tiny

CONFIG = tiny(train__steps=100)  # a style code: 200 updates, and 20 more for an evaluation


def run(runs: Path, seed: int, asked: int, finished: bool) -> RunFolder:
    config = tiny(train__steps=100, seed=seed)
    folder = RunFolder.of(runs, config, asked)
    folder.prepare(config, "F")
    if finished:
        folder.write_result(Result("d", seed, as_flat(config), 100, 200, 16, {}, 1.0, 1.0, 7, "cpu", {}, ()))
        folder.write_status("waiting")
    return folder


def test_a_run_is_its_updates_and_its_evaluations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, lacks = run(tmp_path, 0, 3, finished=False), run(tmp_path, 1, 3, finished=True)
    pictures = run(tmp_path, 2, 1, finished=True)
    with LadderProgress([whole, lacks, pictures], done=4) as progress:
        bar = progress._bar
        assert bar.total == (200 + 3 * 20) + 2 * 20 + 20
        whole.write_status("training", iteration=50, of=100)
        progress.show([whole, lacks], [])
        assert bar.n == 100
        lacks.write_status("evaluating", iteration=100, of=100)
        progress.show([whole, lacks], [])
        assert bar.n == 100
        assert bar.postfix == "F seed 0 50%, F seed 1 evaluating"
        for folder in (whole, lacks, pictures):
            folder.write_status("done")
        progress.show([], [whole, lacks, pictures])
        assert bar.n == bar.total
    assert "4 runs are done already" in capsys.readouterr().err
