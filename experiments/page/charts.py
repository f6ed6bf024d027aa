"""What all plots of the page share: their form, their colours by name, and their JSON, equal for equal records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.core.properties import value
from bokeh.embed import json_item
from bokeh.model import Model
from bokeh.models import Axis, ColumnDataSource, Grid, HoverTool, Range1d
from bokeh.plotting import figure as new_figure
from markupsafe import Markup

from experiments.page.names import columns, placed
from experiments.page.palette import light

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"
SIZE = "12px"


@dataclass(frozen=True)
class Chart:
    """A plot, what it says to who cannot see it, and its numbers."""

    key: str  # of its place on the page
    name: str  # in a chooser
    label: str
    figure: Any  # bokeh.plotting.figure
    numbers: Markup = Markup("")  # a table
    note: str = ""


def start(*, height: int, x: str = "", y: str = "", **options: Any) -> Any:
    """An empty figure in the page's style, as wide as its place. x, y: what the axes show."""
    plot = new_figure(
        height=height,
        sizing_mode="stretch_width",
        tools=[],
        toolbar_location=None,
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
        min_border=8,
        **options,
    )
    plot.xaxis.axis_label, plot.yaxis.axis_label = x or None, y or None
    for axis in plot.select(Axis):
        axis.update(
            axis_label_text_font=FONT,
            axis_label_text_font_size=SIZE,
            axis_label_text_font_style="normal",
            major_label_text_font=FONT,
            major_label_text_font_size=SIZE,
            minor_tick_line_color=None,
            major_tick_in=0,
            major_tick_out=4,
        )
        paint(axis, axis_line_color="edge", major_tick_line_color="edge")
        paint(axis, axis_label_text_color="ink", major_label_text_color="ink")
    for grid in plot.select(Grid):
        paint(grid, grid_line_color="line")
    return plot


def between(start_: float, end: float, **options: Any) -> Range1d:
    """An axis with these ends."""
    return Range1d(start=start_, end=end, **options)


def hover(plot: Any, renderers: Any, tooltips: Sequence[tuple[str, str]]) -> None:
    """Show these lines of a renderer's point, or of several renderers', under the mouse."""
    found = renderers if isinstance(renderers, list) else [renderers]
    plot.add_tools(HoverTool(tooltips=list(tooltips), point_policy="snap_to_data", renderers=found))


def write_names(plot: Any, points: Sequence[tuple[str, float, float]]) -> None:
    """Points' names where there is room; the others are said under the mouse. Needs the ends of the plot's axes."""
    ends = [(axis.start, axis.end) for axis in (plot.x_range, plot.y_range)]
    written = plot.text(
        x="x",
        y="y",
        text="text",
        text_align="align",
        text_baseline="baseline",
        x_offset="across",
        y_offset="down",
        source=source(columns(placed(points, *ends))),
        **text_style(bold=True),
    )
    paint(written.glyph, text_color="ink")


def text_style(*, bold: bool = False) -> dict[str, Any]:
    """Of text in a plot: the page's font."""
    style = "bold" if bold else "normal"
    return {"text_font": value(FONT), "text_font_size": SIZE, "text_font_style": style}


def paint(model: Model, **colours: str) -> None:
    """Give properties of a model colours by name; the page's script reads the tags when light and dark change."""
    model.update(**{name: light(colour) for name, colour in colours.items()})
    model.tags = [*model.tags, *(f"{name}={colour}" for name, colour in colours.items())]


def source(data: Mapping[str, Sequence[Any]]) -> ColumnDataSource:
    """Columns of a plot. A column `role` of colours by name gives a column `colour`, which the script keeps right."""
    lists = {name: list(column) for name, column in data.items()}
    if "role" in lists:
        lists["colour"] = [light(role) for role in lists["role"]]
    return ColumnDataSource(lists)


def script_item(chart: Chart) -> dict[str, Any]:
    """A plot for BokehJS's `embed_item`, its models numbered from one on, whatever was made before it."""
    item = json_item(chart.figure)
    names: dict[str, str] = {}

    def renamed(node: Any, key: str = "") -> Any:
        if isinstance(node, dict):
            return {name: renamed(entry, name) for name, entry in node.items()}
        if isinstance(node, list):
            return [renamed(entry) for entry in node]
        if key in ("id", "root_id") and isinstance(node, str) and re.fullmatch(r"p\d+", node):
            return names.setdefault(node, f"{chart.key}-{len(names) + 1}")
        return float(f"{node:.6g}") if isinstance(node, float) else node

    result: dict[str, Any] = renamed(item)
    return result
