"""What a report says in words and tables of its evidence, and as CSV and LaTeX."""

from __future__ import annotations

import csv
import math
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from experiments.plan import read_plan
from experiments.reporting.attributions import attributions_frame, attributions_latex
from experiments.reporting.contrasts import command_for, contrasts_frame, contrasts_latex, needed_words, words
from experiments.reporting.findings import findings
from experiments.reporting.intervals import bounds, probability, signed, with_half_width
from experiments.reporting.latex import row
from experiments.reporting.measured import intervals_frame
from experiments.reporting.table_files import write_tables
from experiments.reporting.tables import latex_table
from experiments.reporting.verdicts import one_line, paragraph
from experiments.sample_size import SeedsNeeded
from experiments.statistics import Interval
from tests.experiments.designed import designed, evidence_of, read
from tests.experiments.reporting.test_evidence import exact, noisy


def found_in(report: Path) -> dict[str, Any]:
    ladder, runs, _, _ = read(report)
    return findings(ladder, runs, evidence_of(report))


def rows_of(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


# Numbers for people


def test_signs_and_bounds() -> None:
    assert [signed("fid", value) for value in (1.234, -12.34, 0.0)] == ["+1.23", "−12.3", "0"]
    assert signed("recognised", -0.0512) == "−5.12"  # in per cent
    interval = Interval(-2.5, -1.0, 0.5, 3)
    assert bounds("fid", interval) == "[−2.50, +0.500]"
    assert bounds("fid", Interval(math.nan, -1.0, math.nan, 1)) == ""
    assert with_half_width("fid", Interval(11.1, 13.5, 15.9, 3)) == "13.5 ± 2.4"
    assert with_half_width("recognised", Interval(0.70, 0.75, 0.80, 3)) == "75.0 ± 5.0"
    assert with_half_width("fid", Interval(math.nan, 13.5, math.nan, 1)) == "13.5"


def test_probabilities_are_never_zero() -> None:
    assert [probability(p) for p in (1e-9, 0.0123, 0.25, 1.0, math.nan)] == ["< 0.001", "0.012", "0.25", "1.00", "–"]


# Words at few and at many seeds


@pytest.mark.parametrize("seeds", [1, 2, 3, 6])
def test_what_so_many_seeds_say(tmp_path: Path, seeds: int) -> None:
    report = designed(tmp_path, "both", noisy, seeds=seeds)
    found = found_in(report)
    steps = rows_of(found["steps"])
    assert [row[:2] for row in steps[:3]] == [
        ["A → B", "multi-task discriminator"],
        ["B → C", "R1 objective, AdaIN"],
        ["C → D", "latent code"],
    ]
    cells = [row[2] for row in steps]
    said = {one for cell in cells for one in re.findall("better|worse|not resolved", cell)}
    text = " ".join([found["certainty"], *found["verdicts"]])
    if seeds == 1:
        assert said == set() and not any("[" in cell for cell in cells)
        assert "One seed: a difference has no interval, and none can be called better or worse" in text
        assert "undecided at one seed" in text and found["tested"] == []
        return
    assert all("[" in cell for cell in cells) and said <= {"better", "worse", "not resolved"} and said
    assert f"*not resolved* at {seeds} seeds, which is not the same as no difference" in text
    assert len(found["tested"]) == 2 and f" at {seeds} seeds" in found["verdicts"][0]
    if seeds <= 3:
        assert f"**{seeds} seeds are few**" in text and f"cannot fall below p = {2 / 2**seeds:g}" in text
        assert f"no exact p of {seeds} pairs can be below" in found["tested"][0]["caution"]
    else:
        assert "are few" not in text and "pairs: the interval trusts" not in found["tested"][0]["caution"]
    assert all("**" not in cell and "*" not in cell for row in steps for cell in row)  # no star, no bold winner


def test_words_of_a_contrast(tmp_path: Path) -> None:
    found = evidence_of(designed(tmp_path / "few", "ladder", noisy, seeds=1)).primary
    assert found is not None and words(found.contrasts[0], found) == "not resolved at one seed"
    found = evidence_of(designed(tmp_path / "more", "ladder", exact, seeds=3)).primary
    assert found is not None and words(found.contrasts[0], found) == "better"


def test_steps_and_leave_one_outs_have_tables_of_their_own(tmp_path: Path) -> None:
    found = found_in(designed(tmp_path, "both", exact))
    assert [row[0] for row in rows_of(found["steps"])] == ["A → B", "B → C", "C → D", "D → E", "E → F"]
    left_out = {row[0]: row[1:3] for row in rows_of(found["left_out"])}
    assert left_out["F-adain → F"] == ["AdaIN", "+2.00<br><sub>[+2.00, +2.00]</sub><br>worse"]
    assert left_out["E → F"][0] == "diversity regularization" and found["added"] == ""
    assert found["also"] == ["E is also F-diversity", "F is also F-latent"]
    added = found_in(designed(tmp_path / "add", "add_one", exact))
    assert added["steps"] == added["left_out"] == "" and rows_of(added["added"])[0][:2] == [
        "A → B",
        "multi-task discriminator",
    ]


def test_a_factorial_tells_its_orders_and_what_cannot_run(tmp_path: Path) -> None:
    found = found_in(designed(tmp_path, "factorial", exact))
    shares = {row[0]: row[1] for row in rows_of(found["shares"])}
    assert shares["multi-task discriminator"].startswith("−4.00<br>") and "*all together*" in shares
    assert found["shares_words"] == "judge Fréchet: 480 of 720 orders"
    assert len(rows_of(found["interactions"])) == 15
    assert [one["count"] for one in found["invalid"]] and "diversity" in found["invalid"][0]["names"]


def test_half_says_what_it_takes_to_be_small(tmp_path: Path) -> None:
    found = found_in(designed(tmp_path, "half", exact))
    assert rows_of(found["effects"])[0][:2] == [
        "multi-task discriminator",
        "−4.00<br><sub>[−4.00, −4.00]</sub>",
    ]
    assert "of resolution" in found["effects_words"] and "taken to be small" in found["effects_words"]
    assert found["steps"] == found["shares"] == ""


def test_fewer_seeds_are_said_where_they_are(tmp_path: Path) -> None:
    """C lacks its last two runs: the comparisons with it rest on one seed, and say so."""
    report = designed(tmp_path, "ladder", noisy)
    for seed in (1, 2):
        shutil.rmtree(report / "records" / f"C-s{seed}")
    cells = {row[0]: row[2] for row in rows_of(found_in(report)["steps"])}
    assert cells["B → C"].endswith("<br>(one seed)") and "[" not in cells["B → C"]
    assert "seed" not in cells["A → B"] and "[" in cells["A → B"]
    ladder, runs, _, _ = read(report)
    diverged = {**ladder, "divergences": [{"label": "C", "seed": 1, "iteration": 3, "reason": "DIVERGED"}]}
    assert (
        "where an arm diverged, only its other seeds count"
        in findings(diverged, runs, evidence_of(report))["certainty"]
    )


# More seeds


@pytest.mark.parametrize(
    "command, expected",
    [
        ("python -m experiments.ladder with quick", "python -m experiments.ladder with quick seeds=5"),
        (
            "python -m experiments.ladder with cpu seeds=3 name=x",
            "python -m experiments.ladder with cpu name=x seeds=5",
        ),
        ("python -m experiments.ladder ", "python -m experiments.ladder with seeds=5"),
    ],
)
def test_the_command_for_more_seeds_can_be_run(command: str, expected: str) -> None:
    assert command_for({"command": command}, 5) == expected
    assert read_plan(expected.split()[3:]).seeds == range(5)


def test_how_many_seeds_in_words(tmp_path: Path) -> None:
    assert needed_words(SeedsNeeded(None, None, None, 1, math.nan)) == "–"
    assert needed_words(SeedsNeeded(7, 4, 19, 3, 1.0)) == "7 (cautiously 19)"
    assert needed_words(SeedsNeeded(None, None, None, 3, 1.0)) == "over 10,000"
    assert (
        "seeds=3` trains only the runs that are missing"
        in found_in(designed(tmp_path / "1", "ladder", noisy, 1))["seeds"]
    )
    several = found_in(designed(tmp_path / "3", "both", noisy, 3))["seeds"]
    wanted = re.search(r"looks, (\d+) seeds find it with 80 % power\. .*seeds=(\d+)`", several)
    assert wanted is not None and wanted[1] == wanted[2] and int(wanted[1]) > 3
    assert found_in(designed(tmp_path / "exact", "both", exact, 3))["seeds"] == ""  # nothing is open


# The verdict


def test_verdicts_in_words(tmp_path: Path) -> None:
    evidence = evidence_of(designed(tmp_path / "a", "both", exact))
    text = paragraph(evidence.verdicts[0])
    assert text.startswith(
        "**judge Fréchet ↓ at 1 output, beside the paper's FID: reproduced at 3 seeds.** Of 5 published differences, 5"
        " agree. Best first, these rungs rank F, E, D, C, B, A here and F, E, D, C, B, A in the paper"
    )
    assert "(Kendall's τ-b 1.00; of single seeds 1.00 to 1.00)" in text
    assert one_line(evidence) == "vs paper: FID reproduced (in 5 of 5 steps), LPIPS reproduced (in 2 of 2 steps)"
    against = evidence_of(
        designed(tmp_path / "b", "ladder", lambda names, seed: seed - exact(names, seed) + len(names))
    )
    assert one_line(against) == "vs paper: FID contradicted (by 5 of 5 steps), LPIPS contradicted (by 2 of 2 steps)"
    one = evidence_of(designed(tmp_path / "c", "ladder", exact, seeds=1))
    line = one_line(one)
    assert line == "vs paper: FID undecided (5 of 5 steps not resolved), LPIPS undecided (2 of 2 steps not resolved)"
    assert len(line) <= 100


def test_published_differences_beside_ours(tmp_path: Path) -> None:
    report = designed(tmp_path, "both", exact)
    distance, diversity = found_in(report)["details"]
    assert distance["name"] == "judge Fréchet at 1 output ↓ beside FID"
    assert rows_of(distance["table"])[0] == [
        "A → B",
        "−7.00",
        "−4.00<br><sub>[−4.00, −4.00]</sub>",
        "yes",
        "3 of 3",
        "< 0.001",
        "agrees",
    ]
    assert "1.00 (seed 0), 1.00 (seed 1), 1.00 (seed 2)" in distance["taus"]
    assert [row[0] for row in rows_of(diversity["table"])] == ["D → E", "E → F"]


def test_conditions_stand_by_each_other(tmp_path: Path) -> None:
    report = designed(tmp_path, "ladder", exact)
    rows = {row[0]: row[1:] for row in rows_of(found_in(report)["conditions"])}
    assert rows["images"] == [
        "CelebA-HQ, 256 × 256 px, 2 domains: female, male",
        "pets, 32 × 32 px, 2 domains: cat, dog",
    ]
    assert rows["runs of a rung"] == ["one", "3"] and "not FID" in rows["quality"][1]
    ladder, runs, _, _ = read(report)
    other = findings({**ladder, "source": "somebody else"}, runs, evidence_of(report))
    assert "CelebA" not in other["conditions"]  # nothing is known of that source's conditions


# Files


def write(report: Path, folder: Path) -> list[str]:
    _, _, results, tables = read(report)
    return write_tables(folder, results, results, tables, evidence_of(report), "somebody")


def test_csv_holds_what_was_computed(tmp_path: Path) -> None:
    report = designed(tmp_path / "report", "factorial", noisy)
    evidence = evidence_of(report)
    found = evidence.primary
    assert found is not None and found.shapley is not None
    names = write(report, tmp_path / "tables")
    assert names == [
        *("results.csv", "references.csv", "ladder.csv", "intervals.csv", "contrasts.csv", "attributions.csv"),
        *("interactions.csv", "verdict.csv", "rankings.csv", "ladder.tex", "contrasts.tex", "attributions.tex"),
    ]
    with (tmp_path / "tables" / "contrasts.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    contrast = found.contrasts[0]
    assert (first["metric"], first["before"], first["after"], first["changes"]) == (
        *("judge_frechet", "A", "B"),
        "multitask",
    )
    assert float(first["difference_low"]) == pytest.approx(contrast.difference.low)
    assert float(first["t_holm"]) == pytest.approx(contrast.t_holm)
    assert first["seeds_needed"] == str(found.needed["A", "B"].total)
    shapley = attributions_frame(evidence).query("kind == 'shapley' and metric == 'judge_frechet'")
    assert shapley["effect"].sum() == pytest.approx(found.shapley.total.mean)
    intervals = intervals_frame(evidence.measured)
    assert len(intervals.query("metric == 'judge_frechet' and arm == 'A'")) == 1
    assert contrasts_frame(evidence)["finding"].isin(["better", "worse", "not resolved"]).all()


def test_tables_of_an_earlier_build_go(tmp_path: Path) -> None:
    write(designed(tmp_path / "whole", "factorial", noisy), tmp_path / "tables")
    names = write(designed(tmp_path / "none", "ladder", noisy, seeds=0), tmp_path / "tables")
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == sorted(names)
    assert "contrasts.csv" not in names and "results.csv" in names


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
@pytest.mark.parametrize("design", ["both", "factorial", "half"])
def test_latex_compiles(tmp_path: Path, design: str) -> None:
    report = designed(tmp_path / "report", design, noisy, seeds=3 if design == "both" else 2)
    evidence, tables = evidence_of(report), read(report)[3]
    texts = [latex_table(tables, "a_b & 100%"), contrasts_latex(evidence), attributions_latex(evidence)]
    assert "±" not in texts[0] and r"$\pm$" in texts[0] and ("$-$4" in texts[2] or "$-$3" in texts[2])
    body = "\n\n".join(rf"\resizebox{{\linewidth}}{{!}}{{{text}}}" for part in texts for text in tabulars(part))
    page = rf"\documentclass{{article}}\usepackage{{booktabs,graphicx}}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "page.tex").write_text(page)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-1000:]


def test_a_row_never_begins_with_a_bracket() -> None:
    assert row(["[x]", "−1"]) == r"{}[x] & $-$1 \\"


def tabulars(text: str) -> list[str]:
    return re.findall(r"\\begin\{tabular\}.*?\\end\{tabular\}", text, re.S)
