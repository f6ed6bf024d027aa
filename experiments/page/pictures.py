"""The runs' pictures inside the page: as they are while there is room, else smaller, so that the page stays small."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from experiments.report_records import RunRecord
from experiments.reporting.labels import plural

BUDGET = 2_200_000  # bytes of all pictures, before base64 makes four of three
LARGEST = 128  # pixels of a tile
# (JPEG quality, None for the file as it is; whether every seed is shown), from the best on. JPEG's blocks of 8 pixels
# lie within tiles and its colours are not thinned, so tiles do not bleed into each other.
WAYS = ((None, True), (92, True), (80, True), (80, False), (65, False), (45, False), (25, False))
KINDS = {"latent": "guided by latents", "reference": "guided by reference images", "interpolation": "interpolations"}


@dataclass(frozen=True)
class Picture:
    """A grid of tiles of one run."""

    kind: str  # latent, reference or interpolation
    label: str
    seed: int
    source: str  # a data: URL
    width: int  # pixels
    height: int
    tile: int
    layout: dict[str, Any]
    file: str  # as the run drew it, from the report's folder


@dataclass(frozen=True)
class Album:
    """All pictures that a page holds."""

    pictures: tuple[Picture, ...]
    note: str = ""  # what was changed to make them fit

    def of(self, kind: str) -> list[Picture]:
        """Those of a kind that are laid out as the first of it, so that their tiles show the same."""
        own = [picture for picture in self.pictures if picture.kind == kind]
        return [picture for picture in own if _plan(picture) == _plan(own[0])]


def album(runs: Sequence[RunRecord], budget: int = BUDGET) -> Album:
    """The best that fits; the last way where none does."""
    if not runs:
        return Album(())
    for quality, every_seed in WAYS:
        shown = runs if every_seed else _first_seeds(runs)
        found = [one for run in shown for one in _read(run, quality, budget)]
        if sum(len(content) for _, content, _ in found) <= budget or (quality, every_seed) == WAYS[-1]:
            break
    return Album(
        tuple(_picture(run, content, kind) for (run, kind), content, _ in found), _note(quality, every_seed, runs)
    )


def _read(run: RunRecord, quality: int | None, budget: int) -> Iterator[tuple[tuple[RunRecord, str], bytes, int]]:
    """((run, kind), the file's content, its tile's side) of a run's pictures that can be read."""
    for kind in KINDS:
        path = run.folder / f"{kind}.png"
        try:
            with Image.open(path) as image:
                image.load()
        except (OSError, SyntaxError):
            continue
        tile = int(run.result.pictures["tile"])
        if quality is None and tile <= LARGEST and path.stat().st_size <= budget:
            yield (run, kind), path.read_bytes(), tile
        else:
            yield (run, kind), _compressed(image, tile, quality), min(tile, LARGEST)


def _compressed(image: Image.Image, tile: int, quality: int | None) -> bytes:
    content, image = io.BytesIO(), image.convert("RGB")
    if tile > LARGEST:
        size = (image.width // tile * LARGEST, image.height // tile * LARGEST)
        image = image.resize(size, Image.Resampling.BOX)
    if quality is None:
        image.save(content, "PNG")
    else:
        image.save(content, "JPEG", quality=quality, subsampling=0, optimize=True)
    return content.getvalue()


def _picture(run: RunRecord, content: bytes, kind: str) -> Picture:
    with Image.open(io.BytesIO(content)) as image:
        (width, height), form = image.size, image.format or "PNG"
    layout = dict(run.result.pictures)
    return Picture(
        kind=kind,
        label=run.label,
        seed=run.result.seed,
        source=f"data:image/{form.lower()};base64,{base64.b64encode(content).decode()}",
        width=width,
        height=height,
        tile=min(int(layout["tile"]), LARGEST),
        layout=layout,
        file=f"records/{run.folder.name}/{kind}.png",
    )


def _first_seeds(runs: Sequence[RunRecord]) -> list[RunRecord]:
    first: dict[str, RunRecord] = {}
    for run in runs:
        first.setdefault(run.label, run)
    return list(first.values())


def _note(quality: int | None, every_seed: bool, runs: Sequence[RunRecord]) -> str:
    words = []
    if max(int(run.result.pictures.get("tile", 0)) for run in runs) > LARGEST:
        words.append(f"Tiles are {plural(LARGEST, 'pixel')} wide here.")
    if quality is not None:
        words.append("Pictures are compressed here, and lose some detail.")
    if not every_seed:
        words.append("Only each arm's first seed is shown here.")
    return " ".join([*words, "The runs' own files are in records/."]) if words else ""


def _plan(picture: Picture) -> tuple[Any, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for value in picture.layout.values())
