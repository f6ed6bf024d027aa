"""Rows of effects under one axis: on the left what each is called and comes to, beside it its interval and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.reporting.evidence import Finding
from experiments.reporting.style import BETTER, FAINT, GREY, INK, SMALL, TITLE, WORSE, fitted
from experiments.reporting.whiskers import view, whisker
from experiments.statistics import Interval

ROW, HEAD, FOOT = 0.33, 0.46, 0.4  # inches: a row, the heading over the rows, the axis under them
MOST_SEEDS = 40  # drawn of a row

COLOUR = {"better": BETTER, "worse": WORSE, "not resolved": GREY}


@dataclass(frozen=True)
class Row:
    """One effect."""

    name: str
    words: str  # its numbers and what is known of it
    effect: Interval
    seeds: Sequence[float]  # each seed's
    finding: Finding


def height(rows: int) -> float:
    """Inches of a panel with so many rows."""
    return HEAD + rows * ROW + FOOT


def row_axes(figure: Figure, left: float, right: float, names: float, rows: Sequence[tuple[str, str]]) -> Axes:
    """An axes with a line for each row, its two lines of text in the `names` inches left of it. All in inches."""
    wide, tall = figure.get_size_inches()
    bottom = tall - HEAD - len(rows) * ROW
    place = ((left + names) / wide, bottom / tall, (right - left - names) / wide, len(rows) * ROW / tall)
    axes = figure.add_axes(place)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(True, axis="x")
    room = names - 0.08
    for number, (name, words) in enumerate(rows):
        middle = bottom + (len(rows) - 0.5 - number) * ROW
        figure.text(left / wide, (middle + 0.01) / tall, fitted(name, room, SMALL), size=SMALL, va="bottom")
        shown = fitted(words, room, SMALL)
        figure.text(left / wide, (middle - 0.01) / tall, shown, size=SMALL, color=GREY, va="top")
    return axes


def panel_heading(figure: Figure, left: float, title: str, under: str) -> None:
    """A panel's title and the line under it. left: inches."""
    wide, tall = figure.get_size_inches()
    figure.text(left / wide, 1 - 0.04 / tall, title, size=TITLE, weight="bold", va="top")
    figure.text(left / wide, 1 - 0.21 / tall, under, size=SMALL, color=GREY, va="top")


def draw_forest(
    figure: Figure, left: float, right: float, names: float, rows: Sequence[Row], axis: str, *, lead: float = 0.0
) -> Axes:
    """Each row's mean and interval, filled where it is resolved, and under it every seed's value as a ring."""
    axes = row_axes(figure, left, right, names, [(row.name, row.words) for row in rows])
    values = [lead, *(value for row in rows for value in (row.effect.mean, *row.seeds))]
    axes.set_xlim(*view(values, [row.effect for row in rows]))
    axes.axvline(lead, color=INK, lw=0.8, zorder=2)
    for place, row in enumerate(rows):
        colour = COLOUR[row.finding]
        whisker(axes, row.effect, place - 0.12, colour=colour, width=1.2)
        filled = "white" if row.finding == "not resolved" else colour
        axes.plot(row.effect.mean, place - 0.12, "D", ms=5, mfc=filled, mec=colour, mew=1.1, zorder=5)
        if len(row.seeds) > 1:
            shown = list(row.seeds)[:MOST_SEEDS]
            across = place + 0.24 + np.resize([0, 0.07, -0.07], len(shown)) * (len(shown) > 5)
            axes.plot(shown, across, "o", ms=2.4, mfc="white", mec=FAINT, mew=0.6, zorder=3)
    axes.set_xlabel(axis, size=SMALL, labelpad=2, loc="right")
    axes.tick_params(labelsize=SMALL)
    axes.locator_params(axis="x", nbins=5)
    return axes
