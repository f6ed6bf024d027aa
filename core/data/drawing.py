"""Antialiased shapes, drawn for a batch of images at once.

A shape is its signed distance (negative inside), and an edge is one pixel wide at any resolution: what is drawn at 32
pixels is what 256 pixels would show scaled down. Pixels see only operations that IEEE 754 rounds exactly (no sine, no
exponential, no fused multiply-add), so that an image has the same bytes whichever batch, thread or machine draws it.
"""

from __future__ import annotations

import torch
from torch import Tensor

Number = float | Tensor  # one for all images, or one an image, (n, 1, 1)


def per_image(values: Tensor) -> Tensor:
    """(..., n) -> (..., n, 1, 1): numbers or colours that broadcast over pixels."""
    return values[..., None, None]


def hsv_to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Hue in turns (any real), saturation and value in [0, 1], each (n,) -> RGB in [0, 1], (3, n)."""
    channels = []
    for offset in (5.0, 3.0, 1.0):
        sector = hue * 6 + offset
        sector = sector - (sector / 6).floor() * 6
        channels.append(value - value * saturation * torch.minimum(sector, 4 - sector).clamp(0, 1))
    return torch.stack(channels)


def colour(red: float, green: float, blue: float) -> Tensor:
    """One colour for all images, (3, 1, 1, 1)."""
    return torch.tensor((red, green, blue)).view(3, 1, 1, 1)


class Canvas:
    """Images in the making, and the coordinates of the creature on each.

    Frame coordinates span [-1, 1] from edge to edge, y down. The creature's own (`x`, `y`) have their origin at its
    centre, are turned by its tilt (clockwise, radians) and have its half width as their unit.
    """

    def __init__(self, resolution: int, centre: tuple[Tensor, Tensor], tilt: Tensor, size: Tensor, background: Tensor):
        """centre, tilt, size: (n,). background: RGB in [0, 1], (3, n)."""
        axis = (torch.arange(resolution) + 0.5) * (2 / resolution) - 1
        right, down = axis[None, None, :] - per_image(centre[0]), axis[None, :, None] - per_image(centre[1])
        # In double precision, then rounded: the last bit of a sine may depend on how it was computed.
        cosine = per_image((tilt.double().cos() / size.double()).float())
        sine = per_image((tilt.double().sin() / size.double()).float())
        self.x = right * cosine + down * sine
        self.y = down * cosine - right * sine
        self.side = self.x.sign()
        self.across = self.x.abs()  # the creature is symmetric: what is drawn here appears on both sides
        self.pixels = per_image(size * (resolution / 2))  # pixels to the creature's unit
        # Light behind the creature that fades out before the corners, where the background keeps its plain colour.
        glow = (1 - axis[None, :].square() - axis[:, None].square()).clamp(min=0).square()
        rgb = per_image(background)
        self.rgb = rgb + (1 - rgb) * (glow * 0.28)

    def paint(self, distance: Tensor, rgb: Tensor, opacity: Number = 1.0, width: float | None = None) -> None:
        """Lay a colour, broadcastable to (3, n, R, R), over where `distance` (creature's units) is negative.

        width: how wide a line or dot is. One thinner than a pixel is made fainter, so that it covers what it should.
        """
        cover = (0.5 - distance * self.pixels).clamp_(0, 1)
        if width is not None:
            wide = (self.pixels * width).clamp(max=1)
            opacity = opacity * (4 * wide / (1 + wide).square())
        if not isinstance(opacity, float) or opacity != 1.0:
            cover = cover * opacity
        self.rgb += (rgb - self.rgb) * cover

    def bytes(self) -> Tensor:
        """uint8 (n, 3, R, R)."""
        return (self.rgb * 255).round_().clamp_(0, 255).to(torch.uint8).transpose(0, 1)


def squared_radius(x: Tensor, y: Tensor, centre: tuple[Number, Number], radii: tuple[Number, Number]) -> Tensor:
    """0 at an ellipse's centre, 1 on its outline."""
    return ((x - centre[0]) / radii[0]).square() + ((y - centre[1]) / radii[1]).square()


def disc(x: Tensor, y: Tensor, centre: tuple[Number, Number], radius: Number) -> Tensor:
    """Signed distance from a disc."""
    return ((x - centre[0]).square() + (y - centre[1]).square()).sqrt() - radius


def ellipse(x: Tensor, y: Tensor, centre: tuple[Number, Number], radii: tuple[Number, Number]) -> Tensor:
    """Signed distance from an ellipse along its axes, to first order: exact on the outline, where it matters."""
    right = ((x - centre[0]) / radii[0]).square()
    down = ((y - centre[1]) / radii[1]).square()
    slope = (right / (radii[0] * radii[0]) + down / (radii[1] * radii[1])).sqrt()
    return (right + down - 1) / (slope * 2 + 1e-6)


def polygon(x: Tensor, y: Tensor, *corners: tuple[Number, Number]) -> Tensor:
    """Signed distance from a convex polygon, its corners clockwise as seen; outside a corner a lower bound."""
    distance = None
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        along_x, along_y = torch.as_tensor(x1 - x0), torch.as_tensor(y1 - y0)
        length = (along_x * along_x + along_y * along_y).sqrt()
        normal_x, normal_y = along_y / length, -along_x / length
        edge = x * normal_x + y * normal_y - (normal_x * x0 + normal_y * y0)
        distance = edge if distance is None else torch.maximum(distance, edge)
    assert distance is not None
    return distance


def capsule(
    x: Tensor, y: Tensor, start: tuple[Number, Number], end: tuple[Number, Number], radii: tuple[float, float]
) -> Tensor:
    """Signed distance from a line with round ends, whose half width goes from one radius to the other."""
    along_x, along_y = torch.as_tensor(end[0] - start[0]), torch.as_tensor(end[1] - start[1])
    squared = along_x * along_x + along_y * along_y
    right, down = x - start[0], y - start[1]
    share = (right * (along_x / squared) + down * (along_y / squared)).clamp_(0, 1)
    gap = ((right - share * along_x).square() + (down - share * along_y).square()).sqrt()
    return gap - (radii[0] + share * (radii[1] - radii[0]))


def arc(x: Tensor, y: Tensor, centre: tuple[float, float], radius: float, half_width: float, top: float) -> Tensor:
    """Signed distance from the part of a ring below `top`: a smile."""
    return torch.maximum(disc(x, y, centre, radius).abs() - half_width, top - y)


def bands(coordinate: Tensor, frequency: Tensor, pixels: Tensor) -> Tensor:
    """Soft-edged stripes: 1 where the coordinate is half a period off, 0 where it is a whole number of periods."""
    turns = coordinate * frequency
    wave = 1 - (turns - turns.floor()).mul_(2).sub_(1).abs_()
    return ((wave - 0.5) * (pixels / (frequency * 2)).clamp(1, 4) + 0.5).clamp_(0, 1)
