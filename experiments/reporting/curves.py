"""Loss curves by rung as small multiples: a column a rung, a row a term."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.report_records import RunRecord
from experiments.reporting.plots import COLOURS, FAINT, INK, house_style, save

# Row -> (its title, the curves that it sums, whether all rungs share its scale).
ROWS: Mapping[str, tuple[str, tuple[str, ...], bool]] = {
    "d_adversarial": ("D adversarial", ("d/{}/real", "d/{}/fake"), False),
    "d_penalty": ("D penalty", ("d/{}/penalty",), False),
    "g_adversarial": ("G adversarial", ("g/{}/adversarial",), False),
    "g_classification": ("classification", ("g/{}/classification",), True),
    "cycle": ("cycle", ("g/{}/cycle",), True),
    "reconstruction": ("code reconstruction", ("g/{}/reconstruction",), True),
    "diversity": ("diversity", ("g/{}/diversity",), True),
}
ACROSS = 6  # rungs side by side
MOST_ARMS = 18
MOST_RUNS = 3  # seeds drawn of a rung
POINTS = 600  # drawn of a curve
WINDOW = 0.06  # of a curve, for the running median


def running_median(values: np.ndarray, window: int) -> np.ndarray:
    """The median of the `window` (odd) values around each; of fewer at the ends. values: (n,)."""
    half = window // 2
    padded = np.pad(values.astype(float), half, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    # A diverged run's curve is all NaN somewhere: that stays a gap.
    whole = np.isnan(windows).sum(axis=1)
    result = np.median(windows, axis=1)
    for place in np.flatnonzero(whole):
        kept = windows[place][~np.isnan(windows[place])]
        result[place] = np.median(kept) if len(kept) and not math.isnan(values[place]) else np.nan
    return result


def curve(run: RunRecord, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """(generator updates, the sum of the named values) wherever a run has them all, thinned to `POINTS`."""
    points = [point for point in run.curves if all(name in point for name in names)]
    points = points[:: max(1, math.ceil(len(points) / POINTS))]
    updates = run.result.generator_updates / max(1, run.result.iterations)
    x = np.array([point["iteration"] * updates for point in points], dtype=float)
    return x, np.array([sum(point[name] for name in names) for point in points], dtype=float)


def draw_curves(runs: Sequence[RunRecord], path: Path) -> bool:
    """Draw every term of every rung; false, and no file, where there is nothing to draw."""
    arms = list(dict.fromkeys(run.label for run in runs))[:MOST_ARMS]
    drawn = {label: [run for run in runs if run.label == label][:MOST_RUNS] for label in arms}
    found = {row: {label: _lines(drawn[label], row) for label in arms} for row in ROWS}
    rows = [row for row in ROWS if any(found[row].values())]
    if not rows:
        return False
    with house_style():
        blocks = [arms[start : start + ACROSS] for start in range(0, len(arms), ACROSS)]
        across = len(blocks[0])
        size = (1.25 + 1.6 * across, 0.6 + 1.12 * len(rows) * len(blocks))
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03))
        grid = figure.subplots(len(rows) * len(blocks), across, squeeze=False)
        scales = {row: _scale(found[row].values()) for row in rows if ROWS[row][2]}
        for number, block in enumerate(blocks):
            for place in range(across):
                for down, row in enumerate(rows):
                    axes = grid[number * len(rows) + down, place]
                    if place < len(block):
                        last = not any(found[later][block[place]] for later in rows[down + 1 :])
                        _panel(axes, found[row][block[place]], scales.get(row), labelled=last)
                        if down == 0:
                            axes.set_title(block[place], loc="center")
                        if place == 0:
                            axes.set_ylabel(ROWS[row][0].replace(" ", "\n"), rotation=0, ha="right", va="center")
                            axes.yaxis.set_label_coords(-0.26, 0.5)
                    else:
                        axes.axis("off")
        _keys(figure, found)
        figure.supxlabel("generator updates", size=9, color=INK)
        save(figure, path)
    return True


Drawn = tuple[str, np.ndarray, np.ndarray, np.ndarray]  # guide, updates, raw values, smoothed values


def _lines(runs: Sequence[RunRecord], row: str) -> list[Drawn]:
    lines = []
    for run in runs:
        for guide in COLOURS:
            x, y = curve(run, [name.format(guide) for name in ROWS[row][1]])
            if len(x):
                window = 2 * int(WINDOW * len(x) / 2) + 1
                lines.append((guide, x, y, running_median(y, window)))
    return lines


def _panel(axes: Axes, lines: Sequence[Drawn], scale: tuple[float, float] | None, *, labelled: bool) -> None:
    if not lines:
        axes.set_xticks([])
        axes.set_yticks([])
        for side in axes.spines.values():
            side.set_visible(False)
        axes.text(0.5, 0.5, "–", transform=axes.transAxes, ha="center", va="center", color="#B5B5B5")
        return
    guides = len({line[0] for line in lines})
    for guide, x, raw, _ in lines[:guides]:  # of the first run: all of them would hide the curves
        axes.plot(x, raw, color=COLOURS[guide], lw=0.5, alpha=0.22)
    for number, (guide, x, _, smooth) in enumerate(lines):
        axes.plot(x, smooth, color=COLOURS[guide], lw=1.4 if number < guides else 0.8)
    low, high = scale or _scale([lines])
    axes.set_ylim(low, high)
    axes.set_xlim(left=0)
    axes.grid(True, axis="y")
    axes.tick_params(labelsize=7, length=2, pad=2)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_locator(MaxNLocator(2, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(_thousands))
    if not labelled:
        axes.tick_params(labelbottom=False)


def _scale(groups: Iterable[Sequence[Drawn]]) -> tuple[float, float]:
    """Limits that show the smoothed curves and most of the raw ones: one spike must not flatten all else."""
    values = [values for lines in groups for line in lines for values in line[2:]]
    finite = np.concatenate(values) if values else np.zeros(1)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return 0.0, 1.0
    low, high = np.percentile(finite, [1, 99])
    margin = 0.08 * (high - low) or 0.5
    return float(low - margin), float(high + margin)


def _keys(figure: Figure, found: Mapping[str, Mapping[str, Sequence[Drawn]]]) -> None:
    guides = {line[0] for row in found.values() for lines in row.values() for line in lines}
    keys = [
        Line2D([], [], color=COLOURS[guide], lw=1.5, label=f"{guide}-guided") for guide in COLOURS if guide in guides
    ]
    keys.append(Line2D([], [], color=FAINT, lw=0.8, alpha=0.6, label="faint: as logged"))
    figure.legend(handles=keys, loc="outside upper left", ncols=3)


def _thousands(value: float, _: int) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"
