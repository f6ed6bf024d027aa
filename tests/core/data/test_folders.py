"""Which files of a folder are a data set, and what is said of those that are not one."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data import decode as decode_module
from core.data.folders import FolderContents, inspect_folders, load_folders
from core.errors import UserError


def picture(number: int, side: int = 12) -> Image.Image:
    """A different image for each number."""
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8))


def save(root: Path, *names: str, first: int = 0) -> None:
    """Images of these relative names, of numbers from `first` on."""
    for number, name in enumerate(names, start=first):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(root / name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two domains with two training images and one validation image each."""
    folder = tmp_path / "data"
    save(
        folder,
        *("train/cat/0.png", "train/cat/1.png", "train/dog/0.png", "train/dog/1.png", "val/cat/a.png", "val/dog/a.png"),
    )
    return folder


def inspect(root: Path, **options: object) -> FolderContents:
    return inspect_folders(root, cache=root.parent / "cache", **options)


def refused(root: Path, **options: object) -> list[str]:
    """The lines with which a folder is refused."""
    with pytest.raises(UserError) as caught:
        inspect(root, **options)
    return str(caught.value).splitlines()


def names(root: Path, split: dict[str, Sequence[object]]) -> dict[str, list[str]]:
    return {
        domain: sorted(image.path.relative_to(root).as_posix() for image in images) for domain, images in split.items()
    }


def test_train_and_val(root: Path) -> None:
    contents = inspect(root)
    assert names(root, contents.train) == {
        "cat": ["train/cat/0.png", "train/cat/1.png"],
        "dog": ["train/dog/0.png", "train/dog/1.png"],
    }
    assert names(root, contents.val) == {"cat": ["val/cat/a.png"], "dog": ["val/dog/a.png"]}
    assert contents.notes == ()


def test_the_whole_way(root: Path) -> None:
    data = load_folders(root, 16, cache=root.parent / "cache")
    assert data.domains == data.val.domains == ("cat", "dog")
    assert (data.train.sizes, data.val.sizes) == ((2, 2), (1, 1))
    assert data.train.resolution == 16
    assert data.fingerprint == inspect(root).fingerprint
    assert data.factors == ()


@pytest.mark.parametrize(("train", "val"), [("train", "test"), ("Train", "VAL"), ("train", "val")])
def test_names_of_splits(root: Path, train: str, val: str) -> None:
    expected = inspect(root).fingerprint
    for old, new in (("train", train), ("val", val)):
        (root / old).rename(root / "moving")
        (root / "moving").rename(root / new)
    assert inspect(root).fingerprint == expected


def test_val_is_preferred_to_test(root: Path) -> None:
    save(root, "test/cat/x.png", "test/dog/x.png", first=100)
    assert names(root, inspect(root).val) == {"cat": ["val/cat/a.png"], "dog": ["val/dog/a.png"]}


def test_stray_files_and_folders_are_passed_over(root: Path) -> None:
    expected = inspect(root)
    save(
        root, "elsewhere/cat/0.png", "train/.hidden/0.png", "train/__MACOSX/0.png", "train/cat/.thumbs/0.png", first=200
    )
    save(root, "train/cat/._0.png", "train/@eaDir/cat/0.png", first=300)
    (root / "empty").mkdir()
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "notes.txt", "BMW.txt", "sound.wav", "no suffix"):
        (root / "train" / "cat" / name).write_bytes(b"BM is how this starts, yet it is a text")
    (root / "train" / "list.txt").write_text("cat, dog")
    assert inspect(root) == expected


def test_images_are_known_by_content(root: Path) -> None:
    save(root, "train/cat/UPPER.PNG", "train/cat/photo.JPG", first=100)
    (root / "train/cat/UPPER.PNG").rename(root / "train/cat/no_suffix")
    picture(102).save(root / "train/cat/really_webp.jpg", "WEBP")
    picture(103).save(root / "train/cat/image.dat", "TIFF")
    found = names(root, inspect(root).train)["cat"]
    assert [name.rsplit("/")[-1] for name in found] == [
        "0.png",
        "1.png",
        "image.dat",
        "no_suffix",
        "photo.JPG",
        "really_webp.jpg",
    ]


