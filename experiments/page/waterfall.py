"""The ladder's steps as a waterfall, from the first rung's mean to the last one's. One order's account."""

from __future__ import annotations

from itertools import pairwise

from bokeh.models import FactorRange

from ablations.designs import Comparison
from experiments.page.charts import Chart, between, hover, paint, source, start, text_style
from experiments.page.effects import Effect, axis_of, numbers, scale_of, spoken, title_of, view
from experiments.page.palette import FINDINGS
from experiments.reporting.evidence import Evidence, Finding, Measured, finding
from experiments.reporting.intervals import signed

HEIGHT = 360  # pixels
MOST = 14  # rungs


def waterfall(key: str, measured: Measured, evidence: Evidence) -> Chart | None:
    """A bar a step, hatched where it is not resolved; None without a step."""
    account = measured.ladder
    rungs = [label for label in evidence.design.rungs if measured.intervals[label].n]
    if account is None or not account.total.n or not 1 < len(rungs) <= MOST:
        return None
    effects = _effects(measured, [Comparison(*pair, ()) for pair in pairwise(rungs)])
    scale = scale_of(measured)
    levels = [scale * float(measured.table[rungs].dropna()[rungs[0]].mean())]
    for one in effects:
        levels.append(levels[-1] + scale * one.interval.mean)
    lows, highs = (
        [
            level + scale * (getattr(one.interval, side) if one.interval.exists else one.interval.mean)
            for level, one in zip(levels, effects, strict=False)
        ]
        for side in ("low", "high")
    )
    plot = start(
        height=HEIGHT,
        x="rung; each bar is the step that leads to it",
        y=axis_of(measured),
        x_range=FactorRange(factors=rungs),
        y_range=between(*view(levels, [*lows, *highs])),
    )
    plot.xgrid.visible = False
    joins = source({"before": rungs[:-1], "after": rungs[1:], "y": levels[:-1]})
    joined = plot.segment(x0="before", x1="after", y0="y", y1="y", line_dash="2 3", source=joins)
    paint(joined.glyph, line_color="edge")
    texts = [signed(measured.column.metric, one.interval.mean) for one in effects]
    bars = source(
        {
            "x": rungs[1:],
            "bottom": [min(pair) for pair in pairwise(levels)],
            "top": [max(pair) for pair in pairwise(levels)],
            "low": lows,
            "high": highs,
            "role": [FINDINGS[one.finding] for one in effects],
            "filled": [0.1 if one.finding == "not resolved" else 0.8 for one in effects],
            "hatch": ["right_diagonal_line" if one.finding == "not resolved" else "blank" for one in effects],
            "name": [one.name for one in effects],
            "shown": [one.shown(measured.column.metric) for one in effects],
            "finding": [one.words for one in effects],
        }
    )
    drawn = plot.vbar(
        x="x",
        top="top",
        bottom="bottom",
        width=0.6,
        fill_color="colour",
        fill_alpha="filled",
        line_color="colour",
        hatch_pattern="hatch",
        hatch_color="colour",
        hatch_alpha=0.55,
        source=bars,
    )
    paint(plot.segment(x0="x", x1="x", y0="low", y1="high", line_width=1.5, source=bars).glyph, line_color="ink")
    above = source(
        {"x": rungs[1:], "y": [max(three) for three in zip(bars.data["top"], highs, strict=True)], "text": texts}
    )
    written = plot.text(x="x", y="y", text="text", text_align="center", y_offset=-4, source=above, **text_style())
    paint(written.glyph, text_color="ink")
    first = source({"x": rungs[:1], "y": levels[:1]})
    paint(plot.scatter(x="x", y="y", marker="dash", size=28, line_width=3, source=first).glyph, line_color="ink")
    hover(plot, drawn, [("", "@name"), ("step", "@shown"), ("finding", "@finding")])
    label = spoken("Steps of the ladder", measured, effects)
    return Chart(key, title_of(measured), label, plot, numbers(measured, effects))


def _effects(measured: Measured, steps: list[Comparison]) -> list[Effect]:
    """Of every step, over the seeds that have all rungs; what is found is said by its contrast, which is corrected."""
    contrasts = {(one.before, one.after): one for one in measured.contrasts}
    effects = []
    for step, one in zip(steps, measured.ladder.contributions if measured.ladder else (), strict=True):
        contrast = contrasts.get((step.before, step.after))
        known: Finding = finding(contrast, measured.column) if contrast else "not resolved"
        effects.append(Effect(f"{step.before} → {step.after}", one.effect, known))
    return effects
