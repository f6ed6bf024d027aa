from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from experiments.report_records import ReportRecords
from experiments.reporting.document import Figures, render
from experiments.reporting.evidence import gather
from experiments.reporting.outcomes import Hole
from experiments.reporting.summary import ladder_tables, references_frame, results_frame
from tests.experiments.designed import designed

ALL = Figures(bars=True, content=True, tradeoff=True, curves=True, comparison=True, references=("E", "F"))


def page_of(report: Path, figures: Figures = ALL, missing: tuple[Hole, ...] = ()) -> str:
    records = ReportRecords(report)
    ladder, runs = records.ladder(), records.runs()
    results = results_frame(runs)
    tables = ladder_tables(ladder, results, references_frame(ladder))
    return render(
        ladder, runs, tables, gather(ladder, results, tables), missing, figures, ["results.csv", "ladder.csv"]
    )


def test_everything_is_on_the_page(make_report: Callable[..., Path]) -> None:
    page = page_of(make_report())
    headings = re.findall(r"^## (.*)$", page, re.M)
    assert headings == [
        "Does it reproduce the paper?",
        "The ladder",
        "Reference-guided",
        "What each component contributes",
        "Every metric by rung",
        "Quality against diversity",
        "Beside the paper, step by step",
        "What each arm changed",
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


def test_arms_that_practise_by_references_too_are_named(tmp_path: Path) -> None:
    """Of the same number of updates they make half by latents, so that they are behind in what a ladder compares."""
    for design, who in (
        ("ladder", "E, F"),
        ("leave_one_out", "E, F, F-multitask, F-r1, F-adain"),
        ("add_one", "A+style"),
    ):
        lines = page_of(designed(tmp_path / design, design, lambda *_: 1.0)).splitlines()
        [training] = [line for line in lines if line.startswith("- **Training:**")]
        assert training.endswith(
            f"batch 8; half of the updates of {who} are guided by references, all others by latents or labels"
        )


def test_the_judge_is_never_taken_for_published_metrics(make_report: Callable[..., Path]) -> None:
    page = page_of(make_report())
    assert "Neither FID nor LPIPS was measured" in page
    heading = next(line for line in page.splitlines() if "judge Fréchet, 1 output" in line)
    assert [cell.strip() for cell in heading.split("|") if "FID" in cell] == ["paper: FID ↓"]


def test_one_run_declares_no_winner(make_report: Callable[..., Path]) -> None:
    page = page_of(make_report("one"))
    assert "One run a rung carries no interval" in page and "no winner can be declared" in page
    assert "none can be called better or worse" in page and "## Every comparison in numbers" not in page
    several = page_of(make_report("several", seeds=3))
    assert "carries no interval" not in several and "## Every comparison in numbers" in several


def test_the_verdict_comes_first(make_report: Callable[..., Path]) -> None:
    """B to C goes up by the same 5 at every seed, where the paper's goes down."""
    page = page_of(make_report(seeds=3))
    head = page[: page.index("## The ladder")]
    assert "beside the paper's FID: contradicted at 3 seeds.**" in head
    assert "Of 5 published differences, 4 agree, 1 contradicts (B to C)." in head
    assert "rank F, E, D, B, C, A here and F, E, D, C, B, A in the paper (Kendall's τ-b 0.87" in head
    assert head.index("**Command:**") < head.index("contradicted at 3") < head.index("The rule: a difference")
    assert "| B → C | −10.9 | +5.00<br><sub>[+5.00, +5.00]</sub> | no | 0 of 3 | < 0.001 | contradicts |" in page


def test_other_arms_have_a_table_of_their_own(tmp_path: Path) -> None:
    page = page_of(designed(tmp_path, "both", lambda names, seed: 60.0 - len(names) + seed))
    rungs, others = page.index("| **F** | + diversity"), page.index("The other arms, measured alike:")
    assert rungs < page.index("*Real images*") < others < page.index("| **F-adain** | F without AdaIN | 3 |")
    assert "6 rungs and 4 other arms (design both: ladder and leave\\_one\\_out)" in page
    assert "- **F-adain** F without AdaIN: against F\n  - `model.injection`: `adain` → `concat`\n" in page
    assert "- E is also F-diversity: the same configuration, trained once." in page
    assert "\n\n\n" not in page


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
    assert "What each arm changed" in page and "figures/" not in page


def test_incomplete_averages_are_named(make_report: Callable[..., Path], more_runs: Callable[..., Path]) -> None:
    report = make_report(letters="A")
    rows = [dict(row) for row in ReportRecords(report).runs()[0].result.rows if row["metric"] != "judge_frechet"]
    whole = ReportRecords(report).runs()[0].result.rows
    more_runs(
        report, "A", 0, ("cat", "dog"), rows=[*rows, next(dict(r) for r in whole if r["metric"] == "judge_frechet")]
    )
    assert "fewer than all pairs of domains: judge Fréchet at 1 output: 1 of 2" in page_of(report)
