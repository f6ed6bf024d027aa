"""Quality against diversity: the distance to real images over how much the outputs of one source differ."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.reporting.labels import listed
from experiments.reporting.plots import COLOURS, FAINT, INK, MOST_ARMS, REAL, axis_label, house_style, save
from experiments.reporting.summary import Column, Line, Table

NAMED = 3  # names at one place; of the others, how many
NEAR = 0.035  # of the chart's width and height: names closer than this stand together


def draw_tradeoff(tables: Sequence[Table], path: Path) -> bool:
    """Draw the arms of every guide's table; false, and no file, where no arm has both numbers."""
    distance, diversity = tables[0].column("distance"), tables[0].column("diversity", many=True)
    if distance is None or diversity is None:
        return False
    trails = {table.guide: _with(table.arms, distance, diversity)[:MOST_ARMS] for table in tables}
    if not any(trails.values()):
        return False
    single = [line for line in _with(tables[0].arms, distance) if diversity not in line.cells][:MOST_ARMS]
    real = _with([line for line in tables[0].references if line.label == "real"], distance, diversity)
    points = [
        (line.cells[diversity].mean, line.cells[distance].mean) for line in [*itertools.chain(*trails.values()), *real]
    ]
    right = 1.1 * max(x for x, _ in points)
    top = 1.1 * max([y for _, y in points] + [line.cells[distance].mean for line in single])
    with house_style():
        figure = Figure(figsize=(6.6, 4.4), layout="constrained")
        axes = figure.subplots()
        axes.grid(True)
        axes.set_xlim(0, right or 1)
        axes.set_ylim(0, top if top > 0 else 1)
        for guide, lines in trails.items():
            _trail(axes, lines, distance, diversity, COLOURS[guide])
        _single_outputs(axes, single, distance)
        for line in real:
            x, y = line.cells[diversity].mean, line.cells[distance].mean
            axes.plot(x, y, "*", ms=13, color=REAL, mec="white", zorder=4)
            _name(axes, line.title.lower(), x, y, REAL, (-8, 7), "right")
        axes.set_xlabel(f"{axis_label(diversity)} (further right: more diverse)")
        axes.set_ylabel(f"{axis_label(distance)} (lower: closer to real images)")
        keys = [
            Line2D([], [], color=COLOURS[guide], marker="o", ms=7, mec="white", label=f"{guide}-guided")
            for guide, lines in trails.items()
            if lines
        ]
        if single:
            keys.append(
                Line2D([], [], color=FAINT, lw=0.9, ls=(0, (1, 2)), label="one output per source: no diversity")
            )
        figure.legend(handles=keys, loc="outside upper left", ncols=3)
        save(figure, path)
    return True


def _trail(axes: Axes, lines: Sequence[Line], distance: Column, diversity: Column, colour: str) -> None:
    """A guide's arms in the ladder's order, joined; single runs as small rings."""
    places = {line.label: (line.cells[diversity].mean, line.cells[distance].mean) for line in lines}
    if places:
        axes.plot(*zip(*places.values(), strict=True), color=colour, lw=1, alpha=0.6, zorder=2)
    for line in lines:
        x, y = line.cells[diversity].by_seed, line.cells[distance].by_seed
        both = [(x[seed], y[seed]) for seed in y if seed in x]
        if len(both) > 1:
            axes.plot(*zip(*both, strict=True), "o", ms=3, mfc="white", mec=colour, mew=0.8, zorder=2)
        axes.plot(*places[line.label], "o", ms=8, color=colour, mec="white", zorder=3)
    for labels, (across, up) in _together(places, axes):
        _name(axes, labels, across, up, INK, (0, 7), "center")


def _single_outputs(axes: Axes, lines: Sequence[Line], distance: Column) -> None:
    """A dotted line for each arm without a diversity, named at its right end."""
    for line in lines:
        axes.axhline(line.cells[distance].mean, color=FAINT, lw=0.9, ls=(0, (1, 2)), zorder=1)
    right = axes.get_xlim()[1]
    for labels, place in _together({line.label: (right, line.cells[distance].mean) for line in lines}, axes):
        axes.annotate(labels, place, (4, 0), textcoords="offset points", va="center", color="#555555")


def _with(lines: Sequence[Line], *columns: Column) -> list[Line]:
    """The lines that have a number in each of these columns."""
    return [line for line in lines if all(c in line.cells and math.isfinite(line.cells[c].mean) for c in columns)]


def _name(axes: Axes, text: str, x: float, y: float, colour: str, offset: tuple[int, int], side: str) -> None:
    axes.annotate(text, (x, y), offset, textcoords="offset points", ha=side, color=colour, weight="bold", zorder=5)


def _together(places: dict[str, tuple[float, float]], axes: Axes) -> list[tuple[str, tuple[float, float]]]:
    """Names and where they stand; one that would cover an earlier one joins it."""
    wide, tall = axes.get_xlim()[1], axes.get_ylim()[1]
    groups: list[tuple[list[str], tuple[float, float]]] = []
    for label, (x, y) in places.items():
        for labels, (across, up) in groups:
            if abs(x - across) < NEAR * wide and abs(y - up) < NEAR * tall:
                labels.append(label)
                break
        else:
            groups.append(([label], (x, y)))
    return [(listed(labels, NAMED), place) for labels, place in groups]
