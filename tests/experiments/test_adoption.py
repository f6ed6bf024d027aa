"""Finished runs of older schemas are found again under the names that they have today, and never taken for others."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import core.config
import core.migrations
import experiments.records
from core.config import Config, TrainConfig, as_flat, digest
from core.migrations import SINCE_1, Migration
from experiments.adoption import adopt
from experiments.claims import Claim, living_owner
from experiments.files import write_json
from experiments.records import Result, RunFolder, run_key
from experiments.report_records import ReportRecords
from experiments.translating.lookup import find_run
from tests.core.settings import tiny

CONFIG = tiny(seed=3)


def result_of(config: Config, of_digest: str) -> Result:
    rows = ({"metric": "m", "value": 0.25},)
    return Result(of_digest, 3, as_flat(config), 4, 8, 16, {"generator": 3}, 1.5, 0.5, 7, "cpu", {"torch": "2"}, rows)


def of_schema_1(runs: Path, key: str = "0123456789ab-s3", **changes: Any) -> RunFolder:
    """A finished run as the first version stored it: fewer settings, and no number of the schema."""
    flat = {path: value for path, value in as_flat(CONFIG).items() if path not in SINCE_1} | changes
    folder = RunFolder(runs / key)
    write_json(folder.path / "config.json", {"label": "F", "config": flat})
    write_json(folder.path / "result.json", {**dataclasses.asdict(result_of(CONFIG, key[:12])), "config": flat})
    return folder


def names(runs: Path) -> set[str]:
    return {path.name for path in runs.iterdir()}


def test_a_finished_run_is_taken_over_as_it_is(tmp_path: Path) -> None:
    old = of_schema_1(tmp_path)
    before = {path.name: path.read_bytes() for path in old.path.iterdir()}
    new = RunFolder.of(tmp_path, CONFIG)
    lines = adopt(tmp_path, [new])
    assert len(lines) == 1 and old.path.name in lines[0] and run_key(CONFIG) in lines[0]
    assert names(tmp_path) == {run_key(CONFIG)}
    assert new.finished and new.config() == CONFIG and new.label() == "F"
    assert new.result() == result_of(CONFIG, "0123456789ab")
    assert {name: (new.path / name).read_bytes() for name in before} == before
    assert living_owner(new.path) is None  # the claim went with the folder, and was let go there
    assert adopt(tmp_path, [new]) == []


def test_only_what_is_wanted_finished_and_free_is_taken(tmp_path: Path) -> None:
    new = RunFolder.of(tmp_path, CONFIG)
    old = of_schema_1(tmp_path)
    assert adopt(tmp_path, [RunFolder.of(tmp_path, tiny(seed=4))]) == []
    with Claim(old.path):
        assert adopt(tmp_path, [new]) == []
    (old.path / "result.json").rename(tmp_path / "kept.json")
    assert adopt(tmp_path, [new]) == []
    (tmp_path / "kept.json").rename(old.path / "result.json")
    assert len(adopt(tmp_path, [new])) == 1


def test_a_divergence_is_a_result_too(tmp_path: Path) -> None:
    old = of_schema_1(tmp_path)
    (old.path / "result.json").unlink()
    old.write_divergence(7, "DIVERGED at iteration 7")
    new = RunFolder.of(tmp_path, CONFIG)
    assert len(adopt(tmp_path, [new])) == 1
    assert new.divergence() == {"iteration": 7, "reason": "DIVERGED at iteration 7"}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    old, new = of_schema_1(tmp_path), RunFolder.of(tmp_path, CONFIG)
    new.prepare(CONFIG, "E")
    assert adopt(tmp_path, [new]) == []
    assert old.finished and new.label() == "E" and not new.finished


def test_of_two_that_are_the_same_today_one_is_taken(tmp_path: Path) -> None:
    of_schema_1(tmp_path)
    of_schema_1(tmp_path, "ffffffffffff-s3", **SINCE_1)  # as an early schema 2 stored it
    assert len(adopt(tmp_path, [RunFolder.of(tmp_path, CONFIG)])) == 1
    assert names(tmp_path) == {run_key(CONFIG), "ffffffffffff-s3"}


def test_damaged_folders_and_those_of_newer_versions_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "aaaaaaaaaaaa-s0").mkdir()
    (tmp_path / "aaaaaaaaaaaa-s0" / "config.json").write_text('{"conf')
    write_json(tmp_path / "bbbbbbbbbbbb-s0" / "config.json", {"label": "F", "schema": 99, "config": {}})
    write_json(tmp_path / "cccccccccccc-s0" / "config.json", {"label": "F", "config": {"model.gone": 1}})
    of_schema_1(tmp_path)
    assert len(adopt(tmp_path, [RunFolder.of(tmp_path, CONFIG)])) == 1
    assert {"aaaaaaaaaaaa-s0", "bbbbbbbbbbbb-s0", "cccccccccccc-s0"} < names(tmp_path)


def test_results_that_do_not_hold_any_more_are_never_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = of_schema_1(tmp_path)
    lost = Migration(core.migrations.MIGRATIONS[1].change, lost="another augmentation")
    monkeypatch.setattr(core.migrations, "MIGRATIONS", {1: lost})
    assert adopt(tmp_path, [RunFolder.of(tmp_path, CONFIG)]) == []
    assert old.config() == CONFIG and old.result().config["train.batch"] == 3  # it can still be read


def test_a_raised_schema_renames_what_was_finished_under_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = RunFolder.of(tmp_path, CONFIG)
    before.prepare(CONFIG, "F")
    before.write_result(result_of(CONFIG, digest(CONFIG)))
    assert json.loads((before.path / "config.json").read_text())["schema"] == core.config.SCHEMA
    raised = core.config.SCHEMA + 1
    for module in (core.config, core.migrations, experiments.records):
        monkeypatch.setattr(module, "SCHEMA", raised)
    monkeypatch.setattr(
        core.migrations, "MIGRATIONS", core.migrations.MIGRATIONS | {raised - 1: Migration(lambda flat: dict(flat))}
    )
    after = RunFolder.of(tmp_path, CONFIG)
    assert after.path != before.path
    assert len(adopt(tmp_path, [after])) == 1 and after.finished and names(tmp_path) == {after.path.name}


def test_a_changed_default_is_another_run_and_leaves_the_old_one_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = RunFolder.of(tmp_path, Config())
    before.prepare(Config(), "F")
    before.write_result(result_of(Config(), digest(Config())))
    fields = [item.name for item in dataclasses.fields(TrainConfig)]
    defaults = list(TrainConfig.__init__.__defaults__ or ())
    assert defaults[fields.index("batch")] == 8
    defaults[fields.index("batch")] = 16
    monkeypatch.setattr(TrainConfig.__init__, "__defaults__", tuple(defaults))
    after = RunFolder.of(tmp_path, Config())
    assert Config().train.batch == 16 and after.path != before.path
    assert adopt(tmp_path, [after]) == [] and not after.path.exists()
    assert before.config().train.batch == 8 and run_key(before.config()) == before.path.name == before.key_today()


def test_a_report_finds_its_run_under_the_new_name(tmp_path: Path) -> None:
    runs, reports = tmp_path / "runs", tmp_path / "reports"
    old = of_schema_1(runs)
    records = ReportRecords(reports / "old")
    (records.path / "F-s3").mkdir(parents=True)
    shutil.copy(old.path / "result.json", records.path / "F-s3")  # as the version of then copied it
    assert find_run("F", runs, reports, "old").path == old.path
    new = RunFolder.of(runs, CONFIG)
    adopt(runs, [new])
    assert find_run("F", runs, reports, "old").path == new.path
    ReportRecords(reports / "new").keep("F", 3, new)  # whose result still has the digest of then
    assert find_run("F", runs, reports, "new").path == new.path
