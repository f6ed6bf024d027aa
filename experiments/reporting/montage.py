"""The pictures of a report: the same sources, latents and references in every rung, side by side.

Put together from the grids that every run keeps, as `experiments.pictures` lays them out, without a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from PIL import Image, ImageDraw, ImageFont

from experiments.report_records import RunRecord

SIDE = 96  # of a tile of the comparison, pixels; larger images are shown larger, up to LARGEST
LARGEST = 128
ROWS = 8  # at most
LABEL = 130  # pixels, at most, for a row's name
WIDEST = 1600  # pixels of the picture of references
ACROSS = 6  # rungs side by side
MOST_ARMS = 18
GAP, MARGIN, LINE = 14, 12, 17
INK, FAINT, PAPER, EMPTY = (34, 34, 34), (120, 120, 120), (255, 255, 255), (236, 236, 236)


@dataclass(frozen=True)
class Grid:
    """A run's grid of tiles and where they are."""

    image: Image.Image
    layout: Mapping[str, Any]

    def tile(self, row: int, column: int, side: int) -> Image.Image | None:
        """One tile, scaled; None where the file has no such place."""
        of = int(self.layout["tile"])
        box = (column * of, row * of, (column + 1) * of, (row + 1) * of)
        if box[2] > self.image.width or box[3] > self.image.height:
            return None
        return self.image.crop(box).resize((side, side), Image.Resampling.LANCZOS)


def pairs_shown(domains: int, sources: int) -> list[tuple[int, int, int]]:
    """(source domain, which of its sources, target domain) of every row: each domain once, then each again, ..."""
    rows = [
        (domain, (shift - 1) % sources, (domain + shift) % domains)
        for shift in range(1, domains)
        for domain in range(domains)
    ]
    if domains == 2:  # two rows are few: both sources of each
        rows += [(domain, number, 1 - domain) for number in range(1, sources) for domain in range(domains)]
    return sorted(rows[:ROWS])


