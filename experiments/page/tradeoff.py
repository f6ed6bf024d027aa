"""Quality against diversity: how far from real images, and how much the outputs of one source differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bokeh.models import Range1d
from markupsafe import Markup

from experiments.page.charts import Chart, between, hover, paint, source, start, write_names
from experiments.page.effects import axis_of, scale_of, title_of, view
from experiments.page.markup import block
from experiments.reporting.evidence import Evidence, Measured
from experiments.reporting.intervals import limits
from experiments.reporting.labels import markdown_text, of_metric
from experiments.reporting.summary import Table
from experiments.reporting.tables import markdown_table
from experiments.statistics import Interval

HEIGHT = 430  # pixels
MARKERS = {"latent": "circle", "reference": "square"}


class Point(NamedTuple):
    """An arm's two numbers."""

    label: str
    quality: Interval
    diversity: Interval


def tradeoff(key: str, evidence: Evidence, tables: Sequence[Table]) -> Chart | None:
    """Every arm that has both numbers, of each guide; None where none has."""
    pairs = {guide: pair for guide in MARKERS if (pair := _pair(evidence, guide))}
    points = {guide: _points(*pair) for guide, pair in pairs.items()}
    if not any(points.values()):
        return None
    quality, diversity = next(iter(pairs.values()))
    every = [point for found in points.values() for point in found]
    real = _real(tables[0], quality, diversity)
    plot = start(
        height=HEIGHT,
        x=axis_of(diversity),
        y=axis_of(quality),
        x_range=_range([point.diversity for point in every], [x for x, _ in real], scale_of(diversity)),
        y_range=_range([point.quality for point in every], [y for _, y in real], scale_of(quality)),
    )
    drawn, named = [], [("real images", x, y) for x, y in real]
    for guide, found in points.items():
        columns = source(_columns(guide, found, quality, diversity))
        spots = list(zip(columns.data["name"], columns.data["x"], columns.data["y"], strict=True))
        trail = [(x, y) for name, x, y in spots if name in evidence.design.rungs]
        if len(trail) > 1:
            line = plot.line(*(list(axis) for axis in zip(*trail, strict=True)), line_alpha=0.45)
            paint(line.glyph, line_color=guide)
        for x0, x1, y0, y1 in (("x_low", "x_high", "y", "y"), ("x", "x", "y_low", "y_high")):
            whisker = plot.segment(x0=x0, x1=x1, y0=y0, y1=y1, line_width=1.5, line_alpha=0.7, source=columns)
            paint(whisker.glyph, line_color=guide)
        marks = plot.scatter(x="x", y="y", marker=MARKERS[guide], size=10, source=columns)
        paint(marks.glyph, fill_color=guide, line_color="paper")
        drawn.append(marks)
        named += spots
    if real:
        star = plot.scatter(*(list(axis) for axis in zip(*real, strict=True)), marker="star", size=15)
        paint(star.glyph, fill_color="real", line_color="paper")
    first = ("real images", *evidence.design.rungs)
    write_names(plot, sorted(named, key=lambda spot: spot[0] not in first))
    hover(plot, drawn, [("", "@name, @guide-guided"), ("diversity", "@x_shown"), ("distance", "@y_shown")])
    label = f"{title_of(quality)} against {title_of(diversity)}; the table has every point"
    return Chart(key, "", label, plot, _numbers(points, quality, diversity))


def _pair(evidence: Evidence, guide: str) -> tuple[Measured, Measured] | None:
    own = [one for one in evidence.measured if one.guide == guide]
    quality = next((one for one in own if one.column.role == "distance"), None)
    diversity = next((one for one in own if one.column.role == "diversity"), None)
    return (quality, diversity) if quality and diversity else None


def _points(quality: Measured, diversity: Measured) -> list[Point]:
    return [
        Point(label, quality.intervals[label], diversity.intervals[label])
        for label in quality.intervals
        if quality.intervals[label].n and diversity.intervals[label].n
    ]


def _real(table: Table, quality: Measured, diversity: Measured) -> list[tuple[float, float]]:
    """The place of real images, if both numbers are known of them."""
    line = table.reference("real")
    if line is None or not {quality.column, diversity.column} <= line.cells.keys():
        return []
    x, y = line.cells[diversity.column].mean, line.cells[quality.column].mean
    return [(scale_of(diversity) * x, scale_of(quality) * y)]


def _columns(guide: str, found: Sequence[Point], quality: Measured, diversity: Measured) -> dict[str, list[object]]:
    columns: dict[str, list[object]] = {"name": [label for label, _, _ in found], "guide": [guide] * len(found)}
    sides = (("x", diversity, [point.diversity for point in found]), ("y", quality, [point.quality for point in found]))
    for axis, measured, own in sides:
        scale = scale_of(measured)
        columns[axis] = [scale * one.mean for one in own]
        columns[f"{axis}_low"] = [scale * (one.low if one.exists else one.mean) for one in own]
        columns[f"{axis}_high"] = [scale * (one.high if one.exists else one.mean) for one in own]
        columns[f"{axis}_shown"] = [_shown(measured, one) for one in own]
    return columns


def _shown(measured: Measured, interval: Interval) -> str:
    name = measured.column.metric
    return f"{of_metric(name, interval.mean)} {limits(name, interval)}".strip()


def _cell(measured: Measured, interval: Interval) -> str:
    below = limits(measured.column.metric, interval)
    return of_metric(measured.column.metric, interval.mean) + (f"<br><sub>{below}</sub>" if below else "")


def _range(intervals: Sequence[Interval], others: Sequence[float], scale: float) -> Range1d:
    means = [scale * one.mean for one in intervals]
    ends = [scale * end for one in intervals if one.exists for end in (one.low, one.high)]
    return between(*view([*means, *others], ends))


def _numbers(points: dict[str, list[Point]], quality: Measured, diversity: Measured) -> Markup:
    rows = [
        [markdown_text(label), guide, str(first.n), _cell(quality, first), _cell(diversity, second)]
        for guide, found in points.items()
        for label, first, second in found
    ]
    return block(markdown_table(["", "guide", "seeds", title_of(quality), title_of(diversity)], rows, left=2))
