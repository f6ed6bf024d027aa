"""What each sub-change contributes over all orders, and how pairs of them interact: of factorial designs.

Of half a factorial design, the main effects alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from experiments.attribution import Attribution, Contribution, Interaction
from experiments.reporting.evidence import Evidence, Finding, Measured
from experiments.reporting.forest import Row, draw_forest, height, panel_heading
from experiments.reporting.intervals import signed_with_half_width
from experiments.reporting.labels import arrow
from experiments.reporting.plots import axis_label, way
from experiments.reporting.style import (
    BETTER,
    COLUMN,
    GREY,
    INK,
    SMALL,
    TEXT,
    WORSE,
    fitted,
    house_style,
    save,
    text_width,
)
from experiments.reporting.tables import NOTHING
from experiments.reporting.waterfall import effect_words
from experiments.reporting.whiskers import seeds_words
from experiments.statistics import Interval

NAMES, FOREST, GAP = 1.72, 3.2, 0.15  # inches: for names, for the forest with them, between the panels
HEAD, SIDE, LONGEST = 0.46, 0.54, 0.85  # inches: over the map, of a cell at most, of a name beside it
KEYS = 0.36  # inches
# From worse, through white, to better: both ends are told apart by colour-blind readers, and signs stand in the cells.
COLOURS = (WORSE, "#FFFFFF", BETTER)
PALE = 1.7  # of the strongest interaction: the map's colours end there, so that ink is readable on them


def draw_effects(evidence: Evidence, path: Path) -> bool:
    """Draw the primary metric's attributions; false, and no file, where the design gives none."""
    measured = evidence.primary
    if measured is None:
        return False
    account, titles = measured.shapley, evidence.design.changes
    shares = account.contributions if account else measured.effects
    shares = tuple(one for one in shares if np.isfinite(one.effect.mean))
    if not shares:
        return False
    rows = [_row(one, titles.get(one.name, one.name), measured) for one in shares]
    names = [one.name for one in account.contributions] if account else []
    label = min(LONGEST, max((text_width(name, SMALL) for name in names), default=0)) + 0.1
    side = min(SIDE, (TEXT - FOREST - GAP - label) / max(1, len(names) - 1))
    mapped = HEAD + side * (len(names) - 1) + label if names else 0
    with house_style():
        wide = TEXT if names else COLUMN
        figure = Figure(figsize=(wide, KEYS + max(height(len(rows)), mapped)))
        tall = figure.get_size_inches()[1]
        draw_forest(
            figure, 0.02, FOREST if names else COLUMN - 0.08, NAMES, rows, f"contribution {way(measured.column)}"
        )
        metric = f"{axis_label(measured.column)} {arrow(measured.column.direction)}"
        title = "Shapley values" if account else "Main effects"
        panel_heading(figure, 0.02, title, fitted(metric, FOREST, SMALL))
        if account:
            left = FOREST + GAP
            panel_heading(figure, left, "Interactions", "beyond the sum of both alone; in brackets: not resolved")
            _map(figure, left + label, side, names, account.interactions, measured)
        words = [seeds_words(*{row.effect.n for row in rows}).capitalize(), _orders(account)]
        for place, line in enumerate(word for word in words if word):
            figure.text(0.02 / wide, (KEYS - 0.16 - 0.15 * place) / tall, line, size=SMALL, color=GREY)
        save(figure, path)
    return True


def effect_finding(effect: Interval, direction: str) -> Finding:
    """What an interval without correction says of an effect's sign."""
    if not effect.exists or effect.holds(0):
        return "not resolved"
    return "better" if (effect.mean > 0) == (direction == "higher") else "worse"


def _row(one: Contribution, title: str, measured: Measured) -> Row:
    known = effect_finding(one.effect, measured.column.direction)
    return Row(title, effect_words(measured.column.metric, one.effect, known), one.effect, (), known)


def _orders(account: Attribution | None) -> str:
    if account is None:
        return ""
    return f"Averaged over {account.admissible:,} of {account.orders:,} orders: those whose every combination can run."


def _map(
    figure: Figure,
    left: float,
    side: float,
    names: Sequence[str],
    interactions: Sequence[Interaction],
    measured: Measured,
) -> None:
    """A cell for each pair with its number in it: below the diagonal of all names. left, side: inches."""
    wide, tall = figure.get_size_inches()
    n = len(names) - 1
    axes = figure.add_axes((left / wide, (tall - HEAD - n * side) / tall, n * side / wide, n * side / tall))
    strongest = max((abs(one.effect.mean) for one in interactions if one.effect is not None), default=0) or 1.0
    sign = 1 if measured.column.direction == "higher" else -1
    cells = np.full((n, n), np.nan)
    for one in interactions:
        across, down = sorted(names.index(name) for name in one.names)
        text = NOTHING
        if one.effect is not None:
            cells[down - 1, across] = sign * one.effect.mean / strongest
            text = _cell(measured.column.metric, one.effect)
        axes.text(across, down - 1, text, ha="center", va="center", size=SMALL, linespacing=1.1)
    colours = LinearSegmentedColormap.from_list("worse to better", COLOURS)
    axes.imshow(cells, cmap=colours, vmin=-PALE, vmax=PALE, interpolation="none", aspect="auto")
    axes.set_xticks(range(n), [fitted(name, LONGEST, SMALL) for name in names[:-1]], rotation=90)
    axes.set_yticks(range(n), [fitted(name, LONGEST, SMALL) for name in names[1:]])
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _cell(name: str, effect: Interval) -> str:
    """The mean, under it how far its interval reaches; in brackets where that holds zero."""
    mean, _, reach = signed_with_half_width(name, effect).partition(" ")
    text = f"{mean}\n{reach}" if reach else mean
    return text if effect.exists and not effect.holds(0) else f"({text})"
