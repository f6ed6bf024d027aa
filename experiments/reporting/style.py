"""The style that all figures of a report share, and their files: PNG to look at, PDF for papers.

A figure is as wide as a column or as the text of a two-column paper, and no letter in it is smaller than 7 pt there.
Equal records give equal bytes.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from PIL import ImageFont

from experiments.files import write_atomically

COLUMN, TEXT = 3.3, 6.9  # inches: the widths of a paper's column and of its whole text
SMALL, NORMAL, TITLE = 7, 8, 8.5  # points

# Okabe and Ito's colours, told apart by colour-blind readers. No figure tells anything by colour alone.
COLOURS = {"latent": "#0072B2", "reference": "#E69F00"}
MARKERS = {"latent": "o", "reference": "s"}
DASHES = {"latent": "-", "reference": (0, (3, 1.2))}
HATCHES = {"latent": "", "reference": "////"}
BETTER, WORSE = "#0072B2", "#D55E00"
REAL, SOURCE, INK, FAINT = "#009E73", "#CC79A7", "#222222", "#8A8A8A"
GREY = "#666666"

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": NORMAL,
    "axes.titlesize": TITLE,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": SMALL,
    "text.color": INK,
    "text.parse_math": False,  # a name with two dollars is no formula
    "figure.dpi": 200,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "pdf.fonttype": 42,  # TrueType, which publishers ask for
}
# No date and no version.
METADATA: Mapping[str, Any] = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}


@contextmanager
def house_style() -> Iterator[None]:
    """What a person's own matplotlibrc says does not count here."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def save(figure: Figure, path: Path) -> None:
    """Write `path`, a PNG, and a PDF of the same name beside it. Raises UserError."""
    for kind, metadata in METADATA.items():
        content = io.BytesIO()
        with warnings.catch_warnings():  # a name in a script that the font lacks is drawn as boxes
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            figure.savefig(content, format=kind, metadata=metadata)
        figure.set_layout_engine("none")  # laid out once is enough
        write_atomically(path.with_suffix(f".{kind}"), content.getvalue())


def remove(path: Path) -> None:
    """Forget both files of a figure, if they are there."""
    for kind in METADATA:
        path.with_suffix(f".{kind}").unlink(missing_ok=True)


def label_lines(label: str, width: int, most: int = 3) -> str:
    """An arm's label in lines of at most `width` characters, broken before + and - where that is possible."""
    lines = [""]
    for part in re.split(r"(?=[+-])", label):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    shown = [line if len(line) <= width else line[: width - 1] + "…" for line in lines[:most]]
    if len(lines) > most:
        shown[-1] = shown[-1][: width - 1] + "…"
    return "\n".join(shown)


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Inches that a line of text takes at `size` points."""
    return _font(bold).getlength(text) / _MEASURED * size / 72


def fitted(text: str, inches: float, size: float, *, bold: bool = False) -> str:
    """A line of text, cut where it is longer than `inches`."""
    shown = text
    while len(shown) > 1 and text_width(shown, size, bold=bold) > inches:
        shown = shown[:-2].rstrip() + "…"
    return shown


def wrapped(text: str, inches: float, size: float, most: int = 3) -> list[str]:
    """Text in at most so many lines, each within `inches`."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, size) <= inches or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return [fitted(line, inches, size) for line in lines[:most] if line]


_MEASURED = 100  # pixels: the size at which texts are measured


@cache
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    """The font of the figures. The basic layout, because the other one is optional."""
    path = Path(matplotlib.get_data_path()) / f"fonts/ttf/DejaVuSans{'-Bold' if bold else ''}.ttf"
    return ImageFont.truetype(str(path), _MEASURED, layout_engine=ImageFont.Layout.BASIC)
