"""The three critters: how a cat, a dog and a bird look, given a scene.

Lengths are in the creature's own units (its half width), x to the right, y down. Whatever is large decides who it is
(ears, muzzle, beak, body), so that 32 pixels are enough; fine lines only add charm where there are pixels for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from core.data.drawing import Canvas, arc, bands, capsule, colour, disc, ellipse, polygon, squared_radius

WHITE, CREAM, INK = colour(1.0, 1.0, 1.0), colour(1.0, 0.97, 0.92), colour(0.13, 0.1, 0.12)
PINK, ROSE, TONGUE = colour(0.97, 0.62, 0.66), colour(0.9, 0.42, 0.5), colour(0.95, 0.45, 0.5)
BEAK, BEAK_SHADE = colour(1.0, 0.76, 0.2), colour(0.93, 0.53, 0.12)
OUTLINE = 0.055  # how far the dark rim reaches beyond a shape


@dataclass(frozen=True)
class Coat:
    """What a critter looks like, apart from who it is and where: for n images."""

    fur: Tensor  # RGB, (3, n, 1, 1)
    stripes: Tensor  # contrast in [0, 1], (n, 1, 1)
    frequency: Tensor  # stripes to a half width, (n, 1, 1)
    ear: Tensor  # length of the ears or of the crest, (n, 1, 1)
    iris: Tensor  # RGB, (3, n, 1, 1)

    @property
    def rim(self) -> Tensor:
        return self.fur * 0.42

    @property
    def shade(self) -> Tensor:
        return self.fur * 0.69

    @property
    def pale(self) -> Tensor:
        return CREAM * 0.62 + self.fur * 0.38


def cat(canvas: Canvas, coat: Coat) -> None:
    """Pointed ears, whiskers, tabby stripes on the forehead and the cheeks."""
    x, y, across = canvas.x, canvas.y, canvas.across
    ear = polygon(across, y, (0.14, -0.58), (0.76, -0.62 - coat.ear), (0.97, -0.1))
    _paint_rimmed(canvas, ear, coat.fur, coat)
    canvas.paint(ear + 0.11, PINK)

    forehead = ((-0.22 - y) * 4).clamp_(0, 1) * bands(x, coat.frequency, canvas.pixels)
    cheeks = ((across - 0.6) * 6).clamp_(0, 1) * ((y + 0.2) * 5).clamp_(0, 1)
    cheeks *= bands(y - 0.12, coat.frequency, canvas.pixels)
    _paint_furry(canvas, (0.0, 0.0), (1.0, 0.84), torch.maximum(forehead, cheeks), coat)

    canvas.paint(ellipse(across, y, (0.17, 0.44), (0.25, 0.2)), coat.pale)
    _paint_eyes(canvas, coat, 0.45, -0.03, iris=(0.26, 0.28), pupil=(0.14, 0.22))
    for end in (0.3, 0.56):
        canvas.paint(capsule(across, y, (0.5, 0.4 + end * 0.1), (1.18, end), (0.022, 0.012)), CREAM, 0.9, width=0.035)
    canvas.paint(arc(across, y, (0.13, 0.43), 0.13, 0.026, 0.43), INK, 0.8, width=0.052)
    canvas.paint(polygon(x, y, (-0.13, 0.26), (0.13, 0.26), (0.0, 0.42)) - 0.03, ROSE)


def dog(canvas: Canvas, coat: Coat) -> None:
    """Floppy ears, a big muzzle with a dark nose, the tongue out; wide stripes leave a blaze between the eyes."""
    x, y, across = canvas.x, canvas.y, canvas.across
    tongue = ellipse(x, y, (0.0, 0.84), (0.17, 0.26))
    canvas.paint(tongue - OUTLINE, coat.rim)
    _paint_furry(canvas, (0.0, 0.0), (0.86, 0.92), bands(x, coat.frequency, canvas.pixels), coat)
    _paint_rimmed(canvas, capsule(across, y, (0.68, -0.58), (0.98, -0.5 + coat.ear), (0.17, 0.27)), coat.shade, coat)

    canvas.paint(tongue, TONGUE)
    canvas.paint(ellipse(x, y, (0.0, 0.46), (0.5, 0.37)), coat.pale)
    _paint_eyes(canvas, coat, 0.37, -0.2, iris=(0.21, 0.23), pupil=(0.13, 0.15))
    canvas.paint(arc(across, y, (0.15, 0.54), 0.15, 0.028, 0.54), INK, 0.85, width=0.056)
    canvas.paint(ellipse(x, y, (0.0, 0.27), (0.23, 0.17)), INK)
    canvas.paint(ellipse(x, y, (-0.06, 0.2), (0.09, 0.045)), WHITE, 0.55, width=0.1)


def bird(canvas: Canvas, coat: Coat) -> None:
    """A round body with a crest, wings, a pale belly and a beak; barred plumage."""
    x, y, across = canvas.x, canvas.y, canvas.across
    for lean, reach in ((-0.85, 0.75), (0.85, 0.75), (0.0, 1.0)):
        tip = (lean * coat.ear, -0.86 - coat.ear * reach)
        _paint_rimmed(canvas, capsule(x, y, (lean * 0.2, -0.74), tip, (0.18, 0.07)), coat.shade, coat)
    canvas.paint(capsule(across, y, (0.27, 0.9), (0.32, 1.06), (0.09, 0.11)), BEAK_SHADE)
    _paint_rimmed(canvas, capsule(across, y, (0.8, 0.2), (1.13, 0.42), (0.26, 0.1)), coat.shade, coat)
    _paint_furry(canvas, (0.0, 0.05), (0.92, 0.92), bands(y, coat.frequency, canvas.pixels), coat)

    canvas.paint(ellipse(x, y, (0.0, 0.56), (0.58, 0.38)), coat.pale)
    _paint_eyes(canvas, coat, 0.38, -0.16, iris=(0.24, 0.24), pupil=(0.15, 0.15))
    canvas.paint(polygon(x, y, (-0.22, 0.16), (0.22, 0.16), (0.0, 0.56)) - 0.04, BEAK_SHADE)
    canvas.paint(polygon(x, y, (-0.25, 0.17), (0.0, 0.0), (0.25, 0.17), (0.0, 0.34)) - 0.04, BEAK)


DRAW: dict[str, Callable[[Canvas, Coat], None]] = {"bird": bird, "cat": cat, "dog": dog}


def _paint_rimmed(canvas: Canvas, shape: Tensor, rgb: Tensor, coat: Coat) -> None:
    """A shape with the dark rim that sets it off from whatever lies behind it."""
    canvas.paint(shape - OUTLINE, coat.rim)
    canvas.paint(shape, rgb)


def _paint_furry(
    canvas: Canvas, centre: tuple[float, float], radii: tuple[float, float], pattern: Tensor, coat: Coat
) -> None:
    """A furry ellipse, lit from above: darker towards its rim and below, striped where `pattern` is 1."""
    inside = squared_radius(canvas.x, canvas.y, centre, radii)
    light = (1.06 - canvas.y * 0.1 - inside * 0.14) * (1 - pattern * (coat.stripes * 0.5))
    _paint_rimmed(canvas, ellipse(canvas.x, canvas.y, centre, radii), coat.fur * light, coat)


def _paint_eyes(
    canvas: Canvas, coat: Coat, apart: float, height: float, iris: tuple[float, float], pupil: tuple[float, float]
) -> None:
    """Two big eyes; both catch the light from the upper left."""
    x, y = canvas.x - canvas.side * apart, canvas.y - height
    white = ellipse(x, y, (0.0, 0.0), (iris[0] + 0.05, iris[1] + 0.05))
    canvas.paint(white - 0.035, coat.rim)
    canvas.paint(white, WHITE)
    canvas.paint(ellipse(x, y, (0.0, 0.0), iris), coat.iris)
    canvas.paint(ellipse(x, y, (0.0, 0.0), pupil), INK)
    canvas.paint(disc(x, y, (-0.08, -0.1), 0.08), WHITE, width=0.16)
    canvas.paint(disc(x, y, (0.08, 0.1), 0.04), WHITE, 0.7, width=0.05)
