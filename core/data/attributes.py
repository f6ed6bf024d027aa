"""Images with binary attributes from a list: a domain is a combination of them, called e.g. `Blond_Hair+Male`.

The list is a table beside the images: a CSV, or CelebA's `list_attr_celeba.txt`. An evaluation switches one attribute
at a time, and hair colours exclude each other (StarGAN, arXiv 1711.09020, section 5).
"""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from core.data.layout import Folders, Layout, check_root, claims_image, files_below, listed, shown
from core.errors import UserError

HAIR_COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
CELEBA_LIST = "list_attr_celeba.txt"
FEWEST = 20  # images of a combination: of fewer, too few are held out for a distance
NONE = "none"  # the domain of the images without any of the attributes

_VALUES = {"1": True, "true": True, "yes": True, "0": False, "-1": False, "false": False, "no": False}


Rows = Mapping[str, tuple[bool | None, ...]]  # image -> a value for each attribute; None where it cannot be read


def find_attributes(root: Path, attributes: Sequence[str]) -> tuple[Layout, list[str]]:
    """(the images below `root` by combination of attributes, notes); with the folders train and val if there are such.

    A combination with fewer than FEWEST images is left out. Raises UserError that lists everything that is wrong.
    """
    check_root(root)
    barred: list[Path] = []
    files = files_below(root, barred)
    table = _choose(root, [file for file in files if _claims_list(file)], attributes)
    rows = read_rows(table, attributes)
    train_name, val_name = _splits(root, files)
    parts: dict[str, list[Path]] = {train_name: [], val_name: []}
    loose: list[Path] = []
    for file in filter(claims_image, files):
        part = file.relative_to(root).parts[0] if val_name else ""
        parts.get(part, loose).append(file)
    images = [file for part in parts.values() for file in part]
    domains = _domains(root, table, images, rows, attributes)
    counts = Counter(domains.values())
    folders = {name: _by_domain(part, domains) for name, part in parts.items()}
    kept = sorted(name for name in counts if counts[name] >= FEWEST and all(name in part for part in folders.values()))
    if len(kept) < 2:
        raise UserError(
            f"{shown(root)}: translation needs at least two combinations of {listed(list(attributes))} with {FEWEST} "
            f"images each, in training and in validation. There are {_counts(counts) or 'no images'}. Choose other "
            "attributes or add images."
        )
    rare = Counter({name: count for name, count in counts.items() if name not in kept})
    said = [f"{_images(rare.total())} of rare combinations of attributes not used: {_counts(rare)}"] if rare else []
    absent = len(rows.keys() - {name for file in images for name in _names(root, file)})
    said += [f"{_images(absent)} of {table.name} not there"] if absent else []
    train, val = ({name: folders[part][name] for name in kept} for part in (train_name, val_name))
    return Layout(root, train_name, val_name, train, val if val_name else None, tuple(loose), tuple(barred)), said


