"""What the page says and draws of tuned arms, on studies whose trials are known."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from experiments.page.tuning import tuning_parts
from experiments.report_records import ReportRecords
from tests.experiments.generated import write_report
from tests.experiments.page.pages import Outline, script_data, write_page
from tests.experiments.tuning.records import MIXED, study, trial

NOT_TRIED = study(trial(0, outcome="at work")) | {"importances": {}}
RECORD: dict[str, Any] = {
    "objective": "judge_frechet/latent/1",
    "direction": "lower",
    "studies": {"A": study(*MIXED), "F-adain": NOT_TRIED, "F-r1": study(trial(0, 5.0), trial(1, 6.0))},
    "seeds": [0, 1, 2],
    "untuned": {"A": [30, 31, 29], "F-r1": [20, 22, 21], "F-adain": [None] * 3},
    "tuned": {"A": [10, 12, 9], "F-r1": [20, 22, 21], "F-adain": [None] * 3},
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = write_report(
        tmp_path_factory.mktemp("page") / "tuned", "both", 1, labels=("A", "F-r1", "F-adain"), points=20
    )
    ReportRecords(report).write_tuning(RECORD)
    return write_page(report)


def test_the_page_says_what_tuning_cost_and_came_to(page: Path) -> None:
    outline, text = Outline(page), page.read_text(encoding="utf-8")
    assert outline.sections[outline.sections.index("tuning") + 1] == "cost"
    part = text.partition('<section id="tuning"')[2].partition("</section>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)]
    assert ["A", "7", "3", "1", "1", "1", "1", "2.5 hours", "1.25"] in rows  # the ledger
    [effect] = [row for row in rows if row[:1] == ["A"] and row[-1] == "better"]
    assert effect[3].startswith("-19.7 [")
    assert ["F-r1", "20", "22", "21"] not in rows and "no trial was better than the untuned settings" in part
    assert ["loss.cycle", "1", "2"] in rows  # the best of A
    assert ["2", "pruned", "50", "3", "linear"] in rows and ["5", "as 1", "20", "6", "linear"] in rows
    assert part.count("<summary><bdi>") == 2


def test_a_plot_for_each_arm_that_has_something_to_draw(page: Path) -> None:
    plots = {plot["key"]: str(plot["item"]) for plot in script_data(page)["plots"]}
    places = [div["data-plot"] for div in Outline(page).all("div") if "data-plot" in div]
    drawn = ["trials-0", "trials-1", "matter-0", "matter-1"]
    for keys in (places, list(plots)):
        assert [key for key in keys if key.startswith(("trials-", "matter-"))] == drawn
    for words in ("trial 2, pruned", "trial 5, done", "inverted_triangle"):
        assert words in plots["trials-0"] and words not in plots["matter-0"]
    assert "trial 1, done" in plots["trials-1"] and "pruned" not in plots["trials-1"]  # F-r1, in the ladder's order


def test_plots_are_told_in_words_too() -> None:
    histories, shares = (part["charts"] for part in tuning_parts(RECORD))
    assert [chart.name for chart in histories] == ["A", "F-r1"]  # nothing has come to an end in the third arm
    assert ", 20 at best, 30 untuned; the table has every trial" in histories[0].label
    assert shares[0].label == "Which settings mattered in A: loss.cycle 75 %, train.decay 25 %"
