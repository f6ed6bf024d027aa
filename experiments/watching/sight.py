"""What the runs of a ladder or a study are doing, read off their folders alone: no process has to be asked."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from core.config import iterations
from core.errors import UserError
from experiments.claims import Owner, living_owner
from experiments.records import RunFolder
from experiments.registry import Cell

State = Literal[
    "done",
    "starting",
    "training",
    "evaluating",
    "waiting",  # for a process
    "stopped",  # on request
    "lost",  # its process is dead
    "failed",
    "diverged",
    "incomplete",  # done, but not all that is asked for is there, and the next start makes it
    "gone",  # there is no folder any more
    "pruned",  # given up with its trial: nothing goes on with it before somebody asks for the run itself
]
AT_WORK: tuple[State, ...] = ("starting", "training", "evaluating")
# What the next start of the ladder goes on with.
UNFINISHED: tuple[State, ...] = ("waiting", "stopped", "lost", "incomplete", "gone")


@dataclass(frozen=True)
class Sight:
    """One run of a ladder or of a trial."""

    arm: str
    seed: int
    folder: str
    state: State
    iteration: int = 0  # where it is, or where the next start goes on
    of: int = 0  # 0: not known
    rate: float | None = None  # iterations a second
    owner: str = ""  # the process that works on it
    reason: str = ""  # why it failed or diverged, or what it lacks
    log: str = ""
    age: float = 0.0  # seconds since it said so
    evaluations: int = 1  # that are left
    train_seconds: float | None = None  # of a finished run
    evaluate_seconds: float | None = None
    trial: int | None = None  # that it belongs to, of a study

    @property
    def name(self) -> str:
        """For people."""
        return Cell(self.arm, self.seed, self.folder, self.trial).name


@dataclass
class Watcher:
    """Looks at runs again and again, at what is over only once."""

    runs: Path
    _over: dict[tuple[str, int], Sight] = field(default_factory=dict)  # by the run's key, and what is asked for

    def look(self, cells: Sequence[Cell], evaluations: int = 0) -> list[Sight]:
        """Every cell, in its order. evaluations: asked for of each run; 0: a result is enough."""
        return [self._cell(cell, 0 if cell.result_only else evaluations) for cell in cells]

    def _cell(self, cell: Cell, asked: int) -> Sight:
        over = self._over.get((cell.key, asked))
        if over:
            return replace(over, arm=cell.arm, seed=cell.seed, trial=cell.trial)
        folder = RunFolder(self.runs / cell.key, asked)
        seen = Sight(cell.arm, cell.seed, str(folder.path), "waiting", log=str(folder.log), trial=cell.trial)
        if not folder.path.is_dir():
            return replace(seen, state="gone")
        status, owner = folder.status(), living_owner(folder.path)
        if folder.settled:  # asked last: a run that ends in between is not taken for a lost one
            self._over[cell.key, asked] = _settled(seen, folder)
            return self._over[cell.key, asked]
        return self._unsettled(seen, folder, status, owner)

    def _unsettled(self, seen: Sight, folder: RunFolder, status: Mapping[str, Any], owner: Owner | None) -> Sight:
        said = status["state"]
        length, evaluations = _ahead(folder)
        of, seen = status.get("of") or length, replace(seen, evaluations=evaluations)
        if said == "failed":
            return replace(seen, state="failed", iteration=folder.saved_iteration, of=of, reason=status["reason"])
        if owner and said != "stopped":
            return replace(
                seen,
                state=said if said in AT_WORK else "starting",
                iteration=status.get("iteration", 0),
                of=of,
                rate=status.get("rate"),
                owner=str(owner),
                age=folder.status_age,
            )
        if folder.finished:
            return replace(_settled(seen, folder), state="incomplete", reason=f"lacks {folder.lacking}")
        state: State = said if said in ("waiting", "stopped") else "lost"
        if seen.trial is not None and folder.given_up:
            state = "pruned"
        return replace(seen, state=state, iteration=folder.saved_iteration, of=of)


def _ahead(folder: RunFolder) -> tuple[int, int]:
    """How many iterations a run makes, 0 where that cannot be read, and how many evaluations are left."""
    with contextlib.suppress(UserError):
        return iterations(folder.config()), folder.evaluations_left
    return 0, 1


def _settled(seen: Sight, folder: RunFolder) -> Sight:
    divergence = folder.divergence()
    if divergence:
        return replace(seen, state="diverged", iteration=divergence["iteration"], reason=divergence["reason"])
    result = folder.result()
    return replace(
        seen,
        state="done",
        iteration=result.iterations,
        of=result.iterations,
        train_seconds=result.train_seconds,
        evaluate_seconds=result.evaluate_seconds,
    )
