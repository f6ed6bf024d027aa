"""Write a report's tables/: for programs as CSV, for papers as LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from experiments.files import write_or_remove
from experiments.reporting.attributions import attributions_frame, attributions_latex, interactions_frame
from experiments.reporting.contrasts import contrasts_frame, contrasts_latex
from experiments.reporting.evidence import Evidence
from experiments.reporting.measured import intervals_frame
from experiments.reporting.summary import Table
from experiments.reporting.tables import ladder_frame, latex_table
from experiments.reporting.verdicts import rankings_frame, verdict_frame


def write_tables(
    folder: Path,
    results: pd.DataFrame,
    references: pd.DataFrame,
    tables: Sequence[Table],
    evidence: Evidence,
    source: str,
) -> list[str]:
    """Write what there is, remove what an earlier build wrote and this one does not; the names of what is there."""
    frames = {
        "results.csv": results,
        "references.csv": references.drop(columns="seed"),
        "ladder.csv": ladder_frame(tables),
        "intervals.csv": intervals_frame(evidence.measured),
        "contrasts.csv": contrasts_frame(evidence),
        "attributions.csv": attributions_frame(evidence),
        "interactions.csv": interactions_frame(evidence),
        "verdict.csv": verdict_frame(evidence),
        "rankings.csv": rankings_frame(evidence),
    }
    always = ("results.csv", "references.csv", "ladder.csv")
    texts = {
        name: frame.to_csv(index=False, lineterminator="\n") if len(frame) or name in always else ""
        for name, frame in frames.items()
    }
    texts |= {
        "ladder.tex": latex_table(tables, source) or "\n",
        "contrasts.tex": contrasts_latex(evidence),
        "attributions.tex": attributions_latex(evidence),
    }
    return write_or_remove(folder, texts)
