"""The masks of a folder's images, for the high-pass skip: one picture beside each image, in a folder of the same shape.

The masks of `ROOT/train/female/1.jpg` are `MASKS/train/female/1.png`: its red channel is the mask that serves features
of 32 px, its green channel the one for 64 and 128 px, from 0 (nothing of the image's edges is kept) to 255 (all); blue
is not looked at. A mask has any size and the shape (width to height) of its image.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

from core.data.decode import Fit
from core.data.images import DataSet
from core.data.inspection import ImageFile, Inspected, Progress, Split, inspect_files
from core.data.layout import listed, shown
from core.data.stored import store_images
from core.errors import UserError


def load_masks(
    data: DataSet,
    masks: Path,
    root: Path,
    train: Split,
    val: Split,
    side: int,
    fit: Fit,
    cache: Path,
    progress: Progress | None = None,
) -> DataSet:
    """`data` with the masks of its images, held at `side` pixels.

    masks, root: the folders of masks and of images. Raises UserError that names what is missing or wrong.
    """
    if not masks.is_dir():
        raise UserError(f"The folder of masks {shown(masks)} does not exist. Set data.masks to it.")
    splits = {"train": train, "val": val}
    files = {
        image.path: masks / image.path.relative_to(root).with_suffix(".png")
        for split in splits.values()
        for images in split.values()
        for image in images
    }
    found = inspect_files(masks, files.values(), cache, progress)
    _refuse(masks, files, found, splits)
    of_masks = {
        name: {domain: [_as_file(files[image.path], found) for image in images] for domain, images in split.items()}
        for name, split in splits.items()
    }
    fingerprint = _fingerprint(data.fingerprint, of_masks)
    train_masks, val_masks = store_images(
        of_masks["train"], of_masks["val"], side, fit=fit, fingerprint=fingerprint, cache=cache, progress=progress
    )
    return dataclasses.replace(data, train_masks=train_masks, val_masks=val_masks, masks_fingerprint=fingerprint)


def _as_file(path: Path, found: dict[Path, Inspected]) -> ImageFile:
    mask = found[path]
    return ImageFile(path, mask.digest, min(mask.width, mask.height), max(mask.width, mask.height))


def _refuse(masks: Path, files: dict[Path, Path], found: dict[Path, Inspected], splits: dict[str, Split]) -> None:
    images = [image for split in splits.values() for domain in split.values() for image in domain]
    bad = {files[image.path]: found[files[image.path]].error for image in images if found[files[image.path]].error}
    missing = sorted(shown(path.relative_to(masks)) for path, error in bad.items() if error == "no longer there")
    unreadable = sorted(shown(path.relative_to(masks)) for path, error in bad.items() if error != "no longer there")
    shapes = sorted(
        shown(files[image.path].relative_to(masks))
        for image in images
        if files[image.path] not in bad and not _same_shape(image, _as_file(files[image.path], found))
    )
    problems = [
        f"- {len(names)} of {len(images)} masks {what}: {listed(names)}"
        for names, what in (
            (missing, "are missing"),
            (unreadable, "cannot be read"),
            (shapes, "are not of the shape of their images"),
        )
        if names
    ]
    if problems:
        heading = f"The masks in {shown(masks)} cannot be used as they are:"
        raise UserError("\n".join([heading, *problems, "Every image ROOT/PATH.jpg needs its masks MASKS/PATH.png."]))


def _same_shape(image: ImageFile, mask: ImageFile) -> bool:
    """Whether width to height is equal but for the rounding of a pixel."""
    difference = abs(mask.short_side * image.long_side - mask.long_side * image.short_side)
    return difference <= max(image.long_side, mask.long_side)


def _fingerprint(of_images: str, splits: dict[str, Split]) -> str:
    """A digest of which image has which masks; the images are in the order that their own fingerprint implies."""
    digests = {
        name: {d: [mask.digest for mask in masks] for d, masks in split.items()} for name, split in splits.items()
    }
    return hashlib.blake2b(json.dumps([of_images, digests], sort_keys=True).encode(), digest_size=16).hexdigest()
