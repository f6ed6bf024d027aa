from __future__ import annotations

import csv
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import UserError
from experiments.report import build, existing, main
from experiments.report_records import ReportRecords
from experiments.reporting.drawing import Figures
from tests.experiments.designed import designed
from tests.experiments.generated import write_report

ROOT = Path(__file__).parents[2]
FIGURES = {"comparison", "reference", "metrics", "content", "tradeoff", "curves", "waterfall", "cost"}


def written(report: Path) -> dict[str, bytes]:
    """What a build makes, by name."""
    made = [path for path in report.rglob("*") if path.is_file() and "records" not in path.relative_to(report).parts]
    return {str(path.relative_to(report)): path.read_bytes() for path in made}


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take most of the time of a small report's build, and its words are the same without them."""
    monkeypatch.setattr("experiments.reporting.drawing.draw", lambda *records: Figures(comparison=True))


def test_same_records_same_bytes(make_report: Callable[..., Path]) -> None:
    first, second = make_report("one/some", seeds=2), make_report("two/some", seeds=2)
    build(first)
    build(second)
    files = written(first)
    figures = {name for name in files if name.startswith("figures")}
    assert figures == {f"figures/{name}.{kind}" for name in FIGURES for kind in ("png", "pdf")}
    tables = {name for name in files if name.startswith("tables")}
    evidence = {"intervals", "contrasts", "attributions", "verdict", "rankings"}
    csv_files = {f"tables/{name}.csv" for name in ("results", "references", "ladder", *evidence)}
    assert tables == csv_files | {f"tables/{name}.tex" for name in ("ladder", "contrasts", "attributions")}
    assert files == written(second)
    # In another process, whose sets come in another order.
    code = f"from pathlib import Path; from experiments.report import build; build(Path({str(first)!r}))"
    for path in first.glob("figures/*"):
        path.unlink()
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, timeout=300, capture_output=True
    )
    assert files == written(first)


@pytest.mark.parametrize("design", ["both", "factorial"])
@pytest.mark.usefixtures("undrawn")
def test_a_designs_report_is_deterministic(tmp_path: Path, design: str) -> None:
    def value(names: frozenset[str], seed: int) -> float:
        return 60 - 3 * len(names) + math.sin(7 * seed + len(names))

    first, second = (designed(tmp_path / name / "some", design, value) for name in ("one", "two"))
    text = build(first)
    build(second)
    assert written(first) == written(second)
    assert max(map(len, text.splitlines()[:-2])) <= 100 and "vs paper: FID " in text
    assert ("tables/interactions.csv" in written(first)) == (design == "factorial")


@pytest.mark.usefixtures("undrawn")
def test_evaluation_seeds_have_their_table(make_report: Callable[..., Path]) -> None:
    """91 and 92 in two trainings of A, measured once more 2 higher each: the standard deviation of that is sqrt 2."""
    report = make_report(seeds=2)
    assert "Training seeds and evaluation seeds apart" not in (build(report), (report / "report.md").read_text())[1]
    for seed in (0, 1):
        line = '{"eval_seed": 0, "judge_frechet/latent/1": %s}\n' % (93.0 + seed)
        (report / "records" / f"A-s{seed}" / "repeats.jsonl").write_text(line)
    build(report)
    page = (report / "report.md").read_text()
    table = page[page.index("### Training seeds and evaluation seeds apart") :]
    assert "| **A** | 0.707 : 1.41<br><sub>2 × 2</sub> |" in table


@pytest.mark.usefixtures("undrawn")
def test_the_answer_is_the_table_and_the_path(make_report: Callable[..., Path]) -> None:
    report = make_report()
    text = build(report)
    assert "A  Baseline StarGAN" in text and "91.0" in text
    assert text.endswith(f"report: {report / 'report.md'}\npage: {report / 'index.html'}")
    assert max(map(len, text.splitlines()[:-2])) <= 100
    assert "\nvs paper: FID undecided (5 of 5 steps not resolved), LPIPS undecided" in text and "means of" not in text
    several = build(make_report("several", seeds=3))
    assert "92.0±2.5" in several and "means of 3 runs (± half the width of a 95 % t interval)" in several
    assert "vs paper: FID contradicted (by 1 of 5 steps), LPIPS reproduced (in 2 of 2 steps)" in several


@pytest.mark.usefixtures("undrawn")
def test_results_have_a_row_for_every_number(make_report: Callable[..., Path]) -> None:
    report = make_report(seeds=2)
    build(report)
    with (report / "tables" / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(run.result.rows) for run in ReportRecords(report).runs())
    assert rows[0] == {
        "arm": "A",
        "seed": "0",
        "metric": "judge_frechet",
        "guide": "latent",
        "outputs": "1",
        "source": "cat",
        "target": "dog",
        "value": "90.0",
        "direction": "lower",
        "samples": "50",
        "reference_samples": "500",
        "protocol": "judge v1 12345678, 32 px",
    }


