"""What the look ahead says; its rehearsals are made once for all tests here."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from core.config import ConfigError
from core.errors import UserError
from experiments import check, environment
from experiments.preflight import rehearsing


def run(folder: Path, *words: str) -> int:
    settings = ("smoke", "rungs=AF", "workers=2", "device=cpu", "eval.metrics=judge", "eval.judge_steps=5")
    return check.main(["with", *settings, f"runs={folder}/runs", f"reports={folder}/reports", *words])


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(the folder of the first check, what it said)."""
    folder, said = tmp_path_factory.mktemp("check"), io.StringIO()
    with contextlib.redirect_stdout(said):
        assert run(folder) == 0
    return folder, said.getvalue()


def test_all_is_said_and_only_caches_are_written(checked: tuple[Path, str]) -> None:
    folder, said = checked
    lines = said.splitlines()
    heading = next(number for number, line in enumerate(lines) if line.startswith("arm"))
    arms = lines[heading + 1 : heading + 3]
    assert [line[0] for line in arms] == ["A", "F"]
    assert len({len(line) for line in lines[heading : heading + 3]}) == 1
    assert [line.split()[3] for line in arms] == ["20", "10"]
    assert "bird: 120 training and 12 validation images" in said
    assert "judge     right for" in said
    assert "runs      2, of which 0 are done already" in said
    assert "rehearsed 2 arms in" in said
    assert "machine   cpu; 2 runs at a time" in said
    assert "time      about" in said and "until" in said
    assert "Everything fits." in said
    assert [path.name for path in folder.iterdir()] == ["runs"]
    assert [path.name for path in (folder / "runs").iterdir()] == ["cache"]
    assert not list(folder.rglob("*.png")) and not list(folder.rglob("checkpoint*"))


def test_the_second_time_nothing_is_rehearsed(
    checked: tuple[Path, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsing, "_job", None)
    assert run(checked[0]) == 0
    said = capsys.readouterr().out
    assert "rehearsed before; nothing has changed since" in said
    row = next(line for line in said.splitlines() if line.startswith("A  "))
    assert row in checked[1]


def test_too_little_memory_names_the_fix(
    checked: tuple[Path, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(environment, "available_memory", lambda: 2**20)
    assert run(tmp_path) == 1  # by an estimate: nothing is rehearsed
    said = capsys.readouterr().out
    assert "This does not fit:" in said and "  - A: train.batch=8 at 16 px needs about" in said
    largest = max(
        rehearsing.RehearsalFolder(path.parent).rehearsal().host_bytes for path in checked[0].rglob("rehearsal.json")
    )
    monkeypatch.setattr(environment, "available_memory", lambda: int(1.5 * largest))
    assert run(checked[0]) == 1
    assert "Use workers=1." in capsys.readouterr().out


def test_too_little_disk_names_the_fix(
    checked: tuple[Path, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 99, 1))
    assert run(checked[0]) == 1
    assert "choose another disk with runs=FOLDER" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert run(tmp_path) == 1
    assert f"{tmp_path}/reports/smoke: nothing can be written there" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_bad_data_and_bad_words_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        run(tmp_path, f"data.root={tmp_path}/none")
    for word in ("workers=0", "workers=many", "seeds=-1", "rungs=X", "name=a/b", "train.stepz=3", "preflight=maybe"):
        with pytest.raises(ConfigError):
            run(tmp_path, word)