def test_folders_in_a_domain_and_links(root: Path, tmp_path: Path) -> None:
    save(root, "train/cat/id7/deep/x.png", first=100)
    save(tmp_path, "outside/y.png", "outside2/z.png", first=110)
    (root / "train/dog/linked").symlink_to(tmp_path / "outside")
    (root / "train/dog/z.png").symlink_to(tmp_path / "outside2/z.png")
    (root / "train/dog/loop").symlink_to(root / "train/dog")
    found = names(root, inspect(root).train)
    assert found["cat"][2:] == ["train/cat/id7/deep/x.png"]
    assert found["dog"][2:] == ["train/dog/linked/y.png", "train/dog/z.png"]


def test_names_of_domains(tmp_path: Path) -> None:
    domains = ['<b>bold & "quoted"<b>', "über katze", "猫"]
    save(tmp_path / "d", *(f"{split}/{domain}/0.png" for split in ("train", "val") for domain in domains))
    assert list(inspect(tmp_path / "d").train) == sorted(domains)


def test_one_accent_two_spellings(tmp_path: Path) -> None:
    save(tmp_path / "d", "train/caf\u00e9/0.png", "train/dog/0.png", "val/cafe\u0301/0.png", "val/dog/0.png")
    assert list(inspect(tmp_path / "d").val) == ["caf\u00e9", "dog"]


def test_a_name_that_is_not_unicode(tmp_path: Path) -> None:
    save(tmp_path / "d", *(os.fsdecode(b"%s/caf\xe9/0.png" % split) for split in (b"train", b"val")))
    save(tmp_path / "d", "train/dog/0.png", "val/dog/0.png", first=10)
    assert list(inspect(tmp_path / "d").train) == ["caf\\udce9", "dog"]
    (tmp_path / "d" / os.fsdecode(b"train/dog/\xff.png")).write_bytes(b"")
    "\n".join(refused(tmp_path / "d")).encode()


# --- one level of domain folders ---


def test_domain_folders_alone_are_split_by_content(tmp_path: Path) -> None:
    root = tmp_path / "one"
    save(root, *(f"{domain}/{number}.png" for domain in ("cat", "dog") for number in range(20)))
    contents = inspect(root)
    assert [len(images) for images in contents.train.values()] == [18, 18]
    assert [len(images) for images in contents.val.values()] == [2, 2]
    assert contents.notes == ("no validation folder: 4 of 40 images were held out for validation, by their content",)
    shutil.copytree(root, tmp_path / "two")
    for file in list((tmp_path / "two").rglob("*.png")):
        file.rename(file.with_name(f"renamed {100 - int(file.stem)}.png"))
    moved = inspect(tmp_path / "two")
    assert moved.fingerprint == contents.fingerprint
    assert [image.digest for image in moved.val["dog"]] == [image.digest for image in contents.val["dog"]]
    assert [image.digest for image in moved.train["cat"]] == [image.digest for image in contents.train["cat"]]
    half = inspect(root, val_fraction=0.5)
    assert [len(images) for images in half.val.values()] == [10, 10]
    assert half.fingerprint != contents.fingerprint


def test_at_least_one_image_is_held_out(tmp_path: Path) -> None:
    save(tmp_path / "d", "cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png")
    contents = inspect(tmp_path / "d", val_fraction=0.01)
    assert [len(images) for images in (*contents.train.values(), *contents.val.values())] == [1, 1, 1, 1]


