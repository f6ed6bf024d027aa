"""Tables for LaTeX: finished cells -> tabulars between the rules of booktabs."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.reporting.labels import latex_text


def tabular(
    comments: Sequence[str],
    headings: Sequence[Sequence[str]],
    groups: Sequence[Sequence[Sequence[str]]],
    columns: str,
) -> str:
    r"""One tabular with its groups of rows between rules. headings: its rows; columns: of LaTeX, e.g. `llr`."""
    lines = [f"% {latex_text(comment)}" for comment in comments]
    lines += [f"\\begin{{tabular}}{{{columns}}}", "\\toprule", *map(row, headings)]
    for group in groups:
        lines += ["\\midrule", *map(row, group)]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", ""])


def row(cells: Sequence[str]) -> str:
    """A line of a tabular."""
    text = " & ".join(latex_text(cell) for cell in cells)
    return ("{}" if text.startswith("[") else "") + text + r" \\"  # a bracket would belong to the line before
