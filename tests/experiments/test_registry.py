"""What belongs to which ladder or study: written by who starts it, read back alike, the latest first."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.errors import UserError
from experiments.claims import Owner
from experiments.registry import Cell, StartedLadder, StartedStudy, StartedTrial, started

LADDER = StartedLadder("demo", "again", (Cell("F", 2, "key"),), 3)
STUDY = StartedStudy("demo", "go on", "F", 5, 2, "tuned")
OWNER = Owner("host", 42, 1.5, "machine")


def at(path: Path, seconds: float) -> None:
    os.utime(path, (seconds, seconds))


def test_what_ladders_asked_for_is_kept_and_older_ones_asked_for_a_result(tmp_path: Path) -> None:
    LADDER.write(tmp_path)
    (entry,) = started(tmp_path)
    assert (entry.name, entry.title, entry.path) == ("demo", "demo", tmp_path / "ladders" / "demo.json")
    assert entry.read() == LADDER
    content = json.loads(entry.path.read_text())
    assert content.pop("evaluations") == 3
    assert content["cells"][0].pop("result_only") is False
    assert content == {"name": "demo", "command": "again", "cells": [{"arm": "F", "seed": 2, "key": "key"}]}
    entry.path.write_text(json.dumps(content))
    assert StartedLadder.read(entry.path) == StartedLadder("demo", "again", LADDER.cells, 0)


def test_a_study_has_a_cell_for_each_run_of_each_trial_that_was_begun(tmp_path: Path) -> None:
    STUDY.write(tmp_path)
    (entry,) = started(tmp_path)
    assert (entry.name, entry.title) == ("demo", "tuning demo")
    assert entry.read() == STUDY
    trials = [
        StartedTrial(0, {"7": "a-s7", "8": "a-s8"}, "failed", "the disk", OWNER),
        StartedTrial(12, {"7": "b-s7", "8": "b-s8"}),
    ]
    for trial in reversed(trials):  # by processes that know nothing of each other
        STUDY.write_trial(tmp_path, trial)
    read = entry.read()
    assert isinstance(read, StartedStudy)
    assert read.trials == (trials[0], trials[1])
    assert read.cells == (
        Cell("F", 7, "a-s7", 0),
        Cell("F", 8, "a-s8", 0),
        Cell("F", 7, "b-s7", 12),
        Cell("F", 8, "b-s8", 12),
    )
    assert read.cells[2].name == "F trial 12 seed 7" and LADDER.cells[0].name == "F seed 2"
    STUDY.write(tmp_path)  # another process joins
    assert entry.read() == read


def test_the_latest_started_comes_first_whichever_kind_it_is(tmp_path: Path) -> None:
    assert started(tmp_path) == []
    LADDER.write(tmp_path)
    STUDY.write(tmp_path)
    StartedLadder("other", "again", ()).write(tmp_path)
    (tmp_path / "studies" / "elsewhere").mkdir()  # only pictures of it
    ladder, study, other = (
        tmp_path / place for place in ("ladders/demo.json", "studies/demo/study.json", "ladders/other.json")
    )
    for number, path in enumerate((ladder, other, study)):
        at(path, 1e9 + number)
    assert [entry.path for entry in started(tmp_path)] == [study, other, ladder]
    STUDY.write_trial(tmp_path, StartedTrial(0, {}))
    at(ladder, 2e9)
    assert [entry.path for entry in started(tmp_path, "demo")] == [ladder, study]


def test_a_name_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no ladder or study of this name was started in .*\. There is none: python"):
        started(tmp_path, "demo")
    LADDER.write(tmp_path)
    STUDY.write(tmp_path)
    with pytest.raises(UserError, match=r"quick: no ladder or study .* There are: demo$"):
        started(tmp_path, "quick")


@pytest.mark.parametrize("content", ['{"num', '{"number": 0}', "[]", '{"number": 0, "keys": {}, "owner": {"name": 1}}'])
def test_what_cannot_be_used_is_said_with_what_mends_it(tmp_path: Path, content: str) -> None:
    STUDY.write(tmp_path)
    STUDY.write_trial(tmp_path, StartedTrial(0, {"7": "a-s7"}))
    (tmp_path / "studies" / "demo" / "trial-0000.json").write_text(content)
    LADDER.write(tmp_path)
    (tmp_path / "ladders" / "demo.json").write_text(content)
    said = []
    for entry in started(tmp_path):
        with pytest.raises(UserError) as error:
            entry.read()
        said.append(str(error.value))
        assert str(entry.path.parent) in said[-1] and said[-1].endswith("by its command, which writes it anew.")
    assert sorted(words.partition(":")[0] for words in said) == ["demo", "tuning demo"]
