from __future__ import annotations

import csv
import io
import math
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.config import Config, as_flat
from experiments.records import Result
from experiments.report_records import ReportRecords
from experiments.reporting.evidence import gather
from experiments.reporting.labels import (
    latex_text,
    markdown_code,
    markdown_text,
    number,
    objectives,
    of_metric,
    seconds,
)
from experiments.reporting.summary import Table, ladder_tables, references_frame, results_frame
from experiments.reporting.tables import (
    WIDEST,
    ladder_frame,
    latex_table,
    markdown_ladder,
    run_summary,
    terminal_table,
)


def tables_of(report: Path) -> list[Table]:
    records = ReportRecords(report)
    ladder = records.ladder()
    return ladder_tables(ladder, results_frame(records.runs()), references_frame(ladder))


@pytest.mark.parametrize(
    "value, text",
    [
        (0.0, "0"),
        (137.5087, "138"),
        (99.96, "100"),
        (21.902, "21.9"),
        (1.0659, "1.07"),
        (0.020837, "0.0208"),
        (-0.0141, "-0.0141"),
        (12345.6, "12,346"),
        (1.25e-7, "1.25e-07"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_three_significant_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_shares_are_shown_in_per_cent() -> None:
    assert of_metric("recognised", 0.944) == "94.4"
    assert of_metric("position_error", 0.944) == "0.944"


def test_durations() -> None:
    assert [seconds(value) for value in (1.6, 93.3, 600, 200_000)] == ["1.6 s", "93 s", "10 min", "56 h"]


def test_what_a_study_was_made_for_is_said_in_words() -> None:
    assert objectives("fid/latent/1 (lower is better); judge_diversity/reference/10 (higher is better)") == [
        "FID of 1 output, latent-guided (lower is better)",
        "judge diversity of 10 outputs, reference-guided (higher is better)",
    ]
    assert objectives("another/reference/2") == ["another of 2 outputs, reference-guided"]
    assert objectives("") == [""]


def test_text_is_no_markup() -> None:
    assert markdown_text("a|b_c*d\n<img> & `x`") == r"a\|b\_c\*d &lt;img&gt; &amp; \`x\`"
    assert markdown_code("a `b` c") == "`` a `b` c ``"
    assert latex_text("a_b & 50% {x} \\y ↓ 猫") == r"a\_b \& 50\% \{x\} \textbackslash{}y $\downarrow$ ?"


def test_a_cell_averages_over_pairs_and_then_over_runs(make_report: Callable[..., Path]) -> None:
    latent, reference = tables_of(make_report(seeds=3))
    assert (latent.guide, reference.guide) == ("latent", "reference")
    column = latent.column("distance")
    assert column is not None and (column.metric, column.outputs) == ("judge_frechet", 1)
    cell = latent.arms[0].cells[column]
    assert cell.by_seed == {0: 91.0, 1: 92.0, 2: 93.0}  # two pairs, 90 and 92, and one more a seed
    assert cell.mean == 92.0
    assert (cell.pairs, cell.samples, cell.reference_samples) == ((2, 2), (50, 50), (500, 500))
    many = latent.column("distance", many=True)
    assert many is not None and many.outputs == 10
    assert many not in latent.arms[0].cells
    assert latent.arms[3].cells[many].samples == (500, 500)
    assert [line.label for line in reference.arms] == ["E", "F"]
    assert [(line.label, line.cells[column].mean) for line in latent.references] == [("real", 9.0), ("source", 120.0)]


def test_a_value_that_is_not_a_number_is_not_averaged_away(
    make_report: Callable[..., Path], more_runs: Callable[..., Path]
) -> None:
    report = make_report(letters="A")
    rows = [{**row, "value": float("nan")} if n == 0 else row for n, row in enumerate(_rows(report))]
    more_runs(report, "A", 0, ("cat", "dog"), rows=rows)
    assert "nan" in markdown_ladder(tables_of(report)[0], content=False)


def test_two_protocols_never_share_a_table(make_report: Callable[..., Path], more_runs: Callable[..., Path]) -> None:
    report = make_report(letters="AB")
    rows = [{**row, "protocol": "judge v1 other"} for row in _rows(report)]
    more_runs(report, "B", 0, ("cat", "dog"), rows=rows)
    first, second = tables_of(report)
    assert [(line.label, line.runs) for line in first.arms] == [(letter, int(letter == "A")) for letter in "ABCDEF"]
    assert [line.label for line in second.arms] == ["B"]
    assert set(second.protocols.values()) == {"judge v1 other"}
    assert len(first.references) == 2 and second.references == ()


def test_the_authors_numbers_never_stand_among_the_standard_ones(
    make_report: Callable[..., Path], more_runs: Callable[..., Path]
) -> None:
    """Runs of one ladder, and its real images, measured by both protocols of the published metrics."""
    report = make_report(letters="DEF")
    judged = _rows(report)
    for letter, protocol in (("D", "standard"), ("E", "authors"), ("F", "standard")):
        more_runs(report, letter, 0, ("cat", "dog"), rows=_published(judged, protocol))
    records = ReportRecords(report)
    real = _published(records.ladder()["references"]["real"], "authors")
    ladder = {**records.ladder(), "references": {"real": real}}
    standard, authors = ladder_tables(ladder, results_frame(records.runs()), references_frame(ladder))

    assert [line.label for line in standard.arms if line.runs] == ["D", "F"]
    assert [line.label for line in authors.arms if line.runs] == ["E"]
    assert standard.references == () and [line.label for line in authors.references] == ["real"]
    assert standard.protocols["fid"].startswith("standard: ") and authors.protocols["fid"].startswith("authors: ")
    assert [column.shown.label for column in standard.columns] == [
        "FID",
        "FID",
        "LPIPS",
        "recognised",
        "position error",
    ]
    assert [column.shown.label for column in authors.columns][:3] == [
        "FID (authors)",
        "FID (authors)",
        "LPIPS (authors)",
    ]
    assert "FID (authors), 1 output ↓" in markdown_ladder(authors, content=False)
    assert "FID auth" in terminal_table(authors) and "LPIPS auth" in terminal_table(authors)
    assert max(map(len, terminal_table(authors).splitlines())) <= WIDEST
    sheet = ladder_frame([standard, authors]).set_index("rung")
    assert sheet["fid_1"].dropna().index.tolist() == ["D", "F"]
    assert sheet["fid_authors_1"].dropna().index.tolist() == ["E", "real"]
    evidence = gather(ladder, results_frame(records.runs()), [standard, authors])
    distance = evidence.verdicts[0]  # the other protocol's rung is in no step
    assert [(step.ours.before, step.ours.after) for step in distance.verdict.steps] == [("D", "F")]
    assert {one.protocol.partition(":")[0] for one in evidence.main} == {"standard"}


def test_markdown_has_the_published_numbers(make_report: Callable[..., Path]) -> None:
    table = markdown_ladder(tables_of(make_report())[0], content=False)
    lines = table.splitlines()
    assert "judge Fréchet, 1 output ↓" in lines[0] and "paper: FID ↓" in lines[0] and "paper: LPIPS ↑" in lines[0]
    assert "| 91.0 |" in lines[2] and "| 98.4 | – |" in lines[2]
    assert "| 13.7 | 0.452 |" in lines[7]
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


def test_markdown_gives_every_run(make_report: Callable[..., Path]) -> None:
    few = markdown_ladder(tables_of(make_report("few", seeds=3))[0], content=False)
    # Student's interval of 91, 92, 93: 92 -+ 4.303 / sqrt 3.
    assert "| 92.0<br><sub>[89.5, 94.5]</sub><br><sub>91.0 · 92.0 · 93.0</sub> |" in few
    many = markdown_ladder(tables_of(make_report("many", seeds=8))[0], content=False)
    assert "| 94.5<br><sub>[92.5, 96.5]</sub><br><sub>91.0 – 98.0</sub> |" in many


def test_a_terminal_has_half_widths_where_they_fit(make_report: Callable[..., Path]) -> None:
    table = tables_of(make_report(seeds=3))[0]
    text = terminal_table(table)
    assert "92.0±2.5" in text and max(map(len, text.splitlines())) <= WIDEST
    long = replace(table, arms=tuple(replace(line, label=line.label * 40) for line in table.arms))
    assert "±" not in terminal_table(long) and "92.0" in terminal_table(long)


def test_what_is_kept_has_its_own_table(make_report: Callable[..., Path]) -> None:
    table = tables_of(make_report())[0]
    assert "position error (half images), 1 output ↓" in markdown_ladder(table, content=True)
    assert "position" not in markdown_ladder(table, content=False)


def test_terminal_table_is_narrow(make_report: Callable[..., Path]) -> None:
    text = terminal_table(tables_of(make_report(seeds=2))[0])
    assert max(map(len, text.splitlines())) <= WIDEST
    assert "A  Baseline StarGAN" in text and "91.5" in text and "98.4" in text
    assert "FID" in text and "j-Fréchet" in text


def test_ladder_csv_has_means_and_ranges(make_report: Callable[..., Path]) -> None:
    rows = list(csv.DictReader(io.StringIO(ladder_frame(tables_of(make_report(seeds=3))).to_csv(index=False))))
    first = rows[0]
    assert (first["rung"], first["runs"], first["paper_fid"]) == ("A", "3", "98.4")
    names = ("judge_frechet_1", "judge_frechet_1_lowest", "judge_frechet_1_highest", "judge_frechet_1_samples")
    assert [float(first[name]) for name in names] == [92.0, 91.0, 93.0, 50.0]
    assert float(first["judge_frechet_1_low"]) == pytest.approx(92 - 4.302653 / math.sqrt(3))
    assert first["judge_frechet_10"] == ""


def test_latex_is_escaped_and_whole(make_report: Callable[..., Path]) -> None:
    text = latex_table(tables_of(make_report()), "a_b & 100%")
    assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == 2
    assert r"a\_b \& 100\%" in text and r"(\%)" in text and "↓" not in text
    for block in text.split("\\begin{tabular}")[1:]:
        body = block.partition("\n")[2].partition("\\end{tabular}")[0]
        cells = {line.replace("\\&", "").count("&") for line in body.splitlines() if line.endswith("\\\\")}
        assert len(cells) == 1
        assert block.partition("\n")[0].strip("{}").count("r") == cells.pop() - 1


def test_divergence_is_a_rate_of_its_arm(make_report: Callable[..., Path]) -> None:
    """A diverged once beside two results, C always; of F one run failed, which is no divergence."""
    cells = [("A", 2), ("C", 0), ("C", 1), ("C", 2)]
    diverged = [{"label": label, "seed": seed, "iteration": 3, "reason": "DIVERGED"} for label, seed in cells]
    failures = [{"label": "F", "seed": 2, "reason": "out of memory"}]
    tables = tables_of(make_report(letters="ABDEF", seeds=2, divergences=diverged, failures=failures))
    latent, reference = tables
    assert [line.divergence for line in latent.arms] == ["1/3", "0/2", "3/3", "0/2", "0/2", "0/2"]
    assert (latent.diverges, reference.diverges) == (True, False)

    text = terminal_table(latent)
    assert max(map(len, text.splitlines())) <= WIDEST
    assert text.splitlines()[0].split()[0] == "diverged"
    rows = {line[0]: line for line in text.splitlines()[4:]}
    assert "  1/3  " in rows["A"] and "+ tuning" in rows["C"] and "  3/3  " in rows["C"] and "  0/2  " in rows["F"]
    page = markdown_ladder(latent, content=False).splitlines()
    assert page[0].startswith("|  | arm | runs | diverged | judge")
    assert page[2].startswith("| **A** | Baseline StarGAN | 2 | 1/3 | 91.5")
    assert page[4].startswith("| **C** | + tuning (R1, AdaIN) | **none finished** | 3/3 | – |")
    assert len({line.count("|") for line in page}) == 1
    sheet = ladder_frame(tables).set_index(["table", "rung"])
    assert sheet.loc[[(1, "A"), (1, "C"), (1, "real"), (2, "E")], ["diverged", "ended"]].to_numpy().tolist() == [
        [1, 3],
        [3, 3],
        [0, 0],
        [0, 2],
    ]
    first, second = latex_table(tables, "").split("\\end{tabular}")[:2]
    assert "A & Baseline StarGAN & 1/3 & 91.5" in first and "diverged" not in second
    assert len({line.count("&") for line in first.splitlines() if line.endswith("\\\\")}) == 1


def test_without_divergence_there_is_no_column(make_report: Callable[..., Path]) -> None:
    tables = tables_of(make_report(divergences=[], seeds=2))
    shown = [terminal_table(tables[0]), markdown_ladder(tables[0], content=False), latex_table(tables, "")]
    assert not any("diverged" in text for text in [*shown, *ladder_frame(tables).columns])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
def test_latex_compiles(make_report: Callable[..., Path], tmp_path: Path) -> None:
    body = latex_table(tables_of(make_report()), "a_b & 100%")
    page = f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}\n{body}\n\\end{{document}}"
    (tmp_path / "page.tex").write_text(page)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-1000:]


def test_run_summary_names_metrics_and_protocol(make_report: Callable[..., Path]) -> None:
    result = ReportRecords(make_report(letters="F")).runs()[0].result
    text = run_summary(result)
    assert "21.0" in text and "latent-guided" in text and "10 outputs" in text
    assert "judge v1 12345678" in text and "3,000 parameters" in text and "75.0" in text
    assert max(map(len, text.splitlines())) <= WIDEST


def test_run_summary_of_nothing() -> None:
    result = Result("d", 0, as_flat(Config()), 1, 1, 8, {}, 1.0, 1.0, 0, "cpu", {}, rows=())
    assert run_summary(result) == "nothing was measured"


def _rows(report: Path) -> list[dict[str, object]]:
    return [dict(row) for row in ReportRecords(report).runs()[0].result.rows]


def _published(rows: list[dict[str, Any]], protocol: str) -> list[dict[str, Any]]:
    """The judge's rows under the names of the published metrics."""
    inception = {"standard": "pytorch-fid Inception 6726825d", "authors": "torchvision Inception 0cc3c7bd"}[protocol]
    renamed = {
        "judge_frechet": {"metric": "fid", "protocol": f"{protocol}: {inception}, 32 px"},
        "judge_diversity": {"metric": "lpips", "protocol": f"{protocol}: lpips AlexNet 7be5be79, 32 px"},
    }
    return [{**row, **renamed.get(row["metric"], {})} for row in rows]
