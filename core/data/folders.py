"""A user's own folder of images as a data set: what is wrong with it is said before anything else, all at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.data import faults
from core.data.attributes import find_attributes, switches
from core.data.decode import Fit
from core.data.images import DataSet
from core.data.inspection import ImageFile, Inspected, Progress, Split, inspect_files
from core.data.layout import Folders, find_layout, shown
from core.data.masks import load_masks
from core.data.stored import store_images
from core.errors import UserError


@dataclass(frozen=True)
class FolderContents:
    """The images that a folder gives to training and validation."""

    root: Path
    train: Split
    val: Split
    fingerprint: str
    notes: tuple[str, ...]


def load_folders(
    root: Path,
    resolution: int,
    *,
    fit: Fit = "crop",
    attributes: Sequence[str] = (),
    skip_bad: bool = False,
    val_fraction: float = 0.1,
    cache: Path,
    minimum_train: int = 1,
    memory_bytes: int | None = None,
    progress: Progress | None = None,
    masks: Path | None = None,
) -> DataSet:
    """The data set in `root`: see `inspect_folders` for what is accepted and `store_images` for how it is held.

    resolution: the side of the images in pixels. memory_bytes: what decoded images may take, by default half of the
    machine's memory. progress: called with (done, total) files, first while inspecting, then while decoding.
    masks: the folder of the images' masks, see `load_masks`.
    Raises UserError that lists everything that is wrong.
    """
    contents = inspect_folders(
        root,
        attributes=attributes,
        skip_bad=skip_bad,
        val_fraction=val_fraction,
        cache=cache,
        minimum_train=minimum_train,
        progress=progress,
    )
    train, val = store_images(
        contents.train,
        contents.val,
        resolution,
        fit=fit,
        fingerprint=contents.fingerprint,
        cache=cache,
        memory_bytes=memory_bytes,
        progress=progress,
    )
    pairs = switches(train.domains, attributes) if attributes else ()
    data = DataSet(train, val, contents.fingerprint, contents.notes, pairs=pairs)
    if masks is None:
        return data
    return load_masks(data, masks, root, contents.train, contents.val, resolution // 4, fit, cache, progress)


def inspect_folders(
    root: Path,
    *,
    attributes: Sequence[str] = (),
    skip_bad: bool = False,
    val_fraction: float = 0.1,
    cache: Path,
    minimum_train: int = 1,
    progress: Progress | None = None,
) -> FolderContents:
    """Finds and decodes every image of `train/DOMAIN/` and `val/DOMAIN/` (or `test/DOMAIN/`), or of `DOMAIN/`.

    attributes: if given, folders are no domains; combinations of these are, see `core.data.attributes`.

    Without validation folders, a share `val_fraction` of every domain, at least one image, is held out by content:
    the same images are held out wherever they lie and whatever they are called. skip_bad: unreadable images are left
    out and named in the notes. An image that lies in both splits is left out of training and named there as well:
    collections of web images have such copies, and validation must not see what was trained on.
    minimum_train: the training images that each domain needs.
    Raises UserError that lists everything that is wrong.
    """
    root = Path(root)
    layout, said = find_attributes(root, attributes) if attributes else (find_layout(root), [])
    folders = [*layout.train.values(), *(layout.val or {}).values()]
    found = inspect_files(root, (file for files in folders for file in files), cache, progress)
    bad = {file: inspected.error for file, inspected in sorted(found.items()) if inspected.error}
    # Among plain domain folders, one without images is not meant to be a domain.
    stray = [] if layout.train_name else [name for name, files in layout.train.items() if not _any_image(files, found)]
    train = _images({name: files for name, files in layout.train.items() if name not in stray}, found)
    val = _images(layout.val, found) if layout.val is not None else {}
    problems = faults.barred(layout) + (faults.unreadable(layout, bad) if not skip_bad else [])
    shared = _shared(train, val)
    if layout.val is None:
        train, val = hold_out(train, val_fraction)
    else:
        problems += faults.differing_domains(layout, train, val)
        train = _without(train, {image.digest for images in val.values() for image in images})
    problems += faults.too_few_domains(layout, train, stray) + faults.too_few_images(layout, train, val, minimum_train)
    if problems:
        problems += faults.shared_images(layout, shared)  # not refused alone, but a cause of too few images
        heading = f"The images in {shown(root)} cannot be used as they are:"
        raise UserError("\n".join([heading, *(f"- {problem}" for problem in problems)]))
    notes = said + faults.notes(layout, bad, shared, stray, train, val)
    return FolderContents(root, train, val, fingerprint_of(train, val), tuple(notes))


def hold_out(images: Split, fraction: float) -> tuple[Split, Split]:
    """Splits every domain into training and validation images by their contents' digests.

    An image that lies in a data set twice, also in two domains, goes to one side only.
    """
    held_out: set[str] = set()
    for files in images.values():
        digests = sorted({image.digest for image in files})
        held_out.update(digests[: max(1, round(fraction * len(digests)))])
    train = _without(images, held_out)
    val = {name: [image for image in files if image.digest in held_out] for name, files in images.items()}
    return train, val


def fingerprint_of(train: Split, val: Split) -> str:
    """A digest of which images each domain has in each split; names of files and folders above do not matter."""
    rows = sorted(
        (split, name, image.digest)
        for split, domains in (("train", train), ("val", val))
        for name, files in domains.items()
        for image in files
    )
    return hashlib.blake2b(json.dumps(rows).encode(), digest_size=16).hexdigest()


def _images(folders: Folders, found: dict[Path, Inspected]) -> Split:
    """The readable images of each domain.

    Ordered by content, so that equal fingerprints mean equal images at equal places: cached pixels rely on it.
    """
    images = {}
    for name in sorted(folders):
        readable = [(file, found[file]) for file in folders[name] if found[file].is_image]
        images[name] = sorted(
            (
                ImageFile(file, each.digest, min(each.width, each.height), max(each.width, each.height))
                for file, each in readable
            ),
            key=lambda image: (image.digest, image.path),
        )
    return images


def _shared(train: Split, val: Split) -> list[tuple[Path, Path]]:
    """The files, in train and val, of each validation image that also lies in train."""
    trained_on = {image.digest: image.path for images in train.values() for image in images}
    of_val = sorted((image.path, image.digest) for images in val.values() for image in images)
    return [(trained_on[digest], path) for path, digest in of_val if digest in trained_on]


def _without(images: Split, digests: set[str]) -> Split:
    return {name: [image for image in files if image.digest not in digests] for name, files in images.items()}


def _any_image(files: list[Path], found: dict[Path, Inspected]) -> bool:
    """Whether any of the files is an image or should be one."""
    return any(found[file].is_image or found[file].error for file in files)
