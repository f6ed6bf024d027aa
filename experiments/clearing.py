"""What of the run folders can go: checkpoints of what is finished, and what killed processes left."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from experiments.claims import Claim, Taken, living_owner
from experiments.records import RunFolder
from experiments.registry import started


@dataclass(frozen=True)
class Spare:
    """What nothing needs any more of one run."""

    owner: str  # the ladder, or `tuning` and the study; empty: none
    run: str  # for people
    folder: RunFolder
    files: tuple[Path, ...] = ()
    size: int = 0  # bytes
    held: int = 0  # bytes of checkpoints that stay because the run was pruned, not finished
    at_work: bool = False  # somebody works on the run, so that nothing of it is spare


def spare_files(runs: Path, name: str = "", best: bool = False, pruned: bool = False) -> list[Spare]:
    """Of every run, ladder by ladder and study by study, what can go. Raises UserError.

    name: the only one that is meant. best: whether the best checkpoints can go too, of what else can go. pruned:
    whether the checkpoints of runs can go that were given up with their trial.
    """
    return [_spare(*run, best, pruned) for run in _runs_of(runs, name)]


def clear(spare: Spare, best: bool = False, pruned: bool = False) -> Spare:
    """Delete what can go of a run, claimed meanwhile, and say what it was. Raises UserError."""
    try:
        with Claim(spare.folder.path) as claim:
            now = _spare(spare.owner, spare.run, spare.folder, best, pruned, claim)
            for path in now.files:
                path.unlink(missing_ok=True)
    except Taken:
        return Spare(spare.owner, spare.run, spare.folder, at_work=True)
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be deleted ({error.strerror}).") from error
    return now


def _runs_of(runs: Path, name: str) -> Iterator[tuple[str, str, RunFolder]]:
    """(owner, run, folder) of every run, each once."""
    seen: set[str] = set()
    for entry in started(runs, name):
        for cell in entry.read().cells:
            if cell.key not in seen:
                yield entry.title, cell.name, RunFolder(runs / cell.key)
                seen.add(cell.key)
    for path in () if name else sorted(runs.glob("*-s*/config.json")):
        if path.parent.name not in seen:
            yield "", path.parent.name, RunFolder(path.parent)


def _spare(owner: str, run: str, folder: RunFolder, best: bool, pruned: bool, claim: Claim | None = None) -> Spare:
    """claim: on the run, held by this process.

    A run that diverged keeps its checkpoints: what came before is what there is to look at. One that was pruned keeps
    them unless told otherwise: who asks for just these settings goes on from there.
    """
    if claim is None and living_owner(folder.path):
        return Spare(owner, run, folder, at_work=True)
    if folder.imported:
        return Spare(owner, run, folder)
    over = [*folder.checkpoints(), *(folder.bests() if best else [])]
    given_up = folder.given_up
    spare = over if folder.finished or (given_up and pruned) else []
    sizes = _sizes([*folder.leftovers(), *folder.damaged(), *spare])
    held = _sizes(over) if given_up and not pruned else {}
    return Spare(owner, run, folder, tuple(sizes), sum(sizes.values()), sum(held.values()))


def _sizes(files: Sequence[Path]) -> dict[Path, int]:
    """{file: bytes}, without what is gone by now."""
    sizes = {}
    for path in files:
        with contextlib.suppress(OSError):
            sizes[path] = path.stat().st_size
    return sizes
