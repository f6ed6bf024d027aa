"""`NAME` and `FOLDERS=FOLDER` on the command lines of what only reads: which ladder or report, and where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.errors import UserError


def names_and_folder(words: Sequence[str], folders: str) -> tuple[list[str], Path]:
    """(names, the folder).

    folders: the key of the folder, `runs` or `reports`, which is its default as well. Raises UserError.
    """
    names, folder = [], Path(folders)
    for word in words:
        key, equals, value = word.partition("=")
        if equals and key == folders and value:
            folder = Path(value).expanduser()
        elif equals or word.startswith("-"):
            raise UserError(f"{word}: this command knows NAME and {folders}=FOLDER")
        else:
            names.append(word)
    for name in names:
        check_name(name)
    return names, folder


def check_name(name: str) -> None:
    """Raise UserError where a name is none of a folder."""
    if name in (".", "..") or any(letter in name for letter in "/\\\0"):
        raise UserError(f"{name}: a name is one folder, without slashes")
