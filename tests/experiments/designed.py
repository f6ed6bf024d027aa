"""Records of a design's arms with made-up numbers, as a finished ladder leaves them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from ablations.designs import Design, build_design
from ablations.rung import Ladder
from ablations.stargan import LADDER
from core.config import Config, as_flat
from experiments.description import arm_record, design_record
from experiments.files import write_json
from experiments.records import Result
from experiments.report_records import ReportRecords, RunRecord
from experiments.reporting.evidence import Evidence, gather
from experiments.reporting.summary import Table, ladder_tables, references_frame, results_frame
from tests.experiments.conftest import ladder_of, row

PAIRS = (("cat", "dog"), ("dog", "cat"))
Rows = list[dict[str, Any]]
Value = Callable[[frozenset[str], int], float]  # combination of sub-changes, seed -> the distance of its first pair


def rows_of(distance: float, *, many: bool) -> Rows:
    """One run's: its distance, 2 more for the second pair; diversity falls with it, at ten outputs."""
    rows = []
    for number, pair in enumerate(PAIRS):
        value = distance + 2 * number
        rows.append(row("judge_frechet", value, *pair))
        rows.append(row("recognised", 0.75, *pair, reference_samples=0))
        rows.append(row("position_error", 0.1, *pair, reference_samples=0))
        if many:
            rows.append(row("judge_diversity", 3 - value / 40, *pair, outputs=10, samples=500, reference_samples=0))
    return rows


def design_of_ladder(name: str, ladder: Ladder = LADDER) -> tuple[Design, dict[str, Any]]:
    """A design and the record of a ladder that was made by it."""
    design = build_design(name, ladder, Config())
    arms = [arm_record(arm, ladder) for arm in design.arms]
    return design, {**ladder_of(("cat", "dog")), "arms": arms, "design": design_record(design, ladder)}


def designed(report: Path, name: str, value: Value, seeds: int = 3, skipped: Sequence[str] = ()) -> Path:
    """Write the records of a design, but for the arms that are skipped."""
    design, ladder = design_of_ladder(name)
    ReportRecords(report).write_ladder({**ladder, "seeds": list(range(seeds))})
    largest = sorted(design.members.items(), key=lambda member: len(member[0]))
    combinations = {label: combination for combination, label in largest}
    for arm in design.arms:
        for seed in range(seeds) if arm.label not in skipped else ():
            rows = rows_of(value(combinations[arm.label], seed), many=arm.config.model.code != "label")
            write_run(report, arm.label, seed, rows, as_flat(arm.config))
    return report


def write_run(report: Path, label: str, seed: int, rows: Rows, config: Mapping[str, Any]) -> None:
    """One run's record, without pictures and curves."""
    result = Result(
        digest="d",
        seed=seed,
        config={**config, "seed": seed},
        iterations=40,
        generator_updates=40,
        images_seen=320,
        parameters={"generator": 1000},
        train_seconds=16.0,
        evaluate_seconds=2.0,
        peak_memory_bytes=2**30,
        device="cpu",
        environment={"python": "3.11.7"},
        rows=tuple(rows),
        pictures={"tile": 8, "domains": ["cat", "dog"], "sources": 2, "latents": 2},
    )
    folder = report / "records" / f"{label}-s{seed}"
    write_json(folder / "result.json", asdict(result))
    (folder / "curves.jsonl").write_text('{"iteration": 1, "d/latent/real": 1.0}\n')


def read(report: Path) -> tuple[dict[str, Any], list[RunRecord], pd.DataFrame, list[Table]]:
    """Ladder, runs, results and tables of a report's records."""
    records = ReportRecords(report)
    ladder, runs = records.ladder(), records.runs()
    results = results_frame(runs)
    return ladder, runs, results, ladder_tables(ladder, results, references_frame(ladder))


def evidence_of(report: Path, **changes: Any) -> Evidence:
    """What its records show. changes: of the ladder's record."""
    ladder, _, results, tables = read(report)
    return gather({**ladder, **changes}, results, tables)
