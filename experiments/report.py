"""Rebuild a report from its records alone: tables, figures and page. Trains and measures nothing.

python -m experiments.report NAME
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from experiments.command import run_main, wants_help
from experiments.naming import names_and_folder

if TYPE_CHECKING:
    from experiments.report_records import RunRecord
    from experiments.reporting.summary import Table

USAGE = """Rebuild a report from its records alone: report.md, tables/ and figures/ in the folder reports/NAME.

usage: python -m experiments.report NAME
       python -m experiments.report NAME reports=FOLDER

Settings of this command (key=default):
  reports=reports                 folder of the reports"""

FIGURES = ("comparison", "reference", "metrics", "content", "tradeoff", "curves")


def main(arguments: list[str]) -> int:
    """The command."""
    if wants_help(arguments):
        print(USAGE)
        return 0
    name, reports = _asked(arguments)
    report = reports / name
    if not (report / "records" / "ladder.json").is_file():
        known = ", ".join(existing(reports))
        raise UserError(
            f"{report}: there is no report of this name. "
            + (
                f"There are: {known}"
                if known
                else f"There is none in {reports}: python -m experiments.ladder makes one"
            )
        )
    print(build(report))
    return 0


def existing(reports: Path) -> list[str]:
    """The names of the reports in a folder."""
    return sorted(path.parents[1].name for path in reports.glob("*/records/ladder.json"))


def build(report: Path) -> str:
    """Write report.md, tables/ and figures/ beside records/, and give the text for a terminal. Raises UserError."""
    from experiments.files import check_writable, write_atomically
    from experiments.report_records import ReportRecords
    from experiments.reporting.labels import shortened
    from experiments.reporting.outcomes import divergences, missing_runs
    from experiments.reporting.page import render
    from experiments.reporting.summary import ladder_tables, references_frame, results_frame
    from experiments.reporting.tables import WIDEST, ladder_frame, latex_table, terminal_table
    from experiments.reporting.tuned import section

    records = ReportRecords(report)
    ladder, runs = records.ladder(), records.runs()
    check_writable(report)
    results, references = results_frame(runs), references_frame(ladder)
    tables = ladder_tables(ladder, results, references)
    missing = missing_runs(ladder, runs)

    folder = report / "tables"
    write_atomically(folder / "results.csv", results.to_csv(index=False, lineterminator="\n"))
    write_atomically(
        folder / "references.csv", references.drop(columns="seed").to_csv(index=False, lineterminator="\n")
    )
    write_atomically(folder / "ladder.csv", ladder_frame(tables).to_csv(index=False, lineterminator="\n"))
    write_atomically(folder / "ladder.tex", latex_table(tables, ladder["source"]))
    figures = _draw(ladder, runs, tables, report / "figures")
    tuning = records.tuning()
    tuned = section(tuning, report / "figures") if tuning else ""
    page = report / "report.md"
    write_atomically(page, render(ladder, runs, tables, missing, figures, tuned))

    text = [terminal_table(table) for table in tables[:1]] or ["no run has finished"]
    text += [f"means of {max(line.runs for line in table.arms)} runs" for table in tables[:1] if _several(table)]
    text += [shortened(f"diverged: {line}", WIDEST) for line in divergences(ladder)[:12]]
    for hole in missing[:12]:
        text += [shortened(f"not in this report: {hole}", WIDEST), *([f"  {hole.log}"] if hole.log else [])]
    return "\n".join([*text, "", f"report: {page}"])


def _draw(ladder: Mapping[str, Any], runs: list[RunRecord], tables: list[Table], folder: Path) -> Any:
    from experiments.reporting.curves import draw_curves
    from experiments.reporting.montage import draw_comparison, draw_references
    from experiments.reporting.page import Figures
    from experiments.reporting.plots import draw_bars
    from experiments.reporting.tables import CONTENT
    from experiments.reporting.tradeoff import draw_tradeoff

    for name in FIGURES:  # what an earlier build drew and this one may not
        (folder / f"{name}.png").unlink(missing_ok=True)
    if not runs:
        return Figures()
    # Of the first protocol, one a guide: figures mix no protocols either.
    guides = dict.fromkeys(table.guide for table in tables)
    first = [next(table for table in tables if table.guide == guide) for guide in guides]
    columns = list(dict.fromkeys(column for table in first for column in table.columns))
    kept = [column for column in columns if column.role in CONTENT]
    return Figures(
        bars=draw_bars(first, [column for column in columns if column not in kept], folder / "metrics.png"),
        content=draw_bars(first, kept, folder / "content.png"),
        tradeoff=draw_tradeoff(first, folder / "tradeoff.png"),
        curves=draw_curves(runs, folder / "curves.png"),
        comparison=draw_comparison(ladder["arms"], runs, folder / "comparison.png"),
        references=tuple(draw_references(ladder["arms"], runs, folder / "reference.png")),
    )


def _several(table: Table) -> bool:
    return max(line.runs for line in table.arms) > 1


def _asked(arguments: list[str]) -> tuple[str, Path]:
    """(the report's name, the folder of the reports). Raises UserError."""
    names, reports = names_and_folder(arguments, "reports")
    if len(names) != 1:
        known = ", ".join(existing(reports))
        given = " ".join(names) or "no name"
        raise UserError(
            f"{given}: name one report" + (f"; there are: {known}" if known else f"; there is none in {reports}")
        )
    return names[0], reports


if __name__ == "__main__":
    run_main(main)
    sys.exit(0)
