"""The images of a folder as an `ImageSet`: decoded once into a cache where they fit, else decoded at every read.

Both ways give the same pixels. Two sizes are kept of training images: the plain one, exactly what a direct decode
gives, and, where the files have more detail, one `DETAIL` times larger from which augmentation takes its crops, so that
cropping does not blur.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.data.augment import augmented, is_cropped
from core.data.decode import RECIPE, Fit
from core.data.images import AUGMENT_DRAWS, Item
from core.data.inspection import ImageFile, Progress, Split, worker_count
from core.data.pixels import Decoded, MappedFile, Pixels, Source, cached_sources

DETAIL = 1.2  # a crop of at least 0.8 of the area, at most 1.1 : 1, has at least 0.85 of the side


class StoredImages:
    """The `ImageSet` of one split. It pickles and survives a fork: `read` may be called in any process."""

    def __init__(self, split: Split, resolution: int, plain: Source, detailed: Source) -> None:
        self.domains = tuple(split)
        self.sizes = tuple(len(images) for images in split.values())
        self.resolution = resolution
        self._starts = [sum(self.sizes[:domain]) for domain in range(len(self.sizes))]
        self._plain, self._detailed = plain, detailed

    @property
    def storage(self) -> str:
        """How the images are held: `mapped` (a cache file), `memory` or `streamed`."""
        return {MappedFile: "mapped", Decoded: "streamed"}.get(type(self._plain), "memory")

    def read(self, items: Sequence[Item], augment: Tensor | None = None) -> Tensor:
        """See `ImageSet.read`. Raises IndexError for an image that is not there, UserError for one that changed."""
        if augment is not None and augment.shape != (len(items), len(AUGMENT_DRAWS)):
            raise ValueError(f"{tuple(augment.shape)} uniforms for {len(items)} images of {len(AUGMENT_DRAWS)} draws")
        draws = [None] * len(items) if augment is None else augment.tolist()
        jobs = list(zip((self._place(item) for item in items), draws, strict=True))
        if self.storage == "streamed" and len(jobs) > 1:
            with ThreadPoolExecutor(min(worker_count(), len(jobs))) as pool:
                images = list(pool.map(self._image, jobs))
        else:
            images = [self._image(job) for job in jobs]
        batch = np.empty((len(items), self.resolution, self.resolution, 3), np.uint8)
        for place, image in enumerate(images):
            batch[place] = image
        return torch.from_numpy(batch).permute(0, 3, 1, 2).contiguous()

    def _place(self, item: Item) -> int:
        domain, index = item
        if not (0 <= domain < len(self.sizes) and 0 <= index < self.sizes[domain]):
            raise IndexError(f"no image {index} in domain {domain}: there are {self.sizes}")
        return self._starts[domain] + index

    def _image(self, job: tuple[int, list[float] | None]) -> Pixels:
        place, draws = job
        if draws is None:
            return self._plain[place]
        source = self._detailed if is_cropped(draws) else self._plain
        return augmented(source[place], self.resolution, draws)


def store_images(
    train: Split,
    val: Split,
    resolution: int,
    *,
    fit: Fit,
    fingerprint: str,
    cache: Path,
    memory_bytes: int | None = None,
    progress: Progress | None = None,
) -> tuple[StoredImages, StoredImages]:
    """The two splits, each cached if its pixels fit into what is left of `memory_bytes`, validation first.

    The cache is a file in `cache`, named by what the images are; in memory where that folder cannot take it.
    memory_bytes: by default half of the machine's memory. progress: called with (done, total) files.
    """
    left = physical_memory() // 2 if memory_bytes is None else memory_bytes
    stored = {}
    for name, split in (("val", val), ("train", train)):
        files = [image for images in split.values() for image in images]
        sides = [resolution, *([detail_side(files, resolution, fit)] if name == "train" else [])]
        sides = sorted(set(sides))
        size = sum(len(files) * side * side * 3 for side in sides)
        sources: list[Source] = [Decoded(files, side, fit) for side in sides]
        if size <= left:
            left -= size
            paths = [cache / f"{fingerprint[:16]}-{name}-{fit}-{side}-{RECIPE}.npy" for side in sides]
            sources = cached_sources(files, sides, fit, paths, progress)
        stored[name] = StoredImages(split, resolution, sources[0], sources[-1])
    return stored["train"], stored["val"]


def detail_side(files: Sequence[ImageFile], resolution: int, fit: Fit) -> int:
    """The side from which crops are taken: DETAIL times the resolution, no more than the best file has."""
    most = max((image.short_side if fit == "crop" else image.long_side for image in files), default=resolution)
    return max(resolution, min(math.ceil(DETAIL * resolution), most))


def physical_memory() -> int:
    """Bytes of memory that this machine, or the container it is, has."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return memory
