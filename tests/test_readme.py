"""What the README shows is what the committed report says, and what it names exists."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ablations.ladders import DEFAULT, LADDERS
from ablations.presets import PRESETS
from experiments.plan import read_plan
from experiments.report import build

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_table_is_the_committed_reports(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "reports" / "quick" / "records", tmp_path / "quick" / "records")
    table, _, _ = build(tmp_path / "quick").partition("\n\nreport:")
    assert table.strip("\n") in README


def test_the_committed_report_is_what_its_records_give(tmp_path: Path) -> None:
    """Its numbers to the byte; its pictures up to how this machine's matplotlib draws."""
    shutil.copytree(ROOT / "reports" / "quick" / "records", tmp_path / "quick" / "records")
    build(tmp_path / "quick")
    for name in ("report.md", "tables/ladder.csv", "tables/ladder.tex", "tables/results.csv"):
        assert (tmp_path / "quick" / name).read_bytes() == (ROOT / "reports" / "quick" / name).read_bytes(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_files_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for module in re.findall(r"python -m (experiments\.\w+)", text):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), module
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target
    names = {preset.name for preset in PRESETS} | set(DEFAULT.letters)
    assert set(re.findall(r"python -m experiments\.\w+ with (\w+)", text)) <= names
    assert set(re.findall(r"\w+_ladder", text)) <= set(LADDERS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_ladders_that_are_shown_can_be_planned(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for words in re.findall(r"python -m experiments\.(?:ladder|check) with ([^`\n]+)", text):
        read_plan(words.split())
