from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.errors import UserError
from experiments.report import main
from experiments.reporting.comparison import Compared, Comparison, compare
from experiments.reporting.comparison_files import write_comparison
from experiments.reporting.comparison_page import (
    comparison_frame,
    comparison_latex,
    comparison_markdown,
    comparison_text,
    refusals,
)
from experiments.reporting.sides import read_side
from tests.experiments.generated import write_report

Change = Callable[[dict[str, Any]], None]


def change_runs(report: Path, change: Change) -> None:
    """Change every run's result."""
    for path in report.glob("records/*/result.json"):
        result = json.loads(path.read_text())
        change(result)
        path.write_text(json.dumps(result))


def compared(comparison: Comparison, metric: str, outputs: int = 1, guide: str = "latent") -> Compared:
    return next(
        one
        for one in comparison.compared
        if (one.column.metric, one.column.outputs, one.guide) == (metric, outputs, guide)
    )


def values(report: Path, label: str, metric: str = "judge_frechet") -> np.ndarray:
    """A number of every seed, averaged over domain pairs, straight from the records."""
    found = []
    for path in sorted(report.glob(f"records/{label}-s*/result.json")):
        rows = json.loads(path.read_text())["rows"]
        found.append(
            np.mean([r["value"] for r in rows if (r["metric"], r["outputs"], r["guide"]) == (metric, 1, "latent")])
        )
    return np.array(found)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """The same images, other settings; three and four seeds; arms that only one has."""
    ours = write_report(tmp_path / "tuned", "ladder", 4, labels=list("ABCF"), points=2, noise=0.5)
    theirs = write_report(tmp_path / "untuned", "both", 3, labels=["A", "B", "C", "F-r1", "F"], points=2)

    def tune(result: dict[str, Any]) -> None:
        result["config"]["train.learning_rate"] = 0.5
        if result["config"]["loss.penalty"] == "r1":
            result["config"]["loss.penalty_weight"] = 7.0

    def improve(result: dict[str, Any]) -> None:
        for row in result["rows"]:
            row["value"] -= 30 if row["metric"] == "judge_frechet" and result["config"]["model.head"] == "acgan" else 0

    change_runs(ours, tune)
    change_runs(ours, improve)
    return ours, theirs


def test_the_same_images_are_compared_by_seed(pair: tuple[Path, Path]) -> None:
    comparison = compare(*map(read_side, pair))
    assert comparison.same_images and comparison.shared == ("A", "B", "C", "F")
    assert comparison.only == ((), ("F-r1",))
    one = compared(comparison, "judge_frechet")
    row = next(row for row in one.pairings if row.label == "B")
    ours, theirs = (values(report, "B") for report in pair)
    test = stats.ttest_rel(ours[:3], theirs)
    low, high = test.confidence_interval()
    assert row.paired and row.difference.n == 3
    assert row.difference.mean == pytest.approx((ours[:3] - theirs).mean())
    assert (row.difference.low, row.difference.high) == pytest.approx((low, high))
    assert (row.ours.mean, row.ours.n, row.theirs.mean, row.theirs.n) == pytest.approx(
        (ours.mean(), 4, theirs.mean(), 3)
    )
    p = sorted(stats.ttest_rel(values(pair[0], label)[:3], values(pair[1], label)).pvalue for label in "ABCF")
    smallest = next(row for row in one.pairings if row.label == "A")
    assert smallest.p == pytest.approx(4 * p[0])  # Holm, of four arms
    assert smallest.finding == "better" and row.finding == "not resolved"


def test_a_changed_order_is_seen(pair: tuple[Path, Path]) -> None:
    ranking = compared(compare(*map(read_side, pair)), "judge_frechet").ranking
    assert ranking is not None
    orders = [sorted("ABCF", key=lambda label, of=of: values(of, label).mean()) for of in pair]
    assert [list(ranking.ours), list(ranking.theirs)] == orders
    assert orders[0] != orders[1]
    means = [[values(of, label).mean() for label in "ABCF"] for of in pair]
    assert ranking.tau == pytest.approx(stats.kendalltau(*means).statistic) and ranking.tau < 1
    same = compared(compare(*map(read_side, pair)), "tilt_error").ranking
    assert same is not None and same.ours == same.theirs == ("F", "C", "B", "A") and same.tau == 1


def test_settings_that_differ_are_grouped(pair: tuple[Path, Path]) -> None:
    settings = {one.path: one for one in compare(*map(read_side, pair)).settings}
    assert set(settings) == {"train.learning_rate", "loss.penalty_weight"}
    assert settings["train.learning_rate"].labels == ("A", "B", "C", "F")
    assert settings["train.learning_rate"].ours == 0.5
    assert settings["loss.penalty_weight"].labels == ("C", "F") and settings["loss.penalty_weight"].ours == 7.0


def test_other_images_are_compared_unpaired(pair: tuple[Path, Path]) -> None:
    path = pair[1] / "records" / "ladder.json"
    ladder = json.loads(path.read_text())
    ladder["data"]["fingerprint"] = "other"
    path.write_text(json.dumps(ladder))
    comparison = compare(*map(read_side, pair))
    row = compared(comparison, "judge_frechet").pairings[1]
    test = stats.ttest_ind(values(pair[0], "B"), values(pair[1], "B"), equal_var=False)
    low, high = test.confidence_interval()
    assert not row.paired and (row.difference.low, row.difference.high) == pytest.approx((low, high))
    text = comparison_text(comparison)
    assert "unpaired (Welch's t interval): the two were trained on other images" in " ".join(text.split())


