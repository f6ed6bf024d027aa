"""The tuning split: no image on both sides, the same one wherever the images lie, and nothing else changed."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.data.critters import load_critters
from core.data.folders import load_folders
from core.data.images import DataSet, ImageSet
from core.data.parts import PartOfImages, part_of
from core.errors import UserError


def pictures(images: ImageSet, domain: int) -> set[bytes]:
    items = [(domain, index) for index in range(images.sizes[domain])]
    return {image.numpy().tobytes() for image in images.read(items)}


def a_folder(root: Path, each: int = 9, copies: int = 0) -> Path:
    """Pictures of noise; in each domain the first one lies there so many times more."""
    draws = np.random.default_rng(0)
    for domain in ("cat", "dog"):
        for split, count in (("train", 4), ("val", each)):
            folder = root / split / domain
            folder.mkdir(parents=True)
            for number in range(count):
                Image.fromarray(draws.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{number}.png")
        for copy in range(copies):
            shutil.copy(root / "val" / domain / "0.png", root / "val" / domain / f"copy{copy}.png")
    return root


def load(root: Path) -> DataSet:
    return load_folders(root, 16, cache=root.parent / f"{root.name}-cache")


@pytest.mark.parametrize("share, tuned", [(0.5, 5), (0.3, 3), (0.8, 8)])
def test_every_image_is_on_one_side(share: float, tuned: int) -> None:
    data = load_critters(4, 10, 16)
    parts = [part_of(data, part, share) for part in ("tuning", "rest")]
    assert [part.val.sizes for part in parts] == [(tuned,) * 3, (10 - tuned,) * 3]
    for domain in range(3):
        both = [pictures(part.val, domain) for part in parts]
        assert both[0] | both[1] == pictures(data.val, domain)
        assert both[0] & both[1] == set()
    assert [part.part for part in parts] == [
        f"tuning split of {share:g}",
        f"all but the tuning split of {share:g}",
    ]


def test_factors_and_pixels_are_those_of_the_same_image() -> None:
    data = load_critters(4, 10, 16)
    rest = part_of(data, "rest", 0.4).val
    assert isinstance(rest, PartOfImages)
    assert torch.equal(rest.factors([(1, 0), (2, 5)]), data.val.factors([(1, 4), (2, 9)]))  # type: ignore[attr-defined]
    assert torch.equal(rest.read([(1, 0), (2, 5)]), data.val.read([(1, 4), (2, 9)]))
    for wrong in ((0, 6), (0, -1)):
        with pytest.raises(IndexError, match="this part has"):
            rest.read([wrong])


def test_all_is_the_data_set_itself_and_training_images_are_never_touched() -> None:
    data = load_critters(4, 10, 16)
    assert part_of(data, "all", 0.5) is data
    assert part_of(data, "rest", 0.5).train is data.train
    assert part_of(data, "rest", 0.5).fingerprint == data.fingerprint


def test_names_and_places_of_files_do_not_matter(tmp_path: Path) -> None:
    first = a_folder(tmp_path / "first")
    second = tmp_path / "moved" / "second"
    shutil.copytree(first, second)
    for number, path in enumerate(sorted(second.glob("val/cat/*.png"), reverse=True)):
        path.rename(path.with_name(f"renamed-{number}.png"))
    split = [pictures(part_of(load(root), "tuning", 0.5).val, 0) for root in (first, second)]
    assert split[0] == split[1]
    assert len(split[0]) == 4


@pytest.mark.parametrize("share", [0.2, 0.35, 0.5, 0.65, 0.8])
def test_copies_of_an_image_are_on_the_same_side(tmp_path: Path, share: float) -> None:
    data = load(a_folder(tmp_path / "images", each=12, copies=4))
    for domain in range(2):
        both = [pictures(part_of(data, part, share).val, domain) for part in ("tuning", "rest")]
        assert both[0] & both[1] == set()


def test_masks_follow_their_images() -> None:
    data = load_critters(4, 10, 16)
    data = dataclasses.replace(data, val_masks=data.val)
    rest = part_of(data, "rest", 0.5)
    assert rest.val_masks is not None
    assert torch.equal(rest.val_masks.read([(0, 1)]), rest.val.read([(0, 1)]))


@pytest.mark.parametrize("images, share", [(3, 0.5), (10, 0.1), (10, 0.9)])
def test_too_few_images_are_refused(images: int, share: float) -> None:
    with pytest.raises(
        UserError, match=rf"does not leave 2 of every domain.*bird \({images}\), cat.*set eval\.tuning_share"
    ):
        part_of(load_critters(4, images, 16), "rest", share)
