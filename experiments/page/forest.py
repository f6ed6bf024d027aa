"""Effects under one axis: means, intervals and every seed; filled where an effect is resolved."""

from __future__ import annotations

from collections.abc import Sequence

from bokeh.models import FixedTicker
from bokeh.models.annotations import Span

from experiments.page.charts import Chart, between, hover, paint, source, start
from experiments.page.effects import Effect, axis_of, numbers, scale_of, spoken, title_of, view
from experiments.page.palette import FINDINGS
from experiments.reporting.evidence import Measured
from experiments.reporting.labels import shortened

NAME = 24  # characters of a row's name
HEAD, ROW = 70, 36  # pixels


def forest(key: str, what: str, measured: Measured, effects: Sequence[Effect]) -> Chart | None:
    """A row an effect; None without any."""
    if not effects:
        return None
    scale = scale_of(measured)
    rows = range(len(effects))
    means = [scale * one.interval.mean for one in effects]
    lows = [scale * (one.interval.low if one.interval.exists else one.interval.mean) for one in effects]
    highs = [scale * (one.interval.high if one.interval.exists else one.interval.mean) for one in effects]
    rings = [(row, scale * value) for row, one in zip(rows, effects, strict=True) for value in one.seeds]
    plot = start(
        height=HEAD + ROW * len(rows),
        x=axis_of(measured),
        x_range=between(*view([0.0, *means, *(value for _, value in rings)], [*lows, *highs])),
        y_range=between(len(effects) - 0.4, -0.6),
    )
    plot.yaxis.ticker = FixedTicker(ticks=list(rows), minor_ticks=[])
    plot.yaxis.major_label_overrides = {row: shortened(one.name, NAME) for row, one in enumerate(effects)}
    plot.ygrid.visible = False
    plot.yaxis.update(axis_line_alpha=0, major_tick_line_alpha=0)
    zero = Span(location=0, dimension="height", line_width=1.5)
    paint(zero, line_color="edge")
    plot.add_layout(zero)
    if any(len(one.seeds) > 1 for one in effects):
        single = source({"x": [value for _, value in rings], "y": [row + 0.3 for row, _ in rings]})
        paint(plot.scatter(x="x", y="y", size=4.5, fill_color=None, source=single).glyph, line_color="edge")
    columns = source(
        {
            "y": list(rows),
            "x": means,
            "low": lows,
            "high": highs,
            "role": [FINDINGS[one.finding] for one in effects],
            "filled": [float(one.finding != "not resolved") for one in effects],
            "name": [one.name for one in effects],
            "shown": [one.shown(measured.column.metric) for one in effects],
            "finding": [one.words for one in effects],
        }
    )
    plot.segment(x0="low", y0="y", x1="high", y1="y", line_width=2, line_color="colour", source=columns)
    marks = plot.scatter(
        x="x",
        y="y",
        marker="diamond",
        size=13,
        line_width=1.5,
        line_color="colour",
        fill_color="colour",
        fill_alpha="filled",
        source=columns,
    )
    hover(plot, marks, [("", "@name"), ("difference", "@shown"), ("finding", "@finding")])
    return Chart(key, title_of(measured), spoken(what, measured, effects), plot, numbers(measured, effects))
