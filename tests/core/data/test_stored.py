"""Cached, in memory or streamed: the same pixels."""

from __future__ import annotations

import errno
import multiprocessing
import pickle
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.data import pixels, stored
from core.data.folders import load_folders
from core.data.images import AUGMENT_DRAWS, DataSet
from core.data.stored import StoredImages, detail_side
from core.errors import UserError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    for split, count in (("train", 6), ("val", 2)):
        for domain in ("cat", "dog"):
            folder = tmp_path / "images" / split / domain
            folder.mkdir(parents=True)
            for index in range(count):
                height, width = generator.integers(20, 90, 2)
                coarse = generator.integers(0, 256, (6, 6, 3), dtype=np.uint8)
                image = Image.fromarray(coarse).resize((int(width), int(height)), Image.Resampling.BICUBIC)
                image.save(folder / f"{index}.{'jpg' if index % 2 else 'png'}")
    return tmp_path / "images"


def load(root: Path, cache: str = "cache", **options: object) -> DataSet:
    return load_folders(root, 32, cache=root.parent / cache, **options)


def every_item(images: StoredImages) -> list[tuple[int, int]]:
    return [(domain, index) for domain, size in enumerate(images.sizes) for index in range(size)]


def uniforms(count: int) -> torch.Tensor:
    return torch.rand(count, len(AUGMENT_DRAWS), generator=torch.Generator().manual_seed(3))


def storage(data: DataSet) -> tuple[str, str]:
    return data.train.storage, data.val.storage


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_cached_and_streamed_pixels_are_equal(root: Path, fit: str) -> None:
    cached, streamed = load(root, fit=fit), load(root, fit=fit, memory_bytes=0)
    assert storage(cached) == ("mapped", "mapped")
    assert storage(streamed) == ("streamed", "streamed")
    for split in ("train", "val"):
        one, other = getattr(cached, split), getattr(streamed, split)
        items = every_item(one)
        assert one.sizes == other.sizes
        assert torch.equal(one.read(items), other.read(items))
        draws = uniforms(len(items))
        assert torch.equal(one.read(items, draws), other.read(items, draws))
        assert not torch.equal(one.read(items), one.read(items, draws))


@pytest.mark.parametrize("memory_bytes", [None, 0])
def test_plain_images_are_a_direct_decode(root: Path, memory_bytes: int | None) -> None:
    data = load(root, memory_bytes=memory_bytes)
    for split in (data.train, data.val):
        assert split.domains == ("cat", "dog")
        assert split.resolution == 32
        read = split.read(every_item(split))
        assert read.dtype == torch.uint8
        name = "train" if split is data.train else "val"
        direct = []
        for file in sorted((root / name).rglob("*.*")):
            image = Image.open(file).convert("RGB")
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            image = image.crop((left, top, left + side, top + side)).resize((32, 32), Image.Resampling.BILINEAR)
            direct.append(np.asarray(image).transpose(2, 0, 1).tobytes())
        assert sorted(image.numpy().tobytes() for image in read) == sorted(direct)


def test_reading_in_any_order(root: Path) -> None:
    train = load(root).train
    everything = train.read(every_item(train))
    assert torch.equal(train.read([(1, 2), (0, 3), (1, 2)]), everything[[8, 3, 8]])
    assert train.read([]).shape == (0, 3, 32, 32)


@pytest.mark.parametrize("item", [(0, 6), (0, -1), (2, 0), (-1, 0)])
def test_an_image_that_is_not_there(root: Path, item: tuple[int, int]) -> None:
    with pytest.raises(IndexError, match="no image"):
        load(root).train.read([item])


def test_uniforms_of_a_wrong_shape(root: Path) -> None:
    with pytest.raises(ValueError, match=r"\(1, 6\) uniforms for 2 images"):
        load(root).train.read([(0, 0), (0, 1)], uniforms(1))


def test_draws_that_change_nothing(root: Path) -> None:
    train = load(root).train
    items = every_item(train)
    draws = uniforms(len(items))
    draws[:, 0], draws[:, 5] = 0.5, 0.5
    assert torch.equal(train.read(items, draws), train.read(items))
    draws[:, 5] = 0.49
    assert torch.equal(train.read(items, draws), train.read(items).flip(3))


def test_crops_come_from_more_detail() -> None:
    def side(short: int, long: int, fit: str) -> int:
        return detail_side([stored.ImageFile(Path("a"), "a", short, long)], 64, fit)

    assert side(500, 600, "crop") == 77
    assert side(70, 600, "crop") == 70
    assert side(70, 600, "stretch") == 77
    assert side(30, 40, "crop") == 64


