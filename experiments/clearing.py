"""What of the run folders can go: checkpoints of what is finished, and what killed processes left."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from experiments.claims import Claim, Taken, living_owner
from experiments.records import RunFolder
from experiments.registry import StartedLadder, started


@dataclass(frozen=True)
class Spare:
    """What nothing needs any more of one run."""

    ladder: str  # empty: of none
    run: str  # for people
    folder: RunFolder
    files: tuple[Path, ...] = ()
    size: int = 0  # bytes
    at_work: bool = False  # somebody works on the run, so that nothing of it is spare


def spare_files(runs: Path, name: str = "", best: bool = False) -> list[Spare]:
    """Of every run, ladder by ladder, what can go. Raises UserError.

    name: the only ladder that is meant. best: whether the best checkpoints of finished runs can go too.
    """
    return [_spare(*run, best) for run in _runs_of(runs, name)]


def clear(spare: Spare, best: bool = False) -> Spare:
    """Delete what can go of a run, claimed meanwhile, and say what it was. Raises UserError."""
    try:
        with Claim(spare.folder.path) as claim:
            now = _spare(spare.ladder, spare.run, spare.folder, best, claim)
            for path in now.files:
                path.unlink(missing_ok=True)
    except Taken:
        return Spare(spare.ladder, spare.run, spare.folder, at_work=True)
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be deleted ({error.strerror}).") from error
    return now


def _runs_of(runs: Path, name: str) -> Iterator[tuple[str, str, RunFolder]]:
    """(ladder, run, folder) of every run, each once."""
    seen: set[str] = set()
    for ladder in [name] if name else started(runs):
        for cell in StartedLadder.read(runs, ladder).cells:
            if cell.key not in seen:
                yield ladder, f"{cell.arm} seed {cell.seed}", RunFolder(runs / cell.key)
                seen.add(cell.key)
    for path in () if name else sorted(runs.glob("*-s*/config.json")):
        if path.parent.name not in seen:
            yield "", path.parent.name, RunFolder(path.parent)


def _spare(ladder: str, run: str, folder: RunFolder, best: bool, claim: Claim | None = None) -> Spare:
    """claim: on the run, held by this process.

    A run that diverged keeps its checkpoints: what came before is what there is to look at.
    """
    if claim is None and living_owner(folder.path):
        return Spare(ladder, run, folder, at_work=True)
    if folder.imported:
        return Spare(ladder, run, folder)
    files = [*folder.leftovers(), *folder.damaged()]
    if folder.finished:
        files += folder.checkpoints() + (folder.bests() if best else [])
    sizes = {}
    for path in files:
        with contextlib.suppress(OSError):  # gone by now
            sizes[path] = path.stat().st_size
    return Spare(ladder, run, folder, tuple(sizes), sum(sizes.values()))
