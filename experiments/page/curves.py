"""Loss curves for a chooser: smoothed, thinned to what a screen shows, as plain numbers for the page's script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource

from experiments.page.charts import Chart, between, hover, paint, start, text_style
from experiments.report_records import RunRecord
from experiments.reporting.curves import TERMS, WINDOW, curve, running_median

HEIGHT = 400  # pixels
MOST_NUMBERS = 50_000  # of all curves together, about six bytes each
POINTS = (24, 160)  # of a curve: at least, at most
GUIDES = ("latent", "reference")


def curve_data(runs: Sequence[RunRecord], arms: Sequence[str]) -> dict[str, Any] | None:
    """Every term of every run; None where there is none.

    {"terms": names, "updates": [[...]], "curves": [[term, arm, seed, which of the updates, values]]}; term and arm
    count from 0, values that are not finite are null.
    """
    found = {
        (f"{title}, {guide}-guided", run.label, run.result.seed): line
        for title, names, _ in TERMS.values()
        for guide in GUIDES
        for run in runs
        if (line := _smoothed(run, [name.format(guide) for name in names])) is not None
    }
    if not found:
        return None
    terms = list(dict.fromkeys(term for term, _, _ in found))
    most = max(POINTS[0], min(POINTS[1], MOST_NUMBERS // len(found)))
    updates: dict[tuple[int, ...], int] = {}
    lines = []
    for (term, label, seed), (x, y) in found.items():
        chosen = np.unique(np.linspace(0, len(x) - 1, min(most, len(x))).round().astype(int))
        across = tuple(round(value) for value in x[chosen])
        place = updates.setdefault(across, len(updates))
        lines.append([terms.index(term), arms.index(label), seed, place, [_short(value) for value in y[chosen]]])
    return {"terms": terms, "updates": [list(across) for across in updates], "curves": lines}


def curves_chart(key: str) -> Chart:
    """The plot that the script fills with the chosen curves."""
    across, up = between(0, 1, name="across"), between(0, 1, name="up")
    plot = start(height=HEIGHT, x="generator updates", y="loss before its weight", x_range=across, y_range=up)
    lines = ColumnDataSource({name: [] for name in ("xs", "ys", "colour", "role", "dash", "name")}, name="curves")
    ends = ColumnDataSource({name: [] for name in ("x", "y", "name")}, name="ends")
    drawn = plot.multi_line(xs="xs", ys="ys", line_color="colour", line_dash="dash", line_width=1.8, source=lines)
    written = plot.text(
        x="x", y="y", text="name", x_offset=4, text_baseline="middle", source=ends, **text_style(bold=True)
    )
    paint(written.glyph, text_color="ink")
    hover(plot, drawn, [("", "@name"), ("updates", "$x{0,0}"), ("loss", "$y{0.000}")])
    return Chart(key, "", "Loss curves of the chosen rungs and term, over generator updates", plot)


def _smoothed(run: RunRecord, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray] | None:
    x, y = curve(run, names)
    return (x, running_median(y, 2 * int(WINDOW * len(x) / 2) + 1)) if len(x) else None


def _short(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


def default_arms(arms: Sequence[str], rungs: Sequence[str], data: Mapping[str, Any], most: int = 6) -> list[str]:
    """What is drawn at first: rungs that have a curve."""
    drawn = {arms[arm] for _, arm, *_ in data["curves"]}
    return [label for label in [*rungs, *arms] if label in drawn][:most]
