"""Critters: drawn cats, dogs and birds whose true factors are known. No files, any resolution.

*Content* (where, how tilted, how large, before what) is distributed alike in all domains; *style* (fur, stripes, ears,
eyes) differently in each. So a translation has content to keep, and a latent code has style to find. An image is a pure
function of (split, domain, index): a counter is hashed for each factor, so images can be drawn in any order or batch.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from core.data.animals import DRAW, Coat
from core.data.drawing import Canvas, hsv_to_rgb, per_image
from core.data.images import DataSet, Item
from core.errors import UserError

DRAWING_VERSION = 1  # raise it whenever an image changes: it is part of the fingerprint

CONTENT = (
    "content.x",  # of the creature's centre, in half images from the image's centre, to the right
    "content.y",  # likewise, down
    "content.tilt",  # radians, clockwise
    "content.size",  # half of the creature's width, in half images
    "content.background_sin",  # of the background's hue
    "content.background_cos",
    "content.background_value",  # brightness of the background, in [0, 1]
)
STYLE = (
    "style.fur_sin",  # of the fur's hue, times its saturation: grey fur has no hue
    "style.fur_cos",
    "style.fur_value",  # brightness of the fur, in [0, 1]
    "style.stripes",  # contrast of the stripes, 0 (plain) or in [0.45, 1]
    "style.stripe_frequency",  # stripes to a half width; 0 where plain
    "style.ear",  # length of the ears or of the crest, in half widths
    "style.eye_sin",  # of the eyes' hue
    "style.eye_cos",
)
FACTORS = CONTENT + STYLE

# How a quantity is distributed: its quantile function through evenly spaced knots; two knots are a uniform range.
Knots = tuple[float, ...]
CONTENT_KNOTS: dict[str, Knots] = {
    "x": (-0.2, 0.2),
    "y": (-0.06, 0.22),
    "tilt": (-0.45, 0.45),
    "size": (0.48, 0.66),
    "background_hue": (0.0, 1.0),  # turns
    "background_value": (0.5, 0.97),
}
# Hues and saturations overlap between domains: colour alone must not tell who it is.
STYLE_KNOTS: dict[str, dict[str, Knots]] = {
    "bird": {
        "fur_hue": (0.1, 0.33, 0.48, 0.6, 0.75, 1.03),  # greens to purples, some canaries and robins
        "fur_saturation": (0.1, 0.5, 0.65, 0.8),
        "fur_value": (0.5, 0.95),
        "stripes": (-0.8, 1.0),  # plain below 0
        "stripe_frequency": (1.3, 2.2),
        "ear": (0.28, 0.58),
        "eye_hue": (0.05, 0.2),  # orange to yellow
        "eye_value": (0.9, 0.9),
    },
    "cat": {
        "fur_hue": (0.045, 0.12),  # browns and oranges, a fifth of them grey
        "fur_saturation": (0.05, 0.25, 0.6, 0.7, 0.8, 0.85),
        "fur_value": (0.45, 1.0),
        "stripes": (-0.5, 1.0),
        "stripe_frequency": (1.8, 3.0),
        "ear": (0.38, 0.7),
        "eye_hue": (0.15, 0.6),  # yellow, green, blue
        "eye_value": (0.8, 0.8),
    },
    "dog": {
        "fur_hue": (0.03, 0.14),  # greys, creams, browns
        "fur_saturation": (0.04, 0.22, 0.4, 0.6),
        "fur_value": (0.35, 0.75, 1.0),
        "stripes": (-1.2, 1.0),
        "stripe_frequency": (0.8, 1.4),
        "ear": (0.55, 1.05),
        "eye_hue": (0.05, 0.08, 0.11, 0.6),  # browns, some green or blue
        "eye_value": (0.62, 0.62),
    },
}
BACKGROUND_SATURATION = 0.42
DOMAINS = tuple(sorted(STYLE_KNOTS))

_SEED = 0x0C817735
_PIXELS_A_CHUNK = 1 << 16  # few enough to stay in a core's cache, and some 15 MB in all
_LARGEST_CACHE = 1 << 30  # bytes


class Critters:
    """The drawn images of one split: `core.data.images.FactoredImageSet`."""

    def __init__(
        self,
        split: Literal["train", "val"],
        per_domain: int,
        resolution: int,
        domains: Sequence[str] = DOMAINS,
        cached: bool = True,
    ):
        """per_domain: images in each domain. resolution: pixels, at least 16.

        cached: draw the whole split at the first read and keep it, where that takes at most 1 GiB.
        Raises UserError for anything that cannot be drawn.
        """
        unknown = sorted(set(domains) - set(DOMAINS))
        if unknown or not domains:
            raise UserError(f"critters: no domain {', '.join(unknown) or 'given'}. There are {', '.join(DOMAINS)}.")
        if resolution < 16:
            raise UserError(f"critters: resolution {resolution} is too small to draw. Use 16 or more.")
        if per_domain < 1:
            raise UserError(f"critters: {per_domain} images a domain. Ask for at least 1 ({split}).")
        self.split = split
        self.domains = tuple(sorted(set(domains)))
        self.sizes = (per_domain,) * len(self.domains)
        self.resolution = resolution
        self._cached = cached and len(self.domains) * per_domain * 3 * resolution**2 <= _LARGEST_CACHE
        self._cache: Tensor | None = None

    def read(self, items: Sequence[Item], augment: Tensor | None = None) -> Tensor:
        """Images as uint8 (n, 3, R, R). `augment` is ignored: the drawings vary already."""
        domains, indices = self._columns(items)
        if not self._cached:
            return self._draw(domains, indices)
        if self._cache is None:
            count, size = len(self.domains), self.sizes[0]
            everything = torch.arange(count).repeat_interleave(size), torch.arange(size).repeat(count)
            self._cache = self._draw(*everything)
        return self._cache[domains * self.sizes[0] + indices]

    def factors(self, items: Sequence[Item]) -> Tensor:
        """The true factors, float32 (n, len(FACTORS)), in the order of FACTORS."""
        domains, indices = self._columns(items)
        result = torch.empty(len(indices), len(FACTORS))
        for number, name in enumerate(self.domains):
            chosen = (domains == number).nonzero()[:, 0]
            result[chosen] = _factors(_quantities(self.split, name, indices[chosen]))
        return result

    def _columns(self, items: Sequence[Item]) -> tuple[Tensor, Tensor]:
        pairs = torch.as_tensor(items, dtype=torch.int64).view(-1, 2)
        domains, indices = pairs.unbind(1)
        ends = torch.tensor((len(self.domains), self.sizes[0]))
        if not ((pairs >= 0) & (pairs < ends)).all():
            raise IndexError(f"critters: {self.split} has {len(self.domains)} domains of {self.sizes[0]} images")
        return domains, indices

    def _draw(self, domains: Tensor, indices: Tensor) -> Tensor:
        images = torch.empty(len(indices), 3, self.resolution, self.resolution, dtype=torch.uint8)
        for number, name in enumerate(self.domains):
            for chosen in (domains == number).nonzero()[:, 0].split(max(1, _PIXELS_A_CHUNK // self.resolution**2)):
                images[chosen] = draw(name, _quantities(self.split, name, indices[chosen]), self.resolution)
        return images


def load_critters(train_images: int, val_images: int, resolution: int, cached: bool = True) -> DataSet:
    """Both splits, with so many images in each domain. Nothing is drawn before it is read."""
    name = f"critters/{DRAWING_VERSION}/{resolution}/{train_images}/{val_images}"
    return DataSet(
        train=Critters("train", train_images, resolution, cached=cached),
        val=Critters("val", val_images, resolution, cached=cached),
        fingerprint=hashlib.blake2b(name.encode(), digest_size=16).hexdigest(),
        factors=FACTORS,
    )


@torch.no_grad()
def draw(domain: str, quantities: dict[str, Tensor], resolution: int) -> Tensor:
    """The creatures of one domain, uint8 (n, 3, R, R).

    quantities: those named in CONTENT_KNOTS and in the domain's STYLE_KNOTS, each (n,).
    """
    q = quantities
    full = torch.ones_like(q["x"])
    background = hsv_to_rgb(q["background_hue"], full * BACKGROUND_SATURATION, q["background_value"])
    canvas = Canvas(resolution, (q["x"], q["y"]), q["tilt"], q["size"], background)
    coat = Coat(
        fur=per_image(hsv_to_rgb(q["fur_hue"], q["fur_saturation"], q["fur_value"])),
        stripes=per_image(q["stripes"]),
        frequency=per_image(q["stripe_frequency"]),
        ear=per_image(q["ear"]),
        iris=per_image(hsv_to_rgb(q["eye_hue"], full * 0.75, q["eye_value"])),
    )
    DRAW[domain](canvas, coat)
    return canvas.bytes()


def _quantities(split: str, domain: str, indices: Tensor) -> dict[str, Tensor]:
    """What each image shows, each (n,), float32."""
    knots = CONTENT_KNOTS | STYLE_KNOTS[domain]
    # The split is the counter's lowest bit and `_mix` is a bijection: no two images ever share a state.
    state = _mix(_mix(torch.tensor(_SEED + DOMAINS.index(domain))) ^ (indices * 2 + (split == "val")))
    drawn = {}
    for number, (name, values) in enumerate(knots.items()):
        uniform = (_mix(state ^ (number * 0x9E3779B9 & 0xFFFFFFFF)) >> 8).float() / (1 << 24)
        drawn[name] = _quantile(uniform, values)
    drawn["stripes"] = torch.where(drawn["stripes"] > 0, 0.45 + 0.55 * drawn["stripes"], 0.0)
    return drawn


def _factors(quantities: dict[str, Tensor]) -> Tensor:
    """What regression is asked for, (n, len(FACTORS)): angles as sine and cosine, nothing that cannot be seen."""
    q = quantities
    background, fur, eye = (q[name].double() * math.tau for name in ("background_hue", "fur_hue", "eye_hue"))
    factors = {name: q[name.split(".")[1]] for name in FACTORS if not name.endswith(("_sin", "_cos"))} | {
        "content.background_sin": background.sin(),
        "content.background_cos": background.cos(),
        "style.fur_sin": fur.sin() * q["fur_saturation"],
        "style.fur_cos": fur.cos() * q["fur_saturation"],
        "style.stripe_frequency": q["stripe_frequency"] * (q["stripes"] > 0),
        "style.eye_sin": eye.sin(),
        "style.eye_cos": eye.cos(),
    }
    return torch.stack([factors[name].float() for name in FACTORS], dim=1)


def _quantile(uniform: Tensor, knots: Knots) -> Tensor:
    """[0, 1) -> the quantity whose quantile function runs straight between evenly spaced knots."""
    table = torch.tensor(knots)
    place = uniform * (len(knots) - 1)
    left = place.long()
    return table[left] + (table[left + 1] - table[left]) * (place - left)


def _mix(state: Tensor) -> Tensor:
    """A bijective hash of 32 bits held in int64 (Wellons' hash prospector); its products stay below 2^63."""
    state = (state ^ (state >> 16)) * 0x21F0AAAD & 0xFFFFFFFF
    state = (state ^ (state >> 15)) * 0x735A2D97 & 0xFFFFFFFF
    return state ^ (state >> 15)
