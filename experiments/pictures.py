"""Grids of translations: the same sources, the same latents and the same references in every run of a comparison.

A picture file is tiles without borders, of the side that `Layout.tile` says; rows and columns count from 0. Sources are
the first `Layout.sources` validation images of each of the D domains in `Layout.domains`, domain by domain.

latent.png          row i: source i; column 0: the source itself; column 1 + t * latents + n: it translated to domain t
                    with the nth latent
reference.png       row 0: references, which are the sources again, from column 1 on; row 1 + i: source i at the left,
                    then it translated with each of the references
interpolation.png   what lies between two codes of one domain t, for the first source of the domain after t (after the
                    last one comes the first); columns 1, 2, ... (STEPS of them) lead from one code to the other in even
                    steps, both ends included
                    row t: column 0: the source; between the first and the last latent of latent.png
                    where references guide the run, besides
                    row D + 2t: the references above the ends that they give, in column 1 and in the last one: the first
                    and the last source of domain t; the tiles between them are white
                    row D + 2t + 1: column 0: the source; between the codes of these references

latent.png is of every run, reference.png of those that references guide, interpolation.png of those whose translations
vary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
STEPS = 7  # from one code to another, both included


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
            latent = _latent(latent_dim, seed, number).expand(len(images), -1)
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
    rows += [_row(translator, source, codes, own) for source, own in zip(sources, _each(masks, sources), strict=True)]
    return tiles(rows)


@torch.inference_mode()
def interpolation_grid(
    translator: Translator, data: DataSet, latent_dim: int, device: torch.device, seed: int
) -> Tensor:
    """What lies between two codes of a domain, for every shown domain and guide; uint8 (3, height, width)."""
    layout = layout_of(data.val)
    shown = len(layout.domains)
    items = [((target + 1) % shown, 0) for target in range(shown)]
    sources, masks = data.val.read(items), masks_of(data, items, device)
    latents = torch.cat([_latent(latent_dim, seed, number) for number in (0, layout.latents - 1)]).to(device)
    rows = []
    for guide in translator.code.guides:
        for target, (source, own) in enumerate(zip(sources, _each(masks, sources), strict=True)):
            domain = torch.full((2,), target, device=device)
            if guide == "latent":
                ends = translator.code.of_noise(latents, domain)
            else:
                first, last = data.val.read([(target, 0), (target, layout.sources - 1)])
                white = torch.full_like(first, 255)
                rows.append([white, first, *[white] * (STEPS - 2), last])
                ends = translator.code.of_image(to_float(torch.stack([first, last])).to(device), domain)
            rows.append(_row(translator, source, path_between(ends[0], ends[1], STEPS), own))
    return tiles(rows)


def path_between(first: Tensor, second: Tensor, steps: int) -> Tensor:
    """Codes (dim,) -> (steps, dim) at even distances on the line between them, both included; steps >= 2.

    A style code's line is straight in the space of styles (StarGAN v2's). Two latent codes of one domain share their
    label, so theirs is the line between the latents.
    """
    share = torch.linspace(0, 1, steps, device=first.device)[:, None]
    return torch.lerp(first[None], second[None], share.to(first.dtype))


def tiles(rows: list[list[Tensor]]) -> Tensor:
    """Rows of uint8 (3, R, R) tiles side by side: (3, height, width)."""
    return torch.cat([torch.cat(row, dim=2) for row in rows], dim=1)


def write_picture(picture: Tensor, path: Path) -> None:
    """uint8 (3, height, width) -> a PNG file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(temporary, format="PNG")
    temporary.replace(path)


def _row(translator: Translator, source: Tensor, codes: Tensor, own: Tensor | None) -> list[Tensor]:
    """A source, uint8 (3, R, R), and its translation with each of the codes (n, dim). own: its masks, if it has any."""
    image = to_float(source[None]).to(codes.device).expand(len(codes), -1, -1, -1)
    masks = None if own is None else own.expand(len(codes), -1, -1, -1)
    return [source, *to_uint8(translator(image, codes, masks)).cpu()]


def _each(masks: Tensor | None, sources: Tensor) -> Sequence[Tensor | None]:
    return [None] * len(sources) if masks is None else list(masks)


def _latent(latent_dim: int, seed: int, number: int) -> Tensor:
    """The nth of the latents that all pictures show, (1, latent_dim)."""
    return torch.randn(1, latent_dim, generator=stream(seed, "pictures", number))
