"""Where the pixels of a folder's images come from: a cache file, memory or the files, with equal results."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import numpy as np

from core.data.decode import Fit, UnreadableError, decode, fit_square
from core.data.inspection import ImageFile, Progress, content_digest, map_in_threads
from core.data.layout import shown
from core.errors import UserError

_UNFINISHED = ".unfinished-"
_DAY = 24 * 3600  # seconds

Pixels = np.ndarray  # uint8 (side, side, 3)


class Source(Protocol):
    """The images of a split at one size, by their place in it."""

    def __getitem__(self, place: int, /) -> Pixels: ...


class MappedFile:
    """Pixels in a .npy file, shared by all processes of the machine. Opened where it is first read, so it pickles."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._array: np.ndarray | None = None

    def __getitem__(self, place: int, /) -> Pixels:
        if self._array is None:
            self._array = np.load(self.file, mmap_mode="r")
        return np.asarray(self._array[place])

    def __reduce__(self) -> tuple[type[MappedFile], tuple[Path]]:
        return MappedFile, (self.file,)


class Decoded:
    """Pixels that are decoded whenever they are asked for."""

    def __init__(self, files: Sequence[ImageFile], side: int, fit: Fit) -> None:
        self.files, self.side, self.fit = tuple(files), side, fit

    def __getitem__(self, place: int, /) -> Pixels:
        return fit_square(read_image(self.files[place]), self.side, self.fit)


def read_image(file: ImageFile) -> Pixels:
    """Decodes a file that was inspected before. Raises UserError where it has changed since."""
    try:
        data = file.path.read_bytes()
        if content_digest(data) == file.digest:
            return decode(data)
    except (OSError, UnreadableError):
        pass
    raise UserError(f"{shown(file.path)} was changed or removed while it was in use. Start the same command again.")


def cached_sources(
    files: Sequence[ImageFile], sides: Sequence[int], fit: Fit, paths: Sequence[Path], progress: Progress | None = None
) -> list[Source]:
    """The images at every side, decoded now: in the cache files `paths`, or in memory where those cannot be written.

    Files that are there already are used. progress: called with (done, total) files.
    """
    if all(_is_whole(path, len(files), side) for path, side in zip(paths, sides, strict=True)):
        return [MappedFile(path) for path in paths]

    def squares(file: ImageFile) -> list[Pixels]:
        image = read_image(file)
        return [fit_square(image, side, fit) for side in sides]

    def report(done: int) -> None:
        if progress is not None:
            progress(done, len(files))

    try:
        _write(files, sides, paths, squares, report)
        return [MappedFile(path) for path in paths]
    except OSError:  # a read-only cache folder, or a full disk
        arrays = [np.empty((len(files), side, side, 3), np.uint8) for side in sides]
        for place, images in enumerate(map_in_threads(squares, files)):
            for array, image in zip(arrays, images, strict=True):
                array[place] = image
            report(place + 1)
        return list(arrays)


def _is_whole(path: Path, count: int, side: int) -> bool:
    try:
        array = np.load(path, mmap_mode="r")
    except (OSError, ValueError):
        return False
    return bool(array.shape == (count, side, side, 3) and array.dtype == np.uint8)


def _write(
    files: Sequence[ImageFile],
    sides: Sequence[int],
    paths: Sequence[Path],
    squares: Callable[[ImageFile], list[Pixels]],
    report: Callable[[int], None],
) -> None:
    """Writes the cache files under temporary names and renames them once all are whole. Raises OSError."""
    folder = paths[0].parent
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.glob(f"{_UNFINISHED}*"):  # by a process that was killed; a younger one may be at work
        if time.time() - left_over.stat().st_mtime > _DAY:
            shutil.rmtree(left_over, ignore_errors=True)
    needed = sum(len(files) * side * side * 3 for side in sides)
    if shutil.disk_usage(folder).free < needed * 1.1:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    with tempfile.TemporaryDirectory(dir=folder, prefix=_UNFINISHED) as unfinished, ExitStack() as stack:
        # Written as a stream: a full disk is then an error, where a mapped file would end the process.
        outputs = [stack.enter_context(Path(unfinished, path.name).open("wb")) for path in paths]
        for output, side in zip(outputs, sides, strict=True):
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(files), side, side, 3)}
            np.lib.format.write_array_header_1_0(output, header)
        for done, images in enumerate(map_in_threads(squares, files), start=1):
            for output, image in zip(outputs, images, strict=True):
                output.write(image.tobytes())
            report(done)
        for output, path in zip(outputs, paths, strict=True):
            output.close()
            os.replace(output.name, path)
