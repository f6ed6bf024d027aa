"""One line of progress for a whole ladder, read off the runs' own status files."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.config import GUIDES, iterations
from experiments.records import RunFolder

EVALUATION = 0.1  # of a run's updates, as the bar counts one
SHOWN = 4  # runs at work that the line names


class LadderProgress:
    """A bar over the generator updates of all runs, with what each is doing now and the time left."""

    def __init__(self, folders: list[RunFolder], done: int) -> None:
        self._names: dict[Path, str] = {}
        self._work: dict[Path, _Work] = {}
        for folder in folders:
            config = folder.config()
            self._names[folder.path] = f"{folder.label()} seed {config.seed}"
            updates = iterations(config) * len(GUIDES[config.model.code])
            measured = EVALUATION * updates * max(1, folder.evaluations_left)  # pictures alone count as one
            self._work[folder.path] = _Work(0 if folder.finished else updates, measured)
        self._counted = dict.fromkeys(self._work, 0.0)
        self._skipped = done

    def __enter__(self) -> LadderProgress:
        if self._skipped:
            print(f"{self._skipped} runs are done already", file=sys.stderr)
        total = round(sum(work.updates + work.measured for work in self._work.values()))
        interval = 0.5 if sys.stderr.isatty() else 30
        self._bar: tqdm[Any] = tqdm(
            total=total, unit="update", desc="ladder", mininterval=interval, disable=not self._work
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, running: list[RunFolder], ended: list[RunFolder]) -> None:
        """Update the line. Only what runs, or has just ended, is looked at."""
        statuses = {folder.path: folder.status() for folder in (*running, *ended)}
        for path, status in statuses.items():
            self._counted[path] = self._work[path].done(status)
        doing = [_short(self._names[folder.path], statuses[folder.path]) for folder in running]
        more = [f"{len(doing) - SHOWN} more"] if len(doing) > SHOWN else []
        self._bar.set_postfix_str(", ".join(doing[:SHOWN] + more), refresh=False)
        self._bar.update(round(sum(self._counted.values())) - self._bar.n)


@dataclass(frozen=True)
class _Work:
    """Of one run, in generator updates."""

    updates: int  # 0 of a run that is trained and only lacks something
    measured: float  # what its pictures and evaluations count as

    def done(self, status: Mapping[str, Any]) -> float:
        """How much of it, as the run says."""
        if status["state"] == "done":
            return self.updates + self.measured
        return self.updates * status.get("iteration", 0) / max(1, status.get("of", 1))


def _short(name: str, status: dict[str, Any]) -> str:
    if status["state"] == "training" and status.get("of"):
        return f"{name} {100 * status['iteration'] // status['of']}%"
    return f"{name} {'starting' if status['state'] == 'waiting' else status['state']}"
