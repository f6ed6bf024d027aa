"""One line of progress for a whole ladder, read off the runs' own status files."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

from core.config import GUIDES, iterations
from experiments.records import RunFolder

EVALUATION = 0.1  # of a run's work, as the bar counts it


class LadderProgress:
    """A bar over the generator updates of all runs, with what each is doing now and the time left."""

    def __init__(self, folders: list[RunFolder], done: int) -> None:
        self._folders = folders
        self._weights = {folder.path: _updates(folder) for folder in folders}
        self._skipped = done

    def __enter__(self) -> LadderProgress:
        if self._skipped:
            print(f"{self._skipped} runs are done already", file=sys.stderr)
        total = sum(self._weights.values()) * (1 + EVALUATION)
        interval = 0.5 if sys.stderr.isatty() else 30
        self._bar: tqdm[Any] = tqdm(
            total=round(total), unit="update", desc="ladder", mininterval=interval, disable=not self._folders
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, running: list[RunFolder]) -> None:
        """Update the line."""
        now = {folder.path: folder.status() for folder in self._folders}
        done = sum(self._done(folder, now[folder.path]) for folder in self._folders)
        self._bar.set_postfix_str(", ".join(_short(folder, now[folder.path]) for folder in running), refresh=False)
        self._bar.update(round(done) - self._bar.n)

    def _done(self, folder: RunFolder, status: dict[str, Any]) -> float:
        weight = self._weights[folder.path]
        if status["state"] == "done":
            return weight * (1 + EVALUATION)
        return weight * status.get("iteration", 0) / max(1, status.get("of", 1))


def _updates(folder: RunFolder) -> int:
    config = folder.config()
    return iterations(config) * len(GUIDES[config.model.code])


def _short(folder: RunFolder, status: dict[str, Any]) -> str:
    name = f"{folder.label()} seed {folder.config().seed}"
    if status["state"] == "training" and status.get("of"):
        return f"{name} {100 * status['iteration'] // status['of']}%"
    return f"{name} {'starting' if status['state'] == 'waiting' else status['state']}"