def switches(domains: Sequence[str], attributes: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """(source, target) of all pairs of domains in which one attribute is switched, as far as there are both.

    Switching to a hair colour ends the others; every other attribute is turned over.
    """
    number = {frozenset(_attributes_of(name)): place for place, name in enumerate(domains)}
    pairs = []
    for has, source in number.items():
        for attribute in attributes:
            wanted = has - set(HAIR_COLOURS) | {attribute} if attribute in HAIR_COLOURS else has ^ {attribute}
            target = number.get(frozenset(wanted))
            if target is not None and target != source:
                pairs.append((source, target))
    return tuple(sorted(set(pairs)))


def read_rows(table: Path, attributes: Sequence[str]) -> Rows:
    """The values of these attributes, of which the list must know all. Raises UserError where it cannot be read."""
    heading, lines = _read(table)
    columns = [heading.index(attribute) + 1 for attribute in attributes]
    rows: dict[str, tuple[bool | None, ...]] = {}
    for line in lines:
        values = tuple(_VALUES.get(line[n].strip().lower()) if n < len(line) else None for n in columns)
        name = line[0].strip()
        # An image that is listed twice must be listed alike.
        rows[name] = values if rows.get(name, values) == values else (None,) * len(columns)
    return rows


def _read(table: Path) -> tuple[list[str], Iterator[list[str]]]:
    """(names of the attributes, a row for each image that starts with its name).

    A CSV has a heading and images in its first column; CelebA's list has a count, the names, and an image a line.
    """
    try:
        text = table.read_text(encoding="utf-8-sig")
        if table.suffix.lower() == ".csv":
            lines = (row for row in csv.reader(text.splitlines()) if row)
            return [name.strip() for name in next(lines)[1:]], lines
        lines = (words for line in text.splitlines() if (words := line.split()))
        next(lines)
        return next(lines), lines
    except (OSError, UnicodeDecodeError, csv.Error, StopIteration) as error:
        reason = str(error) or "it is empty"
        raise UserError(f"{shown(table)}: this list cannot be read ({reason}). Mend it or take it away.") from error


def _claims_list(file: Path) -> bool:
    return file.suffix.lower() == ".csv" or file.name == CELEBA_LIST


def _choose(root: Path, tables: Sequence[Path], attributes: Sequence[str]) -> Path:
    """The one list that knows the attributes."""
    known = {table: _read(table)[0] for table in tables}
    if not known:
        raise UserError(
            f"{shown(root)} holds no list of attributes. Put a CSV with the columns image,{','.join(attributes)} "
            f"there, or CelebA's {CELEBA_LIST}."
        )
    fitting = [table for table, names in known.items() if set(attributes) <= set(names)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        lists = listed([shown(table) for table in fitting])
        raise UserError(f"data.attributes: several lists have these attributes: {lists}. Keep one of them.")
    closest = max(known, key=lambda table: len(set(attributes) & set(known[table])))
    unknown = [name for name in attributes if name not in known[closest]]
    raise UserError(
        f"data.attributes: {shown(closest)} does not know {listed(unknown)}. It knows "
        f"{listed(known[closest], most=50)}."
    )


def _domains(root: Path, table: Path, images: Sequence[Path], rows: Rows, attributes: Sequence[str]) -> dict[Path, str]:
    """{image: its combination}. Raises UserError that names all images without one."""
    found: dict[Path, str] = {}
    missing, wrong = [], []
    for file in images:
        values = next((rows[name] for name in _names(root, file) if name in rows), None)
        if values is None:
            missing.append(shown(_names(root, file)[0]))
        elif None in values:
            wrong.append(shown(_names(root, file)[0]))
        else:
            found[file] = "+".join(itertools.compress(attributes, values)) or NONE
    problems = [f"{_images(len(missing))} not in it: {listed(missing)}. Add or delete them."] if missing else []
    if wrong:
        problems.append(f"{_images(len(wrong))} with values other than 1 and 0 or -1, or with two: {listed(wrong)}.")
    if problems:
        heading = f"The attributes in {shown(table)} cannot be used as they are:"
        raise UserError("\n".join([heading, *(f"- {problem}" for problem in problems)]))
    return found


def _by_domain(images: Sequence[Path], domains: Mapping[Path, str]) -> Folders:
    folders: Folders = {}
    for file in images:
        folders.setdefault(domains[file], []).append(file)
    return folders


def _names(root: Path, file: Path) -> tuple[str, str]:
    """What a list may call an image: its path below the folder, or its name alone."""
    return file.relative_to(root).as_posix(), file.name


def _splits(root: Path, files: Sequence[Path]) -> tuple[str, str]:
    """The names of the folders of training and validation images; empty where there are not both."""
    first = {file.relative_to(root).parts[0] for file in files if file.parent != root}
    folders = {folder.casefold(): folder for folder in sorted(first)}
    train, val = folders.get("train", ""), folders.get("val") or folders.get("test", "")
    return (train, val) if train and val else ("", "")


def _images(count: int) -> str:
    return f"{count} image" + ("" if count == 1 else "s")


def _counts(counts: Counter[str]) -> str:
    return listed([f"{name} ({count})" for name, count in counts.most_common()])


def _attributes_of(domain: str) -> list[str]:
    return [] if domain == NONE else domain.split("+")
