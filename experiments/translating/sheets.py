"""Pictures for people: enlarged tiles with white gutters, and moving ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

LEAST_SIDE = 128  # of a tile as shown, pixels: smaller images are enlarged a whole number of times
GUTTER = 1 / 32  # of a tile's side
WHITE = 255

FRAME_MS = 90
REST_MS = 500  # at either end of a movement

Tile = Tensor | None  # uint8 (3, R, R); None leaves the place white


def sheet(rows: Sequence[Sequence[Tile]], *, headed: bool = False) -> Tensor:
    """Tiles in rows -> uint8 (3, height, width), on white. The first column, and `headed` the first row, stand apart.

    At least one tile must not be None; all have one size.
    """
    size = next(tile.shape[-1] for row in rows for tile in row if tile is not None)
    times = max(1, -(-LEAST_SIDE // size))
    side = size * times
    gutter = max(1, round(side * GUTTER))
    tops, height = _places(len(rows), side, gutter, apart=headed)
    lefts, width = _places(max(map(len, rows)), side, gutter, apart=True)
    canvas = torch.full((3, height, width), WHITE, dtype=torch.uint8)
    for top, row in zip(tops, rows, strict=True):
        for left, tile in zip(lefts, row, strict=False):
            if tile is not None:
                enlarged = tile.repeat_interleave(times, 1).repeat_interleave(times, 2)
                canvas[:, top : top + side, left : left + side] = enlarged
    return canvas


def _places(count: int, side: int, gutter: int, *, apart: bool) -> tuple[list[int], int]:
    """(where each of `count` tiles starts, the length of all); `apart`: a wider gutter after the first."""
    wider = 3 * gutter if apart and count > 1 else 0
    places = [gutter + number * (side + gutter) + (wider if number else 0) for number in range(count)]
    return places, places[-1] + side + gutter


def there_and_back(frames: Sequence[Tensor]) -> list[Tensor]:
    """Frames of a movement -> those of a loop: to the end, and back to the second frame."""
    return [*frames, *frames[-2:0:-1]]


def write_gif(frames: Sequence[Tensor], path: Path) -> None:
    """A movement there and back, for ever, resting at either end. frames: uint8 (3, height, width), of one size."""
    loop = there_and_back(frames)
    rests = (0, len(frames) - 1)
    durations = [REST_MS if number in rests else FRAME_MS for number in range(len(loop))]
    images = [Image.fromarray(frame.permute(1, 2, 0).numpy()) for frame in loop]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    first, *others = images
    first.save(temporary, format="GIF", save_all=True, append_images=others, duration=durations, loop=0)
    temporary.replace(path)