def test_two_protocols_are_never_put_beside_each_other(pair: tuple[Path, Path]) -> None:
    def judge_again(result: dict[str, Any]) -> None:
        for row in result["rows"]:
            if row["metric"] != "tilt_error":
                row["protocol"] = "judge v1 deadbeef, 64 px"

    change_runs(pair[1], judge_again)
    comparison = compare(*map(read_side, pair))
    refused = compared(comparison, "judge_frechet")
    assert refused.pairings == () and refused.ranking is not None
    assert len(compared(comparison, "tilt_error").pairings) == 4
    (why,) = refusals(comparison)
    assert why == "tuned was measured with judge v1 12345678, 32 px, untuned with judge v1 deadbeef, 64 px"
    frame = comparison_frame(comparison)
    rows = frame[frame["metric"] == "judge_frechet"]
    assert rows[["mean", "other_mean", "difference"]].isna().all(axis=None) and set(rows["finding"]) == {"not compared"}
    assert set(rows["rank"]) == {1, 2, 3, 4}
    page = comparison_markdown(comparison, "")
    assert (
        page.count("judge v1 deadbeef, 64 px") == 1
        and "## judge Fréchet, 1 output ↓, latent-guided\n\nThe order" in page
    )


def test_distances_of_other_counts_of_images_are_not_compared(pair: tuple[Path, Path]) -> None:
    def fewer(result: dict[str, Any]) -> None:
        for row in result["rows"]:
            row["samples"] //= 2

    change_runs(pair[1], fewer)
    comparison = compare(*map(read_side, pair))
    assert "has 100 compared with 1,000, untuned 50" in compared(comparison, "judge_frechet").refused
    assert compared(comparison, "judge_mmd").pairings and not compared(comparison, "judge_mmd").refused


def test_one_seed_has_no_intervals(tmp_path: Path) -> None:
    sides = [write_report(tmp_path / name, "ladder", 1, labels=["E", "F"], points=2) for name in ("one", "two")]
    comparison = compare(*map(read_side, sides))
    row = compared(comparison, "judge_frechet").pairings[0]
    assert row.paired and row.difference.mean == 0 and not row.difference.exists and row.finding == "not resolved"
    assert "one run" in comparison_text(comparison)


def test_nothing_in_common_is_one_message(tmp_path: Path) -> None:
    one = write_report(tmp_path / "one", "ladder", 1, labels=["A"], points=2)
    two = write_report(tmp_path / "two", "ladder", 1, labels=["B"], points=2)
    with pytest.raises(UserError, match="share no arm: one has A, two has B"):
        write_comparison(one, two)
    again = write_report(tmp_path / "again", "ladder", 1, labels=["A"], points=2)

    def rename(result: dict[str, Any]) -> None:
        for row in result["rows"]:
            row["protocol"] = "judge v2"

    change_runs(again, rename)
    with pytest.raises(UserError, match="one was measured with judge v1 12345678, 32 px, again with judge v2"):
        write_comparison(one, again)
    assert not list(one.glob("against*"))
    change_runs(again, lambda result: result.update(rows=[]))
    with pytest.raises(UserError, match="no number was measured in both"):
        write_comparison(one, again)


def test_the_command(pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = "tuned $x_1 & 50% #é"
    pair[0].rename(tmp_path / odd)
    there = f"reports={tmp_path}"
    main(["untuned", "--against", odd, there])
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines()[:-1])) <= 100
    assert "only in untuned: F-r1" in shown
    report = tmp_path / "untuned"
    names = {f"against-{odd}.md"} | {
        f"{part}.{kind}" for part in [f"against-{odd}"] for kind in ("csv", "tex", "png", "pdf")
    }
    files = {path.name: path for path in report.rglob("against-*")}
    assert set(files) == names
    first = {name: path.read_bytes() for name, path in files.items()}
    main([f"against={odd}", "untuned", there])
    assert {name: path.read_bytes() for name, path in files.items()} == first
    page = files[f"against-{odd}.md"].read_text()
    (target,) = [line for line in page.splitlines() if line.startswith("![")]
    assert target.endswith("](figures/against-tuned%20%24x_1%20%26%2050%25%20%23%C3%A9.png)")
    for words, message in [
        (["untuned", "--against", "untuned"], "not compared with itself"),
        (["untuned", "--against", "nobody"], "no report of this name"),
        (["nobody", "--against", "untuned"], "no report of this name"),
        (["untuned", "--against"], "name one other report"),
        (["untuned", "--against", "a", "against=b"], "name one other report"),
        (["untuned", "--against", "../x"], "without slashes"),
    ]:
        with pytest.raises(UserError, match=message):
            main([*words, there])
    (tmp_path / "empty" / "records").mkdir(parents=True)
    shutil.copy(report / "records" / "ladder.json", tmp_path / "empty" / "records")
    with pytest.raises(UserError, match="empty: no run has finished"):
        main(["untuned", "--against", "empty", there])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
def test_latex_compiles(pair: tuple[Path, Path], tmp_path: Path) -> None:
    odd = tmp_path / "50% & $x_1"
    pair[1].rename(odd)
    body = comparison_latex(compare(read_side(pair[0]), read_side(odd)))
    page = f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}\n{body}\n\\end{{document}}"
    (tmp_path / "page.tex").write_text(page)
    command = ["nice", "pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-1000:]
