"""Run folders: written whole, cut back on resume, read back as written."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from core.errors import UserError
from experiments.files import check_writable, read_json, write_json
from experiments.records import Result, RunFolder, run_key
from tests.core.settings import tiny


def result(**changes: object) -> Result:
    fields: dict[str, object] = {
        "digest": "d", "seed": 1, "config": {"a": 1}, "iterations": 4, "generator_updates": 8, "images_seen": 16,
        "parameters": {"generator": 3}, "train_seconds": 1.5, "evaluate_seconds": 0.5, "peak_memory_bytes": 7,
        "device": "cpu", "environment": {"torch": "2"}, "rows": ({"metric": "m", "value": 0.25},), "notes": ("n",),
    }  # fmt: skip
    return Result(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_key_is_digest_and_seed() -> None:
    one, two = tiny(), tiny(seed=2)
    assert run_key(one).split("-s")[0] == run_key(two).split("-s")[0]
    assert run_key(two).endswith("-s2")
    assert run_key(one) == run_key(tiny(device="cpu", data__root="/elsewhere"))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = RunFolder.of(tmp_path, tiny(seed=3))
    assert folder.status() == {"state": "waiting"}
    folder.prepare(tiny(seed=3), "F")
    assert folder.config() == tiny(seed=3)
    assert folder.label() == "F"
    assert not folder.finished
    folder.write_result(result())
    assert folder.finished
    assert folder.result() == result()


def test_curves_are_cut_back_and_a_torn_line_is_forgotten(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for iteration in (1, 2, 3):
        folder.append_curve(iteration, {"loss": iteration / 2})
    with (tmp_path / "curves.jsonl").open("a") as file:
        file.write('{"iteration": 4, "lo')
    folder.cut_curves(2)
    folder.append_curve(3, {"loss": 9.0})
    assert list(folder.curves()) == [
        {"iteration": 1, "loss": 0.5},
        {"iteration": 2, "loss": 1.0},
        {"iteration": 3, "loss": 9.0},
    ]


def test_the_newest_two_checkpoints_are_kept(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for iteration in (5, 10, 900, 20):
        folder.checkpoint(iteration).touch()
    folder.drop_old_checkpoints()
    assert folder.checkpoints() == [folder.checkpoint(900), folder.checkpoint(20)]


def test_json_is_written_whole_and_alike(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": "ü<b>", "a": 1})
    write_json(tmp_path / "b.json", {"a": 1, "b": "ü<b>"})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"a": object()})
    assert read_json(tmp_path / "a.json") == {"a": 1, "b": "ü<b>"}
    assert len(list(tmp_path.iterdir())) == 2


def test_damaged_and_missing_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a":')
    with pytest.raises(UserError, match=r"x\.json: cannot be read"):
        read_json(tmp_path / "x.json")
    with pytest.raises(UserError, match=r"y\.json: there is no such file"):
        read_json(tmp_path / "y.json")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"runs=\.\.\. and reports=\.\.\."):
        check_writable(tmp_path / "file" / "runs")
    with pytest.raises(UserError, match="cannot be written"):
        write_json(tmp_path / "file" / "a.json", {})
    assert stat.S_ISREG((tmp_path / "file").stat().st_mode)
