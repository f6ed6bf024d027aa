"""The validation images in two parts: one to tune on, the rest to report on.

Which image lies where is a function of the images alone. Folders are ordered by content and drawings by a hash, so
that the first ones of a domain are as good as drawn by lot, wherever the files lie and whatever they are called.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal, cast

import torch
from torch import Tensor

from core.data.images import DataSet, FactoredImageSet, ImageSet, Item
from core.errors import UserError

Part = Literal["all", "tuning", "rest"]
LEAST = 2  # images of a domain in each part: a distance needs two


class PartOfImages:
    """Consecutive images of every domain of an `ImageSet`, numbered from 0."""

    def __init__(self, images: ImageSet, starts: Sequence[int], sizes: Sequence[int]) -> None:
        self.domains = images.domains
        self.sizes = tuple(sizes)
        self.resolution = images.resolution
        self._images = images
        self._starts = tuple(starts)

    def read(self, items: Sequence[Item], augment: Tensor | None = None) -> Tensor:
        """See `ImageSet.read`. Raises IndexError for an image of another part."""
        return self._images.read(self._places(items), augment)

    def factors(self, items: Sequence[Item]) -> Tensor:
        """See `FactoredImageSet.factors`, where the images have any."""
        return cast(FactoredImageSet, self._images).factors(self._places(items))

    def _places(self, items: Sequence[Item]) -> list[Item]:
        for domain, index in items:
            if not 0 <= index < self.sizes[domain]:
                raise IndexError(f"no image {index} in domain {domain}: this part has {self.sizes}")
        return [(domain, self._starts[domain] + index) for domain, index in items]


def part_of(data: DataSet, part: Part, share: float) -> DataSet:
    """`data` with a part of its validation images: about a share of each domain to tune on, or what that leaves.

    Raises UserError where a domain has too few images for two parts.
    """
    if part == "all":
        return data
    ends = [_end(data.val, domain, share) for domain in range(len(data.domains))]
    few = [
        f"{name} ({size})"
        for name, size, end in zip(data.domains, data.val.sizes, ends, strict=True)
        if not LEAST <= end <= size - LEAST
    ]
    if few:
        raise UserError(
            f"a share of {share:g} of the validation images to tune on does not leave {LEAST} of every domain on both "
            f"sides: {', '.join(few)}. Add validation images, or set eval.tuning_share nearer to 0.5."
        )
    starts = [0] * len(ends) if part == "tuning" else ends
    sizes = ends if part == "tuning" else [size - end for size, end in zip(data.val.sizes, ends, strict=True)]
    return dataclasses.replace(
        data,
        val=PartOfImages(data.val, starts, sizes),
        val_masks=data.val_masks and PartOfImages(data.val_masks, starts, sizes),
        part=f"{'tuning split' if part == 'tuning' else 'all but the tuning split'} of {share:g}",
    )


def _end(images: ImageSet, domain: int, share: float) -> int:
    """How many images of a domain are tuned on. Copies, which lie side by side, stay together."""
    size = images.sizes[domain]
    wanted = end = round(share * size)
    for step in (-1, 1):
        end = wanted
        while LEAST <= end <= size - LEAST and torch.equal(*images.read([(domain, end - 1), (domain, end)])):
            end += step
        if LEAST <= end <= size - LEAST:
            break
    return end
