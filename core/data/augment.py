"""The augmentation of StarGAN v2 (Choi et al., CVPR 2020): half the images are cropped at random, half are mirrored.

A pure function of the image and six uniforms, ordered as `AUGMENT_DRAWS`, so that a batch is a function of its seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

CROP_SHARE = 0.5
FLIP_SHARE = 0.5
AREA = (0.8, 1.0)
RATIO = (0.9, 1.1)  # width / height, uniform in its logarithm


def is_cropped(draws: Sequence[float]) -> bool:
    """Whether these uniforms ask for a crop."""
    return draws[0] < CROP_SHARE


def crop_box(draws: Sequence[float]) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of the crop, as fractions of the image's side.

    As torchvision's RandomResizedCrop on a square, but for two things: edges are not rounded to pixels, and a crop
    that would be wider or taller than the image is cut to it where torchvision draws anew (its area stays in bounds).
    """
    _, area_draw, ratio_draw, top_draw, left_draw, _ = draws
    area = AREA[0] + (AREA[1] - AREA[0]) * area_draw
    ratio = math.exp(math.log(RATIO[0]) + (math.log(RATIO[1]) - math.log(RATIO[0])) * ratio_draw)
    width, height = min(math.sqrt(area * ratio), 1.0), min(math.sqrt(area / ratio), 1.0)
    left, top = (1 - width) * left_draw, (1 - height) * top_draw
    return left, top, min(left + width, 1.0), min(top + height, 1.0)


def augmented(image: np.ndarray, side: int, draws: Sequence[float]) -> np.ndarray:
    """uint8 (S, S, 3) -> (side, side, 3): cropped, resized and mirrored as the uniforms say.

    An image that is not cropped must have S = side; one that is may have more, and its crop is then sharper.
    """
    if is_cropped(draws):
        left, top, right, bottom = (edge * image.shape[0] for edge in crop_box(draws))
        picture = Image.fromarray(image)
        image = np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR, box=(left, top, right, bottom)))
    return image[:, ::-1] if draws[5] < FLIP_SHARE else image
