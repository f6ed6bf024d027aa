"""One side of a comparison of two reports: what it measured, and the settings in which the two differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.config import Config
from core.errors import UserError
from core.settings import leaves
from experiments.report_records import ReportRecords, RunRecord
from experiments.reporting.summary import Cell, Column, Table, ladder_tables, references_frame, results_frame

Key = tuple[str, str, int]  # guide, metric, outputs
Numbers = dict[str, tuple[Column, Mapping[str, Cell]]]  # protocol -> the number's column, {arm: cell}


@dataclass(frozen=True)
class Side:
    """One of the two reports."""

    name: str
    ladder: Mapping[str, Any]
    runs: tuple[RunRecord, ...]
    tables: tuple[Table, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The arms that have a finished run, in order."""
        return tuple(dict.fromkeys(run.label for run in self.runs))

    def config(self, label: str) -> Mapping[str, Any]:
        """The settings of an arm's runs."""
        return next(run.result.config for run in self.runs if run.label == label)

    def measured(self) -> dict[Key, Numbers]:
        """Every number, and with which protocols; finite ones alone."""
        found: dict[Key, Numbers] = {}
        for table in self.tables:
            for column in table.columns:
                cells = {line.label: line.cells[column] for line in table.arms if column in line.cells}
                known = {label: cell for label, cell in cells.items() if math.isfinite(cell.mean)}
                key = (table.guide, column.metric, column.outputs)
                found.setdefault(key, {})[table.protocols[column.metric]] = (column, known)
        return found


@dataclass(frozen=True)
class Setting:
    """A setting that differs, and in which of the shared arms."""

    path: str
    ours: object
    theirs: object
    labels: tuple[str, ...]


def read_side(report: Path) -> Side:
    """A report's records. Raises UserError where no run has finished."""
    records = ReportRecords(report)
    ladder, runs = records.ladder(), records.runs()
    if not runs:
        raise UserError(f"{report.name}: no run has finished, so there is nothing to compare. Train its ladder first.")
    return Side(
        report.name, ladder, tuple(runs), tuple(ladder_tables(ladder, results_frame(runs), references_frame(ladder)))
    )


def differing_settings(ours: Side, theirs: Side, shared: Sequence[str]) -> tuple[Setting, ...]:
    """What differs between the arms' settings and changes results."""
    harmless = {"seed", *(path for path, item, _ in leaves(Config()) if not item.metadata.get("identity", True))}
    differing: dict[tuple[str, str], Setting] = {}
    for label in shared:
        first, second = ours.config(label), theirs.config(label)
        for path in sorted({*first, *second} - harmless):
            pair = (first.get(path), second.get(path))
            if pair[0] != pair[1]:
                known = differing.get((path, repr(pair)))
                labels = (*known.labels, label) if known else (label,)
                differing[path, repr(pair)] = Setting(path, *pair, labels)
    return tuple(differing[key] for key in sorted(differing))
