"""The checkpoints that the authors released: read as data, and what their tensors' shapes say.

A file `*_nets_ema.ckpt` is a dictionary of state dictionaries, one a network, with or without `module.` before every
name.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.errors import UserError
from core.released_stargan import STATISTICS, is_stargan

NETWORKS = ("generator", "mapping_network", "style_encoder")
BOTTLENECK_BLOCKS = 2
HIGH_PASS = "hpf.filter"
_WANTED = "A *_nets_ema.ckpt of StarGAN v2 or a *-G.ckpt of StarGAN is needed."

Weights = dict[str, Tensor]


def read_checkpoint(path: Path) -> dict[str, Weights]:
    """{network: {their name: tensor}}: of `NETWORKS`, or StarGAN's generator alone. Nothing in the file is executed.

    Raises UserError.
    """
    content = _load(path)
    if is_stargan(content):
        return {"generator": _weights(path, "generator", content)}
    if not isinstance(content, Mapping) or not all(name in content for name in NETWORKS):
        found = ", ".join(map(str, list(content)[:6])) if isinstance(content, Mapping) else type(content).__name__
        raise UserError(f"{path}: this checkpoint lacks {' or '.join(NETWORKS)}; it holds {found}. {_WANTED}")
    if "discriminator" in content:
        raise UserError(f"{path}: these are the live weights, not the averaged ones that translate. {_WANTED}")
    return {name: _weights(path, name, content[name]) for name in NETWORKS}


def settings_of(networks: Mapping[str, Weights]) -> tuple[dict[str, Any], int]:
    """(the settings of `model`, the number of domains) that the shapes say. Raises UserError where they disagree."""
    generator, mapping, encoder = (networks[name] for name in NETWORKS)
    halvings = _count(encoder, r"shared\.(\d+)\.conv1\.weight")  # from the full side to 4 px
    pairs = _count(generator, r"encode\.(\d+)\.conv1\.weight") - BOTTLENECK_BLOCKS
    # Down to 16 px, or to 8 where there is a high-pass skip.
    high_pass = pairs == halvings - 1
    if halvings < 2 or not (high_pass or pairs == halvings - 2):
        raise UserError(
            f"the generator halves the side {pairs} times and the style encoder {halvings} times: these networks are "
            "not of one resolution."
        )
    domains = _count(encoder, r"unshared\.(\d+)\.weight")
    others = _count(mapping, r"unshared\.(\d+)\.0\.weight")
    if domains != others:
        raise UserError(f"the style encoder has {domains} domains and the mapping network {others}.")
    first = _tensor(mapping, "mapping_network", "shared.0.weight", 2)
    settings = {
        "model.resolution": 4 * 2**halvings,
        "model.first_width": len(_tensor(generator, "generator", "from_rgb.weight", 4)),
        "model.max_width": len(_tensor(encoder, "style_encoder", f"shared.{halvings + 2}.weight", 4)),
        "model.style_dim": len(_tensor(encoder, "style_encoder", "unshared.0.weight", 2)),
        "model.latent_dim": first.shape[1],
        "model.mapping_width": first.shape[0],
        "model.high_pass": _high_pass(generator) if high_pass else 0.0,
    }
    return settings, domains


def with_filter(generator: Weights, weight: float) -> Weights:
    """The generator's weights with the skip's filter / weight, which early releases do not hold."""
    laplacian = torch.full((3, 3), -1.0)
    laplacian[1, 1] = 8
    return {HIGH_PASS: laplacian / weight, **generator}


def _high_pass(generator: Weights) -> float:
    """The weight w of the skip, off its filter, whose middle is 8 / w; 1 where there is none in the file."""
    if HIGH_PASS not in generator:
        return 1.0
    values = generator[HIGH_PASS]
    if values.shape != (3, 3) or values[1, 1] <= 0:
        raise UserError(f"generator: {HIGH_PASS} is no 3x3 filter with a value above 0 in the middle.")
    return round(8 / values[1, 1].item(), 6)  # of a float32: 3, not 2.9999999


def _load(path: Path) -> Any:
    if not path.is_file():
        raise UserError(f"{path}: there is no such file. {_WANTED}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" in str(error):  # a class or function that is none of torch's
            raise UserError(
                f"{path}: this file holds more than weights, and reading it would run code in it. It was not read. "
                + _WANTED
            ) from error
        raise UserError(f"{path}: this is no checkpoint, or a damaged one. {_WANTED}") from error
    except Exception as error:
        raise UserError(
            f"{path}: this is no checkpoint, or a truncated one ({type(error).__name__}). Download it again. {_WANTED}"
        ) from error


def _weights(path: Path, network: str, content: Any) -> Weights:
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"{path}: {network} is no state dictionary. {_WANTED}")
    weights = {str(name).removeprefix("module."): value for name, value in content.items()}
    used = {name: value for name, value in weights.items() if not name.endswith(STATISTICS)}
    wrong = [name for name, value in used.items() if not (value.is_floating_point() and value.isfinite().all())]
    if wrong:
        raise UserError(f"{path}: {network}.{wrong[0]} has values that are no finite numbers: the file is damaged.")
    return weights


def _count(weights: Weights, pattern: str) -> int:
    """How many different numbers stand at the pattern's place in the names."""
    return len({found.group(1) for name in weights if (found := re.fullmatch(pattern, name))})


def _tensor(weights: Weights, network: str, name: str, dimensions: int) -> Tensor:
    if name not in weights or weights[name].dim() != dimensions:
        raise UserError(f"{network}: {name} is missing or of another shape. {_WANTED}")
    return weights[name]
