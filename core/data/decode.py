"""One image file -> the square RGB image that the networks see.

`decode` makes RGB of every format and mode that it accepts; `fit_square` makes a square of one side. Both are pure, so
an image has the same pixels whether it is cached or streamed.
"""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
from PIL import Image, ImageChops, UnidentifiedImageError

Fit = Literal["crop", "stretch"]

RECIPE = 1  # raise it when the pixels that this file makes change: cached pixels of an older recipe are not used
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")  # JPEG includes MPO, which many phones and cameras write
MOST_PIXELS = 1 << 27  # 134 million; more is a decompression bomb or a scan, and would take gigabytes to decode

_ORIENTATION_TAG = 0x0112
_TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnreadableError(Exception):
    """A file that is no usable image; the message says why, in a few words."""


class NotAnImageError(UnreadableError):
    """A file in none of `FORMATS`."""


def decode(data: bytes) -> np.ndarray:
    """The bytes of an image file -> uint8 (height, width, 3) RGB, upright.

    Transparency is put on white, EXIF rotation applied, an animation reduced to its first frame. Gray of more than 8
    bits is scaled, never cut: see `_gray_to_8_bits`. Raises NotAnImageError for a file in none of `FORMATS`,
    UnreadableError for a damaged, truncated or enormous one.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise UnreadableError(f"too large: {image.width} x {image.height} pixels")
            image.load()
            # Not before load: PNG may hold its EXIF at the end, and TIFF is turned by Pillow while it loads.
            orientation = _orientation(image)
            rgb = _to_rgb(image)
    except UnreadableError:
        raise
    except UnidentifiedImageError:
        reason = "empty file" if not data else "not a JPEG, PNG, WebP, BMP or TIFF image"
        raise NotAnImageError(reason) from None
    except Image.DecompressionBombError:
        raise UnreadableError("too large: a decompression bomb") from None
    except Exception as error:  # damaged files make Pillow's plugins raise almost anything
        raise UnreadableError(_in_short(error)) from error
    if orientation in _TRANSPOSED:
        rgb = rgb.transpose(_TRANSPOSED[orientation])
    return np.array(rgb)


def fit_square(image: np.ndarray, side: int, fit: Fit) -> np.ndarray:
    """uint8 (height, width, 3) -> (side, side, 3), bilinear and antialiased.

    fit: `crop` keeps the central square, `stretch` the whole image at a changed aspect ratio.
    """
    height, width = image.shape[:2]
    left, top, kept_width, kept_height = 0, 0, width, height
    if fit == "crop":
        kept_width = kept_height = min(width, height)
        left, top = (width - kept_width) // 2, (height - kept_height) // 2
    box = (left, top, left + kept_width, top + kept_height)
    return np.array(Image.fromarray(image).crop(box).resize((side, side), Image.Resampling.BILINEAR))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # damaged EXIF says nothing about rotation, and the pixels are fine
        return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    """A loaded image of any mode -> RGB."""
    mode = image.mode
    if mode in ("I", "F") or mode.startswith("I;"):
        return Image.fromarray(_gray_to_8_bits(np.asarray(image), sixteen=mode.startswith("I;") or _is_png(image)))
    if mode == "CMYK" and image.format in ("JPEG", "MPO") and "adobe" not in image.info:
        # Pillow takes every CMYK JPEG for an inverted one; only Adobe's, which say so, are.
        image = ImageChops.invert(image)
    if mode in ("La", "RGBa"):
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[mode])
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        opaque.alpha_composite(image.convert("RGBA"))
        image = opaque
    return image.convert("RGB")


def _gray_to_8_bits(values: np.ndarray, *, sixteen: bool) -> np.ndarray:
    """Gray of any depth (height, width) -> uint8 (height, width, 3).

    sixteen: the values are known to be 16-bit. Otherwise (32-bit integers, floats) the file does not say which value
    is white, so it is the least of the usual ones, 1 (floats), 255 and 65535, that covers the image; an image outside
    all of them, or with negative values, is stretched from its own minimum to its maximum.
    """
    exact = values.astype(np.float64)
    exact = np.where(np.isfinite(exact), exact, 0.0)
    black, brightest = 0.0, float(exact.max())
    usual = (65535.0,) if sixteen else ((1.0,) if values.dtype.kind == "f" else ()) + (255.0, 65535.0)
    white = next((white for white in usual if brightest <= white), None)
    if white is None or exact.min() < 0:
        black, white = float(exact.min()), brightest
    scaled = (exact - black) * (255.0 / max(white - black, np.finfo(np.float64).tiny))
    gray = scaled.round().clip(0, 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


def _is_png(image: Image.Image) -> bool:
    """PNG has no gray deeper than 16 bits, but older Pillows open those as 32-bit integers."""
    return image.format == "PNG"


def _in_short(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 100 else text[:97] + "..."
