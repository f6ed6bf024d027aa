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


def own_part(page: Path) -> str:
    """A page without the script of the Bokeh that is installed, that script's hash, and the versions in its plots."""
    text = page.read_text(encoding="utf-8")
    for installed in (r'<script id="bokeh">.*?</script>', r"sha256-[\w+/=]+", r'"version":"[\d.]+"'):
        text, found = re.subn(installed, "", text, flags=re.DOTALL)
        assert found, installed
    return text


def test_the_table_is_the_committed_reports(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "reports" / "quick" / "records", tmp_path / "quick" / "records")
    table, _, _ = build(tmp_path / "quick").partition("\n\nreport:")
    assert table.strip("\n") in README


def test_the_committed_report_is_what_its_records_give(tmp_path: Path) -> None:
    """Its numbers to the byte; its pictures up to how this machine's matplotlib draws."""
    shutil.copytree(ROOT / "reports" / "quick" / "records", tmp_path / "quick" / "records")
    build(tmp_path / "quick")
    made, kept = tmp_path / "quick", ROOT / "reports" / "quick"
    for path in (made / "report.md", *made.glob("tables/*")):
        assert path.read_bytes() == (kept / path.relative_to(made)).read_bytes(), path.name
    figures = {path.name for path in made.glob("figures/*")}
    assert figures == {path.name for path in kept.glob("figures/*")}
    assert {path.suffix for path in map(Path, figures)} == {".png", ".pdf"}
    for path in kept.glob("figures/*.pdf"):
        content = path.read_bytes()
        assert len(content) < 500_000 and b"/FontFile2" in content and b"Date" not in content, path.name
    assert own_part(made / "index.html") == own_part(kept / "index.html")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_files_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for module in re.findall(r"python -m (experiments\.\w+)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
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
