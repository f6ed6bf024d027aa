"""Which images of a set are measured where not all of them are: evenly spaced ones, the same every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from core.data.images import ImageSet, Item

T = TypeVar("T")


def evenly(size: int, limit: int | None) -> list[int]:
    """At most `limit` indices below `size`, evenly spaced; None or 0: all."""
    count = min(size, limit or size)
    return [number * size // count for number in range(count)]


def spread(images: ImageSet, limit: int) -> list[Item]:
    """About `limit` items at most, evenly from the domains (at least one each) and evenly within each."""
    share = max(1, limit // len(images.domains))
    return [(domain, index) for domain, size in enumerate(images.sizes) for index in evenly(size, share)]


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Consecutive parts of at most `size` items."""
    return (items[start : start + size] for start in range(0, len(items), size))
