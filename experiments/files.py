"""Files that are written whole or not at all, whatever happens in the middle."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import UserError


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all. Raises UserError where the folder cannot be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content.encode() if isinstance(content, str) else content)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def write_or_remove(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Write each {name: text} that is not empty, remove what is there of the others; the names of what is there now."""
    for name, text in texts.items():
        if text:
            write_atomically(folder / name, text)
        else:
            (folder / name).unlink(missing_ok=True)
    return [name for name, text in texts.items() if text]


def unwritable(path: Path, error: OSError) -> UserError:
    """What a person is told where a file cannot be written."""
    return UserError(f"{path}: cannot be written ({error.strerror}). Free the disk, or choose another folder.")


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically, in a fixed form: equal content, equal bytes."""
    write_atomically(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON. Raises UserError where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such file.") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}).") from error


def check_writable(folder: Path) -> None:
    """Raise UserError where a folder cannot be made or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"{folder}: nothing can be written there ({error.strerror}). Free it, or choose other folders with "
            "runs=... and reports=..."
        ) from error