@pytest.mark.usefixtures("undrawn")
def test_missing_and_failed_runs_are_said(make_report: Callable[..., Path], more_runs: Callable[..., Path]) -> None:
    failures = [{"label": "C", "seed": 1, "reason": "out of memory with\ntrain.batch=8", "log": "runs/abc-s1/log.txt"}]
    report = make_report(letters="ACDEF", failures=failures)
    more_runs(report, "A", 1, ("cat", "dog"))
    lines = build(report).splitlines()
    failed = lines.index("not in this report: C, seed 1 failed: out of memory with train.batch=8")
    assert lines[failed + 1] == "  runs/abc-s1/log.txt"
    assert sum(line.startswith("not in this report") for line in lines) == 6
    assert any(line.startswith("B  no finished run") for line in lines)
    page = (report / "report.md").read_text()
    assert "**6 runs not in this report.**" in page and "none finished" in page
    assert "C, seed 1 failed: out of memory with train.batch=8 (log: runs/abc-s1/log.txt)" in page
    assert "diverged" not in page.casefold()


@pytest.mark.usefixtures("undrawn")
def test_divergences_are_said(make_report: Callable[..., Path]) -> None:
    reason = "DIVERGED at iteration 300: these losses are\nnot finite: d/latent/real"
    report = make_report(divergences=[{"label": "C", "seed": 1, "iteration": 300, "reason": reason}])
    text = build(report)
    assert "diverged: C, seed 1: DIVERGED at iteration 300: these losses are not finite: d/latent/real" in text
    page = (report / "report.md").read_text()
    assert (
        "**1 run diverged.** C, seed 1: DIVERGED at iteration 300: these losses are not finite: d/latent/real" in page
    )
    assert "losses or weights were not finite any more" in page
    assert "6 rungs, 2 seeds (0, 1); 6 finished runs" in page


def test_a_ladder_that_diverged_everywhere_has_its_rows(make_report: Callable[..., Path]) -> None:
    cells = [{"label": letter, "seed": 0, "iteration": 1, "reason": "DIVERGED"} for letter in "ABCDEF"]
    report = make_report(letters="", divergences=cells)
    lines = build(report).splitlines()
    assert [line.split()[-3] for line in lines if line[:3] in [f"{letter}  " for letter in "ABCDEF"]] == ["1/1"] * 6
    page = (report / "report.md").read_text()
    assert "No run has finished" in page and page.count("| **none finished** | 1/1 |") == 6
    assert not (report / "figures").exists() and "not in this report" not in page


def test_a_ladder_without_runs(make_report: Callable[..., Path]) -> None:
    report = make_report(letters="")
    text = build(report)
    assert "no run has finished" in text and "F has no record" in text
    assert not (report / "figures").exists()


def test_figures_of_an_earlier_build_go(make_report: Callable[..., Path]) -> None:
    report = make_report(letters="A")
    stale = [report / "figures" / f"tradeoff.{kind}" for kind in ("png", "pdf")]
    stale[0].parent.mkdir()
    for path in stale:
        path.write_bytes(b"old")
    build(report)
    assert not any(path.exists() for path in stale) and (report / "figures" / "metrics.png").exists()


@pytest.mark.usefixtures("undrawn")
def test_many_domains(make_report: Callable[..., Path]) -> None:
    domains = tuple(f"domain {number:02}" for number in range(20))
    report = make_report(letters="AF", domains=domains)
    build(report)
    page = (report / "report.md").read_text()
    assert "20 domains: domain 00," in page and "and 8 more" in page and "6 of 20 domains are shown" in page


def test_an_unknown_name_lists_the_known(make_report: Callable[..., Path], tmp_path: Path) -> None:
    make_report("one", letters="A")
    make_report("two", letters="A")
    (tmp_path / "empty").mkdir()
    assert existing(tmp_path) == ["one", "two"]
    with pytest.raises(UserError, match=r"no report of this name\. There are: one, two"):
        main(["three", f"reports={tmp_path}"])
    with pytest.raises(UserError, match="name one report; there are: one, two"):
        main([f"reports={tmp_path}"])
    with pytest.raises(UserError, match="NAME and reports=FOLDER"):
        main(["one", "seeds=3"])
    with pytest.raises(UserError, match="without slashes"):
        main(["../one", f"reports={tmp_path}"])
    with pytest.raises(UserError, match=r"experiments\.ladder makes one"):
        main(["one", f"reports={tmp_path / 'empty'}"])


def test_the_command_needs_no_torch(make_report: Callable[..., Path], tmp_path: Path) -> None:
    make_report("one", letters="AF")
    code = (
        "import sys; from experiments.report import main; "
        f"main(['one', 'reports={tmp_path}']); assert not {{'torch', 'sacred'}} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("index.html")


@pytest.mark.skipif(not os.environ.get("LONG_TESTS"), reason="writes and builds 200 runs: set LONG_TESTS=1")
@pytest.mark.parametrize("design, seeds", [("both", 20), ("factorial", 5)])
def test_200_runs_are_reported_soon(tmp_path: Path, design: str, seeds: int) -> None:
    """In 20 s of one core's time; what else a machine does at the time is not the report's."""
    report = write_report(tmp_path / "large", design, seeds)
    assert len(list((report / "records").glob("*-s*"))) == 200
    start = time.process_time()
    build(report)
    assert time.process_time() - start < 20
