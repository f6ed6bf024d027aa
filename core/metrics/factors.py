"""What a translation keeps and what it varies, where the true factors of the images are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

# An error is the Euclidean distance over these factors, in their own units.
CONTENT: Mapping[str, tuple[str, ...]] = {
    "position_error": ("content.x", "content.y"),
    "tilt_error": ("content.tilt",),
    "size_error": ("content.size",),
    "background_error": ("content.background_sin", "content.background_cos", "content.background_value"),
}
STYLE = "style."  # how the names of the factors that a translation may vary begin
CONSTANT = 1e-4  # a factor with a smaller standard deviation does not vary in a domain


def content_errors(names: Sequence[str], truth: Tensor, read: Tensor) -> dict[str, Tensor]:
    """truth: the sources' factors (n, F). read: those seen in their translations (n, k, F) -> metric: errors (n, k).

    A metric whose factors are not all among `names` is left out.
    """
    errors = {}
    for metric, group in CONTENT.items():
        if set(group) <= set(names):
            columns = [names.index(name) for name in group]
            errors[metric] = (read[..., columns] - truth[:, None, columns]).double().norm(dim=-1)
    return errors


def real_style(names: Sequence[str], truth: Tensor, read: Tensor) -> Tensor:
    """Standard deviations (F,) of `read` over the real images of one domain, both (n, F); 0 where `truth` is constant.

    Factors are read with an error, so a constant one seems to vary: what to leave out is decided by the truth.
    """
    if len(truth) < 2 or not names:
        return torch.zeros(len(names), dtype=torch.float64)
    varies = truth.double().std(0) > CONSTANT
    is_style = torch.tensor([name.startswith(STYLE) for name in names], dtype=torch.bool)
    return read.double().std(0) * (varies & is_style)


def style_spread(read: Tensor, real: Tensor) -> float | None:
    """How much the k >= 2 outputs of a source vary in style, (n, k, F), against real images (`real_style`).

    The standard deviation over the outputs (variances averaged over sources), divided by that over real images and
    averaged over the factors: 0 is one style for all latents, 1 as varied as real images. None where nothing varies.
    """
    kept = real > CONSTANT
    if not kept.any():
        return None
    spread = read.double().var(1).mean(0).sqrt()
    return float((spread[kept] / real[kept]).mean())
