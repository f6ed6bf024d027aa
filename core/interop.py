"""Weights under the names of the authors' StarGAN and StarGAN v2 programs, and back.

The names stand in the state dictionaries of their released checkpoints. Where StarGAN v2 has a layer per domain, ours
has one tensor with the domain as its first dimension.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from core.errors import UserError

# ours -> theirs, by network.
Patterns = tuple[tuple[str, str], ...]
_BLOCK: Patterns = ((r"\.shortcut\.", ".conv1x1."), (r"\.(norm\d)\.affine\.", r".\1.fc."))
_GENERATOR: Patterns = (
    (r"^encoder\.", "encode."),
    (r"^decoder\.", "decode."),
    (r"^to_rgb\.", "to_rgb.2."),
    (r"^to_rgb_norm\.", "to_rgb.0."),
    (r"^skip\.", "hpf."),
    *_BLOCK,
)


def to_stargan_v2(network: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """{their name: tensor} of one of our networks: generator, discriminator, mapping_network or style_encoder."""
    theirs: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        names = list(_their_names(network, name, weights))
        if len(names) == 1:
            theirs[names[0]] = tensor
        else:
            theirs |= dict(zip(names, tensor.unbind(0), strict=True))
    return theirs


def from_stargan_v2(network: str, theirs: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our state dictionary from theirs. like: ours, for names and shapes. Raises UserError where they do not fit."""
    return _fitted(network, theirs, like, {name: list(_their_names(network, name, like)) for name in like})


def to_stargan(network: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """{StarGAN's name: tensor} of our `stargan` backbone: generator, or discriminator with the ACGAN head."""
    return {_stargan_name(network, name, weights): tensor for name, tensor in weights.items()}


def from_stargan(network: str, theirs: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our state dictionary from StarGAN's. like: ours, for names and shapes. Raises UserError where they do not fit."""
    # Checkpoints of before torch 0.4.1 lack this count, and nothing reads it.
    counts = {name: t for name, t in to_stargan(network, like).items() if name.endswith("num_batches_tracked")}
    theirs = {**counts, **theirs}
    return _fitted(network, theirs, like, {name: [_stargan_name(network, name, like)] for name in like})


def _fitted(
    network: str, theirs: Mapping[str, Tensor], like: Mapping[str, Tensor], names_of: Mapping[str, Sequence[str]]
) -> dict[str, Tensor]:
    """names_of: for each of our tensors its names in theirs, one or one for each domain."""
    ours: dict[str, Tensor] = {}
    used: set[str] = set()
    for name, tensor in like.items():
        names = names_of[name]
        missing = [their for their in names if their not in theirs]
        if missing:
            raise UserError(f"{network}: these weights lack {missing[0]}. They are of another network or resolution.")
        found = [theirs[their] for their in names]
        whole = found[0] if len(found) == 1 else torch.stack(list(found))
        if whole.numel() != tensor.numel():
            raise UserError(
                f"{network}: {names[0]} has the shape {tuple(found[0].shape)} and {tuple(tensor.shape)} is needed. "
                "They are of another width, resolution or number of domains."
            )
        ours[name] = whole.reshape(tensor.shape).to(tensor.dtype)
        used |= set(names)
    spare = sorted(set(theirs) - used)
    if spare:
        raise UserError(
            f"{network}: these weights have {spare[0]}, which this network lacks. They are of another variant."
        )
    return ours


def _stargan_name(network: str, name: str, weights: Mapping[str, Tensor]) -> str:
    """The name of one of our tensors in StarGAN's program, which numbers its layers, activations included."""
    if network == "discriminator":
        name = re.sub(r"^trunk\.convs\.(\d+)", lambda found: f"main.{2 * int(found[1])}", name)
        return name.replace("head.score.", "conv1.").replace("head.classes.", "conv2.")
    parts = name.split(".")
    down, blocks, up = (_numbers(weights, prefix) for prefix in ("down", "blocks", "up"))
    within = {"conv": 0, "norm": 1, "conv1": 0, "norm1": 1, "conv2": 3, "norm2": 4}
    first_block = 3 * (1 + down)
    if parts[0] == "to_rgb":
        return f"main.{first_block + blocks + 3 * up}.{parts[1]}"
    if parts[0] == "first":
        return f"main.{within[parts[1]]}.{parts[2]}"
    number, layer, tensor = int(parts[1]), within[parts[2]], parts[3]
    if parts[0] == "blocks":
        return f"main.{first_block + number}.main.{layer}.{tensor}"
    start = 3 if parts[0] == "down" else first_block + blocks
    return f"main.{start + 3 * number + layer}.{tensor}"


def _numbers(weights: Mapping[str, Tensor], prefix: str) -> int:
    """How many layers of this name there are."""
    return len({name.split(".")[1] for name in weights if name.startswith(f"{prefix}.")})


def _their_names(network: str, name: str, weights: Mapping[str, Tensor]) -> Iterator[str]:
    """The name of one of our tensors in theirs: one, or one for each domain."""
    if network == "generator":
        yield _renamed(name, _GENERATOR)
    elif network == "mapping_network":
        yield from _mapping_names(name, len(weights["output.weight"]))
    elif name.startswith("trunk."):
        yield _trunk_name("main" if network == "discriminator" else "shared", name, weights)
    elif network == "discriminator":
        yield f"main.{_blocks(weights) + 4}.{name.removeprefix('head.score.')}"
    else:
        part = name.removeprefix("output.")
        yield from (f"unshared.{domain}.{part}" for domain in range(len(weights["output.weight"])))


def _mapping_names(name: str, domains: int) -> Iterator[str]:
    # In theirs, every linear layer but the last is followed by an activation that counts.
    group, number, part = re.fullmatch(r"(shared|unshared|output)\.(?:(\d+)\.)?(\w+)", name).groups()  # type: ignore
    if group == "shared":
        yield f"shared.{2 * int(number)}.{part}"
    else:
        place = 6 if group == "output" else 2 * int(number)
        yield from (f"unshared.{domain}.{place}.{part}" for domain in range(domains))


def _trunk_name(prefix: str, name: str, weights: Mapping[str, Tensor]) -> str:
    place = name.removeprefix("trunk.")
    if place.startswith("from_rgb."):
        return f"{prefix}.0.{place.removeprefix('from_rgb.')}"
    if place.startswith("last."):
        return f"{prefix}.{_blocks(weights) + 2}.{place.removeprefix('last.')}"
    _, number, part = place.split(".", 2)
    return _renamed(f"{prefix}.{int(number) + 1}.{part}", _BLOCK)


def _blocks(weights: Mapping[str, Tensor]) -> int:
    """Residual blocks of a trunk."""
    return 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("trunk.blocks."))


def _renamed(name: str, patterns: Patterns) -> str:
    for pattern, replacement in patterns:
        name = re.sub(pattern, replacement, name)
    return name
