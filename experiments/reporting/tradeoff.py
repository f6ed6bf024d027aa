"""Quality against diversity: the distance to real images over how much the outputs of one source differ."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.reporting.labels import listed
from experiments.reporting.names import place_names
from experiments.reporting.plots import MOST_ARMS, axis_label
from experiments.reporting.style import (
    COLOURS,
    COLUMN,
    DASHES,
    FAINT,
    GREY,
    INK,
    MARKERS,
    REAL,
    SMALL,
    TEXT,
    fitted,
    house_style,
    save,
)
from experiments.reporting.summary import Column, Line, Table
from experiments.reporting.whiskers import seeds_words, view, whisker
from experiments.statistics import Interval, t_interval

FEW = 8  # points that a column's width is enough for
LEFT, TOP, BOTTOM = 0.48, 0.5, 0.55  # inches beside, over and under the chart
MARGIN = 0.62  # inches for the names of dotted lines
LINE = 8.0  # points between these
REAL_NAME = "real images"

Place = tuple[Interval, Interval]  # diversity, distance


def draw_tradeoff(tables: Sequence[Table], rungs: Collection[str], path: Path) -> bool:
    """Draw the arms of every guide's table; false, and no file, where no arm has both numbers.

    rungs: labels of the arms that a line joins, in the tables' order.
    """
    distance, diversity = tables[0].column("distance"), tables[0].column("diversity", many=True)
    if distance is None or diversity is None:
        return False
    trails = {table.guide: _places(table.arms, diversity, distance) for table in tables}
    if not any(trails.values()):
        return False
    single = {
        line.label: _interval(line, distance).mean
        for line in _with(tables[0].arms, distance)
        if diversity not in line.cells
    }
    single = dict(itertools.islice(single.items(), MOST_ARMS))
    real = _places([line for line in tables[0].references if line.label == "real"], diversity, distance)
    points = [place for trail in trails.values() for place in trail.values()]
    seeds = max(place[1].n for place in points)
    with house_style():
        wide, tall = (COLUMN, 3.2) if len(points) <= FEW else (TEXT, 4.4)
        figure = Figure(figsize=(wide, tall))
        right = MARGIN if single else 0.1
        axes = figure.add_axes((LEFT / wide, BOTTOM / tall, (wide - LEFT - right) / wide, (tall - TOP - BOTTOM) / tall))
        axes.grid(True)
        shown = [*points, *real.values()]
        heights = [*single.values(), *(place[1].mean for place in shown)]
        axes.set_xlim(*view([place[0].mean for place in shown], [place[0] for place in shown], least=0))
        axes.set_ylim(*view(heights, [place[1] for place in shown], least=0))
        axes.locator_params(nbins=6)
        for guide, trail in trails.items():
            _trail(axes, trail, rungs, guide)
        for place in real.values():
            axes.plot(place[0].mean, place[1].mean, "*", ms=10, color=REAL, mec="white", zorder=5)
        homeless = _names(axes, trails, real)
        _single_outputs(axes, single)
        axes.set_xlabel(f"{axis_label(diversity)} (more diverse →)", size=SMALL)
        axes.set_ylabel(f"{axis_label(distance)} (← closer to real images)", size=SMALL)
        _keys(figure, trails, bool(single))
        words = seeds_words(seeds).capitalize() + ("; no room for some names" if homeless else "")
        figure.text(0.02 / wide, 0.04 / tall, fitted(words, wide, SMALL), size=SMALL, color=GREY, va="bottom")
        save(figure, path)
    return True


def _trail(axes: Axes, trail: Mapping[str, Place], rungs: Collection[str], guide: str) -> None:
    """A guide's arms with both intervals; rungs are joined."""
    colour = COLOURS[guide]
    means = [(across.mean, up.mean) for label, (across, up) in trail.items() if label in rungs]
    if 1 < len(means) <= FEW:
        axes.plot(*zip(*means, strict=True), color=colour, ls=DASHES[guide], lw=0.9, alpha=0.6, zorder=2)
    for across, up in trail.values():
        whisker(axes, across, up.mean, "x", colour=colour, width=0.7)
        whisker(axes, up, across.mean, "y", colour=colour, width=0.7)
        axes.plot(across.mean, up.mean, MARKERS[guide], ms=5.5, color=colour, mec="white", mew=0.7, zorder=5)


def _names(axes: Axes, trails: Mapping[str, Mapping[str, Place]], real: Mapping[str, Place]) -> list[str]:
    """Every guide's arms by name. Gives the names that found no room."""
    # One call, so that names of two guides avoid each other; blanks tell equal names apart.
    named = {
        label + " " * number: (across.mean, up.mean)
        for number, trail in enumerate(trails.values())
        for label, (across, up) in trail.items()
    }
    for across, up in real.values():
        named[REAL_NAME] = (across.mean, up.mean)
    return place_names(axes, named, colours={REAL_NAME: REAL})


def _single_outputs(axes: Axes, heights: Mapping[str, float]) -> None:
    """A dotted line for each arm without a diversity, named at its right end."""
    for height in heights.values():
        axes.axhline(height, color=FAINT, lw=0.8, ls=(0, (1, 2)), zorder=1)
    per_point = np.diff(axes.get_ylim())[0] / (axes.get_window_extent().height * 72 / axes.figure.dpi)
    groups: list[tuple[list[str], float]] = []
    for label, height in sorted(heights.items(), key=lambda item: item[1]):
        if groups and height - groups[-1][1] < LINE * per_point:
            groups[-1][0].append(label)
        else:
            groups.append(([label], height))
    for labels, height in groups:
        shown = ", ".join(labels)
        if fitted(shown, MARGIN - 0.06, SMALL) != shown:
            shown = fitted(listed(labels, 1), MARGIN - 0.06, SMALL)
        place = (axes.get_xlim()[1], height)
        axes.annotate(shown, place, (3, 0), textcoords="offset points", va="center", color=INK, size=SMALL)


def _keys(figure: Figure, trails: Mapping[str, Mapping[str, Place]], single: bool) -> None:
    keys = [
        Line2D([], [], color=COLOURS[g], marker=MARKERS[g], ls=DASHES[g], ms=5, mec="white", label=f"{g}-guided")
        for g, trail in trails.items()
        if trail
    ]
    if single:
        keys.append(Line2D([], [], color=FAINT, lw=0.8, ls=(0, (1, 2)), label="one output per source: no diversity"))
    across = 2 if figure.get_size_inches()[0] < TEXT else 3
    figure.legend(
        handles=keys, loc="upper left", bbox_to_anchor=(0, 1), ncols=across, borderaxespad=0.2, columnspacing=1
    )


def _places(lines: Sequence[Line], diversity: Column, distance: Column) -> dict[str, Place]:
    found = _with(lines, diversity, distance)[:MOST_ARMS]
    return {line.label: (_interval(line, diversity), _interval(line, distance)) for line in found}


def _interval(line: Line, column: Column) -> Interval:
    return t_interval(np.array(line.cells[column].values))


def _with(lines: Sequence[Line], *columns: Column) -> list[Line]:
    """The lines that have a number in each of these columns."""
    return [line for line in lines if all(c in line.cells and math.isfinite(line.cells[c].mean) for c in columns)]
