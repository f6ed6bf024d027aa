"""The pictures of a study: what each of its runs makes of each source, and what attention checks show."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from core.data.images import DataSet, read_masks
from core.runtime import stream
from experiments.records import RunFolder
from experiments.study.planning import Question
from experiments.translating.studio import Studio, open_studio

NOISE_GRAIN = 4  # pixels: coarse noise is as plain to see, and packs
PIECES = 4  # of a broken picture, along each side


@dataclass
class Shown:
    """The pictures of one question, uint8 (3, R, R) each."""

    source: Tensor
    reference: Tensor | None  # of a question on style
    options: dict[str, Tensor] = field(default_factory=dict)  # by the id of the option


def show(
    questions: Sequence[Question], runs: Mapping[tuple[str, int], RunFolder], data: DataSet, device: str
) -> dict[str, Shown]:
    """{id of a question: its pictures}. runs: (label, training seed) -> a trained run. Raises UserError.

    Weights are read one run at a time.
    """
    shown = {question.id: _given(question, data) for question in questions}
    for (label, seed), folder in runs.items():
        own = [question for question in questions if not question.check and question.seed == seed]
        wanted = [(question, option) for question in own for option in question.options if option.shows == label]
        studio = open_studio(folder, device) if wanted else None
        for question, option in wanted:
            assert studio is not None
            shown[question.id].options[option.id] = _translated(studio, question, shown[question.id], data)
    return shown


def data_address(picture: Tensor, webp: str) -> str:
    """A picture as a `data:` address. webp: `lossless`, or a quality from 1 to 100."""
    file = io.BytesIO()
    packed = {"lossless": True} if webp == "lossless" else {"quality": int(webp)}
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(file, format="WEBP", method=6, **packed)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def _given(question: Question, data: DataSet) -> Shown:
    """The source, the reference, and all options of a check."""
    source, target = question.route
    (image,) = data.val.read([(source, question.source)])
    (real,) = data.val.read([(target, question.image)])
    shown = Shown(image, real if question.kind == "style" else None)
    if question.check:
        # The reference itself is too plainly a copy: mirrored, it is a picture of its own in the same style.
        right = real.flip(2) if question.kind == "style" else real
        made = {"real": right, "noise": _noise(question, real), "untouched": image, "broken": _broken(question, real)}
        shown.options = {option.id: made[option.shows] for option in question.options}
    return shown


def _translated(studio: Studio, question: Question, shown: Shown, data: DataSet) -> Tensor:
    source, target = question.route
    if shown.reference is None:
        codes = studio.latent_codes(1, target, question.latent)
    else:
        codes = studio.reference_codes(shown.reference[None], target)
    masks = read_masks(data.val_masks, [(source, question.source)])
    (made,) = studio.translate(shown.source, codes, None if masks is None else masks[0])
    return made


def _noise(question: Question, like: Tensor) -> Tensor:
    side = like.shape[-1]
    grains = torch.randint(
        256, (1, 3, -(-side // NOISE_GRAIN), -(-side // NOISE_GRAIN)), generator=stream(question.latent, "noise")
    )
    enlarged = interpolate(grains.float(), scale_factor=NOISE_GRAIN, mode="nearest")[0]
    return enlarged[:, :side, :side].to(torch.uint8)


def _broken(question: Question, whole: Tensor) -> Tensor:
    """A picture cut into squares that change places."""
    size = whole.shape[-1] // PIECES
    squares = whole.unfold(1, size, size).unfold(2, size, size).flatten(1, 2)  # (3, pieces, size, size)
    order = torch.randperm(PIECES**2, generator=stream(question.latent, "broken"))
    rows = squares[:, order].unflatten(1, (PIECES, PIECES))
    return rows.permute(0, 1, 3, 2, 4).reshape(3, PIECES * size, PIECES * size)