def draw_comparison(arms: Sequence[Mapping[str, Any]], runs: Sequence[RunRecord], path: Path) -> bool:
    """A column a rung, a row a source and its target domain, a tile a latent; false where no run has a picture.

    arms: label and title, in order. A rung without a picture has an empty column.
    """
    found = {label: run for label, run in _first_runs(runs).items() if open_grid(run, "latent.png") is not None}
    if not found:
        return False
    layout = next(iter(found.values())).result.pictures
    grids = {
        label: grid
        for label, run in found.items()
        if (grid := open_grid(run, "latent.png")) is not None and grid.layout == layout
    }
    domains, latents, sources = layout["domains"], int(layout["latents"]), int(layout["sources"])
    side = side_of(int(layout["tile"]))
    rows = pairs_shown(len(domains), sources)
    arms = arms[:MOST_ARMS]
    blocks = [arms[start : start + ACROSS] for start in range(0, len(arms), ACROSS)]
    names = [_row_name(domains[source], domains[target]) for source, _, target in rows]
    left = MARGIN + min(LABEL, max(int(_font(14).getlength(line)) for lines in names for line in lines)) + 8
    column = latents * side + (latents - 1) * 2 + GAP
    head = max(_heading_height(arm, latents * side) for arm in arms)
    tall = head + len(rows) * (side + 6)
    width = left + side + GAP + max(len(block) for block in blocks) * column + MARGIN - GAP
    sheet = Image.new("RGB", (width, MARGIN + len(blocks) * (tall + GAP)), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, block in enumerate(blocks):
        top = MARGIN + number * (tall + GAP)
        draw.text((left, top + head - LINE - 4), "source", fill=FAINT, font=_font(13))
        for place, arm in enumerate(block):
            _heading(draw, arm, left + side + GAP + place * column, top, latents * side)
        for down, (source, which, target) in enumerate(rows):
            y = top + head + down * (side + 6)
            for number, line in enumerate(names[down]):
                middle = y + side // 2 + int((number - (len(names[down]) - 1) / 2) * LINE)
                _fitted(draw, line, MARGIN, middle, left - MARGIN - 8)
            first = next(iter(grids.values())).tile(source * sources + which, 0, side)
            _paste(sheet, first, left, y, side)
            for place, arm in enumerate(block):
                grid = grids.get(arm["label"])
                for latent in range(latents):
                    x = left + side + GAP + place * column + latent * (side + 2)
                    cell = grid.tile(source * sources + which, 1 + target * latents + latent, side) if grid else None
                    _paste(sheet, cell, x, y, side)
    write(sheet, path)
    return True


def draw_references(arms: Sequence[Mapping[str, Any]], runs: Sequence[RunRecord], path: Path) -> list[str]:
    """Sources by references of the first rungs that references guide. Gives their labels; none: no file."""
    grids = {label: grid for label, run in _first_runs(runs).items() if (grid := open_grid(run, "reference.png"))}
    shown = [arm for arm in arms if arm["label"] in grids][:3]
    if not shown:
        return []
    layout = grids[shown[0]["label"]].layout
    domains, sources = len(layout["domains"]), int(layout["sources"])
    # Both images of each of few domains, one of each of many: always about six references.
    columns = [d * sources + n for d in range(domains) for n in range(sources if domains * sources <= 6 else 1)]
    rows = [d * sources for d in range(domains)]
    side = min(SIDE, WIDEST // (len(shown) * (1 + len(columns))))
    panel = (1 + len(columns)) * (side + 2) + 6
    head = max(_heading_height(arm, panel - side) for arm in shown)
    width = MARGIN * 2 + len(shown) * panel + (len(shown) - 1) * GAP * 2
    sheet = Image.new("RGB", (width, head + MARGIN * 2 + (1 + len(rows)) * (side + 2) + 6), PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, arm in enumerate(shown):
        grid = grids[arm["label"]]
        x0, y0 = MARGIN + place * (panel + GAP * 2), MARGIN + head
        _heading(draw, arm, x0 + side + 8, MARGIN, panel - side)
        draw.text((x0, y0 + side // 2 - 16), "reference →", fill=FAINT, font=_font(12))
        draw.text((x0, y0 + side - 18), "source ↓", fill=FAINT, font=_font(12))
        for across, column in enumerate(columns):
            _paste(sheet, grid.tile(0, 1 + column, side), x0 + side + 8 + across * (side + 2), y0, side)
        for down, row in enumerate(rows):
            y = y0 + side + 8 + down * (side + 2)
            _paste(sheet, grid.tile(1 + row, 0, side), x0, y, side)
            for across, column in enumerate(columns):
                _paste(sheet, grid.tile(1 + row, 1 + column, side), x0 + side + 8 + across * (side + 2), y, side)
    write(sheet, path)
    return [arm["label"] for arm in shown]


def open_grid(run: RunRecord, name: str) -> Grid | None:
    """A run's picture; None where there is none or it cannot be read."""
    try:
        with Image.open(run.folder / name) as image:
            return Grid(image.convert("RGB"), run.result.pictures)
    except (OSError, SyntaxError):
        return None


def side_of(tile: int) -> int:
    """How large a tile is shown."""
    return min(max(SIDE, tile), LARGEST)


def write(sheet: Image.Image, path: Path) -> None:
    """A PNG without a date or a version in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, format="PNG", optimize=False)


def _first_runs(runs: Sequence[RunRecord]) -> dict[str, RunRecord]:
    """The first seed's run of each arm."""
    first: dict[str, RunRecord] = {}
    for run in runs:
        first.setdefault(run.label, run)
    return first


def _paste(sheet: Image.Image, tile: Image.Image | None, x: int, y: int, side: int) -> None:
    sheet.paste(tile if tile is not None else Image.new("RGB", (side, side), EMPTY), (x, y))


def _heading(draw: ImageDraw.ImageDraw, arm: Mapping[str, Any], x: int, y: int, width: int) -> None:
    for number, line in enumerate(_wrapped(arm, width)):
        font = _font(15, bold=True) if number == 0 else _font(13)
        draw.text((x, y + number * LINE), line, fill=INK, font=font)


def _heading_height(arm: Mapping[str, Any], width: int) -> int:
    return len(_wrapped(arm, width)) * LINE + 6


def _wrapped(arm: Mapping[str, Any], width: int) -> list[str]:
    """The label, and the title in at most three lines."""
    lines = [""]
    for word in str(arm["title"]).split():
        longer = f"{lines[-1]} {word}".strip()
        if _font(13).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [str(arm["label"]), *[line for line in lines if line][:3]]


def _row_name(source: str, target: str) -> list[str]:
    """In one line if it is short, else in two."""
    line = f"{source} → {target}"
    return [line] if _font(14).getlength(line) <= LABEL else [source, f"→ {target}"]


def _fitted(draw: ImageDraw.ImageDraw, text: str, x: int, y: int, width: int) -> None:
    """Text in one line, cut where it is too long, its middle at the height y."""
    font, shown = _font(14), text
    while len(shown) > 1 and font.getlength(shown) > width:
        shown = shown[:-2] + "…"
    draw.text((x, y), shown, fill=INK, font=font, anchor="lm")


def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Matplotlib's own font: the same on every machine. The basic layout too, because the other one is optional."""
    name = f"fonts/ttf/DejaVuSans{'-Bold' if bold else ''}.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / name), size, layout_engine=ImageFont.Layout.BASIC)
