"""Which files of a folder belong to which split and domain, by their names alone: nothing is opened here."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError

# A file of such a name claims to be an image: if it cannot be read, that is a problem. Others may be images too.
IMAGE_SUFFIXES = (
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff"}
    | {".gif", ".heic", ".heif", ".avif", ".jxl", ".jp2"}  # cannot be read, but that is to be said
)
_STRAY = frozenset(("__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found", "__pycache__"))
_STRAY_FILES = frozenset(("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"))

Folders = dict[str, list[Path]]  # domain -> the files in its folder, at any depth


@dataclass(frozen=True)
class Layout:
    """The files of a data set. `val` is None where there is one set of domain folders, yet to be split."""

    root: Path
    train_name: str  # what the folders are called in messages, e.g. "train"; "" for the root itself
    val_name: str
    train: Folders
    val: Folders | None
    loose: tuple[Path, ...] = ()  # images that lie beside domain folders, in none of them
    barred: tuple[Path, ...] = ()  # folders that may not be read


def find_layout(root: Path) -> Layout:
    """Finds the domain folders in `root`: `train/DOMAIN` and `val/DOMAIN` (or `test/DOMAIN`), or `DOMAIN` itself.

    Hidden files and folders and what operating systems leave behind are passed over. Every other folder is listed,
    even an empty one. Raises UserError where there is nothing to look into.
    """
    check_root(root)
    folders = {folder.name.casefold(): folder for folder in _visible_folders(root)}
    train, val = folders.get("train"), folders.get("val") or folders.get("test")
    barred: list[Path] = []
    if train is not None and (val is not None or not _images_in(train)):
        loose = tuple(_images_in(train) + (_images_in(val) if val else []))
        val_domains = None if val is None else _domains(val, barred)
        val_name = "" if val is None else val.name
        return Layout(root, train.name, val_name, _domains(train, barred), val_domains, loose, tuple(barred))
    if val is not None and not _images_in(val):
        raise UserError(
            f"{shown(root)} has a folder {val.name} but none named train. Put the training images into "
            "train/DOMAIN/ beside it, or give a folder that holds one folder of images per domain."
        )
    domains = _domains(root, barred)
    if not domains and not barred:
        raise UserError(
            f"{shown(root)} holds no folders. It must hold one folder of images per domain, or train/DOMAIN/ and "
            "val/DOMAIN/, with JPEG, PNG, WebP, BMP or TIFF images in them."
        )
    return Layout(root, "", "", domains, None, tuple(_images_in(root)), tuple(barred))


def claims_image(file: Path) -> bool:
    """Whether the file's name is that of an image."""
    return file.suffix.lower() in IMAGE_SUFFIXES


def shown(path: Path | str) -> str:
    """A path as text that can be printed, even where its bytes are not UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def listed(names: list[str], most: int = 10) -> str:
    """`a, b, c and 4 more`."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def check_root(root: Path) -> None:
    """Raise UserError where `root` is not a folder that can be read."""
    if not root.exists():
        raise UserError(f"The image folder {shown(root)} does not exist. Set data.root to the folder of your images.")
    if not root.is_dir():
        raise UserError(f"{shown(root)} is a file. Set data.root to a folder that holds one folder per domain.")
    try:
        next(os.scandir(root), None)
    except OSError as error:
        raise UserError(
            f"{shown(root)} cannot be read ({error.strerror}). Give yourself permission to read it."
        ) from None


def _visible_folders(folder: Path) -> list[Path]:
    return sorted(
        child
        for child in folder.iterdir()
        if child.is_dir() and not child.name.startswith(".") and child.name.casefold() not in _STRAY
    )


def _images_in(folder: Path) -> list[Path]:
    """The images that lie directly in a folder; none where it may not be read, which `_domains` reports."""
    try:
        return sorted(child for child in folder.iterdir() if not _is_stray_file(child.name) and _is_image_file(child))
    except OSError:
        return []


def _is_image_file(path: Path) -> bool:
    return claims_image(path) and not path.is_dir()


def _is_stray_file(name: str) -> bool:
    return name.startswith(".") or name.casefold() in _STRAY_FILES


def _domains(folder: Path, barred: list[Path]) -> Folders:
    """Domain -> files, sorted. Adds folders that may not be read to `barred`."""
    domains: Folders = {}
    try:
        children = _visible_folders(folder)
    except OSError:
        barred.append(folder)
        return domains
    for child in children:
        # macOS writes an accented letter as two characters, others as one: the same name in train and val.
        name = unicodedata.normalize("NFC", shown(child.name))
        domains.setdefault(name, []).extend(files_below(child, barred))
    return domains


def files_below(folder: Path, barred: list[Path]) -> list[Path]:
    """Every file in a folder and the folders in it, sorted; links are followed, each folder is visited once."""
    files: list[Path] = []
    visited: set[str] = set()

    def remember(error: OSError) -> None:
        barred.append(Path(error.filename))

    for place, folders, names in os.walk(folder, onerror=remember, followlinks=True):
        real = os.path.realpath(place)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name.casefold() not in _STRAY)
        files += [Path(place, name) for name in names if not _is_stray_file(name)]
    return sorted(files)
