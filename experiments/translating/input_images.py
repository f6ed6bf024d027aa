"""Images that a person hands over, as any files and folders, or that a run's own data has: as a network sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from core.data.decode import Fit, UnreadableError, decode, fit_square
from core.data.images import DataSet, read_masks
from core.data.layout import claims_image
from core.errors import UserError

MOST = 12  # images of one kind: more do not fit on a sheet


@dataclass(frozen=True)
class InputImages:
    """Named square images."""

    names: tuple[str, ...]
    images: Tensor  # uint8 (n, 3, R, R)
    note: str = ""  # what was left out
    masks: Tensor | None = None  # of the images, uint8 (n, 2, R/4, R/4), where they have any


def read_images(paths: Sequence[Path], resolution: int, fit: Fit) -> InputImages:
    """Files in the order given, and the images that lie directly in folders, sorted; at most MOST.

    Raises UserError that names every file that is missing or no image.
    """
    problems: list[str] = []
    files = [file for path in paths for file in _files_of(path, problems)]
    images = [image for file in files[:MOST] if (image := _read(file, resolution, fit, problems)) is not None]
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise UserError(
            f"these cannot be used (give JPEG, PNG, WebP, BMP or TIFF images, or folders of them):\n{lines}"
        )
    note = f"of {len(files)} images the first {MOST} are used" if len(files) > MOST else ""
    return InputImages(tuple(file.name for file in files[:MOST]), torch.stack(images), note)


def own_images(data: DataSet, domains: Sequence[int], each: int) -> InputImages:
    """The first `each` validation images of some domains; at most MOST."""
    items = [(domain, index) for domain in domains for index in range(min(each, data.val.sizes[domain]))][:MOST]
    names = tuple(f"{data.domains[domain]} {index + 1}" for domain, index in items)
    return InputImages(names, data.val.read(items), masks=read_masks(data.val_masks, items))


def _files_of(path: Path, problems: list[str]) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        files = sorted(file for file in path.iterdir() if claims_image(file) and not file.name.startswith("."))
    except OSError as error:
        problems.append(f"{path}: {error.strerror or error}")
        return []
    problems += [] if files else [f"{path}: this folder holds no images"]
    return files


def _read(file: Path, resolution: int, fit: Fit, problems: list[str]) -> Tensor | None:
    """uint8 (3, R, R), or None and one more problem."""
    try:
        pixels = fit_square(decode(file.read_bytes()), resolution, fit)
    except FileNotFoundError:
        problems.append(f"{file}: there is no such file")
    except OSError as error:
        problems.append(f"{file}: {error.strerror or error}")
    except UnreadableError as error:
        problems.append(f"{file}: {error}")
    else:
        return torch.from_numpy(pixels).permute(2, 0, 1)
    return None
