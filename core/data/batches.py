"""Training batches: `batches[step]` is a pure function of the seed and the step.

All randomness of a step is drawn here, before any network runs and whether this rung uses it or not: at one seed every
rung sees the same images, latents and crops. Images that a rung has no use for are not read.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor
from torch.utils.data import Dataset

from core.data.images import AUGMENT_DRAWS, ImageSet, Item, masks_to_float, read_masks, to_float
from core.runtime import stream

IMAGES = ("image", "reference", "reference2")  # what a batch can hold; the last two are of the target domain


@dataclass(frozen=True)
class Batch:
    """n sources with where they go. Images are None where nobody asked for them."""

    domain: Tensor  # (n,) int64, of `image`
    target: Tensor  # (n,) int64, of the references: where to go; it can equal `domain`
    latent: Tensor  # (n, latent_dim)
    latent2: Tensor  # the second sample of the diversity term
    mix: Tensor  # (n, 1, 1, 1) in [0, 1), the share of the real image in the gradient penalty
    image: Tensor | None = None  # (n, 3, R, R): uint8 as read, float in [-1, 1] after `to`
    reference: Tensor | None = None
    reference2: Tensor | None = None
    masks: Tensor | None = None  # of `image`, (n, 2, R/4, R/4): uint8 as read, float in [0, 1] after `to`

    def to(self, device: torch.device) -> Batch:
        """On the device, with images as the networks see them."""
        moved = {item.name: getattr(self, item.name) for item in fields(self)}
        moved = {name: value.to(device, non_blocking=True) for name, value in moved.items() if value is not None}
        seen = {name: to_float(moved[name]) for name in IMAGES if name in moved}
        if "masks" in moved:
            seen["masks"] = masks_to_float(moved["masks"])
        return replace(self, **{**moved, **seen})


class Batches(Dataset[Batch]):
    """The batches of a run, by step."""

    def __init__(
        self,
        images: ImageSet,
        *,
        seed: int,
        size: int,
        latent_dim: int,
        reads: frozenset[str],
        augment: bool,
        crops: bool = True,
        permuted: bool = False,
        uniform: bool = False,
        masks: ImageSet | None = None,
        rows: slice = slice(None),
    ) -> None:
        """reads: which of IMAGES the run needs. masks: of the same items, for runs that need them.

        rows: of every batch, those that are wanted; all are drawn, so a batch is the same however it is shared out.
        crops: whether augmentation crops beside mirroring.
        permuted: the targets are the batch's own domains in another order, as StarGAN draws them, and not independent.
        uniform: every image comes as often as any other, and not every domain.
        """
        self.images, self.seed, self.size, self.latent_dim = images, seed, size, latent_dim
        self.reads, self.augment, self.crops, self.masks = reads, augment, crops, masks
        self.permuted, self.uniform, self.rows = permuted, uniform, rows

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step, or this object's rows of it; images as uint8."""
        where = stream(self.seed, step, "images")
        domain, target = (torch.randint(len(self.images.domains), (self.size,), generator=where) for _ in range(2))
        if self.uniform:
            domain, target = self._in_proportion(step)
        if self.permuted:
            target = domain[torch.randperm(self.size, generator=stream(self.seed, step, "permutation"))]
        # The domain first, then an image within it.
        places = dict(
            zip(IMAGES, torch.rand(len(IMAGES), self.size, generator=where, dtype=torch.float64), strict=True)
        )
        crops = torch.rand(len(IMAGES), self.size, len(AUGMENT_DRAWS), generator=stream(self.seed, step, "augment"))
        if not self.crops:
            crops[:, :, AUGMENT_DRAWS.index("apply")] = 1  # no draw asks for a crop
        latent, latent2 = torch.randn(2, self.size, self.latent_dim, generator=stream(self.seed, step, "latent"))
        mix = torch.rand(self.size, 1, 1, 1, generator=stream(self.seed, step, "mix"))

        domain, target, latent, latent2, mix = (drawn[self.rows] for drawn in (domain, target, latent, latent2, mix))
        places, crops = {name: place[self.rows] for name, place in places.items()}, crops[:, self.rows]
        images = {}
        for name, crop in zip(IMAGES, crops, strict=True):
            if name in self.reads:
                items = self._items(domain if name == "image" else target, places[name])
                images[name] = self.images.read(items, crop if self.augment else None)
        sources = self._items(domain, places["image"])
        masks = read_masks(self.masks, sources, crops[IMAGES.index("image")] if self.augment else None)
        return Batch(domain, target, latent, latent2, mix, **images, masks=masks)

    def _in_proportion(self, step: int) -> tuple[Tensor, Tensor]:
        """Two draws of domains, each as likely as its share of the images."""
        sizes = torch.tensor(self.images.sizes, dtype=torch.float64)
        draws = torch.multinomial(sizes, 2 * self.size, replacement=True, generator=stream(self.seed, step, "domains"))
        return draws[: self.size], draws[self.size :]

    def _items(self, domain: Tensor, place: Tensor) -> list[Item]:
        sizes = self.images.sizes
        return [(d, int(p * sizes[d])) for d, p in zip(domain.tolist(), place.tolist(), strict=True)]
