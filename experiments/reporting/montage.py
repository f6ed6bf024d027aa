"""The pictures of a report: the same sources, latents and references in every rung, side by side.

Put together from the grids that every run keeps, as `experiments.pictures` lays them out, without a network.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from experiments.report_records import RunRecord
from experiments.reporting.sheet import Sheet
from experiments.reporting.style import FAINT, INK, NORMAL, SMALL, TEXT, fitted, text_width, wrapped

# Inches: a tile at most, between two tiles, between two rungs, around everything, and for a row's name at most.
LARGEST, HAIR, GAP, MARGIN, LABEL = 0.62, 0.02, 0.09, 0.05, 0.78
LINE = 0.13  # inches of a line of text
ROWS = 8  # at most; with rungs in two or more blocks, so many in all that a page holds them
ROWS_ON_A_PAGE = 12
ACROSS = 6  # rungs side by side
MOST_ARMS = 18


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


def pairs_shown(domains: int, sources: int, most: int = ROWS) -> list[tuple[int, int, int]]:
    """(source domain, which of its sources, target domain) of every row: each domain once, then each again, ..."""
    rows = [
        (domain, (shift - 1) % sources, (domain + shift) % domains)
        for shift in range(1, domains)
        for domain in range(domains)
    ]
    if domains == 2:  # two rows are few: both sources of each
        rows += [(domain, number, 1 - domain) for number in range(1, sources) for domain in range(domains)]
    return sorted(rows[:most])


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
    arms = arms[:MOST_ARMS]
    blocks = _blocks(arms)
    rows = pairs_shown(len(domains), sources, max(len(domains), ROWS_ON_A_PAGE // len(blocks)) if blocks[1:] else ROWS)
    names = [_row_name(domains[source], domains[target]) for source, _, target in rows]
    left = MARGIN + min(LABEL, max(text_width(line, SMALL) for lines in names for line in lines)) + 0.08
    tiles = 1 + latents * len(blocks[0])
    gaps = len(blocks[0]) * (GAP + (latents - 1) * HAIR)
    side = min(LARGEST, (TEXT - left - gaps - MARGIN) / tiles)
    column = latents * side + (latents - 1) * HAIR
    first = left + side + GAP  # where the first rung stands
    head = max(_heading_height(arm, column) for arm in arms)
    tall = head + len(rows) * (side + HAIR) + 2 * GAP
    width = first + len(blocks[0]) * (column + GAP) - GAP + MARGIN
    sheet = Sheet(width, 2 * MARGIN + len(blocks) * tall - 2 * GAP, int(layout["tile"]), side)
    for number, block in enumerate(blocks):
        top = MARGIN + number * tall
        sheet.text(left, top + head - LINE - 0.03, "source", FAINT)
        for place, arm in enumerate(block):
            _heading(sheet, arm, first + place * (column + GAP), top, column)
        for down, (source, which, target) in enumerate(rows):
            y = top + head + down * (side + HAIR)
            for line, words in enumerate(names[down]):
                middle = y + side / 2 + (line - (len(names[down]) - 1) / 2) * LINE
                sheet.text(MARGIN, middle, fitted(words, left - MARGIN - 0.06, SMALL), middle=True)
            shown = next(iter(grids.values())).tile(source * sources + which, 0, sheet.pixels)
            sheet.tile(left, y, shown)
            for place, arm in enumerate(block):
                grid = grids.get(arm["label"])
                for latent in range(latents):
                    x = first + place * (column + GAP) + latent * (side + HAIR)
                    where = (source * sources + which, 1 + target * latents + latent)
                    sheet.tile(x, y, grid.tile(*where, sheet.pixels) if grid else None)
    sheet.save(path)
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
    left = MARGIN + text_width("reference", SMALL) + 0.08
    across = len(shown) * (1 + len(columns))
    gaps = len(shown) * (GAP + (len(columns) - 1) * HAIR) + (len(shown) - 1) * 2 * GAP
    side = min(LARGEST, (TEXT - left - gaps - MARGIN) / across)
    panel = side + GAP + len(columns) * (side + HAIR) - HAIR
    head = max(_heading_height(arm, panel - side - GAP) for arm in shown)
    width = left + len(shown) * panel + (len(shown) - 1) * 2 * GAP + MARGIN
    tall = 2 * MARGIN + head + side + GAP + len(rows) * (side + HAIR)
    sheet = Sheet(width, tall, int(layout["tile"]), side)
    sheet.text(MARGIN, MARGIN + head + side / 2, "reference", FAINT, middle=True)
    sheet.text(MARGIN, MARGIN + head + side + GAP + side / 2, "source", FAINT, middle=True)
    for place, arm in enumerate(shown):
        grid = grids[arm["label"]]
        x0, y0 = left + place * (panel + 2 * GAP), MARGIN + head
        _heading(sheet, arm, x0 + side + GAP, MARGIN, panel - side - GAP)
        for right, column in enumerate(columns):
            sheet.tile(x0 + side + GAP + right * (side + HAIR), y0, grid.tile(0, 1 + column, sheet.pixels))
        for down, row in enumerate(rows):
            y = y0 + side + GAP + down * (side + HAIR)
            sheet.tile(x0, y, grid.tile(1 + row, 0, sheet.pixels))
            for right, column in enumerate(columns):
                sheet.tile(x0 + side + GAP + right * (side + HAIR), y, grid.tile(1 + row, 1 + column, sheet.pixels))
    sheet.save(path)
    return [arm["label"] for arm in shown]


def open_grid(run: RunRecord, name: str) -> Grid | None:
    """A run's picture; None where there is none or it cannot be read."""
    try:
        with Image.open(run.folder / name) as image:
            return Grid(image.convert("RGB"), run.result.pictures)
    except (OSError, SyntaxError):
        return None


def _blocks(arms: Sequence[Mapping[str, Any]]) -> list[Sequence[Mapping[str, Any]]]:
    """The rungs in as few blocks as hold them, one under the other, all but the last of one size."""
    across = math.ceil(len(arms) / math.ceil(len(arms) / ACROSS))
    return [arms[start : start + across] for start in range(0, len(arms), across)]


def _first_runs(runs: Sequence[RunRecord]) -> dict[str, RunRecord]:
    """The first seed's run of each arm."""
    first: dict[str, RunRecord] = {}
    for run in runs:
        first.setdefault(run.label, run)
    return first


def _heading(sheet: Sheet, arm: Mapping[str, Any], x: float, y: float, width: float) -> None:
    """The label, and under it the title."""
    sheet.text(x, y, fitted(str(arm["label"]), width, NORMAL, bold=True), size=NORMAL, bold=True)
    for number, line in enumerate(wrapped(str(arm["title"]), width, SMALL), start=1):
        sheet.text(x, y + number * LINE, line, INK)


def _heading_height(arm: Mapping[str, Any], width: float) -> float:
    return (1 + len(wrapped(str(arm["title"]), width, SMALL))) * LINE + 0.03


def _row_name(source: str, target: str) -> list[str]:
    """In one line if it is short, else in two."""
    line = f"{source} → {target}"
    return [line] if text_width(line, SMALL) <= LABEL else [source, f"→ {target}"]
