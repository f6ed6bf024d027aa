"""Interactions of sub-changes as a map: how much two of them do together beyond what each does without the other."""

from __future__ import annotations

from bokeh.models import FactorRange

from experiments.page.charts import Chart, hover, paint, source, start, text_style
from experiments.page.effects import Effect, effect_finding, numbers, spoken, title_of
from experiments.page.palette import FINDINGS
from experiments.reporting.evidence import Measured
from experiments.reporting.intervals import signed
from experiments.reporting.labels import shortened

CELL, HEAD = 46, 120  # pixels
NAME = 14  # characters of a sub-change's name
PALEST, DARKEST = 0.06, 0.6  # opacity of a cell


def heat_map(key: str, measured: Measured, titles: dict[str, str]) -> Chart | None:
    """A cell a pair: its colour says better or worse, its depth how much, brackets that it is not resolved."""
    pairs = [pair for pair in measured.shapley.interactions if pair.effect] if measured.shapley else []
    if not pairs or measured.shapley is None:
        return None
    order = [one.name for one in measured.shapley.contributions]
    places = [sorted(pair.names, key=order.index) for pair in pairs]
    effects = [
        Effect(" × ".join(titles.get(name, name) for name in names), pair.effect, effect_finding(measured, pair.effect))
        for names, pair in zip(places, pairs, strict=True)
        if pair.effect
    ]
    strongest = max(abs(one.interval.mean) for one in effects) or 1.0
    name = measured.column.metric
    plot = start(
        height=HEAD + CELL * (len(order) - 1),
        x_range=FactorRange(factors=[shortened(title, NAME) for title in order[:-1]]),
        y_range=FactorRange(factors=[shortened(title, NAME) for title in order[:0:-1]]),
    )
    plot.xgrid.visible = plot.ygrid.visible = False
    plot.xaxis.major_label_orientation = 0.7
    for axis in (plot.xaxis, plot.yaxis):
        axis.update(axis_line_alpha=0, major_tick_line_alpha=0)
    better_up = measured.column.direction == "higher"
    columns = source(
        {
            "x": [shortened(names[0], NAME) for names in places],
            "y": [shortened(names[1], NAME) for names in places],
            "role": ["better" if (one.interval.mean > 0) == better_up else "worse" for one in effects],
            "depth": [PALEST + (DARKEST - PALEST) * abs(one.interval.mean) / strongest for one in effects],
            "text": [_cell(name, one) for one in effects],
            "name": [one.name for one in effects],
            "shown": [one.shown(name) for one in effects],
            "finding": [one.words for one in effects],
        }
    )
    cells = plot.rect(
        x="x", y="y", width=0.94, height=0.94, fill_color="colour", fill_alpha="depth", line_color=None, source=columns
    )
    written = plot.text(
        x="x", y="y", text="text", text_align="center", text_baseline="middle", source=columns, **text_style()
    )
    paint(written.glyph, text_color="ink")
    hover(plot, cells, [("", "@name"), ("interaction", "@shown"), ("finding", "@finding")])
    return Chart(key, title_of(measured), spoken("Interactions", measured, effects), plot, numbers(measured, effects))


def _cell(name: str, effect: Effect) -> str:
    text = signed(name, effect.interval.mean)
    return f"({text})" if FINDINGS[effect.finding] == "open" else text