def test_copies_go_to_one_side(tmp_path: Path) -> None:
    root = tmp_path / "d"
    save(root, *(f"{domain}/{number}.png" for domain in ("cat", "dog") for number in range(6)))
    for number in range(6):
        shutil.copy(root / f"cat/{number}.png", root / f"cat/copy {number}.png")
    contents = inspect(root, val_fraction=0.5)
    sides = [
        {image.digest for images in split.values() for image in images} for split in (contents.train, contents.val)
    ]
    assert not sides[0] & sides[1]
    assert contents.notes[1:] == (
        "exact copies among the 9 training images: 3",
        "exact copies among the 9 validation images: 3",
    )


def test_a_training_folder_without_validation(root: Path) -> None:
    shutil.rmtree(root / "val")
    contents = inspect(root)
    assert [len(images) for images in (*contents.train.values(), *contents.val.values())] == [1, 1, 1, 1]
    assert contents.notes[0].startswith("no validation folder: 2 of 4 images")


def test_a_domain_may_be_called_train(tmp_path: Path) -> None:
    save(tmp_path / "d", "train/0.png", "train/1.png", "car/0.png", "car/1.png")
    assert list(inspect(tmp_path / "d").train) == ["car", "train"]


def test_folders_without_images_beside_domains(tmp_path: Path) -> None:
    save(tmp_path / "d", "cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png", "loose.png")
    (tmp_path / "d" / "empty").mkdir()
    (tmp_path / "d" / "texts").mkdir()
    (tmp_path / "d" / "texts" / "a.txt").write_text("a")
    contents = inspect(tmp_path / "d")
    assert list(contents.train) == ["cat", "dog"]
    assert contents.notes[:2] == (
        "1 image outside the domain folders not used: loose.png",
        "folders without images, not taken for domains: empty, texts",
    )


# --- the fingerprint ---


def test_fingerprint(root: Path, tmp_path: Path) -> None:
    first = inspect(root).fingerprint
    shutil.copytree(root, tmp_path / "copy")
    copy = tmp_path / "copy"
    (copy / "train/cat/0.png").rename(copy / "train/cat/zzz.jpeg")
    assert inspect(copy).fingerprint == first
    (copy / "train/cat/zzz.jpeg").rename(copy / "train/dog/zzz.jpeg")
    assert inspect(copy).fingerprint != first
    (copy / "train/dog/zzz.jpeg").rename(copy / "val/cat/zzz.jpeg")
    assert inspect(copy).fingerprint != first
    (copy / "val/cat/zzz.jpeg").rename(copy / "train/cat/zzz.jpeg")
    assert inspect(copy).fingerprint == first
    for split in ("train", "val"):
        (copy / split / "cat").rename(copy / split / "lion")
    assert inspect(copy).fingerprint != first


def test_fingerprint_is_of_the_images_used(root: Path) -> None:
    first = inspect(root).fingerprint
    (root / "train/cat/bad.png").write_bytes(b"bad")
    assert inspect(root, skip_bad=True).fingerprint == first


# --- what is wrong ---


