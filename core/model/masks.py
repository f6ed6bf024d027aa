"""Where the masks of the high-pass skip come from: with the images, or a landmark model makes them of each image."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from core.errors import UserError


class Masks(Protocol):
    """What a translator asks for masks."""

    def __call__(self, image: Tensor, given: Tensor | None) -> Tensor | None:
        """image: (n, 3, R, R) in [-1, 1]; given: masks that came with it -> (n, 2, R/4, R/4) in [0, 1], or None."""
        ...


class GivenMasks:
    """Those that came with the images."""

    def __call__(self, image: Tensor, given: Tensor | None) -> Tensor | None:
        """See `Masks`."""
        return given


class LandmarkMasks:
    """Made from the image itself by a TorchScript model; no part of the networks that train, copy or are saved."""

    def __init__(self, path: str) -> None:
        """path: of the model, which is read where it is first needed."""
        self.path = path
        self._model: Any = None
        self._device: torch.device | None = None

    def __call__(self, image: Tensor, given: Tensor | None) -> Tensor:
        """See `Masks`; no gradient passes. Raises UserError where the model is damaged or gives something else."""
        size, side = len(image), image.shape[-1] // 4
        if image.device.type == "meta":  # counting memory: there is nothing to look at
            return image.new_empty(size, 2, side, side)
        if self._device != image.device:
            self._model, self._device = _read(self.path, image.device), image.device
        with torch.no_grad(), torch.autocast(image.device.type, enabled=False):
            try:
                masks = self._model(image.detach().float())
            except RuntimeError as error:
                reason = str(error).strip().splitlines()[-1]
                raise UserError(
                    f"{self.path}: this landmark model does not take images of {image.shape[-1]} px ({reason})."
                ) from error
        if not isinstance(masks, Tensor) or masks.shape != (size, 2, side, side):
            found = tuple(masks.shape) if isinstance(masks, Tensor) else type(masks).__name__
            raise UserError(
                f"{self.path}: this landmark model must make two masks of each image, a tensor of the shape "
                f"{(size, 2, side, side)} for {size} images; it makes {found}."
            )
        return masks.to(image.dtype)

    def __deepcopy__(self, memo: dict[int, Any]) -> LandmarkMasks:
        return LandmarkMasks(self.path)


def check_landmarks(path: str, resolution: int) -> str:
    """Try a landmark model; gives the fingerprint of the file. Raises UserError that says what is wrong."""
    LandmarkMasks(path)(torch.zeros(2, 3, resolution, resolution), None)
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()


def _read(path: str, device: torch.device) -> Any:
    if not Path(path).is_file():
        raise UserError(f"{path}: there is no such landmark model. Set model.landmarks to a TorchScript file.")
    try:
        with warnings.catch_warnings():
            # torch would rather have torch.export, whose files are tied to one size of batch and image.
            warnings.simplefilter("ignore", FutureWarning)
            return torch.jit.load(path, map_location=device).eval()
    except Exception as error:
        raise UserError(
            f"{path}: this is no TorchScript model, or a damaged one ({type(error).__name__}). model.landmarks takes "
            "what torch.jit.save wrote."
        ) from error
