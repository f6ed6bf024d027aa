"""Where the names of points stand in a plot, so that they cover neither each other nor a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 460.0, 340.0  # pixels of a plot's inside: between a telephone's and a wide screen's
LETTER, LINE, MARK, GAP = 7.2, 13.0, 6.0, 8.0  # pixels: a letter, a line of them, a point, from a point to its name
SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))  # right and up are positive
ALIGN = {1: "left", 0: "center", -1: "right"}
BASE = {1: "bottom", 0: "middle", -1: "top"}


@dataclass(frozen=True)
class Name:
    """A name that is written, and how."""

    x: float
    y: float
    text: str
    align: str
    baseline: str
    across: float  # pixels from the point, right is positive
    down: float


Box = tuple[float, float, float, float]  # left, bottom, right, top


def placed(
    points: Sequence[tuple[str, float, float]], x_range: tuple[float, float], y_range: tuple[float, float]
) -> list[Name]:
    """The names that there is room for, the first ones first. points: name, x, y; ranges: the axes' ends."""
    spots = [
        (WIDTH * (x - x_range[0]) / (x_range[1] - x_range[0]), HEIGHT * (y - y_range[0]) / (y_range[1] - y_range[0]))
        for _, x, y in points
    ]
    taken = [(x - MARK, y - MARK, x + MARK, y + MARK) for x, y in spots]
    names = []
    for (text, x, y), spot in zip(points, spots, strict=True):
        for across, up in SIDES:
            box = _box(text, spot, across, up)
            if _within(box) and not any(_covers(box, other) for other in taken):
                taken.append(box)
                names.append(Name(x, y, text, ALIGN[across], BASE[up], GAP * across, -GAP * up))
                break
    return names


def columns(names: Sequence[Name]) -> dict[str, list[float | str]]:
    """For a text glyph."""
    return {field: [getattr(name, field) for name in names] for field in Name.__annotations__}


def _box(text: str, spot: tuple[float, float], across: int, up: int) -> Box:
    wide = LETTER * len(text)
    left = spot[0] + GAP * across - (0.0 if across > 0 else wide if across < 0 else wide / 2)
    bottom = spot[1] + GAP * up - (0.0 if up > 0 else LINE if up < 0 else LINE / 2)
    return left, bottom, left + wide, bottom + LINE


def _covers(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _within(box: Box) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= WIDTH and box[3] <= HEIGHT