def test_everything_wrong_is_said_at_once(root: Path) -> None:
    data = (root / "train/cat/0.png").read_bytes()
    (root / "train/cat/cut.png").write_bytes(data[: len(data) // 2])
    (root / "train/dog/text.jpg").write_text("no image")
    (root / "train/fox").mkdir()
    save(root, "val/owl/0.png", first=50)
    shutil.copy(root / "train/dog/0.png", root / "val/cat/same.png")
    lines = refused(root, minimum_train=2)
    assert lines[0] == f"The images in {root} cannot be used as they are:"
    assert lines[1].startswith("- 2 images cannot be read: train/cat/cut.png (")
    assert "train/dog/text.jpg (not a JPEG, PNG, WebP, BMP or TIFF image)" in lines[1]
    assert lines[1].endswith("Replace or delete them, or set data.skip_bad=true to go on without them.")
    assert lines[2:] == [
        "- The domains differ: train has 'fox', which val lacks; val has 'owl', which train lacks. Both need the same "
        "folders, of the same names.",
        "- The domain 'dog' has 1 training image in train/dog; this run needs at least 2. Add 1 or more, or delete the "
        "folder.",
        "- The domain 'fox' has no readable image in train/fox. Add some, or delete the folder.",
        "- 1 image of val also in train: train/dog/0.png = val/cat/same.png. They are not trained on; delete one of "
        "each pair.",
    ]


def test_skipping_what_is_bad(root: Path) -> None:
    (root / "train/cat/empty.jpg").write_bytes(b"")
    (root / "val/dog/photo.heic").write_bytes(b"\0\0\0\x18ftypheic")
    assert refused(root)[1].startswith("- 2 images cannot be read")
    contents = inspect(root, skip_bad=True)
    assert contents.notes == (
        "2 unreadable images were skipped: train/cat/empty.jpg (empty file), val/dog/photo.heic (not a JPEG, PNG, "
        "WebP, BMP or TIFF image)",
    )
    assert [len(images) for images in contents.train.values()] == [2, 2]


def test_a_domain_of_bad_images_only(root: Path) -> None:
    for name in ("train/dog/0.png", "train/dog/1.png", "val/cat/a.png"):
        (root / name).write_bytes(b"bad")
    assert refused(root, skip_bad=True)[1:] == [
        "- The domain 'dog' has no readable image in train/dog. Add some, or delete the folder.",
        "- The domain 'cat' has no readable image in val/cat. Add at least one.",
    ]


def test_long_lists_are_cut(root: Path) -> None:
    for number in range(14):
        (root / f"train/cat/bad{number:02}.png").write_bytes(b"")
    line = refused(root)[1]
    assert line.startswith("- 14 images cannot be read: train/cat/bad00.png (empty file)")
    assert "bad09.png (empty file) and 4 more. Replace" in line
    assert "bad10" not in line


def test_images_in_train_and_val_are_not_trained_on(root: Path) -> None:
    shutil.copy(root / "train/dog/0.png", root / "val/cat/same.png")
    contents = inspect(root)
    assert names(root, contents.train)["dog"] == ["train/dog/1.png"]
    assert names(root, contents.val)["cat"] == ["val/cat/a.png", "val/cat/same.png"]
    assert contents.notes == ("1 image of val also in train left out of training: train/dog/0.png = val/cat/same.png",)


def test_val_is_a_copy_of_train(root: Path) -> None:
    shutil.rmtree(root / "val")
    shutil.copytree(root / "train", root / "val")
    lines = refused(root)
    assert lines[1].startswith("- The domain 'cat' has no")
    assert lines[-1].startswith("- 4 images of val also in train: train/cat/0.png = val/cat/0.png, train/cat/1.png")


def test_fewer_images_than_the_run_needs(root: Path, tmp_path: Path) -> None:
    assert [line.split(";")[0] for line in refused(root, minimum_train=3)[1:]] == [
        "- The domain 'cat' has 2 training images in train/cat",
        "- The domain 'dog' has 2 training images in train/dog",
    ]
    save(tmp_path / "flat", "cat/0.png", "dog/0.png", "dog/1.png")
    assert refused(tmp_path / "flat")[1:] == [
        "- The domain 'cat' has 0 training images in cat, beside 1 held out for validation; this run needs at least 1. "
        "Add 1 or more, or delete the folder."
    ]


def test_a_single_domain(root: Path, tmp_path: Path) -> None:
    for split in ("train", "val"):
        shutil.rmtree(root / split / "dog")
    assert refused(root)[1:] == [
        f"- There is a single domain, 'cat', in {root / 'train'}. Translation needs at least two: one folder of images "
        "for each."
    ]
    save(tmp_path / "flat", "cat/0.png", "cat/1.png")
    (tmp_path / "flat" / "dog").mkdir()
    line = refused(tmp_path / "flat")[1]
    assert f"'cat', in {tmp_path / 'flat'} (without images, and so no domains: 'dog')" in line


def test_splits_without_domains(root: Path) -> None:
    shutil.rmtree(root / "val")
    (root / "val").mkdir()
    assert refused(root)[1].startswith("- The domains differ: train has 'cat', 'dog', which val lacks")
    shutil.rmtree(root / "train")
    (root / "train").mkdir()
    assert refused(root)[1].startswith(f"- There is no domain, in {root / 'train'}.")


def test_places_that_hold_no_data_set(tmp_path: Path) -> None:
    assert "does not exist. Set data.root" in refused(tmp_path / "missing")[0]
    (tmp_path / "file").write_text("")
    assert "is a file. Set data.root to a folder" in refused(tmp_path / "file")[0]
    (tmp_path / "empty").mkdir()
    assert "holds no folders" in refused(tmp_path / "empty")[0]
    save(tmp_path / "loose", "0.png", "1.png")
    assert "It must hold one folder of images per domain" in refused(tmp_path / "loose")[0]
    save(tmp_path / "half", "val/cat/0.png", "val/dog/0.png")
    assert "has a folder val but none named train" in refused(tmp_path / "half")[0]


def test_no_permission(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals are simulated: root, as which tests may run, may read everything."""
    closed = {str(root / "train" / "dog"), str(root / "val" / "dog" / "a.png")}
    real_scandir, real_open = os.scandir, Path.open

    def scandir(path: object = ".") -> object:
        if str(path) in closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real_scandir(path)

    def open_file(path: Path, *arguments: object, **options: object) -> object:
        if str(path) in closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real_open(path, *arguments, **options)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(Path, "open", open_file)
    text = "\n".join(refused(root))
    assert "- 1 folder cannot be read: train/dog. Give yourself permission." in text
    assert "- 1 image cannot be read: val/dog/a.png (Permission denied)." in text
    closed.add(str(root))
    assert refused(root) == [f"{root} cannot be read (Permission denied). Give yourself permission to read it."]
    closed.clear()
    assert inspect(root).notes == ()  # what could not be read is tried again


def test_a_link_to_nothing(root: Path) -> None:
    (root / "train/cat/gone.png").symlink_to(root / "nowhere.png")
    assert "train/cat/gone.png (a link to nothing)" in refused(root)[1]


def test_decompression_bomb(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("1", (300, 300)).save(root / "train/cat/bomb.png")
    monkeypatch.setattr(decode_module, "MOST_PIXELS", 80_000)
    assert "train/cat/bomb.png (too large: 300 x 300 pixels)" in refused(root)[1]


# --- the index ---


def test_the_second_inspection_reads_what_changed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "train/cat/readme.txt").write_text("no image")
    first = inspect(root)
    calls: list[tuple[int, int]] = []
    assert inspect(root, progress=lambda *call: calls.append(call)) == first
    assert calls == []
    picture(77).save(root / "train/cat/0.png")
    os.utime(root / "train/cat/0.png", ns=(1, 1))
    second = inspect(root, progress=lambda *call: calls.append(call))
    assert calls == [(7, 7)]
    assert second.fingerprint != first.fingerprint
    (root / "train/cat/0.png").unlink()
    assert len(inspect(root).train["cat"]) == 1


@pytest.mark.parametrize("text", ["", "[]", '{"made_by": 1}', '{"made_by": [1], "files": {"a": 3}}'])
def test_a_damaged_index_is_ignored(root: Path, text: str) -> None:
    first = inspect(root)
    (index,) = (root.parent / "cache").glob("index-*.json")
    if "files" in text:
        text = json.dumps({**json.loads(index.read_text()), "files": {"train/cat/0.png": 3}})
    index.write_text(text)
    assert inspect(root) == first


def test_a_cache_that_cannot_be_written(root: Path, tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("")
    assert inspect_folders(root, cache=tmp_path / "occupied").fingerprint == inspect(root).fingerprint
