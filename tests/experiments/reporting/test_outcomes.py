"""Planned runs without a result: each is named once, with what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from experiments.report_records import ReportRecords
from experiments.reporting.outcomes import Hole, divergence_counts, divergences, missing_runs, planned_seeds


def test_every_planned_cell_is_there_or_missing(make_report: Callable[..., Path]) -> None:
    records = ReportRecords(make_report(letters="ABDEF", seeds=2))
    ladder = records.ladder() | {
        "seeds": [0, 1, 2],
        "failures": [{"label": "B", "seed": 2, "reason": "no\n  space", "log": "runs/b/log.txt"}],
        "divergences": [{"label": "C", "seed": seed, "iteration": 9, "reason": "DIVERGED\nat 9"} for seed in (0, 2)],
    }
    runs = records.runs()
    holes = missing_runs(ladder, runs)
    assert [(hole.label, hole.seed) for hole in holes] == [("A", 2), ("B", 2), ("C", 1), ("D", 2), ("E", 2), ("F", 2)]
    assert holes[1] == Hole("B", 2, "no space", "runs/b/log.txt")
    assert str(holes[0]) == holes[0].with_log == "A, seed 2 has no record"
    assert str(holes[1]) == "B, seed 2 failed: no space"
    assert holes[1].with_log == "B, seed 2 failed: no space (log: runs/b/log.txt)"
    assert divergences(ladder) == ["C, seed 0: DIVERGED at 9", "C, seed 2: DIVERGED at 9"]
    assert divergence_counts(ladder) == {"C": 2}


def test_older_records_name_no_seeds(make_report: Callable[..., Path]) -> None:
    records = ReportRecords(make_report(letters="A", seeds=2, failures=[{"label": "B", "seed": 5, "reason": "x"}]))
    ladder, runs = records.ladder(), records.runs()
    assert planned_seeds(ladder, runs) == [0, 1, 5]
    assert {hole.seed for hole in missing_runs(ladder, runs) if hole.label == "A"} == {5}
    assert divergences(ladder) == [] and divergence_counts(ladder) == {}


def test_without_any_seed_arms_are_missing(make_report: Callable[..., Path]) -> None:
    records = ReportRecords(make_report(letters=""))
    assert [str(hole) for hole in missing_runs(records.ladder(), [])] == [f"{arm} has no record" for arm in "ABCDEF"]
