"""Points over iterations: appended, cut back, torn lines forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from experiments.points import Points


def test_points_are_cut_back_and_a_torn_line_is_forgotten(tmp_path: Path) -> None:
    points = Points(tmp_path / "curves.jsonl")
    for iteration in (1, 2, 3):
        points.append(iteration, {"loss": iteration / 2})
    with points.path.open("a") as file:
        file.write('{"iteration": 4, "lo')
    assert [point["iteration"] for point in points] == [1, 2, 3]
    points.cut(2)
    points.append(3, {"loss": 9.0})
    points.sync()
    assert list(points) == [
        {"iteration": 1, "loss": 0.5},
        {"iteration": 2, "loss": 1.0},
        {"iteration": 3, "loss": 9.0},
    ]


def test_without_a_file_there_are_none_and_none_is_made(tmp_path: Path) -> None:
    points = Points(tmp_path / "curves.jsonl")
    points.cut(0)
    points.sync()
    assert list(points) == []
    assert not points.path.exists()


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"curves\.jsonl: cannot be written"):
        Points(tmp_path / "nowhere" / "curves.jsonl").append(1, {})
