"""Cost against quality: what the primary metric comes to for the time and the parameters that an arm takes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from experiments.report_records import RunRecord
from experiments.reporting.evidence import Evidence, Measured
from experiments.reporting.names import place_names
from experiments.reporting.plots import MOST_ARMS, axis_label, way
from experiments.reporting.style import BETTER, COLOURS, GREY, SMALL, TEXT, house_style, save
from experiments.reporting.whiskers import seeds_words, view, whisker
from experiments.statistics import Interval, t_interval

LEFT, BETWEEN, RIGHT = 0.5, 0.2, 0.08  # inches beside the panels
TOP, BOTTOM = 0.1, 0.58
PANEL = 2.1  # inches; MANY_PANEL for more than FEW arms
FEW, MANY_PANEL = 12, 3.4
UNITS = ((1.0, "s"), (60.0, "min"), (3600.0, "h"), (86_400.0, "days"))


@dataclass(frozen=True)
class Spent:
    """What an arm cost."""

    seconds: Interval  # of training
    parameters: int  # of all networks


def draw_cost(runs: Sequence[RunRecord], evidence: Evidence, path: Path) -> bool:
    """Draw every arm that has the primary metric; false, and no file, where there is none."""
    measured = evidence.primary
    if measured is None:
        return False
    spent = spent_by_arm(runs)
    arms = [label for label, one in measured.intervals.items() if label in spent and math.isfinite(one.mean)]
    arms = arms[:MOST_ARMS]
    if not arms:
        return False
    with house_style():
        tall = (PANEL if len(arms) <= FEW else MANY_PANEL) + TOP + BOTTOM
        figure = Figure(figsize=(TEXT, tall))
        wide = (TEXT - LEFT - BETWEEN - RIGHT) / 2
        values = {label: measured.intervals[label] for label in arms}
        panels = [
            figure.add_axes(
                (
                    (LEFT + number * (wide + BETWEEN)) / TEXT,
                    BOTTOM / tall,
                    wide / TEXT,
                    (tall - TOP - BOTTOM) / tall,
                )
            )
            for number in range(2)
        ]
        unit, name = _unit([spent[label].seconds.mean for label in arms])
        seconds = {label: _scaled(spent[label].seconds, 1 / unit) for label in arms}
        exactly = {label: _exactly(spent[label].parameters) for label in arms}
        homeless = _panel(panels[0], seconds, values, measured)
        homeless += _panel(panels[1], exactly, values, measured)
        panels[0].set_xlabel(f"training time of a run ({name})")
        panels[1].set_xlabel("parameters of all networks")
        panels[1].xaxis.set_major_formatter(FuncFormatter(_count))
        panels[1].tick_params(labelleft=False)
        panels[0].set_ylabel(f"{axis_label(measured.column)} {way(measured.column)}")
        words = seeds_words(measured.seeds).capitalize()
        words += "; points without a name: no room for it" if homeless else ""
        figure.text(0.02 / TEXT, 0.04 / tall, words, size=SMALL, color=GREY, va="bottom")
        save(figure, path)
    return True


def spent_by_arm(runs: Sequence[RunRecord]) -> dict[str, Spent]:
    """{label: what its runs took}."""
    return {
        label: Spent(
            t_interval(np.array([run.result.train_seconds for run in runs if run.label == label])),
            sum(next(run for run in runs if run.label == label).result.parameters.values()),
        )
        for label in dict.fromkeys(run.label for run in runs)
    }


def _panel(axes: Axes, across: Mapping[str, Interval], up: Mapping[str, Interval], measured: Measured) -> list[str]:
    """Every arm as a point with both intervals. Gives the names that found no room."""
    axes.set_xlim(*view([one.mean for one in across.values()], across.values(), least=0))
    axes.set_ylim(*view([one.mean for one in up.values()], up.values(), least=0))
    axes.grid(True)
    axes.locator_params(nbins=5)
    for label, one in up.items():
        whisker(axes, one, across[label].mean, "y", colour=BETTER, width=0.7)
        whisker(axes, across[label], one.mean, "x", colour=BETTER, width=0.7)
        axes.plot(across[label].mean, one.mean, "o", ms=5, color=COLOURS[measured.guide], mec="white", zorder=5)
    return place_names(axes, {label: (across[label].mean, one.mean) for label, one in up.items()})


def _unit(seconds: Sequence[float]) -> tuple[float, str]:
    """The largest unit of which the longest is at least three."""
    return max((unit for unit in UNITS if max(seconds) >= 3 * unit[0]), default=UNITS[0])


def _scaled(one: Interval, by: float) -> Interval:
    return Interval(one.low * by, one.mean * by, one.high * by, one.n, one.level)


def _exactly(value: float) -> Interval:
    """A number that does not scatter."""
    return Interval(math.nan, value, math.nan, 1)


def _count(value: float, _: int) -> str:
    """640k, 78M."""
    amount, unit = (value / 1e6, "M") if value >= 1e6 else (value / 1e3, "k") if value >= 1e3 else (value, "")
    return f"{amount:.3g}{unit}"
