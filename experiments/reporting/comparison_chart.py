"""Two reports beside each other as a figure: every arm's mean and interval in both, a chart a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.reporting.comparison import Compared, Comparison
from experiments.reporting.labels import metric
from experiments.reporting.plots import ACROSS, CHART, FRAME, MOST_ARMS, NARROWEST, head
from experiments.reporting.style import (
    BETTER,
    SMALL,
    TEXT,
    WORSE,
    fitted,
    house_style,
    save,
    text_width,
)
from experiments.reporting.whiskers import seeds_words, view, whisker
from experiments.statistics import Interval

MOST = 9  # charts
LOOKS = ((BETTER, "o"), (WORSE, "s"))  # ours, theirs
BESIDE = 0.16  # of an arm's place, from its middle
ORDER = ("distance", "diversity", "recognised", "kernel", "content", "spread", "other")


def draw_comparison_chart(comparison: Comparison, path: Path) -> bool:
    """Draw the numbers that are compared, latent-guided ones first; false, and no file, where there are none."""
    drawn = sorted(
        (one for one in comparison.compared if one.pairings),
        key=lambda one: (one.guide != "latent", ORDER.index(one.column.role)),
    )[:MOST]
    if not drawn:
        return False
    arms = [label for label in comparison.shared if any(label == row.label for one in drawn for row in one.pairings)]
    arms = arms[:MOST_ARMS]
    with house_style():
        across = max(1, min(ACROSS, len(drawn), int(TEXT / (NARROWEST * len(arms) + FRAME))))
        down = math.ceil(len(drawn) / across)
        upright = max(map(len, arms)) > 3
        labels = max(text_width(label, SMALL) for label in arms) if upright else 0.1
        figure = Figure(figsize=(TEXT, 0.3 + down * (CHART + labels)), layout="constrained")
        grid = figure.subplots(down, across, squeeze=False).flatten()
        for axes, one in zip(grid, drawn, strict=False):
            _chart(axes, one, arms, upright)
        for axes in grid[len(drawn) :]:
            axes.axis("off")
        _keys(figure, comparison, drawn)
        save(figure, path)
    return True


def _chart(axes: Axes, one: Compared, arms: Sequence[str], upright: bool) -> None:
    scale = 100 if metric(one.column.metric).percent else 1
    known = {row.label: row for row in one.pairings}
    rows = [(place, known[label]) for place, label in enumerate(arms) if label in known]
    sides = [
        [(place, _scaled(row.ours, scale)) for place, row in rows],
        [(place, _scaled(row.theirs, scale)) for place, row in rows],
    ]
    axes.set_xlim(-0.6, len(arms) - 0.4)
    axes.set_ylim(*view([i.mean for side in sides for _, i in side], [i for side in sides for _, i in side]))
    for side, (colour, marker), shift in zip(sides, LOOKS, (-BESIDE, BESIDE), strict=True):
        for place, interval in side:
            whisker(axes, interval, place + shift, "y", colour=colour, width=0.8)
            axes.plot(place + shift, interval.mean, marker, ms=4, color=colour, mec="white", mew=0.5, zorder=5)
    axes.grid(True, axis="y")
    axes.set_xticks(range(len(arms)), list(arms), rotation=90 if upright else 0)
    axes.tick_params(axis="x", length=0)
    head(axes, one.column, *([] if one.guide == "latent" else [f"{one.guide}-guided"]))


def _scaled(one: Interval, by: float) -> Interval:
    return Interval(one.low * by, one.mean * by, one.high * by, one.n, one.level)


def _keys(figure: Figure, comparison: Comparison, drawn: Sequence[Compared]) -> None:
    counts = [interval.n for one in drawn for row in one.pairings for interval in (row.ours, row.theirs)]
    names = [fitted(side.name, 1.8, SMALL) for side in (comparison.ours, comparison.theirs)]
    keys = [
        Line2D([], [], color=colour, marker=marker, ls="-" if max(counts) > 1 else "", ms=4, lw=0.8, label=name)
        for name, (colour, marker) in zip(names, LOOKS, strict=True)
    ]
    keys.append(Line2D([], [], ls="", label=seeds_words(*counts)))
    figure.legend(handles=keys, loc="outside upper left", ncols=3)
