"""Loss curves by rung as small multiples: a row a rung, a column a term."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.report_records import RunRecord
from experiments.reporting.style import COLOURS, DASHES, FAINT, NORMAL, SMALL, TEXT, house_style, label_lines, save

# Column -> (its title, the curves that it sums, whether all rungs share its scale).
TERMS: Mapping[str, tuple[str, tuple[str, ...], bool]] = {
    "d_adversarial": ("D adversarial", ("d/{}/real", "d/{}/fake"), False),
    "d_penalty": ("D penalty", ("d/{}/penalty",), False),
    "g_adversarial": ("G adversarial", ("g/{}/adversarial",), False),
    "g_classification": ("classification", ("g/{}/classification",), True),
    "cycle": ("cycle", ("g/{}/cycle",), True),
    "reconstruction": ("code reconstruction", ("g/{}/reconstruction",), True),
    "diversity": ("diversity", ("g/{}/diversity",), True),
}
MOST_ARMS = 18
MOST_RUNS = 3  # seeds drawn of a rung
POINTS = 300  # drawn of a curve
WINDOW = 0.06  # of a curve, for the running median
# Inches: for a rung, of which a page holds MOST_ARMS; for what stands above, below and beside the panels.
TALLEST, LOWEST, PAGE = 0.95, 0.46, 7.6
HEAD, FOOT, TICKS = 0.6, 0.38, 0.27


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
    found = {term: {label: _lines(drawn[label], term) for label in arms} for term in TERMS}
    terms = [term for term in TERMS if any(found[term].values())]
    if not terms:
        return False
    tall = min(TALLEST, max(LOWEST, PAGE / len(arms)))  # inches for a rung
    room = (HEAD + len(arms) * tall + FOOT, TEXT)
    with house_style():
        figure = Figure(figsize=(TEXT, room[0]))
        # Laid out by hand: so many panels take matplotlib's own layout seconds.
        grid = figure.subplots(len(arms), len(terms), squeeze=False)
        names = {label: label_lines(label, 10) for label in arms}
        labels = 0.15 + 0.075 * max(len(line) for name in names.values() for line in name.split("\n"))
        panel = (TEXT - labels) / len(terms)
        scales = {term: _scale(found[term].values()) for term in terms if TERMS[term][2]}
        last = max(x[-1] for lines in found[terms[0]].values() for _, x, _, _ in lines)
        for across, term in enumerate(terms):
            title = TERMS[term][0].replace(" ", "\n")
            left = labels + across * panel + TICKS
            figure.text(left / TEXT, 1 - (HEAD - 0.07) / room[0], title, size=NORMAL, va="bottom", linespacing=1.05)
            lowest = max(down for down, label in enumerate(arms) if found[term][label])
            for down, label in enumerate(arms):
                axes = grid[down, across]
                bottom = FOOT + (len(arms) - 1 - down) * tall + 0.09
                axes.set_position(
                    (left / TEXT, bottom / room[0], (panel - TICKS - 0.07) / TEXT, (tall - 0.18) / room[0])
                )
                _panel(axes, found[term][label], scales.get(term), last, labelled=down == lowest)
        for down, label in enumerate(arms):
            middle = FOOT + (len(arms) - 0.5 - down) * tall
            figure.text(0.04 / TEXT, middle / room[0], names[label], size=NORMAL, weight="bold", va="center")
        _keys(figure, found, room[0])
        figure.text((labels + TEXT) / 2 / TEXT, 0.05 / room[0], "generator updates", ha="center", va="bottom")
        save(figure, path)
    return True


Drawn = tuple[str, np.ndarray, np.ndarray, np.ndarray]  # guide, updates, raw values, smoothed values


def _lines(runs: Sequence[RunRecord], term: str) -> list[Drawn]:
    lines = []
    for run in runs:
        for guide in COLOURS:
            x, y = curve(run, [name.format(guide) for name in TERMS[term][1]])
            if len(x):
                window = 2 * int(WINDOW * len(x) / 2) + 1
                lines.append((guide, x, y, running_median(y, window)))
    return lines


def _panel(
    axes: Axes, lines: Sequence[Drawn], scale: tuple[float, float] | None, last: float, *, labelled: bool
) -> None:
    if not lines:
        axes.axis("off")
        axes.text(0.5, 0.5, "–", transform=axes.transAxes, ha="center", va="center", color="#B5B5B5")
        return
    guides = len({line[0] for line in lines})
    for guide, x, raw, _ in lines[:guides]:  # of the first run: all of them would hide the curves
        axes.plot(x, raw, color=COLOURS[guide], lw=0.4, alpha=0.25)
    for number, (guide, x, _, smooth) in enumerate(lines):
        axes.plot(x, smooth, color=COLOURS[guide], ls=DASHES[guide], lw=1.1 if number < guides else 0.6)
    axes.set_ylim(*(scale or _scale([lines])))
    axes.set_xlim(0, last)
    axes.grid(True, axis="y")
    axes.tick_params(labelsize=SMALL, length=1.5, pad=1.5)
    axes.yaxis.set_major_locator(MaxNLocator(2))
    axes.yaxis.set_major_formatter(FuncFormatter(_short))
    axes.xaxis.set_major_locator(MaxNLocator(2, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(_short))
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


def _keys(figure: Figure, found: Mapping[str, Mapping[str, Sequence[Drawn]]], tall: float) -> None:
    guides = {line[0] for row in found.values() for lines in row.values() for line in lines}
    keys = [
        Line2D([], [], color=COLOURS[guide], ls=DASHES[guide], lw=1.2, label=f"{guide}-guided")
        for guide in COLOURS
        if guide in guides
    ]
    keys.append(Line2D([], [], color=FAINT, lw=0.6, alpha=0.7, label="faint: as logged"))
    figure.legend(handles=keys, loc="upper left", bbox_to_anchor=(0, 1 - 0.02 / tall), ncols=3, borderaxespad=0)


def _short(value: float, _: int) -> str:
    """A tick's number, at most as wide as the room for it: 20k, -1.5, .25."""
    if abs(value) >= 1000:
        return f"{value / 1000:g}k".replace("-", "−")
    text = f"{value:.3g}"
    return text.replace("0.", ".", 1).replace("-", "−") if 0 < abs(value) < 1 else text.replace("-", "−")
