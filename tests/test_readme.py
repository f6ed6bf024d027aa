"""What the README shows is what the committed report says, and what it names exists."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from ablations.ladders import DEFAULT, LADDERS
from ablations.presets import PRESETS
from experiments.plan import read_plan
from experiments.report import build

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def own_part(page: Path) -> str:
    """A page without the script of the Bokeh that is installed, that script's hash, and the versions in its plots.

    Its numbers have six digits: the others may be of this machine's arithmetic.
    """
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"\d+\.\d{7,}(e-?\d+)?", lambda found: f"{float(found[0]):.6g}", text)
    for installed in (r'<script id="bokeh">.*?</script>', r"sha256-[\w+/=]+", r'"version":"[\d.]+"'):
        text, found = re.subn(installed, "", text, flags=re.DOTALL)
        assert found, installed
    return text


@pytest.mark.parametrize("name", ["quick", "cpu"])
def test_a_committed_report_is_what_its_records_give(tmp_path: Path, name: str) -> None:
    """What is written of it to the byte, its table in the README too; its pictures up to how this matplotlib draws."""
    made, kept = tmp_path / name, ROOT / "reports" / name
    shutil.copytree(kept / "records", made / "records")
    table, _, _ = build(made).partition("\n\nreport:")
    assert table.strip("\n") in README
    for path in (made / "report.md", made / "tables" / "results.csv", *made.glob("tables/*.tex")):
        assert path.read_bytes() == (kept / path.relative_to(made)).read_bytes(), path.name
    assert {path.name for path in made.glob("tables/*")} == {path.name for path in kept.glob("tables/*")}
    for path in made.glob("tables/*.csv"):
        pd.testing.assert_frame_equal(pd.read_csv(path), pd.read_csv(kept / "tables" / path.name), rtol=1e-9)
    figures = {path.name for path in made.glob("figures/*")}
    assert figures == {path.name for path in kept.glob("figures/*")}
    assert {path.suffix for path in map(Path, figures)} == {".png", ".pdf"}
    for path in kept.glob("figures/*.pdf"):
        content = path.read_bytes()
        assert len(content) < 1_500_000 and b"/FontFile2" in content and b"Date" not in content, path.name
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
