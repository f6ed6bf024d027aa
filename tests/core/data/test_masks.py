"""Masks lie beside their images, follow them through crops and flips, and are missed by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.data.batches import Batches
from core.data.folders import load_folders
from core.data.images import AUGMENT_DRAWS, DataSet, masks_to_float, read_masks
from core.errors import UserError

NAMES = ("train/cat/0.jpg", "train/cat/1.png", "train/dog/0.png", "train/dog/1.webp", "val/cat/a.png", "val/dog/a.png")
SIDE = 32


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Images whose first two channels, at a quarter of the side, are their masks."""
    root, masks = tmp_path / "images", tmp_path / "masks"
    for number, name in enumerate(NAMES):
        small = np.random.default_rng(number).integers(0, 256, (SIDE // 4, SIDE // 4, 3), dtype=np.uint8)
        image, mask = root / name, (masks / name).with_suffix(".png")
        image.parent.mkdir(parents=True, exist_ok=True)
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(small.repeat(4, 0).repeat(4, 1)).save(image.with_suffix(".png"))
        image.with_suffix(".png").rename(image)  # decoded by content, whatever the name
        Image.fromarray(small).save(mask)
    return root, masks


def load(root: Path, masks: Path | None) -> DataSet:
    return load_folders(root, SIDE, cache=root.parent / "cache", masks=masks)


def test_masks_are_those_of_the_images_also_in_crops(folders: tuple[Path, Path]) -> None:
    data = load(*folders)
    items = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for augment in (None, torch.rand(4, len(AUGMENT_DRAWS), generator=torch.Generator().manual_seed(2))):
        images, masks = data.train.read(items, augment), read_masks(data.train_masks, items, augment)
        assert masks is not None and masks.shape == (4, 2, SIDE // 4, SIDE // 4)
        pooled = torch.nn.functional.avg_pool2d(images[:, :2].float(), 4)
        cropped = [False] * 4 if augment is None else (augment[:, 0] < 0.5).tolist()
        for image, mask, blurred in zip(pooled, masks.float(), cropped, strict=True):
            assert (image - mask).abs().mean() < (25 if blurred else 1e-3)  # of 256; other images differ by 85
            assert (image - mask.flip(2)).abs().mean() > 50
    assert data.val_masks is not None and data.val_masks.sizes == (1, 1)


def test_a_batch_has_the_masks_of_its_sources(folders: tuple[Path, Path]) -> None:
    data, plain = load(*folders), load(folders[0], None)
    options = {"seed": 0, "size": 4, "latent_dim": 4, "reads": frozenset(["image"]), "augment": False}
    batch = Batches(data.train, masks=data.train_masks, **options)[3].to(torch.device("cpu"))
    without = Batches(plain.train, **options)[3]
    assert without.masks is None and batch.masks is not None and batch.image is not None
    assert torch.equal(batch.latent, without.latent)
    pooled = torch.nn.functional.avg_pool2d(batch.image[:, :2], 4)
    assert torch.allclose((pooled + 1) / 2, batch.masks, atol=1e-6)


def test_fingerprints_follow_the_masks_alone(folders: tuple[Path, Path]) -> None:
    root, masks = folders
    first = load(root, masks)
    assert first.fingerprint == load(root, None).fingerprint
    assert load(root, None).masks_fingerprint == ""
    assert load(root, masks).masks_fingerprint == first.masks_fingerprint != ""
    Image.new("RGB", (8, 8)).save(masks / "val/dog/a.png")
    second = load(root, masks)
    assert (second.fingerprint == first.fingerprint) and (second.masks_fingerprint != first.masks_fingerprint)
    changed = read_masks(second.val_masks, [(1, 0)])
    assert changed is not None and masks_to_float(changed).max() == 0


def test_masks_that_are_missing_or_wrong_are_named_at_once(folders: tuple[Path, Path]) -> None:
    root, masks = folders
    (masks / "train/cat/0.png").unlink()
    (masks / "train/dog/1.png").write_bytes(b"no picture")
    Image.new("RGB", (8, 4)).save(masks / "val/cat/a.png")
    with pytest.raises(UserError) as refusal:
        load(root, masks)
    lines = str(refusal.value).splitlines()
    assert lines[1:4] == [
        "- 1 of 6 masks are missing: train/cat/0.png",
        "- 1 of 6 masks cannot be read: train/dog/1.png",
        "- 1 of 6 masks are not of the shape of their images: val/cat/a.png",
    ]
    with pytest.raises(UserError, match=r"does not exist\. Set data\.masks"):
        load(root, masks / "gone")
