"""Evaluations with further seeds: one line each, by seed, whole at every moment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import UserError
from experiments.repeats import Repeats


def test_lines_are_by_seed_and_read_back_as_written(tmp_path: Path) -> None:
    repeats = Repeats(tmp_path / "repeats.jsonl")
    assert list(repeats) == [] and repeats.seeds == frozenset()
    third = 1 / 3
    for seed in (3, 1, 2):
        repeats.add(seed, {"fid/latent/1": seed + third})
    assert list(repeats) == [{"eval_seed": seed, "fid/latent/1": seed + third} for seed in (1, 2, 3)]
    repeats.add(2, {"fid/latent/1": 0.5})
    assert [line["fid/latent/1"] for line in repeats] == [1 + third, 0.5, 3 + third]
    assert repeats.seeds == {1, 2, 3}
    assert repeats.path.read_text().splitlines()[1] == '{"eval_seed": 2, "fid/latent/1": 0.5}'


def test_what_was_there_stays_where_one_more_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repeats = Repeats(tmp_path / "repeats.jsonl")
    repeats.add(1, {"fid/latent/1": 2.0})
    before = repeats.path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UserError, match="No space left on device"):
        repeats.add(2, {"fid/latent/1": 3.0})
    assert repeats.path.read_bytes() == before
