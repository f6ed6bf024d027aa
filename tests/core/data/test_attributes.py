"""Domains out of a list of attributes: what is read, what is refused, and which switches there are."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.attributes import CELEBA_LIST, FEWEST, find_attributes, switches
from core.data.folders import load_folders
from core.errors import UserError

HAIR = ("Black_Hair", "Blond_Hair", "Male")
COMBINATIONS = {"Black_Hair": (1, 0, 0), "Blond_Hair": (0, 1, 0), "Blond_Hair+Male": (0, 1, 1), "none": (0, 0, 0)}


def draw(root: Path, names: list[str], start: int = 0) -> None:
    for number, name in enumerate(names, start=start):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / name)


def images() -> Iterator[tuple[str, tuple[int, ...]]]:
    """(name, values of HAIR) of FEWEST images of each combination."""
    for (place, values), number in itertools.product(enumerate(COMBINATIONS.values()), range(FEWEST)):
        yield f"{place}-{number:03d}.png", values


def write_celeba(root: Path, rows: dict[str, tuple[int, ...]]) -> None:
    lines = [str(len(rows)), "Smiling " + " ".join(HAIR) + " "]
    lines += [f"{name}  -1 " + "  ".join("1" if value else "-1" for value in values) for name, values in rows.items()]
    (root / CELEBA_LIST).write_text("\n".join(lines) + "\n")


def write_csv(root: Path, rows: dict[str, tuple[int, ...]], name: str = "attributes.csv") -> None:
    lines = ["image," + ",".join(HAIR)] + [f"{image}," + ",".join(map(str, row)) for image, row in rows.items()]
    (root / name).write_text("\n".join(lines) + "\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    draw(folder, [f"img/{name}" for name, _ in images()])
    return folder


@pytest.mark.parametrize("write", [write_celeba, write_csv])
def test_a_domain_is_a_combination_of_attributes(root: Path, write: object) -> None:
    write(root, dict(images()))  # type: ignore[operator]
    layout, said = find_attributes(root, HAIR)
    assert sorted(layout.train) == sorted(COMBINATIONS)
    assert (layout.val, said) == (None, [])
    for place, name in enumerate(COMBINATIONS):
        assert [file.name for file in layout.train[name]] == [f"{place}-{number:03d}.png" for number in range(FEWEST)]
    only_male, _ = find_attributes(root, ["Male"])
    assert {name: len(files) for name, files in only_male.train.items()} == {"Male": FEWEST, "none": 3 * FEWEST}


def test_the_data_set_is_read_like_any_other(root: Path, tmp_path: Path) -> None:
    write_csv(root, dict(images()))
    data = load_folders(root, 16, attributes=HAIR, cache=tmp_path / "cache")
    assert data.domains == tuple(sorted(COMBINATIONS)) == ("Black_Hair", "Blond_Hair", "Blond_Hair+Male", "none")
    assert (data.train.sizes, data.val.sizes) == ((18,) * 4, (2,) * 4)
    assert data.train.read([(2, 0)]).shape == (1, 3, 16, 16)
    assert data.pairs == data.routes == switches(data.domains, HAIR)
    other = load_folders(root, 16, attributes=["Male"], cache=tmp_path / "cache")
    assert other.fingerprint != data.fingerprint


def test_given_splits_are_kept(tmp_path: Path) -> None:
    rows = dict(images())
    draw(tmp_path, [("val/" if name.endswith("0.png") else "train/") + name for name in rows])
    draw(tmp_path, ["loose.png"])
    write_csv(tmp_path, rows)
    layout, _ = find_attributes(tmp_path, HAIR)
    assert layout.val is not None
    assert {name: len(files) for name, files in layout.val.items()} == dict.fromkeys(COMBINATIONS, 2)
    assert {name: len(files) for name, files in layout.train.items()} == dict.fromkeys(COMBINATIONS, FEWEST - 2)
    assert [file.name for file in layout.loose] == ["loose.png"]


def test_rare_combinations_and_absent_images_are_said(root: Path) -> None:
    write_csv(root, {**dict(images()), "gone.png": (1, 1, 1), "0-000.png": (1, 1, 1)})
    layout, said = find_attributes(root, HAIR)
    assert sorted(layout.train) == ["Blond_Hair", "Blond_Hair+Male", "none"]  # Black_Hair lost one, and has too few
    assert said == [
        "20 images of rare combinations of attributes not used: Black_Hair (19), Black_Hair+Blond_Hair+Male (1)",
        "1 image of attributes.csv not there",
    ]


def refused(root: Path, attributes: tuple[str, ...] = HAIR) -> str:
    with pytest.raises(UserError) as error:
        find_attributes(root, attributes)
    return str(error.value)


def test_what_is_wrong_is_said_at_once(root: Path) -> None:
    rows = {name: row for name, row in images() if name not in ("0-001.png", "1-002.png")}
    write_csv(root, {**rows, "2-003.png": (0, 7, 0)})
    message = refused(root)
    assert "2 images not in it: img/0-001.png, img/1-002.png" in message
    assert "1 image with values other than 1 and 0 or -1, or with two: img/2-003.png" in message


def test_an_image_that_is_listed_twice_must_be_listed_alike(root: Path) -> None:
    write_csv(root, dict(images()))
    path = root / "attributes.csv"
    path.write_text(path.read_text() + "0-000.png,1,0,0\n")
    find_attributes(root, HAIR)
    path.write_text(path.read_text() + "0-000.png,0,1,0\n")
    assert "with two: img/0-000.png" in refused(root)


def test_lists_that_do_not_serve_are_refused(root: Path) -> None:
    assert "holds no list of attributes" in refused(root)
    write_celeba(root, dict(images()))
    message = refused(root, ("Male", "Yung", "Blond_Hair"))
    assert "does not know Yung. It knows Smiling, Black_Hair, Blond_Hair, Male." in message
    write_csv(root, dict(images()))
    assert "several lists have these attributes" in refused(root)
    (root / "attributes.csv").write_text("")
    assert "this list cannot be read (it is empty)" in refused(root)
    (root / "attributes.csv").write_text("image,box\na,1\n")  # a table of something else
    assert find_attributes(root, HAIR)
    write_celeba(root, {name: (0, 0, 0) for name, _ in images()})
    assert "There are none (80)" in refused(root)


def test_one_attribute_is_switched_and_hair_colours_exclude_each_other() -> None:
    domains = ("Black_Hair", "Black_Hair+Male", "Blond_Hair", "Male", "none")
    assert {(domains[a], domains[b]) for a, b in switches(domains, HAIR)} == {
        ("Black_Hair", "Blond_Hair"),
        ("Black_Hair", "Black_Hair+Male"),
        ("Black_Hair+Male", "Black_Hair"),
        ("Blond_Hair", "Black_Hair"),
        ("Male", "Black_Hair+Male"),
        ("Male", "none"),
        ("none", "Male"),
        ("none", "Black_Hair"),
        ("none", "Blond_Hair"),
    }
    assert switches(("Smiling", "none"), ("Smiling",)) == ((0, 1), (1, 0))
