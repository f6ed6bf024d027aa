"""Compare two reports and write it down beside the first: against-OTHER.md, its tables and its figure."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from experiments.files import check_writable, write_atomically
from experiments.reporting.comparison import compare
from experiments.reporting.comparison_chart import draw_comparison_chart
from experiments.reporting.comparison_page import (
    comparison_frame,
    comparison_latex,
    comparison_markdown,
    comparison_text,
)
from experiments.reporting.sides import read_side
from experiments.reporting.style import remove


def write_comparison(report: Path, other: Path) -> str:
    """Write everything, and give the text for a terminal. Raises UserError."""
    comparison = compare(read_side(report), read_side(other))
    check_writable(report)
    name = f"against-{other.name}"
    figure = report / "figures" / f"{name}.png"
    remove(figure)
    drawn = draw_comparison_chart(comparison, figure)
    page = report / f"{name}.md"
    write_atomically(page, comparison_markdown(comparison, f"figures/{quote(figure.name)}" if drawn else ""))
    frame = comparison_frame(comparison)
    write_atomically(report / "tables" / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))
    write_atomically(report / "tables" / f"{name}.tex", comparison_latex(comparison))
    return f"{comparison_text(comparison)}\n\nreport: {page}"
