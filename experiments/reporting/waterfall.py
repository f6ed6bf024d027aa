"""What each step of the ladder contributes, from its first rung to its last, and what the last loses without each part.

The steps are one order's account: in another order they would contribute other amounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ablations.designs import Comparison
from experiments.reporting.evidence import Evidence, Finding, Measured, finding
from experiments.reporting.forest import COLOUR, Row, draw_forest, height, panel_heading, row_axes
from experiments.reporting.intervals import signed_with_half_width, with_half_width
from experiments.reporting.labels import arrow
from experiments.reporting.plots import axis_label, way
from experiments.reporting.style import COLUMN, FAINT, GREY, INK, SMALL, TEXT, house_style, save
from experiments.reporting.whiskers import seeds_words, view, whisker
from experiments.statistics import Interval, t_interval

NAMES = 1.72  # inches for what a row is called
GAP = 0.2  # inches between the panels
KEYS = 0.28  # inches
HATCH = "//////"
OPPOSITE: Mapping[Finding, Finding] = {"better": "worse", "worse": "better", "not resolved": "not resolved"}


def draw_waterfall(evidence: Evidence, titles: Mapping[str, str], path: Path) -> bool:
    """Draw the primary metric's steps and single changes; false, and no file, where there are neither.

    titles: {label: title} of the arms.
    """
    measured = evidence.primary
    if measured is None:
        return False
    steps, singles = _steps(measured, evidence, titles), _singles(measured, evidence)
    panels = [rows for rows in (steps, singles) if rows]
    if not panels:
        return False
    with house_style():
        figure = Figure(figsize=(TEXT if len(panels) > 1 else COLUMN, KEYS + max(map(height, map(len, panels)))))
        half = (TEXT - GAP) / 2
        left = 0.02
        if steps:
            _draw_steps(figure, left, steps, measured, evidence)
            left += half + GAP
        if singles:
            _draw_singles(figure, left, singles, measured, evidence)
        _keys(figure, steps, singles)
        save(figure, path)
    return True


def _steps(measured: Measured, evidence: Evidence, titles: Mapping[str, str]) -> list[Row]:
    """The first rung, every step, the last rung; over the seeds that have all rungs."""
    account = measured.ladder
    if account is None or not account.total.n or len(evidence.design.steps) < 1:
        return []
    table = _complete(measured, evidence)
    first, last = str(table.columns[0]), str(table.columns[-1])
    found = findings(measured)
    metric = measured.column.metric
    rows = [_bar(metric, first, titles[first], table)]
    for (before, after), one in zip(pairwise(table), account.contributions, strict=True):
        known = found.get((str(before), str(after)), "not resolved")
        name = f"{after}  {titles[str(after)]}"
        rows.append(Row(name, effect_words(metric, one.effect, known), one.effect, table[after] - table[before], known))
    return [*rows, _bar(metric, last, "with every step", table)]


def _bar(metric: str, label: str, title: str, table: pd.DataFrame) -> Row:
    mean = t_interval(table[label].to_numpy(float))
    return Row(f"{label}  {title}", with_half_width(metric, mean), mean, (), "not resolved")


def _complete(measured: Measured, evidence: Evidence) -> pd.DataFrame:
    """Seeds x rungs, as `attribution.steps` takes them."""
    rungs = [label for label in evidence.design.rungs if measured.table[label].notna().any()]
    return measured.table[rungs].dropna()


def _singles(measured: Measured, evidence: Evidence) -> list[Row]:
    """What the last rung loses without each sub-change; of an add-one design, what the first gains with each."""
    out, found = evidence.design.left_out, findings(measured)
    sign = -1 if out else 1
    rows = []
    for one in out or evidence.design.added:
        if (one.before, one.after) not in found:
            continue
        table = measured.table
        seeds = sign * (table[one.after] - table[one.before]).dropna().to_numpy(float)
        known = found[one.before, one.after]
        if out:
            known = OPPOSITE[known]
        effect = t_interval(seeds)
        rows.append(
            Row(_change(one, evidence), effect_words(measured.column.metric, effect, known), effect, seeds, known)
        )
    return rows


def _change(one: Comparison, evidence: Evidence) -> str:
    return ", ".join(evidence.design.changes.get(name, name) for name in one.changes)


def findings(measured: Measured) -> dict[tuple[str, str], Finding]:
    """What every declared comparison came to."""
    return {(one.before, one.after): finding(one, measured.column) for one in measured.contrasts}


def effect_words(name: str, effect: Interval, known: Finding) -> str:
    """Of a metric: `−17.2 ± 2.9, better`."""
    return f"{signed_with_half_width(name, effect)}, {known if effect.exists else 'one seed'}"


def _draw_steps(figure: Figure, left: float, rows: Sequence[Row], measured: Measured, evidence: Evidence) -> None:
    right = left + (COLUMN if figure.get_size_inches()[0] < TEXT else (TEXT - GAP) / 2) - 0.08
    axes = row_axes(figure, left, right, NAMES, [(row.name, row.words) for row in rows])
    rungs = _complete(measured, evidence).mean().tolist()
    starts = [0.0, *rungs[:-1], 0.0]
    # A bar starts at 0, a step where the last one ended.
    shown = [_moved(row.effect, start) for row, start in zip(rows, starts, strict=True)]
    low, high = view([0.0, *rungs], shown)
    axes.set_xlim(0 if min(rungs) >= 0 else low, high)
    for place, (row, start) in enumerate(zip(rows, starts, strict=True)):
        end = start + row.effect.mean
        if place in (0, len(rows) - 1):
            axes.barh(place, end, 0.5, color=FAINT, lw=0)
        else:
            _step(axes, place, start, row)
        if place < len(rows) - 1:
            axes.plot([end, end], [place - 0.25, place + 1.25], color=FAINT, lw=0.7, zorder=1)
        whisker(axes, row.effect, place, start=start)
    axes.set_xlabel(f"{axis_label(measured.column)} {way(measured.column)}", size=SMALL, labelpad=2, loc="right")
    axes.locator_params(axis="x", nbins=5)
    first, last = evidence.design.rungs[0], evidence.design.rungs[-1]
    panel_heading(figure, left, f"From {first} to {last}, step by step", "in this order; in another, other amounts")


def _step(axes: Axes, place: int, start: float, row: Row) -> None:
    colour = COLOUR[row.finding]
    style: dict[str, Any] = {"facecolor": colour, "edgecolor": colour}
    if row.finding == "not resolved":
        style = {"facecolor": "white", "edgecolor": colour, "hatch": HATCH, "ls": (0, (2, 1))}
    axes.barh(place, row.effect.mean, 0.5, left=start, lw=0.9, **style)


def _draw_singles(figure: Figure, left: float, rows: Sequence[Row], measured: Measured, evidence: Evidence) -> None:
    right = left + (COLUMN if figure.get_size_inches()[0] < TEXT else (TEXT - GAP) / 2) - 0.08
    rungs = evidence.design.rungs
    label, out = (rungs[-1], "without") if evidence.design.left_out else (rungs[0], "with")
    draw_forest(figure, left, right, NAMES, rows, f"difference to {label} {way(measured.column)}")
    title = f"{label} {out} each component"
    panel_heading(figure, left, title, f"{axis_label(measured.column)} {arrow(measured.column.direction)}")


def _moved(interval: Interval, start: float) -> Interval:
    return Interval(start + interval.low, start + interval.mean, start + interval.high, interval.n)


def _keys(figure: Figure, steps: Sequence[Row], singles: Sequence[Row]) -> None:
    rows = [*steps[1:-1], *singles]
    wide, tall = figure.get_size_inches()
    seeds = {row.effect.n for row in rows}
    if max(seeds) < 2:
        figure.text(0.02 / wide, 0.04 / tall, seeds_words(1).capitalize(), size=SMALL, color=GREY, va="bottom")
        return
    keys: list[Patch | Line2D] = [Line2D([], [], color=INK, marker="|", ms=5, lw=1, label=seeds_words(*seeds))]
    found = {row.finding for row in rows}
    keys += [Patch(facecolor=COLOUR[one], label=f"resolved: {one}") for one in ("better", "worse") if one in found]
    if "not resolved" in found:
        keys.append(Patch(facecolor="white", edgecolor=GREY, ls=(0, (2, 1)), hatch=HATCH, label="not resolved"))
    if singles:
        keys.append(Line2D([], [], ls="", marker="o", ms=2.8, mfc="white", mec=FAINT, label="one seed"))
    figure.legend(
        handles=keys,
        loc="lower left",
        bbox_to_anchor=(0, 0.02 / tall),
        ncols=len(keys) if wide > COLUMN else 2,
        borderaxespad=0,
        columnspacing=1.4,
    )
