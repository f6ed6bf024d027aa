"""What training and evaluation ask of a set of images, whether it is drawn, held in memory or streamed from files."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

# The uniforms that decide one image's augmentation, in this order.
AUGMENT_DRAWS = ("apply", "area", "ratio", "top", "left", "flip")

Item = tuple[int, int]  # (domain, index within the domain)


class ImageSet(Protocol):
    """The images of one split, numbered within each domain."""

    domains: tuple[str, ...]
    sizes: tuple[int, ...]  # images per domain
    resolution: int

    def read(self, items: Sequence[Item], augment: Tensor | None = None) -> Tensor:
        """Images as uint8 (n, 3, R, R).

        augment: uniforms in [0, 1), (n, len(AUGMENT_DRAWS)), that decide each image's random crop and flip; None gives
        the plain images. Drawn images ignore it: they are varied already.
        """
        ...


class FactoredImageSet(ImageSet, Protocol):
    """Images whose true factors are known."""

    def factors(self, items: Sequence[Item]) -> Tensor:
        """The true factors, float32 (n, F), in the order of `DataSet.factors`."""
        ...


@dataclass(frozen=True)
class DataSet:
    """A training and a validation split over the same domains."""

    train: ImageSet
    val: ImageSet
    fingerprint: str  # what the images are, not where they lie: equal data, equal fingerprint
    notes: tuple[str, ...] = ()  # what a report must say of the data
    factors: tuple[str, ...] = ()  # names of the true factors, where they are known
    pairs: tuple[tuple[int, int], ...] = ()  # (source, target) domains to translate between; none: every ordered pair
    train_masks: ImageSet | None = None  # of the same items, at a quarter of the side, where the images have masks
    val_masks: ImageSet | None = None
    masks_fingerprint: str = ""
    part: str = ""  # which part of the validation images `val` is, in words; empty: all of them

    @property
    def domains(self) -> tuple[str, ...]:
        return self.train.domains

    @property
    def routes(self) -> tuple[tuple[int, int], ...]:
        """The (source, target) domains between which translations are measured."""
        return self.pairs or tuple(itertools.permutations(range(len(self.domains)), 2))


def read_masks(masks: ImageSet | None, items: Sequence[Item], augment: Tensor | None = None) -> Tensor | None:
    """The two masks of each item, uint8 (n, 2, R/4, R/4), cropped and mirrored as its image is; None without any."""
    return None if masks is None else masks.read(items, augment)[:, :2]


def masks_to_float(masks: Tensor) -> Tensor:
    """uint8 [0, 255] -> float32 [0, 1]."""
    return masks.float().div_(255)


def to_float(images: Tensor) -> Tensor:
    """uint8 [0, 255] -> float32 [-1, 1], the range in which the networks see images."""
    return images.float().div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Float [-1, 1] -> uint8, values outside clamped, rounded to nearest."""
    return images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
