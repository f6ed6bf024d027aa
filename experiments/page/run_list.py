"""Every arm's runs, for who follows a number to what it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.report_records import RunRecord
from experiments.reporting.labels import of_metric, seconds
from experiments.reporting.summary import Cell, Column, Table
from experiments.reporting.tables import CONTENT, NOTHING


@dataclass(frozen=True)
class RunView:
    """One run."""

    seed: int
    values: tuple[str, ...]
    digest: str
    device: str
    time: str
    file: str  # from the report's folder


@dataclass(frozen=True)
class ArmRuns:
    """Those of one arm."""

    anchor: str
    label: str
    title: str
    headings: tuple[str, ...]
    runs: tuple[RunView, ...]


def anchors_of(ladder: Mapping[str, Any], runs: Sequence[RunRecord]) -> dict[str, str]:
    """{label: the id of the list of its runs}: numbered, for a label is no id."""
    there = {run.label for run in runs}
    return {arm["label"]: f"runs-{n}" for n, arm in enumerate(ladder["arms"], start=1) if arm["label"] in there}


def run_lists(ladder: Mapping[str, Any], runs: Sequence[RunRecord], tables: Sequence[Table]) -> list[ArmRuns]:
    """One for each arm that has a run, with the metrics of every table that it is in."""
    found = []
    for arm in ladder["arms"]:
        own = [run for run in runs if run.label == arm["label"]]
        cells = [
            (f"{column.shown.label}, {column.outputs}, {table.guide}", column, line.cells[column])
            for table in tables
            for line in table.arms
            for column in table.columns
            if line.label == arm["label"] and column in line.cells and column.role not in CONTENT
        ]
        if own:
            anchor = anchors_of(ladder, runs)[arm["label"]]
            headings = tuple(dict.fromkeys(heading for heading, _, _ in cells))
            found.append(
                ArmRuns(anchor, arm["label"], arm["title"], headings, tuple(_view(run, headings, cells) for run in own))
            )
    return found


def _view(run: RunRecord, headings: Sequence[str], cells: Sequence[tuple[str, Column, Cell]]) -> RunView:
    seed = run.result.seed
    values = {
        heading: of_metric(column.metric, cell.by_seed[seed]) for heading, column, cell in cells if seed in cell.by_seed
    }
    return RunView(
        seed,
        tuple(values.get(heading, NOTHING) for heading in headings),
        run.result.digest,
        run.result.device,
        seconds(run.result.train_seconds),
        f"records/{run.folder.name}/result.json",
    )