def test_the_second_start_decodes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    first = load(root, progress=lambda done, total: calls.append((done, total)))
    assert calls[:16] == [(done, 16) for done in range(1, 17)]  # inspecting
    assert calls[16:] == [(done, 4) for done in range(1, 5)] + [(done, 12) for done in range(1, 13)]  # decoding
    monkeypatch.setattr("core.data.inspection.decode", None)
    monkeypatch.setattr("core.data.pixels.decode", None)
    calls.clear()
    second = load(root, progress=lambda done, total: calls.append((done, total)))
    assert calls == []
    assert second.fingerprint == first.fingerprint
    items = every_item(first.train)
    assert torch.equal(first.train.read(items), second.train.read(items))


def test_a_damaged_cache_is_written_anew(root: Path) -> None:
    first = load(root)
    items = every_item(first.train)
    expected = first.train.read(items)
    for file in (root.parent / "cache").glob("*.npy"):
        file.write_bytes(file.read_bytes()[:500])
    for file in (root.parent / "cache").glob("*.json"):
        file.write_text('{"made_by": ')
    second = load(root)
    assert storage(second) == ("mapped", "mapped")
    assert torch.equal(second.train.read(items), expected)


def test_nothing_unfinished_stays(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(done: int, total: int) -> None:
        if (done, total) == (3, 4):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(root, progress=interrupted)
    assert [file.suffix for file in (root.parent / "cache").iterdir()] == [".json"]
    killed = root.parent / "cache" / ".unfinished-x"
    killed.mkdir()
    load(root)
    assert killed.exists()
    later = time.time() + 2 * 24 * 3600
    monkeypatch.setattr(time, "time", lambda: later)
    load_folders(root, 16, cache=root.parent / "cache")
    assert not killed.exists()


def test_where_the_cache_cannot_be_written_memory_serves(root: Path) -> None:
    (root.parent / "occupied").write_text("a file, where a folder would be")
    data, expected = load(root, cache="occupied"), load(root)
    assert storage(data) == ("memory", "memory")
    items = every_item(expected.train)
    draws = uniforms(len(items))
    assert torch.equal(data.train.read(items, draws), expected.train.read(items, draws))


def test_a_disk_that_is_full_or_fills_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = load(root, memory_bytes=0)
    items = every_item(expected.train)
    usage = pixels.shutil.disk_usage(root)
    monkeypatch.setattr(pixels.shutil, "disk_usage", lambda folder: usage._replace(free=1000))
    full = load(root, cache="full")
    assert storage(full) == ("memory", "memory")
    monkeypatch.undo()

    def fails(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pixels.os, "replace", fails)
    filling = load(root, cache="filling")
    assert storage(filling) == ("memory", "memory")
    assert list((root.parent / "filling").iterdir()) == []
    for data in (full, filling):
        assert torch.equal(data.train.read(items), expected.train.read(items))


def test_what_does_not_fit_is_streamed(root: Path) -> None:
    validation = 4 * 32 * 32 * 3
    training = 12 * (32 * 32 + 39 * 39) * 3
    assert storage(load(root, memory_bytes=validation - 1)) == ("streamed", "streamed")
    assert storage(load(root, memory_bytes=validation)) == ("streamed", "mapped")
    assert storage(load(root, memory_bytes=validation + training - 1)) == ("streamed", "mapped")
    assert storage(load(root, memory_bytes=validation + training)) == ("mapped", "mapped")


@pytest.mark.parametrize("memory_bytes", [None, 0])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_read_the_same(root: Path, memory_bytes: int | None, method: str) -> None:
    train = load(root, memory_bytes=memory_bytes).train
    expected = train.read([(0, 1), (1, 4)])
    assert len(pickle.dumps(train)) < 10_000
    assert torch.equal(pickle.loads(pickle.dumps(train)).read([(0, 1), (1, 4)]), expected)
    if method == "spawn" and memory_bytes == 0:
        return  # a spawned process costs seconds; what it needs, pickling, was seen above
    with multiprocessing.get_context(method).Pool(1) as pool:
        result = pool.apply(read_bytes, (train,))
    assert result == expected.numpy().tobytes()


def read_bytes(images: StoredImages) -> bytes:
    return images.read([(0, 1), (1, 4)]).numpy().tobytes()


def test_a_file_that_changes_while_streamed(root: Path) -> None:
    data = load(root, memory_bytes=0)
    for file in (root / "train" / "cat").iterdir():
        Image.new("RGB", (40, 40), "blue").save(file)
    with pytest.raises(UserError, match=r"was changed or removed while it was in use"):
        data.train.read([(0, 0)])


def test_cached_batches_are_fast(root: Path) -> None:
    train = load_folders(root, 64, cache=root.parent / "cache").train
    items = [(index % 2, index % 6) for index in range(24)]
    draws = uniforms(24)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        train.read(items, draws)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.005


def test_physical_memory() -> None:
    assert 1 << 28 < stored.physical_memory() < 1 << 50
