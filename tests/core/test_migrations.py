"""What older versions stored is read, and counts as today's only where it is said to.

`schemas/N.json` is a run as schema N stored it: its whole configuration and the digest that it had. Those of 1 and 2
are rung F of one quick ladder, trained under both; its results were equal to the last bit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import core.migrations
from core.config import SCHEMA, Config, as_flat, digest, from_flat
from core.errors import UserError
from core.migrations import MIGRATIONS, SINCE_1, Migration, carries_over, migrated
from core.settings import identifies, leaves

SCHEMAS = Path(__file__).parent / "schemas"

WHAT_TO_DO = f"""
The settings that make up a run's identity are not those of schema {SCHEMA} any more. If one was added, removed, renamed
or means something else now, then:
  1. add 1 to SCHEMA in core/config.py;
  2. add the way from {SCHEMA} to MIGRATIONS in core/migrations.py, with `lost` where results would be others;
  3. add tests/core/schemas/{SCHEMA + 1}.json: a run as the new schema stores it.
A setting that was added and has a value that says what was done before needs none of this: give it that as `neutral`.
A new default alone needs none of this: every run is stored with all its values. Neither does a setting that changes no
result: give it identity=False."""


def stored(schema: int) -> dict[str, Any]:
    return json.loads((SCHEMAS / f"{schema}.json").read_text())


def identity(config: Config) -> dict[str, Any]:
    flat = as_flat(config)
    return {path: flat[path] for path, item, value in leaves(config) if identifies(item, value)}


def test_the_settings_are_those_of_the_schema() -> None:
    run = stored(SCHEMA)
    assert set(identity(Config())) <= set(run["config"]) <= set(as_flat(Config())), WHAT_TO_DO
    assert digest(from_flat(run["config"])) == run["digest"], WHAT_TO_DO


def test_every_schema_has_a_way_to_the_next_and_a_run_that_shows_it() -> None:
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA))
    assert sorted(int(path.stem) for path in SCHEMAS.glob("*.json")) == list(range(1, SCHEMA + 1))


@pytest.mark.parametrize("schema", range(1, SCHEMA))
def test_a_run_of_an_older_schema_is_a_run_of_today(schema: int) -> None:
    run = stored(schema)
    config = from_flat(migrated(run["config"], schema))
    assert set(identity(config)) <= set(migrated(run["config"], schema)), "a value is left to the defaults of the day"
    assert {path: value for path, value in as_flat(config).items() if path in run["config"]} == run["config"]
    assert digest(config) != run["digest"]


def test_the_same_run_under_1_and_2_has_one_identity_today() -> None:
    assert digest(from_flat(migrated(stored(1)["config"], 1))) == stored(2)["digest"]
    assert carries_over(1)


def test_what_a_stored_run_says_is_never_overwritten() -> None:
    """The first folders of schema 2 had no number, and had some of its settings."""
    flat = {**stored(1)["config"], "train.n_critic": 5, "eval.protocol": "authors"}
    assert migrated(flat, 1) == {**SINCE_1, **flat}
    assert migrated(flat, 1)["train.n_critic"] == 5


def test_a_newer_version_is_named() -> None:
    with pytest.raises(UserError, match=rf"schema {SCHEMA + 3}, here {SCHEMA}\). Update the program"):
        migrated({}, SCHEMA + 3)


def test_ways_are_gone_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = Migration(lambda flat: {"new": flat["old"]})
    doubled = Migration(lambda flat: {"new": 2 * flat["new"]}, lost="the unit was wrong")
    monkeypatch.setattr(core.migrations, "SCHEMA", 3)
    monkeypatch.setattr(core.migrations, "MIGRATIONS", {1: renamed, 2: doubled})
    assert [migrated({"old": 3}, 1), migrated({"new": 3}, 2), migrated({"new": 3}, 3)] == [
        {"new": 6},
        {"new": 6},
        {"new": 3},
    ]
    assert [carries_over(schema) for schema in (1, 2, 3)] == [False, False, True]
