"""Grids of translations: every tile is where the module says, and what it says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from core.config import changed
from core.data.critters import load_critters
from core.data.images import DataSet, to_float, to_uint8
from core.model.build import Translator, build_translator
from core.runtime import stream
from experiments.pictures import LATENTS, SOURCES, STEPS, interpolation_grid, latent_grid, path_between
from tests.core.settings import tiny

CPU, SIDE, SIZE, SEED = torch.device("cpu"), 16, 4, 5
DOMAINS = 3
CODES = {"latent": {"model.code": "latent"}, "style": {}}


@pytest.fixture(scope="module")
def critters() -> DataSet:
    return load_critters(2, 3, SIDE)


def translator_of(code: str, critters: DataSet) -> Translator:
    return build_translator(changed(tiny(), CODES[code] | {"data.domains": critters.domains})).eval()


def tile(picture: Tensor, row: int, column: int) -> Tensor:
    return picture[:, row * SIDE : (row + 1) * SIDE, column * SIDE : (column + 1) * SIDE]


def image(critters: DataSet, domain: int, number: int) -> Tensor:
    return critters.val.read([(domain % DOMAINS, number)])[0]


def made(translator: Translator, source: Tensor, code: Tensor) -> Tensor:
    """The saved form of one translation, made by itself."""
    with torch.inference_mode():
        return to_uint8(translator(to_float(source[None]), code))[0]


@pytest.mark.parametrize("code, rows", [("latent", DOMAINS), ("style", 3 * DOMAINS)])
def test_an_interpolation_begins_and_ends_with_the_outputs_of_its_codes(
    code: str, rows: int, critters: DataSet
) -> None:
    translator = translator_of(code, critters)
    picture = interpolation_grid(translator, critters, SIZE, CPU, SEED)
    assert picture.shape == (3, rows * SIDE, (1 + STEPS) * SIDE) and picture.dtype == torch.uint8
    noise = [torch.randn(1, SIZE, generator=stream(SEED, "pictures", number)) for number in (0, LATENTS - 1)]
    for target in range(DOMAINS):
        source, domain = image(critters, target + 1, 0), torch.tensor([target])
        assert tile(picture, target, 0).equal(source)
        for column, latent in zip((1, STEPS), noise, strict=True):
            end = made(translator, source, translator.code.of_noise(latent, domain))
            assert tile(picture, target, column).equal(end)
        assert not tile(picture, target, 1).equal(tile(picture, target, STEPS))
        if code == "latent":
            continue
        above, row = DOMAINS + 2 * target, DOMAINS + 2 * target + 1
        assert tile(picture, row, 0).equal(source)
        for column, number in ((1, 0), (STEPS, SOURCES - 1)):
            reference = image(critters, target, number)
            assert tile(picture, above, column).equal(reference)
            end = made(translator, source, translator.code.of_image(to_float(reference[None]), domain))
            assert tile(picture, row, column).equal(end)
        for column in (0, *range(2, STEPS)):
            assert tile(picture, above, column).eq(255).all()


def test_the_ends_are_those_of_the_latent_grid(critters: DataSet) -> None:
    translator = translator_of("style", critters)
    between = interpolation_grid(translator, critters, SIZE, CPU, SEED)
    grid = latent_grid(translator, critters, SIZE, CPU, SEED)
    for target in range(DOMAINS):
        row, column = SOURCES * ((target + 1) % DOMAINS), 1 + target * LATENTS
        for here, there in ((1, column), (STEPS, column + LATENTS - 1)):
            difference = tile(between, target, here).int() - tile(grid, row, there).int()
            assert difference.abs().max() <= 1  # a batch of another size may round the last bit differently


class Paint(torch.nn.Module):
    """Stands for a translator: its code, a tenth of the domain and the mean of latent or image, paints a tile."""

    guides = ("latent", "reference")

    @property
    def code(self) -> Paint:
        return self

    def of_noise(self, latent: Tensor, domain: Tensor) -> Tensor:
        return torch.stack([domain / 10, latent.mean(1)], dim=1)

    def of_image(self, image: Tensor, domain: Tensor) -> Tensor:
        return torch.stack([domain / 10, image.mean((1, 2, 3))], dim=1)

    def forward(self, image: Tensor, code: Tensor, masks: Tensor | None = None) -> Tensor:
        assert masks is None
        return code[:, [0, 1, 1], None, None].expand(image.shape) / 4


def test_between_two_ends_codes_lie_on_a_straight_line_at_even_distances(critters: DataSet) -> None:
    picture = interpolation_grid(Paint(), critters, SIZE, CPU, SEED)  # type: ignore[arg-type]
    for target in range(DOMAINS):
        for row in (target, DOMAINS + 2 * target + 1):
            shades = [tile(picture, row, 1 + step)[1].float().mean().item() for step in range(STEPS)]
            even = torch.linspace(shades[0], shades[-1], STEPS)
            assert torch.tensor(shades).sub(even).abs().max() <= 1  # of 255
            assert tile(picture, row, STEPS)[0].eq(to_uint8(torch.full((1, 1, 1, 1), target / 40)).item()).all()
    assert picture.equal(interpolation_grid(Paint(), critters, SIZE, CPU, SEED))  # type: ignore[arg-type]
    assert not picture.equal(interpolation_grid(Paint(), critters, SIZE, CPU, SEED + 1))  # type: ignore[arg-type]


def test_the_way_between_two_codes_is_straight_and_even() -> None:
    way = path_between(torch.tensor([0.0, 4.0]), torch.tensor([1.0, 0.0]), 5)
    assert way.tolist() == [[0, 4], [0.25, 3], [0.5, 2], [0.75, 1], [1, 0]]
