"""Rebuild a report from its records alone, or compare it with another one. Trains and measures nothing.

python -m experiments.report NAME [--against OTHER]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError
from experiments.command import run_main, wants_help
from experiments.naming import check_name, names_and_folder

if TYPE_CHECKING:
    from experiments.reporting.summary import Table

USAGE = """Rebuild a report from its records alone: index.html, report.md, tables/ and figures/ in reports/NAME.

With --against, compare it with another one instead: against-OTHER.md in the same folder, with tables and a figure.

usage: python -m experiments.report NAME
       python -m experiments.report NAME --against OTHER
       python -m experiments.report NAME reports=FOLDER

Settings of this command (key=default):
  against=                        another report: numbers of one protocol, and how each orders its arms
  reports=reports                 folder of the reports"""


def main(arguments: list[str]) -> int:
    """The command."""
    if wants_help(arguments):
        print(USAGE)
        return 0
    name, other, reports = _asked(arguments)
    if not other:
        print(build(_found(reports, name)))
        return 0
    if name == other:
        raise UserError(f"{name}: name two reports, a report is not compared with itself")
    from experiments.reporting.comparison_files import write_comparison

    print(write_comparison(_found(reports, name), _found(reports, other)))
    return 0


def existing(reports: Path) -> list[str]:
    """The names of the reports in a folder."""
    return sorted(path.parents[1].name for path in reports.glob("*/records/ladder.json"))


def build(report: Path) -> str:
    """Write everything beside records/, and give the text for a terminal. Raises UserError."""
    from experiments.files import check_writable, write_atomically
    from experiments.page.page import render as render_page
    from experiments.report_records import ReportRecords
    from experiments.reporting.document import render
    from experiments.reporting.drawing import draw
    from experiments.reporting.evidence import gather
    from experiments.reporting.labels import shortened
    from experiments.reporting.outcomes import divergences, missing_runs
    from experiments.reporting.summary import ladder_tables, references_frame, results_frame
    from experiments.reporting.table_files import write_tables
    from experiments.reporting.tables import WIDEST, terminal_table
    from experiments.reporting.tuned import section as tuning_section
    from experiments.reporting.verdicts import one_line
    from experiments.study.rendering import section, write_study
    from experiments.study.result import study_of

    records = ReportRecords(report)
    ladder, runs = records.ladder(), records.runs()
    check_writable(report)
    results, references = results_frame(runs), references_frame(ladder)
    tables = ladder_tables(ladder, results, references)
    missing = missing_runs(ladder, runs)
    repeats = {(run.label, run.result.seed): run.repeats for run in runs}
    evidence = gather(ladder, results, tables, repeats)

    files = write_tables(report / "tables", results, references, tables, evidence, ladder["source"])
    study = study_of(records)
    files += write_study(study, report / "tables")
    people = section(study, study.outdated(runs)) if study else ""
    figures = draw(ladder, runs, tables, evidence, report / "figures")
    tuning = records.tuning()
    tuned = tuning_section(tuning, report / "figures")
    document, page = report / "report.md", report / "index.html"
    write_atomically(document, render(ladder, runs, tables, evidence, missing, figures, files, people, tuned))
    write_atomically(page, render_page(ladder, runs, tables, evidence, missing, files, tuning))

    text = [terminal_table(table) for table in tables[:1]] or ["no run has finished"]
    text += [f"means of {_words(table)}" for table in tables[:1] if max(line.runs for line in table.arms) > 1]
    text += [shortened(line, WIDEST) for line in [one_line(evidence)] if line]
    text += [shortened(f"diverged: {line}", WIDEST) for line in divergences(ladder)[:12]]
    for hole in missing[:12]:
        text += [shortened(f"not in this report: {hole}", WIDEST), *([f"  {hole.log}"] if hole.log else [])]
    return "\n".join([*text, "", f"report: {document}", f"page: {page}"])


def _words(table: Table) -> str:
    return f"{max(line.runs for line in table.arms)} runs (± half the width of a 95 % t interval)"


def _found(reports: Path, name: str) -> Path:
    """The folder of a report. Raises UserError where there is none."""
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
    return report


def _asked(arguments: list[str]) -> tuple[str, str, Path]:
    """(the report's name, that of another one or nothing, the folder of the reports). Raises UserError."""
    words, others = _without_others(arguments)
    names, reports = names_and_folder(words, "reports")
    known = ", ".join(existing(reports))
    there = f"; there are: {known}" if known else f"; there is none in {reports}"
    if len(names) != 1:
        raise UserError(f"{' '.join(names) or 'no name'}: name one report{there}")
    if len(others) > 1 or "" in others:
        raise UserError(f"--against {' '.join(others)}: name one other report{there}")
    for other in others:
        check_name(other)
    return names[0], others[0] if others else "", reports


def _without_others(arguments: list[str]) -> tuple[list[str], list[str]]:
    """(the words, what stands after `--against` or `against=`)."""
    words, others = [], []
    rest = iter(arguments)
    for word in rest:
        key, equals, value = word.partition("=")
        if word == "--against":
            following = next(rest, "")
            misplaced = following.startswith("reports=")
            others.append("" if misplaced else following)
            words += [following] if misplaced else []
        elif equals and key in ("--against", "against"):
            others.append(value)
        else:
            words.append(word)
    return words, others


if __name__ == "__main__":
    run_main(main)
    sys.exit(0)
