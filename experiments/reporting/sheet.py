"""A sheet of pictures with words beside them: the pictures in whole pixels, the words as text, also in the PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from experiments.reporting.style import INK, SMALL, house_style, save

COARSE, FINE = 150, 300  # pixels an inch
LARGE = 64  # pixels: for tiles larger than that, the fine one
EMPTY = (236, 236, 236)


class Sheet:
    """Tiles of one size and words, placed in inches from the left and the top."""

    def __init__(self, width: float, height: float, tile: int, side: float) -> None:
        """tile: pixels of a picture as it was made; side: inches that it is shown in."""
        self._density = FINE if tile > LARGE else COARSE
        self.pixels = int(side * self._density)  # of a tile's side on this sheet
        size = (round(width * self._density), round(height * self._density))
        self._image = Image.new("RGB", size, "white")
        self._words: list[tuple[float, float, str, dict[str, Any]]] = []

    def tile(self, x: float, y: float, picture: Image.Image | None) -> None:
        """Put a picture there, `pixels` wide and tall; grey where there is none."""
        shown = picture or Image.new("RGB", (self.pixels, self.pixels), EMPTY)
        self._image.paste(shown, (round(x * self._density), round(y * self._density)))

    def text(
        self,
        x: float,
        y: float,
        words: str,
        colour: str = INK,
        *,
        size: float = SMALL,
        bold: bool = False,
        middle: bool = False,
    ) -> None:
        """Write a line with its upper edge at y; with its middle there."""
        style = {"color": colour, "size": size, "weight": "bold" if bold else "normal"}
        self._words.append((x, y, words, {**style, "va": "center_baseline" if middle else "top"}))

    def save(self, path: Path) -> None:
        """Write both files of the figure. Raises UserError."""
        wide, tall = self._image.size
        with house_style():
            figure = Figure(figsize=(wide / self._density, tall / self._density), dpi=self._density)
            axes = figure.add_axes((0, 0, 1, 1))
            axes.axis("off")
            # Pixel for pixel: nothing is scaled a second time.
            axes.imshow(np.asarray(self._image), extent=(0, wide, tall, 0), interpolation="none", aspect="auto")
            for x, y, words, style in self._words:
                axes.text(x * self._density, y * self._density, words, **style)
            save(figure, path)
