"""All figures of a report, each as PNG and as PDF in figures/, and which of them there were numbers for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.report_records import RunRecord
from experiments.reporting.cost import draw_cost
from experiments.reporting.curves import draw_curves
from experiments.reporting.effects import draw_effects
from experiments.reporting.evidence import Evidence
from experiments.reporting.montage import draw_comparison, draw_references
from experiments.reporting.plots import draw_bars
from experiments.reporting.style import remove
from experiments.reporting.summary import Table
from experiments.reporting.tables import CONTENT
from experiments.reporting.tradeoff import draw_tradeoff
from experiments.reporting.waterfall import draw_waterfall

FIGURES = (
    *("comparison", "reference", "metrics", "content", "tradeoff", "curves"),
    *("waterfall", "cost", "attributions"),
)


@dataclass(frozen=True)
class Figures:
    """Which figures were drawn."""

    bars: bool = False
    content: bool = False
    tradeoff: bool = False
    curves: bool = False
    comparison: bool = False
    references: tuple[str, ...] = ()  # labels of the arms in reference.png
    waterfall: bool = False
    cost: bool = False
    attributions: bool = False


def draw(
    ladder: Mapping[str, Any],
    runs: Sequence[RunRecord],
    tables: Sequence[Table],
    evidence: Evidence,
    folder: Path,
) -> Figures:
    """Draw everything that the records hold numbers or pictures for. Raises UserError where nothing can be written."""
    for name in FIGURES:  # what an earlier build drew and this one may not
        remove(folder / f"{name}.png")
    if not runs:
        return Figures()
    # Of the first protocol, one a guide: figures mix no protocols either.
    guides = dict.fromkeys(table.guide for table in tables)
    first = [next(table for table in tables if table.guide == guide) for guide in guides]
    columns = list(dict.fromkeys(column for table in first for column in table.columns))
    kept = [column for column in columns if column.role in CONTENT]
    titles = {arm["label"]: arm["title"] for arm in ladder["arms"]}
    return Figures(
        bars=draw_bars(first, [column for column in columns if column not in kept], folder / "metrics.png"),
        content=draw_bars(first, kept, folder / "content.png"),
        tradeoff=draw_tradeoff(first, evidence.design.rungs, folder / "tradeoff.png"),
        curves=draw_curves(runs, folder / "curves.png"),
        comparison=draw_comparison(ladder["arms"], runs, folder / "comparison.png"),
        references=tuple(draw_references(ladder["arms"], runs, folder / "reference.png")),
        waterfall=draw_waterfall(evidence, titles, folder / "waterfall.png"),
        cost=draw_cost(runs, evidence, folder / "cost.png"),
        attributions=draw_effects(evidence, folder / "attributions.png"),
    )
