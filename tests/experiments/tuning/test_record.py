"""Records of studies: what is counted, what is best, and how it reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from experiments.tuning.plots import draw
from experiments.tuning.record import front, record_of
from experiments.tuning.study import Outcome, Sampling
from experiments.tuning.text import best_rows, duration, said_of, summary
from tests.experiments.tuning.records import MIXED, study, trial
from tests.experiments.tuning.stubs import SPACE, StubBench, bowl, done, open_study, run


def test_a_study_becomes_plain_data() -> None:
    def end(settings: Mapping[str, Any]) -> Outcome:
        return Outcome("diverged", details={"reason": "DIVERGED"}) if settings["loss.cycle"] > 5 else done(settings)

    made = run(None, 14, StubBench(end), sampling=Sampling("random"))
    record = json.loads(json.dumps(record_of(made.optuna, "stub")))
    assert record["untuned"] == {dimension.path: dimension.default for dimension in SPACE}
    assert [one["number"] for one in record["trials"]] == list(range(14))
    values = {one["number"]: one["values"][0] for one in record["trials"] if one["outcome"] == "done"}
    assert record["best"] == min(values, key=values.__getitem__)
    assert values[record["best"]] == pytest.approx(bowl(record["trials"][record["best"]]["settings"]))
    counts = record["ledger"]
    assert counts["trials"] == 14 == counts["done"] + counts["diverged"]
    assert counts["diverged"] > 0 and counts["hours"] == 0.5 * counts["done"]
    assert sum(record["importances"].values()) == pytest.approx(1, abs=0.01)
    assert record["made with"]["arm"] == "F"


def test_only_the_first_trials_count_where_that_is_said() -> None:
    made = run(None, 12, sampling=Sampling("random")).optuna
    few, all_of_them = record_of(made, "stub", 5), record_of(made, "stub")
    assert (few["ledger"]["trials"], all_of_them["ledger"]["trials"]) == (5, 12)
    assert few["trials"] == all_of_them["trials"][:5]
    assert few["best"] < 5 and few["importances"] != all_of_them["importances"]


def test_importances_find_what_matters() -> None:
    """Of four settings two count, one of them a hundred times as much as the other."""

    def end(settings: Mapping[str, Any]) -> Outcome:
        return Outcome("done", ((settings["loss.cycle"] - 2) ** 2 + 0.01 * (settings["loss.diversity"] - 2) ** 2,))

    shares = record_of(run(None, 60, StubBench(end), sampling=Sampling("random")).optuna, "stub")["importances"]
    assert next(iter(shares)) == "loss.cycle" and shares["loss.cycle"] > 0.5


def test_nothing_is_said_of_a_study_that_has_only_begun() -> None:
    opened = open_study(None)
    opened.take(3)
    record = record_of(opened.optuna, "stub")
    assert (record["best"], record["importances"], record["front"]) == (None, {}, [])
    assert [one["outcome"] for one in record["trials"]] == ["at work"]
    assert "no trial was brought to its end" in summary(record)


def test_a_front_is_what_nothing_beats_in_both() -> None:
    """Smaller first, larger second; 4 equals 1 and stays beside it."""
    trials = [trial(0, 5, 5), trial(1, 3, 4), trial(2, 4, 3), trial(3, 6, 9), trial(4, 3, 4), trial(5, 6, 8)]
    assert front(trials, (False, True)) == [0, 1, 3, 4]
    assert front(trials, (False, False)) == [1, 2, 4]


def test_the_ledger_counts_everything_once() -> None:
    counts = study(*MIXED)["ledger"]
    assert counts == {
        "trials": 7,
        "done": 3,
        "pruned": 1,
        "diverged": 1,
        "failed": 1,
        "at work": 1,
        "repeated": 1,
        "hours": 2.5,
        "gpu hours": 1.25,
    }
    assert said_of(counts) == (
        "7 trials: 3 done, 1 pruned, 1 diverged, 1 failed, 1 at work, 1 repeated; 2.5 hours of runs, 1.25 GPU hours"
    )
    assert [duration(hours) for hours in (0.01, 0.5, 30)] == ["36 s", "30 minutes", "30.0 hours"]


def test_the_best_settings_stand_beside_the_untuned_ones() -> None:
    assert best_rows(study(*MIXED)) == [
        ["", "untuned", "trial 1"],
        ["objective", "30", "20"],
        ["loss.cycle", "1", "2"],
        ["train.decay", "none", "linear"],
    ]
    both = study(trial(0, 5, 5), trial(1, 3, 4), trial(2, 4, 3), maximise=(False, True))
    assert best_rows(both)[:3] == [
        ["", "untuned", "trial 0", "trial 1"],
        ["objective 1", "5", "5", "3"],
        ["objective 2", "5", "5", "4"],
    ]


def test_the_summary_has_every_trial() -> None:
    said = summary(study(*MIXED)).splitlines()
    rows = {line.split()[0]: line for line in said if line[:1].isdigit()}
    assert set(rows) >= set("0123456")
    assert rows["1"].split()[:4] == ["1", "*", "done", "20"]
    assert "as 1" in rows["5"] and "diverged" in rows["3"] and "–" in rows["2"]
    assert "exploratory" in said[-1] and "loss.cycle 75 %" in said[-1]


def test_pictures_are_drawn_of_what_there_is(tmp_path: Path) -> None:
    one = draw(study(*MIXED), tmp_path / "one")
    assert [path.stem for path in one] == ["history", "importances"]
    both = draw(study(trial(0, 5, 5), trial(1, 3, 4), trial(2, 4, 3), maximise=(False, True)), tmp_path / "two")
    assert [path.stem for path in both] == ["history", "importances", "front"]
    for path in (*one, *both):
        assert Image.open(path).size[0] > 600
    assert draw(study(), tmp_path / "none") == [tmp_path / "none" / "importances.png"]
