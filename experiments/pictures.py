"""Grids of translations: the same sources, the same latents and the same references in every run of a comparison.

A picture file is tiles without borders. The latent grid has one row a source and the columns
[source, target 1 with latent 1, target 1 with latent 2, target 2 with latent 1, ...]; the reference grid has one row a
source under a first row of references.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from core.data.images import DataSet, ImageSet, Item, masks_to_float, read_masks, to_float, to_uint8
from core.model.build import Translator
from core.runtime import stream

DOMAINS = 6  # shown at most
SOURCES = 2  # of each domain
LATENTS = 2  # for each target


@dataclass(frozen=True)
class Layout:
    """What a grid holds, so that a tile can be found again."""

    tile: int  # side of a tile, pixels
    domains: tuple[str, ...]
    sources: int  # rows of each domain
    latents: int

    def as_record(self) -> dict[str, Any]:
        """For JSON."""
        return {"tile": self.tile, "domains": list(self.domains), "sources": self.sources, "latents": self.latents}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Layout:
        """From JSON."""
        return cls(record["tile"], tuple(record["domains"]), record["sources"], record["latents"])


def layout_of(images: ImageSet) -> Layout:
    """How much is shown of these images."""
    return Layout(images.resolution, images.domains[:DOMAINS], min(SOURCES, *images.sizes[:DOMAINS]), LATENTS)


def items_of(layout: Layout) -> list[Item]:
    """The first validation images of every shown domain."""
    return [(domain, index) for domain in range(len(layout.domains)) for index in range(layout.sources)]


def masks_of(data: DataSet, items: list[Item], device: torch.device) -> Tensor | None:
    """The masks of validation images, as the networks see them; None where they have none."""
    masks = read_masks(data.val_masks, items)
    return None if masks is None else masks_to_float(masks.to(device))


@torch.inference_mode()
def latent_grid(translator: Translator, data: DataSet, latent_dim: int, device: torch.device, seed: int) -> Tensor:
    """The grid guided by latents, uint8 (3, height, width)."""
    layout = layout_of(data.val)
    items = items_of(layout)
    sources, masks = data.val.read(items), masks_of(data, items, device)
    images = to_float(sources).to(device)
    columns = [sources]
    for target in range(len(layout.domains)):
        for number in range(layout.latents):
            latent = torch.randn(1, latent_dim, generator=stream(seed, "pictures", number)).expand(len(images), -1)
            code = translator.code.of_noise(latent.to(device), torch.full((len(images),), target, device=device))
            columns.append(to_uint8(translator(images, code, masks)).cpu())
    return tiles([list(row) for row in zip(*columns, strict=True)])


@torch.inference_mode()
def reference_grid(translator: Translator, data: DataSet, device: torch.device) -> Tensor:
    """The grid guided by references, uint8 (3, height, width): every shown source by every shown source."""
    layout = layout_of(data.val)
    items = items_of(layout)
    sources, domains = data.val.read(items), torch.tensor([domain for domain, _ in items])
    return matrix(translator, sources, sources, domains, device, masks_of(data, items, device))


@torch.inference_mode()
def matrix(
    translator: Translator,
    sources: Tensor,
    references: Tensor,
    domains: Tensor,
    device: torch.device,
    masks: Tensor | None = None,
) -> Tensor:
    """Sources (rows) by references (columns), references above and sources at the left; uint8 (3, height, width).

    sources, references: uint8 (n, 3, R, R) and (m, 3, R, R); domains: (m,), of the references; masks: of the sources,
    on the device.
    """
    codes = translator.code.of_image(to_float(references).to(device), domains.to(device))
    rows = [[torch.full_like(references[0], 255), *references]]
    for number, source in enumerate(sources):
        image = to_float(source[None]).to(device).expand(len(codes), -1, -1, -1)
        own = None if masks is None else masks[number].expand(len(codes), -1, -1, -1)
        rows.append([source, *to_uint8(translator(image, codes, own)).cpu()])
    return tiles(rows)


def tiles(rows: list[list[Tensor]]) -> Tensor:
    """Rows of uint8 (3, R, R) tiles side by side: (3, height, width)."""
    return torch.cat([torch.cat(row, dim=2) for row in rows], dim=1)


def write_picture(picture: Tensor, path: Path) -> None:
    """uint8 (3, height, width) -> a PNG file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(temporary, format="PNG")
    temporary.replace(path)
