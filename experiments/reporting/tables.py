"""The ladder's tables as CSV, LaTeX, Markdown and text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from experiments.records import Result
from experiments.reporting.intervals import limits, with_half_width
from experiments.reporting.labels import (
    PUBLISHED,
    arrow,
    heading,
    listed,
    markdown_text,
    memory,
    metric,
    of_metric,
    plural,
    seconds,
    shortened,
    span,
    variant_of,
)
from experiments.reporting.latex import tabular
from experiments.reporting.summary import REFERENCES, Cell, Column, Line, Table, means_frame

NOTHING = "–"
WIDEST = 100  # characters of a terminal
TITLE, READABLE_TITLE = 26, 12  # characters of an arm's title in a terminal
FEW = 6  # runs of an arm whose values are all shown
CONTENT = ("content", "spread")  # roles that have a table of their own on the page


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A Markdown table of finished cells; the first `left` columns read from the left, the others are numbers."""
    lines = [headings, [":--" if number < left else "--:" for number in range(len(headings))], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def markdown_ladder(table: Table, *, content: bool) -> str:
    """A table for the page: what every metric came to, or (`content`) what was kept and varied. Empty if nothing is."""
    columns = [column for column in table.columns if (column.role in CONTENT) == content]
    if not table.arms or (content and not columns):
        return ""
    published = [] if content else _published_names(table)
    headings = ["", "arm", "runs", *_rate(table, "diverged")]
    headings += [heading(c.shown, c.outputs, c.direction) for c in columns]
    headings += [f"paper: {metric(name).label} {arrow(_direction(name))}" for name in published]
    rows = []
    for line in table.arms:
        cells = [_markdown_cell(column, line.cells.get(column)) for column in columns]
        name = f"**{markdown_text(line.label)}**"
        rows.append([name, markdown_text(line.title), str(line.runs) if line.runs else "**none finished**"])
        rows[-1] += [*_rate(table, line.divergence), *cells]
        rows[-1] += [_published(name, line.published.get(name)) for name in published]
    for line in table.references:
        cells = [_markdown_cell(column, line.cells.get(column)) for column in columns]
        rows.append(["", f"*{markdown_text(line.title)}*", "", *_rate(table, ""), *cells, *("" for _ in published)])
    return markdown_table(headings, rows, left=2)


def terminal_table(table: Table) -> str:
    """The same for a terminal, at most 100 columns wide: means, with half the widths of their intervals if they fit."""
    for half_widths, least in ((True, READABLE_TITLE), (False, 0)):
        title = TITLE - max(0, _width(*_terminal_rows(table, TITLE, half_widths=half_widths)) - WIDEST)
        if title >= least:
            break
    return aligned(*_terminal_rows(table, max(title, 4), half_widths=half_widths))


def _terminal_rows(table: Table, title: int, *, half_widths: bool) -> tuple[list[list[str]], list[list[str]]]:
    columns = [column for column in table.columns if column.role not in CONTENT]
    published = _published_names(table)
    title_width = title - sum(len(name) + 2 for name in _rate(table, "diverged"))
    start = ["", "", *_rate(table, "")]
    head = [
        ["", "", *_rate(table, "diverged"), *(_short(column) for column in columns), *("paper" for _ in published)],
        [
            *start,
            *(plural(column.outputs, "output") for column in columns),
            *(metric(name).label for name in published),
        ],
        [*start, *(arrow(column.direction) for column in columns), *(arrow(_direction(name)) for name in published)],
    ]
    body = []
    for line in table.arms:
        values = [_plain(column, line.cells.get(column), half_widths).replace(" ", "") for column in columns]
        name = line.title if line.runs or line.diverged else "no finished run"
        body.append([line.label, shortened(name, title_width), *_rate(table, line.divergence), *values])
        body[-1] += [_published(name, line.published.get(name)) for name in published]
    for line in table.references:
        values = [_plain(column, line.cells.get(column)) for column in columns]
        body.append(["", shortened(line.title, title_width), *_rate(table, ""), *values, *("" for _ in published)])
    return head, body


def _width(head: Sequence[Sequence[str]], body: Sequence[Sequence[str]]) -> int:
    widths = [max(map(len, column)) for column in zip(*head, *body, strict=True)]
    return sum(widths) + 2 * (len(widths) - 1)


def aligned(head: Sequence[Sequence[str]], body: Sequence[Sequence[str]], left: int = 2) -> str:
    """Cells in columns of equal width under a rule; no line is longer than a terminal is wide."""
    widths = [max(map(len, column)) for column in zip(*head, *body, strict=True)]
    lines = []
    for row in [*head, None, *body]:
        if row is None:
            lines.append("-" * (sum(widths) + 2 * (len(widths) - 1)))
            continue
        cells = [
            cell.ljust(w) if n < left else cell.rjust(w) for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(line[:WIDEST] for line in lines)


def latex_table(tables: Sequence[Table], source: str) -> str:
    r"""Every table as a LaTeX tabular; needs \usepackage{booktabs}."""
    return "\n".join(_latex_table(table, source) for table in tables)


def ladder_frame(tables: Sequence[Table]) -> pd.DataFrame:
    """One row a line of every table; of each metric the mean over runs, the least and the most, and the counts."""
    diverges = any(table.diverges for table in tables)
    rows = []
    for number, table in enumerate(tables, start=1):
        for line in (*table.arms, *table.references):
            row: dict[str, object] = {
                "table": number,
                "guide": table.guide,
                "rung": line.label,
                "title": line.title,
                "runs": line.runs,
            }
            row |= {"diverged": line.diverged, "ended": line.ended} if diverges else {}
            for column in table.columns:
                row |= _csv_cells(column, line.cells.get(column))
            row |= {f"paper_{name}": value for name, value in line.published.items()}
            rows.append(row)
    return pd.DataFrame(rows)


def run_summary(result: Result) -> str:
    """What one run came to, for a terminal: every metric averaged over domain pairs."""
    rows = pd.DataFrame([{"arm": "", "seed": result.seed, **row} for row in result.rows])
    if rows.empty:
        return "nothing was measured"
    means = means_frame(rows)
    names = list(dict.fromkeys((row.guide, int(row.outputs)) for row in means.itertuples()))
    head = [
        ["averages over domain pairs", *(f"{guide}-guided" for guide, _ in names)],
        ["", *(plural(outputs, "output") for _, outputs in names)],
    ]
    body = []
    for name in dict.fromkeys(means["metric"]):
        own = means[means["metric"] == name]
        unit = f" ({metric(name).unit})" if metric(name).unit else ""
        values = {(row.guide, int(row.outputs)): of_metric(name, row.value) for row in own.itertuples()}
        shown = metric(name, variant_of(own["protocol"].iloc[0]))
        label = f"{shown.label}{unit} {arrow(own['direction'].iloc[0])}"
        body.append([label, *(values.get(key, NOTHING) for key in names)])
    facts = [
        plural(result.iterations, "iteration"),
        seconds(result.train_seconds),
        f"{memory(result.peak_memory_bytes)} at most",
        f"{sum(result.parameters.values()):,} parameters",
        result.device,
    ]
    protocols = listed(list(dict.fromkeys(rows["protocol"])), 3)
    return "\n".join([aligned(head, body, left=1), "", ", ".join(facts), f"measured with {protocols}"])


def _short(column: Column) -> str:
    unit = " %" if metric(column.metric).percent else ""
    return column.shown.short + unit


def _plain(column: Column, cell: Cell | None, half_width: bool = False) -> str:
    if cell is None:
        return NOTHING
    return with_half_width(column.metric, cell.interval) if half_width else of_metric(column.metric, cell.mean)


def _markdown_cell(column: Column, cell: Cell | None) -> str:
    if cell is None:
        return NOTHING
    few = len(cell.values) <= FEW  # then every run's value; the range says enough of many
    shown = cell.values if few else (min(cell.values), max(cell.values))
    small = [limits(column.metric, cell.interval)]
    if len(cell.values) > 1:
        small.append((" · " if few else " – ").join(of_metric(column.metric, value) for value in shown))
    return "<br>".join([of_metric(column.metric, cell.mean), *(f"<sub>{text}</sub>" for text in small if text)])


def _rate(table: Table, text: str) -> list[str]:
    """The cell of the column of divergences, where there is one."""
    return [text] if table.diverges else []


def _published_names(table: Table) -> list[str]:
    names = dict.fromkeys(name for line in table.arms for name in line.published)
    return [name for name in names if any(line.published.get(name) is not None for line in table.arms)]


def _published(name: str, value: float | None) -> str:
    """As it was printed: no digit is added or taken away."""
    return NOTHING if value is None else str(value)


def _direction(name: str) -> str:
    return {"distance": "lower", "diversity": "higher"}.get(PUBLISHED.get(name, ""), "")


def _csv_cells(column: Column, cell: Cell | None) -> Mapping[str, object]:
    name = "_".join(filter(None, (column.metric, column.variant, str(column.outputs))))
    if cell is None:
        return dict.fromkeys(
            f"{name}{end}" for end in ("", "_low", "_high", "_lowest", "_highest", "_samples", "_reference_samples")
        )
    return {
        name: cell.mean,
        f"{name}_low": cell.interval.low,
        f"{name}_high": cell.interval.high,
        f"{name}_lowest": min(cell.values),
        f"{name}_highest": max(cell.values),
        f"{name}_samples": span(*cell.samples).replace(",", ""),
        f"{name}_reference_samples": span(*cell.reference_samples).replace(",", ""),
    }


def _latex_table(table: Table, source: str) -> str:
    columns, published = table.columns, _published_names(table)
    comments = [f"{table.guide}-guided; needs the package booktabs. Mean ± half the width of a 95 % t interval."]
    comments += [f"Published numbers: {source}"] if published else []
    comments += [
        f"{metric(name).label}: {table.protocols[name]}" for name in dict.fromkeys(column.metric for column in columns)
    ]
    rate, none = _rate(table, "diverged"), _rate(table, "")
    headings = [
        ["", "", *rate, *(c.shown.label for c in columns), *(f"paper: {metric(name).label}" for name in published)],
        ["", "", *none, *(f"({metric(c.metric).unit})" if metric(c.metric).unit else "" for c in columns)],
        ["", "", *none, *(plural(column.outputs, "output") for column in columns)],
        ["", "", *none, *(arrow(c.direction) for c in columns), *(arrow(_direction(name)) for name in published)],
    ]
    width = len(headings[0])
    padded = [[*cells, *[""] * (width - len(cells))] for cells in headings]
    groups = [[_latex_cells(line, table, published) for line in lines] for lines in (table.arms, table.references)]
    return tabular(comments, padded, [group for group in groups if group], f"ll{'r' * (width - 2)}")


def _latex_cells(line: Line, table: Table, published: Sequence[str]) -> list[str]:
    values = [_plain(column, line.cells.get(column), half_width=True) for column in table.columns]
    label = line.label if line.label not in REFERENCES else ""
    numbers = [_published(name, line.published.get(name)) for name in published]
    return [label, line.title, *_rate(table, line.divergence), *values, *numbers]
