"""Batches are functions of seed and step, balanced, and read only what is asked for."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor

from core.data.augment import is_cropped
from core.data.batches import IMAGES, Batches
from core.data.critters import Critters
from core.data.images import Item, to_float, to_uint8


class Recorded:
    """Images that are their own number, and a list of what was read."""

    domains, sizes, resolution = ("a", "b"), (3, 100), 2

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.draws: list[Tensor | None] = []

    def read(self, items: Any, augment: Tensor | None = None) -> Tensor:
        self.items += items
        self.draws.append(augment)
        return torch.tensor([index for _, index in items], dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 2, 2)


def batches(images: Any, reads: Any = IMAGES, seed: int = 0, augment: bool = True) -> Batches:
    return Batches(images, seed=seed, size=8, latent_dim=4, reads=frozenset(reads), augment=augment)


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    images = Critters("train", 5, 16)
    first, again = batches(images)[3], batches(images)[3]
    for name in vars(first).keys() - {"masks"}:  # drawn images have none
        assert torch.equal(getattr(first, name), getattr(again, name))
    for other in (batches(images)[4], batches(images, seed=1)[3]):
        assert not torch.equal(first.latent, other.latent)
        assert not torch.equal(first.image, other.image)


@pytest.mark.parametrize("reads", [("image",), ("image", "reference"), IMAGES])
def test_what_is_not_asked_for_is_not_read_and_changes_nothing(reads: tuple[str, ...]) -> None:
    images = Recorded()
    batch, whole = batches(images, reads)[7], batches(Recorded())[7]
    assert len(images.items) == 8 * len(reads)
    for name in vars(batch):
        if name in reads or name not in (*IMAGES, "masks"):
            assert torch.equal(getattr(batch, name), getattr(whole, name))
        else:
            assert getattr(batch, name) is None


def test_domains_are_balanced_and_references_are_of_the_target() -> None:
    images = Recorded()
    made = [batches(images, ("reference",))[step] for step in range(250)]
    targets = torch.cat([batch.target for batch in made])
    assert [domain for domain, _ in images.items] == targets.tolist()
    counts = Counter(images.items)
    assert sum(n for (domain, _), n in counts.items() if domain == 0) == pytest.approx(1000, abs=100)
    assert all(n == pytest.approx(333, abs=70) for (domain, _), n in counts.items() if domain == 0)
    assert max(index for domain, index in counts if domain == 1) == 99


@pytest.mark.parametrize("permuted, uniform", [(False, False), (True, True)])
def test_processes_that_share_a_batch_read_their_own_rows_of_it(permuted: bool, uniform: bool) -> None:
    settings = {"seed": 0, "size": 8, "latent_dim": 4, "reads": frozenset(IMAGES), "augment": True}
    settings |= {"permuted": permuted, "uniform": uniform}
    whole_images, part_images = Recorded(), Recorded()
    whole = Batches(whole_images, masks=Recorded(), **settings)[5]
    parts = [Batches(part_images, masks=Recorded(), rows=slice(a, a + 2), **settings)[5] for a in (0, 2, 4, 6)]
    for name in vars(whole):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name))
    assert Counter(part_images.items) == Counter(whole_images.items)
    drawn = torch.stack([torch.cat(part_images.draws[place::3]) for place in range(3)])
    assert torch.equal(drawn, torch.stack(whole_images.draws))


def test_permuted_targets_are_the_batchs_own_domains() -> None:
    images = Recorded()
    plain, permuted = (
        batches(images),
        Batches(
            images, seed=0, size=8, latent_dim=4, reads=frozenset(("image", "reference")), augment=False, permuted=True
        ),
    )
    moved = 0
    for step in range(20):
        batch = permuted[step]
        assert torch.equal(batch.domain, plain[step].domain)
        assert sorted(batch.target.tolist()) == sorted(batch.domain.tolist())
        moved += int((batch.target != batch.domain).sum())
        assert torch.equal(batch.target, permuted[step].target)
    assert 50 < moved < 110  # of 160; a half of the pairs differ


def test_uniform_sampling_gives_each_image_the_same_chance() -> None:
    images = Recorded()
    uniform = Batches(images, seed=0, size=8, latent_dim=4, reads=frozenset(IMAGES), augment=False, uniform=True)
    made = [uniform[step] for step in range(250)]
    for domains in (torch.cat([b.domain for b in made]), torch.cat([b.target for b in made])):
        assert (domains == 0).sum().item() == pytest.approx(2000 * 3 / 103, abs=25)
    counts = Counter(images.items)  # three images a place in a batch, 103 images
    assert sum(n for (domain, _), n in counts.items() if domain == 0) == pytest.approx(6000 * 3 / 103, abs=50)


def test_augmentation_is_drawn_for_every_image_or_not_at_all() -> None:
    images = Recorded()
    batches(images)[0]
    assert all(draw is not None and draw.shape == (8, 6) for draw in images.draws)
    assert not torch.equal(images.draws[0], images.draws[1])
    plain = Recorded()
    batches(plain, augment=False)[0]
    assert plain.draws == [None, None, None]


def test_augmentation_without_crops_still_mirrors() -> None:
    whole, mirrored = Recorded(), Recorded()
    batches(whole)[0]
    options = {"seed": 0, "size": 8, "latent_dim": 4, "reads": frozenset(IMAGES), "augment": True}
    Batches(mirrored, **options, crops=False)[0]
    for cropped, draws in zip(whole.draws, mirrored.draws, strict=True):
        assert cropped is not None
        assert draws is not None
        assert not any(is_cropped(draw) for draw in draws.tolist())
        assert torch.equal(draws[:, 1:], cropped[:, 1:])
    assert any(is_cropped(draw) for draws in whole.draws if draws is not None for draw in draws.tolist())


def test_images_become_floats_and_return() -> None:
    pixels = torch.arange(256, dtype=torch.uint8)
    floats = to_float(pixels)
    assert (floats[0].item(), floats[255].item()) == (-1.0, 1.0)
    assert torch.equal(to_uint8(floats), pixels)
    assert to_uint8(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]
    batch = batches(Critters("train", 5, 16))[0].to(torch.device("cpu"))
    assert batch.image is not None
    assert batch.image.dtype == torch.float32
