"""Reads every file of a data set once and says of each whether it is an image, and which.

What was found is kept in an index, so that a second start reads only files that are new or changed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import PIL

from core.data.decode import RECIPE, NotAnImageError, UnreadableError, decode
from core.data.layout import claims_image

Progress = Callable[[int, int], None]  # (done, total) files

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"II*\0", b"MM\0*")  # JPEG, PNG, TIFF
_CHUNK = 256  # files in flight: bounds memory, and the wait after Ctrl-C

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True)
class Inspected:
    """What one file is. Neither an image nor an error: a file of another kind, e.g. a text."""

    digest: str = ""  # of the file's bytes; "" where it is no image
    width: int = 0  # pixels, upright
    height: int = 0
    error: str = ""  # why a file that should be an image is none

    @property
    def is_image(self) -> bool:
        return bool(self.digest)


@dataclass(frozen=True)
class ImageFile:
    """A readable image of a data set."""

    path: Path
    digest: str
    short_side: int  # pixels
    long_side: int


Split = dict[str, list[ImageFile]]  # domain -> its images


def content_digest(data: bytes) -> str:
    """The name of a file's content."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def worker_count() -> int:
    """Threads worth having for decoding, during which Pillow holds no lock."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, 16)


def map_in_threads(work: Callable[[_In], _Out], items: Sequence[_In]) -> Iterator[_Out]:
    """`map(work, items)` on every core, in order, a bounded number of results ahead."""
    with ThreadPoolExecutor(worker_count()) as pool:
        for start in range(0, len(items), _CHUNK):
            yield from pool.map(work, items[start : start + _CHUNK])


def inspect_files(
    root: Path, files: Iterable[Path], cache: Path, progress: Progress | None = None
) -> dict[Path, Inspected]:
    """What each file is; images are decoded whole, so that truncated ones are found.

    The index lies in `cache`; where that cannot be written, the next start takes as long as the first.
    """
    files = list(files)
    index_file = cache / f"index-{content_digest(os.fsencode(root.resolve()))}.json"
    known = _read_index(index_file)
    entries = {file: (_key(root, file), _stamp(file)) for file in files}
    found: dict[Path, Inspected] = {}
    for file, (key, stamp) in entries.items():
        entry = known.get(key)
        # A file with an error is read anew: permissions change without a trace in size and time.
        if stamp is not None and entry is not None and entry[0] == stamp and not entry[1].error:
            found[file] = entry[1]
    unknown = [file for file in files if file not in found]
    for done, (file, inspected) in enumerate(zip(unknown, map_in_threads(inspect_file, unknown), strict=True), start=1):
        found[file] = inspected
        if progress is not None:
            progress(len(files) - len(unknown) + done, len(files))
    if unknown or len(known) != len(files):
        _write_index(index_file, {key: (stamp, found[file]) for file, (key, stamp) in entries.items() if stamp})
    return found


def inspect_file(file: Path) -> Inspected:
    """Reads and decodes one file."""
    try:
        with file.open("rb") as opened:
            start = opened.read(16)
            if not claims_image(file) and not _starts_an_image(start):
                return Inspected()
            data = start + opened.read()
        height, width = decode(data).shape[:2]
    except FileNotFoundError:
        return Inspected(error="a link to nothing" if file.is_symlink() else "no longer there")
    except OSError as error:
        return Inspected(error=error.strerror or str(error))
    except NotAnImageError as error:
        return Inspected(error=str(error) if claims_image(file) else "")
    except UnreadableError as error:
        return Inspected(error=str(error))
    return Inspected(content_digest(data), width, height)


def _starts_an_image(start: bytes) -> bool:
    """Whether a file with these first 16 bytes is an image, though its name is not that of one."""
    webp = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    bitmap = start[:2] == b"BM" and start[6:10] == bytes(4)  # a text may start with these letters
    return webp or bitmap or start.startswith(_SIGNATURES)


def write_atomically(file: Path, text: str) -> None:
    """Writes under a temporary name and renames, so that nobody ever reads half a file. Raises OSError."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


_Stamp = tuple[int, int]  # size in bytes, time of the last change in ns


def _key(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()


def _stamp(file: Path) -> _Stamp | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _header() -> list[object]:
    """What an index's entries depend on beside the files."""
    return [RECIPE, PIL.__version__]


def _read_index(file: Path) -> dict[str, tuple[_Stamp, Inspected]]:
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["made_by"] != _header():
            return {}
        return {
            key: ((size, changed), Inspected(digest, width, height, error))
            for key, (size, changed, digest, width, height, error) in stored["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # missing or damaged: it is only there to save time


def _write_index(file: Path, entries: dict[str, tuple[_Stamp, Inspected]]) -> None:
    rows = {key: (*stamp, each.digest, each.width, each.height, each.error) for key, (stamp, each) in entries.items()}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps({"made_by": _header(), "files": rows}))
    except OSError:
        pass
