from __future__ import annotations

import re
import warnings
import zlib
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from core.errors import UserError
from experiments.reporting.style import (
    COLUMN,
    SMALL,
    TEXT,
    fitted,
    house_style,
    label_lines,
    remove,
    save,
    text_width,
    wrapped,
)


def streams(pdf: bytes) -> list[bytes]:
    """What the compressed parts of a PDF hold."""
    found = []
    for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(part))
        except zlib.error:
            continue
    return found


def letter_sizes(pdf: bytes) -> set[float]:
    """The sizes, in points, in which a PDF writes."""
    sizes = [re.findall(rb"/F[\w-]+ ([\d.]+) Tf", part) for part in streams(pdf)]
    return {float(size) for part in sizes for size in part}


def width_of(pdf: bytes) -> float:
    """Inches of a PDF's page."""
    box = re.search(rb"/MediaBox \[ ?[\d.]+ [\d.]+ ([\d.]+)", pdf)
    assert box is not None
    return float(box.group(1)) / 72


def drawn(path: Path, words: str = "Fréchet ↓ − ±") -> bytes:
    with house_style():
        figure = Figure(figsize=(COLUMN, 2), layout="constrained")
        axes = figure.subplots()
        axes.plot([1, 2], [-1, 3])
        axes.set_title(words)
        axes.set_xlabel(words)
        save(figure, path)
    return path.with_suffix(".pdf").read_bytes()


def test_a_figure_is_a_png_and_a_pdf_that_papers_take(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "one.png")
    png = (tmp_path / "one.png").read_bytes()
    assert png[:4] == b"\x89PNG" and b"tEXt" not in png and b"tIME" not in png
    assert pdf[:5] == b"%PDF-" and width_of(pdf) == pytest.approx(COLUMN, abs=0.01)
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf and b"/CIDFontType2" in pdf  # TrueType
    assert not re.search(rb"Date|Producer|Creator|matplotlib", pdf, re.IGNORECASE)
    assert letter_sizes(pdf) and min(letter_sizes(pdf)) >= SMALL
    assert pdf == drawn(tmp_path / "two.png")
    remove(tmp_path / "one.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["two.pdf", "two.png"]
    remove(tmp_path / "one.png")


def test_names_are_no_formulas_and_no_warnings(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pdf = drawn(tmp_path / "odd.png", r"$x_1 \frac{$ 猫 %")
    assert pdf != drawn(tmp_path / "plain.png", "x")


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        drawn(tmp_path / "file" / "one.png")


def test_text_is_measured_as_it_is_drawn() -> None:
    with house_style():
        figure = Figure(figsize=(TEXT, 1))
        text = figure.text(0, 0, "multi-task discriminator", size=SMALL)
        inches = text.get_window_extent().width / figure.dpi
    assert text_width("multi-task discriminator", SMALL) == pytest.approx(inches, rel=0.03)
    assert text_width("wide", 14) == pytest.approx(2 * text_width("wide", 7))
    assert text_width("wide", 7, bold=True) > text_width("wide", 7)


def test_long_text_is_cut_and_wrapped() -> None:
    assert fitted("short", 1, SMALL) == "short"
    cut = fitted("a very long name that has no room", 1, SMALL)
    assert cut.endswith("…") and text_width(cut, SMALL) <= 1 < text_width(cut + "mm", SMALL)
    lines = wrapped("diversity regularization of all outputs", 0.9, SMALL)
    assert " ".join(lines) == "diversity regularization of all outputs" and len(lines) > 1
    assert all(text_width(line, SMALL) <= 0.9 for line in lines)
    assert wrapped("", 1, SMALL) == []


def test_labels_break_before_their_signs() -> None:
    assert label_lines("F", 10) == "F"
    assert label_lines("A+multitask+r1", 10) == "A\n+multitask\n+r1"
    assert label_lines("F-r1-adain", 10) == "F-r1-adain"
    assert label_lines("A+b+c+d+e", 2, most=3) == "A\n+b\n+…"
    assert max(map(len, label_lines("F-abcdefghijklmnop", 10).split("\n"))) == 10
