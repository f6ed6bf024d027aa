"""The generators that StarGAN's authors released (`*-G.ckpt`): the state dictionary of one network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from core.errors import UserError

FIRST = "main.0.weight"  # (width, 3 + labels, 7, 7)
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # kept by their norms, read by nothing


def is_stargan(content: Any) -> bool:
    """Whether a file's content is such a state dictionary."""
    return isinstance(content, Mapping) and any(str(name).removeprefix("module.") == FIRST for name in content)


def settings_of_stargan(weights: Mapping[str, Tensor]) -> tuple[dict[str, Any], int]:
    """(the settings of `model` that the shapes say, the number of labels). The resolution leaves no trace in them."""
    first = weights[FIRST]
    blocks = {found[1] for name in weights if (found := re.fullmatch(r"main\.(\d+)\.main\.0\.weight", name))}
    if first.dim() != 4 or first.shape[1] < 5 or not blocks:
        raise UserError(f"generator: {FIRST} is of the shape {tuple(first.shape)}, which is none of StarGAN's.")
    return {"model.first_width": first.shape[0], "model.bottleneck_blocks": len(blocks)}, first.shape[1] - 3
