"""Files are written whole and alike, and what is wrong with them is said."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from core.errors import UserError
from experiments.files import check_writable, read_json, write_json, write_or_remove


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


def test_texts_are_written_and_what_is_empty_now_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    assert write_or_remove(folder, {"a.csv": "1", "b.csv": "", "c.csv": "3"}) == ["a.csv", "c.csv"]
    assert write_or_remove(folder, {"a.csv": "", "c.csv": "4"}) == ["c.csv"]
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"c.csv": "4"}
