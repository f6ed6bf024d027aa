"""What can be wrong with a folder of images, in words: each fault with the names of its files and how to mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.data.inspection import Split
from core.data.layout import Layout, listed, shown


def barred(layout: Layout) -> list[str]:
    """Folders that may not be read."""
    names = [_name(layout, folder) for folder in layout.barred]
    return [f"{_count(names, 'folder')} cannot be read: {listed(names)}. Give yourself permission."] if names else []


def unreadable(layout: Layout, bad: Mapping[Path, str]) -> list[str]:
    """Files that should be images and are not. bad: file -> reason."""
    if not bad:
        return []
    return [
        f"{_count(bad, 'image')} cannot be read: {_reasons(layout, bad)}. Replace or delete them, or set "
        "data.skip_bad=true to go on without them."
    ]


def differing_domains(layout: Layout, train: Split, val: Split) -> list[str]:
    """Domains that are not in both splits."""
    lacks = [
        f"{there} has {_quoted(missing)}, which {here} lacks"
        for there, here, missing in (
            (layout.train_name, layout.val_name, sorted(train.keys() - val.keys())),
            (layout.val_name, layout.train_name, sorted(val.keys() - train.keys())),
        )
        if missing
    ]
    return [f"The domains differ: {'; '.join(lacks)}. Both need the same folders, of the same names."] if lacks else []


def shared_images(layout: Layout, pairs: list[tuple[Path, Path]]) -> list[str]:
    """Images that lie in train and, byte for byte, in val. pairs: their files in both."""
    if not pairs:
        return []
    return [
        f"{_count(pairs, 'image')} of {layout.val_name} also in {layout.train_name}: {_pairs(layout, pairs)}. They "
        "are not trained on; delete one of each pair."
    ]


def too_few_domains(layout: Layout, train: Split, stray: Iterable[str]) -> list[str]:
    """Fewer than the two domains that a translation needs. stray: folders that hold no images."""
    if len(train) > 1 or layout.barred:
        return []
    place = shown(layout.root / layout.train_name)
    there = f"There is a single domain, {_quoted(train)}" if train else "There is no domain"
    empty = sorted(stray)
    also = f" (without images, and so no domains: {_quoted(empty)})" if empty else ""
    return [f"{there}, in {place}{also}. Translation needs at least two: one folder of images for each."]


def too_few_images(layout: Layout, train: Split, val: Split, minimum_train: int) -> list[str]:
    """Domains without images, or with fewer training images than the run needs."""
    problems = []
    for name, images in train.items():
        needed, place = max(minimum_train, 1), shown(Path(layout.train_name, name))
        held_out = len(val.get(name, ())) if layout.val is None else 0
        if not images and not held_out:
            problems.append(f"The domain '{name}' has no readable image in {place}. Add some, or delete the folder.")
        elif len(images) < needed:
            aside = f", beside {held_out} held out for validation" if held_out else ""
            problems.append(
                f"The domain '{name}' has {_count(images, 'training image')} in {place}{aside}; this run needs at "
                f"least {needed}. Add {needed - len(images)} or more, or delete the folder."
            )
    if layout.val is not None:
        problems += [
            f"The domain '{name}' has no readable image in {shown(Path(layout.val_name, name))}. Add at least one."
            for name, images in val.items()
            if not images
        ]
    return problems


def notes(
    layout: Layout,
    bad: Mapping[Path, str],
    shared: list[tuple[Path, Path]],
    stray: Iterable[str],
    train: Split,
    val: Split,
) -> list[str]:
    """What a report must say of data that can be used."""
    said = []
    if bad:
        was = "was" if len(bad) == 1 else "were"
        said.append(f"{_count(bad, 'unreadable image')} {was} skipped: {_reasons(layout, bad)}")
    if shared:
        said.append(
            f"{_count(shared, 'image')} of {layout.val_name} also in {layout.train_name} left out of training: "
            f"{_pairs(layout, shared)}"
        )
    if layout.loose:
        loose = [_name(layout, file) for file in layout.loose]
        said.append(f"{_count(loose, 'image')} outside the domain folders not used: {listed(loose)}")
    if empty := sorted(stray):
        said.append(f"folders without images, not taken for domains: {listed(empty)}")
    if layout.val is None:
        held_out = sum(len(images) for images in val.values())
        total = held_out + sum(len(images) for images in train.values())
        said.append(
            f"no validation folder: {held_out} of {total} images were held out for validation, by their content"
        )
    for split, images in ((layout.train_name or "training", train), (layout.val_name or "validation", val)):
        copies = Counter(image.digest for files in images.values() for image in files)
        if repeated := sum(count - 1 for count in copies.values()):
            said.append(f"exact copies among the {copies.total()} {split} images: {repeated}")
    return said


def _name(layout: Layout, path: Path) -> str:
    return shown(path.relative_to(layout.root).as_posix())


def _reasons(layout: Layout, bad: Mapping[Path, str]) -> str:
    return listed([f"{_name(layout, file)} ({reason})" for file, reason in bad.items()])


def _pairs(layout: Layout, pairs: Iterable[tuple[Path, Path]]) -> str:
    return listed([f"{_name(layout, one)} = {_name(layout, other)}" for one, other in pairs])


def _quoted(names: Iterable[str]) -> str:
    return listed([f"'{name}'" for name in names])


def _count(things: Iterable[object], noun: str) -> str:
    number = len(list(things))
    return f"{number} {noun}" + ("" if number == 1 else "s")
