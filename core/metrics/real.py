"""The real images that translations are compared with: read and measured once a domain, then kept as features."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from core.data.images import DataSet, FactoredImageSet, Item, masks_to_float, read_masks, to_float
from core.metrics.factors import real_style
from core.metrics.frechet import Statistics, kernel_within, statistics
from core.metrics.judge import Judge
from core.metrics.sampling import batches, evenly
from core.metrics.suite import Suite


@dataclass(frozen=True)
class Reference:
    """The features (n, d) of the training images of one domain, and what every comparison with them needs."""

    features: Tensor

    @cached_property
    def statistics(self) -> Statistics:
        """For the Fréchet distance; n >= 2."""
        return statistics(self.features)

    @cached_property
    def kernel_within(self) -> float:
        """For the kernel distance; n >= 2."""
        return kernel_within(self.features)


class RealImages:
    """One per data set and suite; share it between evaluations, or each measures the training images anew."""

    def __init__(
        self,
        data: DataSet,
        suite: Suite,
        judge: Judge,
        device: torch.device,
        max_sources: int | None = None,
        max_reference: int | None = None,
        batch: int = 64,
        cache: Path | None = None,
    ):
        """max_sources, max_reference: validation and training images per domain at most, None or 0: all.

        cache: folder for the features of training images, which every run over the same images compares with.
        """
        self.data = data
        self.suite = suite
        self.judge = judge
        self.device = device
        self.batch = batch
        self.sources: list[list[Item]] = [
            [(domain, index) for index in evenly(size, max_sources)] for domain, size in enumerate(data.val.sizes)
        ]
        self._max_reference = max_reference
        self._cache = cache
        self._references: dict[int, Reference] = {}
        self._styles: dict[int, Tensor] = {}

    def reference(self, domain: int) -> Reference:
        """The plain training images of a domain."""
        if domain not in self._references:
            items = [(domain, index) for index in evenly(self.data.train.sizes[domain], self._max_reference)]
            self._references[domain] = Reference(self._features(items).to(self.device))
        return self._references[domain]

    def _features(self, items: Sequence[Item]) -> Tensor:
        """Of training images, from the cache if they are there."""
        identity = (self.data.fingerprint, self.data.train.resolution, self.suite.features_protocol, tuple(items))
        name = hashlib.blake2b(repr(identity).encode(), digest_size=8).hexdigest()
        path = None if self._cache is None else self._cache / f"features-{name}.pt"
        if path is not None and path.exists():
            with contextlib.suppress(Exception):  # a damaged file is measured anew and written again
                return torch.load(path, weights_only=True)["features"]
        parts = [
            self.suite.features(to_float(self.data.train.read(part).to(self.device))).cpu()
            for part in batches(items, self.batch)
        ]
        features = torch.cat(parts)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f"{path.name}.{os.getpid()}.partial")
            torch.save({"features": features}, temporary)
            temporary.replace(path)
        return features

    def style(self, domain: int) -> Tensor:
        """How much the judged style varies over the real validation images of a domain, (F,)."""
        if domain not in self._styles:
            items = self.sources[domain]
            parts = [self.judge.factors(self.read(part)) for part in batches(items, self.batch)]
            self._styles[domain] = real_style(self.data.factors, self.truth(items), torch.cat(parts))
        return self._styles[domain]

    def read(self, items: Sequence[Item]) -> Tensor:
        """Validation images, float (n, 3, R, R) in [-1, 1], on the device."""
        return to_float(self.data.val.read(items).to(self.device))

    def masks(self, items: Sequence[Item]) -> Tensor | None:
        """The masks of validation images, float (n, 2, R/4, R/4) in [0, 1], on the device; None without any."""
        masks = read_masks(self.data.val_masks, items)
        return None if masks is None else masks_to_float(masks.to(self.device))

    def truth(self, items: Sequence[Item]) -> Tensor:
        """The true factors of validation images, (n, F)."""
        if not self.data.factors:
            return torch.zeros(len(items), 0)
        return cast(FactoredImageSet, self.data.val).factors(items)
