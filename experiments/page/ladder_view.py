"""The ladder's table for the page: cells that sort by their numbers and lead to their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.reporting.intervals import limits
from experiments.reporting.labels import PUBLISHED, arrow, metric, of_metric, plural
from experiments.reporting.summary import Cell, Column, Line, Table
from experiments.reporting.tables import CONTENT, NOTHING

WAYS = {"lower": "lower is better", "higher": "higher is better"}


@dataclass(frozen=True)
class Heading:
    """Of a column."""

    text: str
    detail: str = ""
    arrow: str = ""
    way: str = ""  # the arrow, for who does not see it
    numeric: bool = True


@dataclass(frozen=True)
class CellView:
    """What a cell shows; None: nothing to sort it by."""

    text: str
    small: str = ""
    value: float | None = None


@dataclass(frozen=True)
class LineView:
    """An arm, or the real images."""

    label: str
    title: str
    anchor: str  # of its runs; "" where it has none
    cells: tuple[CellView, ...]


@dataclass(frozen=True)
class TableView:
    """All of it."""

    caption: str
    headings: tuple[Heading, ...]
    arms: tuple[LineView, ...]
    references: tuple[LineView, ...]


def table_view(table: Table, caption: str, anchors: Mapping[str, str], *, content: bool) -> TableView | None:
    """The metrics, or (`content`) what was kept and varied. anchors: {label: where its runs are}. None: no column."""
    columns = [column for column in table.columns if (column.role in CONTENT) == content]
    if not columns and (content or not table.diverges):
        return None
    published = [] if content else _published(table)
    headings = [Heading("runs")] + ([Heading("diverged")] if table.diverges else [])
    headings += [_heading(column) for column in columns]
    headings += [
        Heading(f"paper: {metric(name).label}", "as published", arrow(way), WAYS.get(way, ""))
        for name in published
        for way in [{"distance": "lower", "diversity": "higher"}.get(PUBLISHED.get(name, ""), "")]
    ]
    return TableView(
        caption=caption,
        headings=tuple(headings),
        arms=tuple(_line(table, line, columns, published, anchors) for line in table.arms),
        references=tuple(_line(table, line, columns, published, {}) for line in table.references),
    )


def _heading(column: Column) -> Heading:
    unit = f"{column.shown.unit}, " if column.shown.unit else ""
    detail = f"{unit}{plural(column.outputs, 'output')}"
    return Heading(column.shown.label, detail, arrow(column.direction), WAYS.get(column.direction, ""))


def _line(
    table: Table, line: Line, columns: Sequence[Column], published: Sequence[str], anchors: Mapping[str, str]
) -> LineView:
    arm = line in table.arms
    cells = [CellView(str(line.runs) if line.runs else "none", "", line.runs) if arm else CellView("")]
    if table.diverges:
        cells.append(CellView(line.divergence, "", line.diverged) if arm else CellView(""))
    cells += [_cell(column, line.cells.get(column)) for column in columns]
    for name in published:
        value = line.published.get(name)
        cells.append(CellView(NOTHING if arm else "") if value is None else CellView(str(value), "", value))
    return LineView(line.label if arm else "", line.title, anchors.get(line.label, ""), tuple(cells))


def _cell(column: Column, cell: Cell | None) -> CellView:
    if cell is None:
        return CellView(NOTHING)
    return CellView(of_metric(column.metric, cell.mean), limits(column.metric, cell.interval), cell.mean)


def _published(table: Table) -> list[str]:
    names = dict.fromkeys(name for line in table.arms for name in line.published)
    return [name for name in names if any(line.published.get(name) is not None for line in table.arms)]
