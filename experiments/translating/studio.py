"""A trained run at work: codes from latents or references, translations with them, and the pictures made of these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from core.config import Config, iterations
from core.data.images import masks_to_float, to_float, to_uint8
from core.errors import UserError
from core.model.build import Translator
from core.runtime import autocast, choose_device, stream
from experiments.networks import read_translator
from experiments.pictures import path_between, write_picture
from experiments.records import RunFolder
from experiments.translating.input_images import InputImages
from experiments.translating.sheets import sheet, write_gif

CHUNK = 16  # images translated at a time


@dataclass(frozen=True)
class Studio:
    """The averaged networks of a run and what they were trained as."""

    config: Config
    translator: Translator
    device: torch.device

    @property
    def domains(self) -> tuple[str, ...]:
        """That the run can translate to."""
        return self.config.data.domains

    @property
    def varies(self) -> bool:
        """Whether translations of one image to one domain can differ."""
        return self.translator.code.stochastic > 0

    @property
    def reads_references(self) -> bool:
        """Whether the run was trained to take a style from an image."""
        return "reference" in self.translator.code.guides

    @torch.inference_mode()
    def latent_codes(self, count: int, target: int, seed: int) -> Tensor:
        """Codes (count, dim) of the domain `target`; the nth is the same however many there are."""
        size = self.config.model.latent_dim
        latents = torch.stack([torch.randn(size, generator=stream(seed, "translate", n)) for n in range(count)])
        with autocast(self.device, self.config.precision):
            return self.translator.code.of_noise(latents.to(self.device), self._all(target, count))

    @torch.inference_mode()
    def reference_codes(self, references: Tensor, target: int) -> Tensor:
        """Codes (n, dim) of references, uint8 (n, 3, R, R), which are images of the domain `target`."""
        with autocast(self.device, self.config.precision):
            return self.translator.code.of_image(
                to_float(references.to(self.device)), self._all(target, len(references))
            )

    @torch.inference_mode()
    def translate(self, image: Tensor, codes: Tensor, masks: Tensor | None = None) -> list[Tensor]:
        """One image, uint8 (3, R, R), with each of the codes (n, dim) -> n images likewise.

        masks: of the image, uint8 (2, R/4, R/4), where it has any.
        """
        made: list[Tensor] = []
        with autocast(self.device, self.config.precision):
            for part in codes.split(CHUNK):
                images = to_float(image.to(self.device)).expand(len(part), -1, -1, -1)
                own = None if masks is None else masks_to_float(masks.to(self.device)).expand(len(part), -1, -1, -1)
                made += to_uint8(self.translator(images, part, own)).cpu()
        return made

    def _all(self, target: int, count: int) -> Tensor:
        return torch.full((count,), target, device=self.device)


def open_studio(folder: RunFolder, device: str = "auto") -> Studio:
    """The networks of a trained run. Raises UserError where it is not trained yet, or damaged."""
    config = folder.config()
    if not folder.translator.exists():
        raise UserError(_unfinished(folder, config))
    chosen = choose_device(device)
    return Studio(config, read_translator(config, [folder.translator], chosen), chosen)


def draw(
    studio: Studio, sources: InputImages, codes: Tensor, references: Tensor | None, stem: Path, steps: int
) -> Iterator[Path]:
    """Write every picture of one target and guide; gives the paths as they are made.

    codes: (m, dim). references: the images (m, 3, R, R) that the codes were read off,
    to stand above; None for codes made from noise. stem: what the names of the files start with. steps: pictures from
    the first code to the second, both included; none are made where there is one code.
    """
    heads = [[None, *references]] if references is not None else []
    images = sources.images
    masks = [None] * len(images) if sources.masks is None else list(sources.masks)
    rows = [[source, *studio.translate(source, codes, own)] for source, own in zip(images, masks, strict=True)]
    yield _written(sheet([*heads, *rows], headed=bool(heads)), stem.with_name(f"{stem.name}.png"))
    if len(codes) < 2:
        return
    way = path_between(codes[0], codes[1], steps)
    between = [studio.translate(source, way, own) for source, own in zip(images, masks, strict=True)]
    if references is not None:
        heads = [[None, references[0], *[None] * (steps - 2), references[1]]]
    strip = [[source, *frames] for source, frames in zip(images, between, strict=True)]
    yield _written(sheet([*heads, *strip], headed=bool(heads)), stem.with_name(f"{stem.name}-strip.png"))
    for number, (source, frames) in enumerate(zip(images, between, strict=True), start=1):
        path = stem.with_name(f"{stem.name}-loop-{number:02d}.gif")
        write_gif([sheet([[source, frame]]) for frame in frames], path)
        yield path


def _written(picture: Tensor, path: Path) -> Path:
    write_picture(picture, path)
    return path


def _unfinished(folder: RunFolder, config: Config) -> str:
    status = folder.status()
    states = {"waiting": "has not started", "failed": "failed", "stopped": "was stopped"}
    state = states.get(str(status["state"]), "has not finished training")
    reached = max(map(_iteration, folder.checkpoints()), default=0)
    reason = f" ({status['reason']})" if status["state"] == "failed" and status.get("reason") else ""
    return (
        f"{folder.path}: this run {state}{reason}; {reached} of {iterations(config)} iterations are saved. Finish it "
        f"with the command that started it, or: python -m experiments.run --folder {folder.path}"
    )


def _iteration(checkpoint: Path) -> int:
    return int(checkpoint.stem.rpartition("-")[2])
