"""One line of progress for a whole ladder, read off the runs' own status files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.config import GUIDES, iterations
from experiments.records import RunFolder

EVALUATION = 0.1  # of a run's work, as the bar counts it
SHOWN = 4  # runs at work that the line names


class LadderProgress:
    """A bar over the generator updates of all runs, with what each is doing now and the time left."""

    def __init__(self, folders: list[RunFolder], done: int) -> None:
        self._names: dict[Path, str] = {}
        self._updates: dict[Path, int] = {}
        for folder in folders:
            config = folder.config()
            self._names[folder.path] = f"{folder.label()} seed {config.seed}"
            self._updates[folder.path] = iterations(config) * len(GUIDES[config.model.code])
        self._counted = dict.fromkeys(self._updates, 0.0)
        self._skipped = done

    def __enter__(self) -> LadderProgress:
        if self._skipped:
            print(f"{self._skipped} runs are done already", file=sys.stderr)
        total = round(sum(self._updates.values()) * (1 + EVALUATION))
        interval = 0.5 if sys.stderr.isatty() else 30
        self._bar: tqdm[Any] = tqdm(
            total=total, unit="update", desc="ladder", mininterval=interval, disable=not self._updates
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, running: list[RunFolder], ended: list[RunFolder]) -> None:
        """Update the line. Only what runs, or has just ended, is looked at."""
        statuses = {folder.path: folder.status() for folder in (*running, *ended)}
        for path, status in statuses.items():
            self._counted[path] = self._updates[path] * _share(status)
        doing = [_short(self._names[folder.path], statuses[folder.path]) for folder in running]
        more = [f"{len(doing) - SHOWN} more"] if len(doing) > SHOWN else []
        self._bar.set_postfix_str(", ".join(doing[:SHOWN] + more), refresh=False)
        self._bar.update(round(sum(self._counted.values())) - self._bar.n)


def _share(status: dict[str, Any]) -> float:
    """Of a run's updates, the evaluation counted in, what is done."""
    if status["state"] == "done":
        return 1 + EVALUATION
    return status.get("iteration", 0) / max(1, status.get("of", 1))


def _short(name: str, status: dict[str, Any]) -> str:
    if status["state"] == "training" and status.get("of"):
        return f"{name} {100 * status['iteration'] // status['of']}%"
    return f"{name} {'starting' if status['state'] == 'waiting' else status['state']}"
