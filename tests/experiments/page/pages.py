"""Pages of generated records, and what is read from them without a browser."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from experiments.files import write_atomically
from experiments.page.page import render
from experiments.report_records import ReportRecords
from experiments.reporting.evidence import gather
from experiments.reporting.outcomes import missing_runs
from experiments.reporting.summary import ladder_tables, references_frame, results_frame
from tests.experiments.generated import write_report

HOSTILE = ("<script>window.taken = 1</script>", "cat\"'><b>", "\u202e</script><script>taken=2</script>")


def make_page(folder: Path, design: str = "both", seeds: int = 2, *, finished: bool = True, **changes: Any) -> Path:
    """Generated records with their page. finished: whether there are runs. See `write_report`."""
    report = write_report(folder, design, seeds, **changes)
    if not finished:
        for run in (report / "records").glob("*-s*"):
            shutil.rmtree(run)
    return write_page(report)


def write_page(report: Path) -> Path:
    """The page of a report, and nothing else of it."""
    records = ReportRecords(report)
    ladder, runs = records.ladder(), records.runs()
    results, references = results_frame(runs), references_frame(ladder)
    tables = ladder_tables(ladder, results, references)
    evidence = gather(ladder, results, tables)
    page, missing = report / "index.html", missing_runs(ladder, runs)
    write_atomically(page, render(ladder, runs, tables, evidence, missing, ("results.csv",), records.tuning()))
    return page


class Outline(HTMLParser):
    """The elements of a page, in order."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, text: str) -> None:
        if self.elements and self.elements[-1][0] == "script":
            self.scripts.append(text)

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of this name."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def sections(self) -> list[str]:
        return [attributes["id"] for attributes in self.all("section")]

    @property
    def levels(self) -> list[int]:
        """Of the headings."""
        return [int(tag[1]) for tag, _ in self.elements if re.fullmatch(r"h[1-6]", tag)]


def script_data(page: Path) -> dict[str, Any]:
    """What the page gives to its script."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data
