from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from experiments.preflight.room import Disk, Memory, existing, taken

GIB = 2**30


def test_the_largest_runs_have_to_fit_beside_each_other() -> None:
    memory = Memory("memory", "workers", peaks=[1 * GIB, 3 * GIB, 1 * GIB], free=5 * GIB)
    assert memory.needed(1) == pytest.approx(3.3 * GIB)
    assert memory.needed(2) == pytest.approx(4.4 * GIB)
    assert memory.fit == 2
    assert memory.problems(2) == []
    (problem,) = memory.problems(3)
    assert problem == "memory: 3 runs at a time take 5.5 GiB and 5.0 GiB are free. Use workers=2."


def test_one_run_needs_no_margin() -> None:
    tight = Memory("GPU memory", "runs_per_gpu", peaks=[10 * GIB, 10 * GIB], free=10 * GIB)
    assert (tight.fit, tight.problems(1)) == (1, [])
    (problem,) = tight.problems(2)
    assert problem.endswith("Use runs_per_gpu=1.")
    (problem,) = Memory("memory", "workers", peaks=[2 * GIB], free=GIB).problems(1)
    assert problem.startswith("memory: a run takes 2.0 GiB and 1.0 GiB are free.")
    assert "train.batch" in problem
    assert Memory("memory", "workers", peaks=[], free=0).problems(4) == []


def test_the_disk_is_that_of_the_nearest_folder_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: asked.append(path) or usage(100 * GIB, 96 * GIB, 4 * GIB))
    assert Disk(tmp_path / "not" / "yet", 4 * GIB).problems() == []
    (problem,) = Disk(tmp_path / "not" / "yet", 6 * GIB).problems()
    assert set(asked) == {tmp_path}
    assert "write up to 6.0 GiB" in problem and "Free 2.0 GiB, or choose another disk with runs=FOLDER" in problem
    assert existing(tmp_path) == tmp_path


def test_what_is_written_already_is_counted(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    before = taken(tmp_path)
    (tmp_path / "samples" / "a.png").write_bytes(bytes(3000))
    (tmp_path / "b.pt").write_bytes(bytes(4000))
    assert taken(tmp_path) - before == 7000
    assert taken(tmp_path / "none") == 0
