"""Intervals in figures: as lines beside what they belong to, cut with an arrow where they would flatten all else."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

from matplotlib.axes import Axes

from experiments.reporting.labels import span
from experiments.reporting.style import INK
from experiments.statistics import Interval

REACH = 0.6  # of the range of all values: how far beyond it a whisker is followed
MARGIN = 0.06  # of what is shown, beyond it on both sides


def view(values: Iterable[float], intervals: Iterable[Interval], least: float = -math.inf) -> tuple[float, float]:
    """Limits of an axis that show all values, and the intervals up to `REACH` beyond them.

    least: that what is measured can be, which an interval does not know.
    """
    known = [value for value in values if math.isfinite(value)] or [0.0]
    bounds = [bound for one in intervals if one.exists for bound in (one.low, one.high)]
    low, high = min(known), max(known)
    reach = REACH * (high - low) or abs(high) or 1.0
    low, high = max(min([low, *bounds]), low - reach), min(max([high, *bounds]), high + reach)
    low = max(low, min(least, *known))
    margin = MARGIN * (high - low) or 0.5
    return low - margin, high + margin


def whisker(
    axes: Axes,
    interval: Interval,
    place: float,
    along: Literal["x", "y"] = "x",
    *,
    start: float = 0.0,
    colour: str = INK,
    width: float = 1.0,
) -> None:
    """Draw `start` + an interval along one axis at a place on the other; nothing where there is none.

    The axes' limits must be set: what lies outside is an arrow at the edge.
    """
    if not interval.exists:
        return
    edges = axes.get_xlim() if along == "x" else axes.get_ylim()
    lowest, highest = min(edges), max(edges)
    low, high = start + interval.low, start + interval.high
    ends = [(max(low, lowest), low < lowest, "<v"), (min(high, highest), high > highest, ">^")]
    _plot(axes, [ends[0][0], ends[1][0]], [place, place], along, "-", color=colour, lw=width, zorder=4)
    for end, is_cut, arrows in ends:
        mark = (arrows[0] if along == "x" else arrows[1]) if is_cut else "|" if along == "x" else "_"
        _plot(axes, [end], [place], along, "", marker=mark, color=colour, ms=4, mew=width, clip_on=False, zorder=4)


def _plot(axes: Axes, values: list[float], places: list[float], along: str, line: str, **style: Any) -> None:
    axes.plot(*((values, places) if along == "x" else (places, values)), line, **style)


def seeds_words(*counts: int) -> str:
    """What a figure must say of its intervals, which rest on so many seeds each."""
    if max(counts) < 2:
        return "one seed an arm: no intervals, nothing is resolved"
    return f"95 % t interval over {span(min(counts), max(counts))} seeds"
