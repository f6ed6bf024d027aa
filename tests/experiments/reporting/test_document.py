from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from experiments.report_records import ReportRecords
from experiments.reporting.document import Figures, render
from experiments.reporting.outcomes import Hole
from experiments.reporting.summary import ladder_tables, references_frame, results_frame

ALL = Figures(bars=True, content=True, tradeoff=True, curves=True, comparison=True, references=("E", "F"))


def page_of(report: Path, figures: Figures = ALL, missing: tuple[Hole, ...] = ()) -> str:
    records = ReportRecords(report)
    ladder, runs = records.ladder(), records.runs()
    tables = ladder_tables(ladder, results_frame(runs), references_frame(ladder))
    return render(ladder, runs, tables, missing, figures)


def test_everything_is_on_the_page(make_report: Callable[..., Path]) -> None:
    page = page_of(make_report())
    headings = re.findall(r"^## (.*)$", page, re.M)
    assert headings == [
        "The ladder",
        "Reference-guided",
        "Every metric by rung",
        "Quality against diversity",
        "Beside the paper",
        "What each rung changed",
        "Cost",
        "Loss curves",
        "The judge",
        "Environment",
        "How to read this",
    ]
    pictures = re.findall(r"\]\(figures/(\w+)\.png\)", page)
    assert pictures == ["comparison", "content", "reference", "metrics", "tradeoff", "curves"]
    assert page.index("| **A** | Baseline StarGAN") < page.index("figures/comparison.png")
    assert "\n\n\n" not in page and not re.search(r"[ \t]$", page, re.M)


def test_the_judge_is_never_taken_for_published_metrics(make_report: Callable[..., Path]) -> None:
    page = page_of(make_report())
    assert "Neither FID nor LPIPS was measured" in page
    heading = next(line for line in page.splitlines() if "judge Fréchet, 1 output" in line)
    assert [cell.strip() for cell in heading.split("|") if "FID" in cell] == ["paper: FID ↓"]


def test_one_run_declares_no_winner(make_report: Callable[..., Path]) -> None:
    page = page_of(make_report("one"))
    assert "One run a rung carries no interval" in page and "no winner can be declared" in page
    assert "seeds that go the paper's way" not in page
    several = page_of(make_report("several", seeds=3))
    assert "carries no interval" not in several and "seeds that go the paper's way" in several


def test_steps_are_said_plainly(make_report: Callable[..., Path]) -> None:
    page = page_of(make_report())
    assert "Ours, best first: F, E, D, B, C, A. The paper's: F, E, D, C, B, A. 4 of 5 steps go the paper's way." in page
    assert "| B → C | 81.0 → 86.0 (up) | 91.4 → 80.5 (down) | no |" in page


def test_changes_and_our_reading(make_report: Callable[..., Path]) -> None:
    page = page_of(make_report())
    assert "`loss.penalty`: `gradient_penalty` → `r1`" in page
    assert "`loss.cycle`: `10` → `1`" in page
    assert "the ladder starts at `loss.adversarial`: `wasserstein`" in page
    assert page.count("*Our reading:*") == 4  # A to D


def test_cost_and_environment(make_report: Callable[..., Path]) -> None:
    page = page_of(make_report())
    assert "| **A** | 40 | 40 | 320 | 16 s | 20.0 | 2.0 s | 1.00 GiB | cpu | fp32 |" in page
    assert "| **A** | 1,000 | 2,000 | 3,000 |" in page
    assert "| commit | abcdef123456 |" in page
    assert "98.0 % of 100 held-out real images" in page and "| content.x | 0.0123 | 0.900 |" in page


def test_text_from_outside_is_no_markup(make_report: Callable[..., Path]) -> None:
    domains = ("<img src=x>", "a|b*c_d", "Größe")
    ladder_data = {
        "name": "<script>",
        "domains": list(domains),
        "train": [5, 6, 7],
        "val": [1, 1, 1],
        "resolution": 32,
        "fingerprint": "f",
    }
    report = make_report(domains=domains, data=ladder_data, notes=["skipped: `x`|<b>.png"])
    page = page_of(report, missing=(Hole("C", 1, "a\n\n# b <i>"),))
    assert "<script>" not in page and "<img" not in page and "<b>" not in page and "<i>" not in page
    assert "&lt;img src=x&gt;, a\\|b\\*c\\_d, Größe" in page
    assert "C, seed 1 failed: a \\# b &lt;i&gt;" in page
    assert "5–7 (18 in all)" in page


def test_without_runs_there_is_still_a_page(make_report: Callable[..., Path]) -> None:
    page = page_of(make_report(letters=""), Figures(), (Hole("A", None),))
    assert "No run has finished" in page and "A has no record" in page
    assert "What each rung changed" in page and "figures/" not in page


def test_incomplete_averages_are_named(make_report: Callable[..., Path], more_runs: Callable[..., Path]) -> None:
    report = make_report(letters="A")
    rows = [dict(row) for row in ReportRecords(report).runs()[0].result.rows if row["metric"] != "judge_frechet"]
    whole = ReportRecords(report).runs()[0].result.rows
    more_runs(
        report, "A", 0, ("cat", "dog"), rows=[*rows, next(dict(r) for r in whole if r["metric"] == "judge_frechet")]
    )
    assert "fewer than all pairs of domains: judge Fréchet at 1 output: 1 of 2" in page_of(report)
