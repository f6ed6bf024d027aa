"""Names beside the points of a figure, where they cover neither each other nor a point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from experiments.reporting.style import FAINT, INK, SMALL, text_width

MARK = 4.0  # points, from a point's centre to its edge
NEAR, FAR = 5.5, 15.0  # points from a point to its name; a far one has a line to it
WAYS = ((1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))


@dataclass(frozen=True)
class Box:
    """A rectangle on the page, in points."""

    left: float
    bottom: float
    right: float
    top: float

    def covers(self, other: Box) -> bool:
        """Whether the two overlap."""
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )

    def within(self, other: Box) -> bool:
        """Whether it lies inside."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.bottom >= other.bottom
            and self.top <= other.top
        )


def place_names(
    axes: Axes,
    places: Mapping[str, tuple[float, float]],
    others: Iterable[tuple[float, float]] = (),
    colours: Mapping[str, str] | None = None,
) -> list[str]:
    """Write each name beside its point, the first ones first; gives those that there is no room for.

    places, others: in data coordinates; others are points without a name. The axes' place and limits must be set.
    """
    scale = 72 / axes.figure.dpi
    to_points = {name: axes.transData.transform(place) * scale for name, place in places.items()}
    around = [*to_points.values(), *(axes.transData.transform(place) * scale for place in others)]
    taken = [Box(x - MARK, y - MARK, x + MARK, y + MARK) for x, y in around]
    window = axes.get_window_extent()
    frame = Box(window.x0 * scale, window.y0 * scale, window.x1 * scale, window.y1 * scale)
    homeless = []
    for name, (x, y) in to_points.items():
        wide, tall = 72 * text_width(name, SMALL, bold=True), 1.1 * SMALL
        for box, distance in _candidates(x, y, wide, tall):
            if box.within(frame) and not any(box.covers(other) for other in taken):
                taken.append(box)
                middle = ((box.left + box.right) / 2 - x, (box.bottom + box.top) / 2 - y)
                _write(axes, name, places[name], middle, distance > NEAR, (colours or {}).get(name, INK))
                break
        else:
            homeless.append(name)
    return homeless


def _candidates(x: float, y: float, wide: float, tall: float) -> Iterator[tuple[Box, float]]:
    for distance in (NEAR, FAR):
        for across, up in WAYS:
            middle = (x + across * (distance + wide / 2), y + up * (distance + tall / 2))
            if across and up:  # a corner is further away
                middle = (x + across * (0.7 * distance + wide / 2), y + up * (0.7 * distance + tall / 2))
            yield (
                Box(middle[0] - wide / 2, middle[1] - tall / 2, middle[0] + wide / 2, middle[1] + tall / 2),
                distance,
            )


def _write(
    axes: Axes, name: str, place: tuple[float, float], offset: tuple[float, float], far: bool, colour: str
) -> None:
    axes.annotate(
        name,
        place,
        offset,
        textcoords="offset points",
        ha="center",
        va="center",
        size=SMALL,
        weight="bold",
        color=colour,
        arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.5, "shrinkA": 0, "shrinkB": 3} if far else None,
        path_effects=[withStroke(linewidth=1.5, foreground="white")],
        zorder=6,
    )
