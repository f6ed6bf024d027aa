"""Every number's intervals and spreads, as a table for programs; and how far evaluation alone moves a number."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from experiments.reporting.evidence import Measured
from experiments.reporting.intervals import frame_bounds
from experiments.reporting.labels import heading, markdown_text, of_metric
from experiments.reporting.tables import NOTHING, markdown_table


def column_heading(measured: Measured) -> str:
    """Of a table's column, e.g. `FID, 10 outputs ↓`."""
    column = measured.column
    return heading(column.shown, column.outputs, column.direction)


def frame_start(measured: Measured) -> dict[str, object]:
    """What names the number in every table of the evidence."""
    column = measured.column
    return {
        "guide": measured.guide,
        "metric": column.metric,
        "outputs": column.outputs,
        "protocol": measured.protocol,
    }


def whole_numbers(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The frame with these counts as whole numbers, also where one is missing."""
    return frame.astype({name: "Int64" for name in columns if name in frame})


def intervals_frame(measured: Sequence[Measured]) -> pd.DataFrame:
    """One row a number and arm: mean with its t interval, interquartile mean with its own, and the two spreads."""
    rows = []
    for one in measured:
        for label, interval in one.intervals.items():
            if interval.n:
                spread = one.spreads.get(label)
                rows.append(
                    {
                        **frame_start(one),
                        "arm": label,
                        "seeds": interval.n,
                        **frame_bounds("mean", interval),
                        "level": interval.level,
                        **frame_bounds("interquartile_mean", one.pooled.get(label)),
                        "spread_of_trainings": spread.training if spread else None,
                        "spread_of_evaluations": spread.evaluation if spread else None,
                        "evaluations": spread.evaluations if spread else 1,
                        "note": interval.note,
                    }
                )
    return pd.DataFrame(rows)


def spreads_table(measured: Sequence[Measured]) -> str:
    """Standard deviations over trainings and over evaluations of the same training, by arm; empty without any."""
    shown = [one for one in measured if one.spreads]
    labels = dict.fromkeys(label for one in shown for label in one.spreads)
    rows = [[f"**{markdown_text(label)}**", *(_spread(one, label) for one in shown)] for label in labels]
    return markdown_table(["", *map(column_heading, shown)], rows) if rows else ""


def _spread(measured: Measured, label: str) -> str:
    found = measured.spreads.get(label)
    if found is None:
        return NOTHING
    name = measured.column.metric
    trainings, evaluations = (
        NOTHING if math.isnan(value) else of_metric(name, value) for value in (found.training, found.evaluation)
    )
    return f"{trainings} : {evaluations}<br><sub>{found.trainings} × {found.evaluations}</sub>"
