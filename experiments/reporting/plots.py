"""Metrics by rung as bars, and the style that all charts of a report share. Equal records give equal bytes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from experiments.reporting.labels import arrow, metric, of_metric, plural
from experiments.reporting.summary import Cell, Column, Table

# Okabe and Ito's colours, told apart by colour-blind readers.
COLOURS = {"latent": "#0072B2", "reference": "#E69F00"}
REAL, SOURCE, INK, FAINT = "#009E73", "#CC79A7", "#222222", "#8A8A8A"
REFERENCE_LINES: dict[str, dict[str, Any]] = {"real": {"color": REAL}, "source": {"color": SOURCE, "ls": (0, (4, 2))}}
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "text.color": INK,
    "figure.dpi": 120,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
MOST_ARMS = 40  # in a chart; the tables have all
VALUE_LABELS = 8  # arms, at most, for a number over every bar


@contextmanager
def house_style() -> Iterator[None]:
    """What a person's own matplotlibrc says does not count here."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def save(figure: Figure, path: Path) -> None:
    """Write a PNG without a date or a version in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", metadata={"Software": None})


def draw_bars(tables: Sequence[Table], columns: Sequence[Column], path: Path) -> bool:
    """These columns by rung: bars are means over runs, rings are runs. tables: one a guide. False: nothing to draw."""
    arms = list(dict.fromkeys(line.label for table in tables for line in table.arms if line.runs))[:MOST_ARMS]
    if not columns or not arms:
        return False
    with house_style():
        wide = max(3.1, 0.34 * len(arms))
        cells = len(columns) + 1  # the last one holds the keys
        across = min(cells, max(1, int(10.5 / wide)))
        down = math.ceil(cells / across)
        figure = Figure(figsize=(wide * across, 2.45 * down), layout="constrained")
        grid = figure.subplots(down, across, squeeze=False).flatten()
        for axes, column in zip(grid, columns, strict=False):
            _bars(axes, tables, column, arms)
        for axes in grid[len(columns) :]:
            axes.axis("off")
        grid[len(columns)].legend(handles=_keys(tables, columns), loc="center left", handlelength=1.8, labelspacing=0.8)
        save(figure, path)
    return True


def _bars(axes: Axes, tables: Sequence[Table], column: Column, arms: Sequence[str]) -> None:
    shown = [table for table in tables if column in table.columns]
    width = 0.74
    tops = []
    for table in shown:
        for line in table.arms:
            if line.label not in arms or column not in line.cells:
                continue
            sharing = [t.guide for t in shown if any(o.label == line.label and column in o.cells for o in t.arms)]
            own = width / len(sharing)
            place = arms.index(line.label) + own * (sharing.index(table.guide) - (len(sharing) - 1) / 2)
            cell = line.cells[column]
            values = _finite(column, cell)
            if not values:
                continue
            mean = sum(values) / len(values)
            tops.append((place, max(values), mean, own))
            axes.bar(place, mean, own * 0.92, color=COLOURS[table.guide], alpha=0.85, lw=0)
            if len(values) > 1:
                places = place + np.linspace(-0.25, 0.25, len(values)) * own
                size = 3.2 if len(values) <= 5 else 2.2
                axes.plot(places, values, "o", ms=size, mfc="white", mec=INK, mew=0.2 * size, zorder=4)
    _reference_lines(axes, shown, column)
    axes.grid(True, axis="y")
    axes.set_title(f"{column.shown.label} {arrow(column.direction)}", pad=17)
    details = [metric(column.metric).unit, plural(column.outputs, "output")]
    axes.annotate(
        " · ".join(detail for detail in details if detail),
        (0, 1),
        (0, 5),
        xycoords="axes fraction",
        textcoords="offset points",
        color="#666666",
        size=8,
    )
    axes.set_xlim(-0.6, len(arms) - 0.4)
    long = max((len(label) for label in arms), default=0) > 3 or len(arms) > 16
    axes.set_xticks(range(len(arms)), arms, rotation=90 if long else 0)
    axes.tick_params(axis="x", length=0)
    axes.margins(y=0.22)
    if metric(column.metric).percent:
        axes.set_yticks([0, 25, 50, 75, 100])
    if len(arms) <= VALUE_LABELS:
        for place, top, mean, own in tops:
            text = of_metric(column.metric, mean / 100 if metric(column.metric).percent else mean)
            narrow = own < 0.5
            axes.annotate(
                text,
                (place, max(top, 0)),
                (0, 4),
                textcoords="offset points",
                ha="center",
                va="bottom",
                size=7 if narrow else 7.5,
                rotation=90 if narrow else 0,
                zorder=5,
                path_effects=[withStroke(linewidth=2, foreground="white")],
            )
    missing = [n for n, label in enumerate(arms) if not any(abs(place - n) < 0.5 for place, *_ in tops)]
    for place in missing:
        axes.text(place, 0, "–", ha="center", va="bottom", color=FAINT)


def _keys(tables: Sequence[Table], columns: Sequence[Column]) -> list[Patch | Line2D]:
    keys: list[Patch | Line2D] = [Patch(color=COLOURS[table.guide], label=f"{table.guide}-guided") for table in tables]
    if any(line.runs > 1 for table in tables for line in table.arms):
        keys.append(Line2D([], [], ls="", marker="o", ms=4, mfc="white", mec=INK, label="one run"))
    for name, style in REFERENCE_LINES.items():
        line = tables[0].reference(name)
        if line is not None and any(column in line.cells for column in columns):
            keys.append(Line2D([], [], lw=1.6, label=line.title.lower(), **style))
    return keys


def _reference_lines(axes: Axes, tables: Sequence[Table], column: Column) -> None:
    for name, style in REFERENCE_LINES.items():
        line = tables[0].reference(name) if tables else None
        if line is not None and column in line.cells and _finite(column, line.cells[column]):
            axes.axhline(_finite(column, line.cells[column])[0], lw=1.6, zorder=3, **style)


def axis_label(column: Column) -> str:
    """What an axis shows, with its unit."""
    known = column.shown
    unit = f" ({known.unit})" if known.unit else ""
    return f"{known.label}{unit}, {plural(column.outputs, 'output')}"


def _finite(column: Column, cell: Cell) -> list[float]:
    scale = 100 if metric(column.metric).percent else 1
    return [scale * value for value in cell.values if math.isfinite(value)]
