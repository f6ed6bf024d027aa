"""Metrics by rung as bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from experiments.reporting.labels import arrow, metric, of_metric, plural
from experiments.reporting.style import (
    COLOURS,
    FAINT,
    GREY,
    HATCHES,
    INK,
    REAL,
    SMALL,
    SOURCE,
    TEXT,
    house_style,
    save,
    text_width,
)
from experiments.reporting.summary import Cell, Column, Table

REFERENCE_LINES: dict[str, dict[str, Any]] = {"real": {"color": REAL}, "source": {"color": SOURCE, "ls": (0, (4, 2))}}
MOST_ARMS = 40  # in a chart; the tables have all
VALUE_LABELS = 8  # arms, at most, for a number over every bar
ACROSS = 3  # charts side by side
CHART = 1.6  # inches of its height, without the arms' labels
NARROWEST = 0.15  # inches for an arm: its label, turned upright, needs as much
FRAME = 0.45  # inches of a chart's width for what stands beside its bars
DIGIT = 0.064  # inches of a number's width for each of its letters
BAR = 0.76  # of an arm's place

Top = tuple[float, float, float, float]  # of a bar: its place, its highest value, its mean, its width


def draw_bars(tables: Sequence[Table], columns: Sequence[Column], path: Path) -> bool:
    """These columns by rung: bars are means over runs, rings are runs. tables: one a guide. False: nothing to draw."""
    arms = list(dict.fromkeys(line.label for table in tables for line in table.arms if line.runs))[:MOST_ARMS]
    if not columns or not arms:
        return False
    with house_style():
        cells = len(columns) + 1  # the last one holds the keys
        across = min(cells, max(1, min(ACROSS, int(TEXT / (NARROWEST * len(arms) + FRAME)))))
        down = math.ceil(cells / across)
        labels = max(text_width(label, SMALL) for label in arms) if _upright(arms) else 0.1
        # Charts one under the other share the arms' labels, which stand under the last one.
        tall = labels + CHART * down if across == 1 else (labels + CHART) * down
        figure = Figure(figsize=(TEXT, tall), layout="constrained")
        grid = figure.subplots(down, across, squeeze=False).flatten()
        slot = (TEXT / across - FRAME) / len(arms)
        for axes, column in zip(grid, columns, strict=False):
            _bars(axes, tables, column, arms, slot)
            axes.tick_params(labelbottom=across > 1 or column == columns[-1])
        for axes in grid[len(columns) :]:
            axes.axis("off")
        grid[len(columns)].legend(handles=_keys(tables, columns), loc="center left", handlelength=2, labelspacing=0.8)
        save(figure, path)
    return True


def _bars(axes: Axes, tables: Sequence[Table], column: Column, arms: Sequence[str], slot: float) -> None:
    """One chart. slot: inches across for an arm."""
    shown = [table for table in tables if column in table.columns]
    tops: list[Top] = []
    for table in shown:
        for line in table.arms:
            if line.label not in arms or column not in line.cells:
                continue
            sharing = [t.guide for t in shown if any(o.label == line.label and column in o.cells for o in t.arms)]
            own = BAR / len(sharing)
            place = arms.index(line.label) + own * (sharing.index(table.guide) - (len(sharing) - 1) / 2)
            values = _finite(column, line.cells[column])
            if not values:
                continue
            mean = sum(values) / len(values)
            tops.append((place, max(values), mean, own))
            colour, hatch = COLOURS[table.guide], HATCHES[table.guide]
            axes.bar(place, mean, own * 0.92, color=colour, alpha=0.85, lw=0, hatch=hatch, edgecolor="white")
            if len(values) > 1:
                places = place + np.linspace(-0.3, 0.3, len(values)) * own
                size = min(3.0, max(1.2, 36 * own * slot / len(values)))
                axes.plot(places, values, "o", ms=size, mfc="white", mec=INK, mew=0.2 * size, zorder=4)
    _reference_lines(axes, shown, column)
    axes.grid(True, axis="y")
    head(axes, column)
    axes.set_xlim(-0.6, len(arms) - 0.4)
    axes.set_xticks(range(len(arms)), arms, rotation=90 if _upright(arms) else 0)
    axes.tick_params(axis="x", length=0)
    if metric(column.metric).percent:
        axes.set_yticks([0, 25, 50, 75, 100])
    if len(arms) <= VALUE_LABELS:
        _numbers(axes, column, tops, slot)
    missing = [n for n, label in enumerate(arms) if not any(abs(place - n) < 0.5 for place, *_ in tops)]
    for place in missing:
        axes.text(place, 0, "–", ha="center", va="bottom", color=FAINT)


def _numbers(axes: Axes, column: Column, tops: Sequence[Top], slot: float) -> None:
    """Over every bar its mean; upright where they have no room side by side."""
    texts = [of_metric(column.metric, mean / 100 if metric(column.metric).percent else mean) for _, _, mean, _ in tops]
    level = all(DIGIT * len(text) <= own / BAR * slot for text, (*_, own) in zip(texts, tops, strict=True))
    axes.margins(y=0.04)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + (0.12 if level else 0.3) * (high - low))
    for text, (place, top, _, _) in zip(texts, tops, strict=True):
        axes.annotate(
            text,
            (place, max(top, 0)),
            (0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            size=SMALL,
            rotation=0 if level else 90,
            zorder=5,
            path_effects=[withStroke(linewidth=2, foreground="white")],
        )


def _upright(arms: Sequence[str]) -> bool:
    """Whether the labels must stand upright to have room."""
    return max(map(len, arms)) > 3 or len(arms) > 12


def _keys(tables: Sequence[Table], columns: Sequence[Column]) -> list[Patch | Line2D]:
    keys: list[Patch | Line2D] = [
        Patch(facecolor=COLOURS[t.guide], hatch=HATCHES[t.guide], edgecolor="white", lw=0, label=f"{t.guide}-guided")
        for t in tables
    ]
    if any(line.runs > 1 for table in tables for line in table.arms):
        keys.append(Line2D([], [], ls="", marker="o", ms=3.5, mfc="white", mec=INK, label="one run"))
    for name, style in REFERENCE_LINES.items():
        line = tables[0].reference(name)
        if line is not None and any(column in line.cells for column in columns):
            keys.append(Line2D([], [], lw=1.4, label=line.title.lower(), **style))
    return keys


def _reference_lines(axes: Axes, tables: Sequence[Table], column: Column) -> None:
    for name, style in REFERENCE_LINES.items():
        line = tables[0].reference(name) if tables else None
        if line is not None and column in line.cells and _finite(column, line.cells[column]):
            axes.axhline(_finite(column, line.cells[column])[0], lw=1.4, zorder=3, **style)


def head(axes: Axes, column: Column, *details: str) -> None:
    """Over a chart: what it shows and which way is better; under that its unit, its outputs and other details."""
    axes.set_title(f"{column.shown.label} {arrow(column.direction)}", pad=14)
    words = [metric(column.metric).unit, plural(column.outputs, "output"), *details]
    axes.annotate(
        " · ".join(word for word in words if word),
        (0, 1),
        (0, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        color=GREY,
        size=SMALL,
    )


def axis_label(column: Column) -> str:
    """What an axis shows, with its unit."""
    known = column.shown
    unit = f" ({known.unit})" if known.unit else ""
    return f"{known.label}{unit}, {plural(column.outputs, 'output')}"


def way(column: Column) -> str:
    """Which way along an axis is better."""
    return {"lower": "(← better)", "higher": "(better →)"}.get(column.direction, "")


def _finite(column: Column, cell: Cell) -> list[float]:
    scale = 100 if metric(column.metric).percent else 1
    return [scale * value for value in cell.values if math.isfinite(value)]
