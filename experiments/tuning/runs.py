"""Trials as ordinary runs, one for each seed of tuning: same folders, same identity, same engines, same resume."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.config import Config, changed
from experiments.adoption import adopt
from experiments.dispatch import Dispatch
from experiments.evaluation import means
from experiments.records import RunFolder
from experiments.tuning.objective import Aim, mean
from experiments.tuning.study import Outcome, Task


@dataclass
class _Begun:
    """A trial at work."""

    folders: list[RunFolder]
    since: float
    there: frozenset[Path]  # runs that had come to their end before, for whomever
    ended: dict[Path, float] = field(default_factory=dict)  # when each run needed no process any more


def folders_of(runs: Path, config: Config, seeds: Sequence[int], settings: Mapping[str, Any]) -> dict[int, RunFolder]:
    """{seed: run} of a trial. config: what the trial's settings change, its images and metrics found."""
    return {seed: RunFolder.of(runs, changed(config, {**settings, "seed": seed})) for seed in seeds}


class RunBench:
    """Computes trials by one dispatch: see `experiments.tuning.loop.Bench`."""

    def __init__(
        self,
        dispatch: Dispatch,
        runs: Path,
        config: Config,
        label: str,
        seeds: Sequence[int],
        aims: Sequence[Aim],
        at_once: int,
        gpus: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """config: what the trials' settings change, its images and metrics found. label: of its arm.

        at_once: trials at most. gpus: of a run. clock: gives seconds.
        """
        self._dispatch, self._runs, self._config, self._label = dispatch, runs, config, label
        self._seeds, self._aims, self._at_once, self._gpus, self._clock = seeds, aims, at_once, gpus, clock
        self._begun: dict[int, _Begun] = {}

    @property
    def room(self) -> int:
        """Trials, the first of whose runs would be started at once."""
        return max(0, min(self._dispatch.room, self._at_once - len(self._begun)))

    def folders(self, settings: Mapping[str, Any]) -> list[RunFolder]:
        """The runs of a trial."""
        return [*folders_of(self._runs, self._config, self._seeds, settings).values()]

    def start(self, task: Task) -> None:
        """Ask for those of its runs that have not come to their end."""
        folders = self.folders(task.settings)
        adopt(self._runs, folders)
        missing = [folder for folder in folders if not folder.settled]
        for folder, seed in zip(folders, self._seeds, strict=True):
            if folder in missing:
                folder.prepare(changed(self._config, {**task.settings, "seed": seed}), self._label)
        now = self._clock()
        there = frozenset(folder.path for folder in folders if folder not in missing)
        self._begun[task.number] = _Begun(folders, now, there, dict.fromkeys(there, now))
        self._dispatch.add(missing)

    def step(self) -> None:
        """Wait a moment."""
        ended = {folder.path for folder in self._dispatch.step()}
        for begun in self._begun.values():
            for folder in begun.folders:
                if folder.path in ended:
                    begun.ended.setdefault(folder.path, self._clock())

    def points(self, number: int) -> Iterable[tuple[int, float]]:
        """The aim after each iteration that the trial's runs have all been evaluated at, averaged over them."""
        if len(self._aims) > 1:
            return
        key = self._aims[0].key
        curves = [
            {int(point["iteration"]): point[key] for point in folder.evaluations if key in point}
            for folder in self._begun[number].folders
        ]
        for iteration in sorted(set(curves[0]).intersection(*curves)):
            yield iteration, mean(curve[iteration] for curve in curves)

    def outcome(self, number: int) -> Outcome | None:
        """What the trial's runs came to, None while one of them is at work that matters."""
        begun = self._begun[number]
        folders = begun.folders
        diverged = next((folder for folder in folders if folder.divergence()), None)
        failed = next((folder for folder in folders if self._failed(begun, folder)), None)
        if (diverged or failed) and len(begun.ended) < len(folders):
            self.give_up(number)  # the other seeds would change nothing
            return None
        if len(begun.ended) < len(folders):
            return None
        del self._begun[number]
        details = self._details(begun)
        if diverged:
            return Outcome("diverged", details=details | {"reason": (diverged.divergence() or {})["reason"]})
        if failed:
            return Outcome("failed", details=details | {"reason": failed.status().get("reason", "see its log")})
        if not all(folder.finished for folder in folders):
            return Outcome("pruned", details=details)
        measured = [means(folder.result().rows) for folder in folders]
        values = tuple(mean(numbers.get(aim.key, math.nan) for numbers in measured) for aim in self._aims)
        if not all(map(math.isfinite, values)):
            return Outcome("failed", details=details | {"reason": f"no finite {', '.join(a.key for a in self._aims)}"})
        return Outcome("done", values, details)

    def give_up(self, number: int) -> None:
        """Have those of its runs that go on save their state and stop."""
        begun = self._begun[number]
        for folder in begun.folders:
            if folder.path not in begun.ended and not folder.settled:
                folder.give_up(f"trial {number} of a study ended early")

    def share(self, number: int) -> float:
        """Of a trial's training, what is done; 0 for one that waits for another."""
        if number not in self._begun:
            return 0.0
        statuses = [folder.status() for folder in self._begun[number].folders]
        return mean(min(1.0, status.get("iteration", 0) / max(1, status.get("of", 1))) for status in statuses)

    def _failed(self, begun: _Begun, folder: RunFolder) -> bool:
        ended = folder.path in begun.ended
        return ended and not folder.settled and not folder.given_up

    def _details(self, begun: _Begun) -> dict[str, Any]:
        """What a trial is remembered by: its runs, and what they cost this study."""
        seconds = 0.0
        for folder in begun.folders:
            if folder.finished and folder.path not in begun.there:
                result = folder.result()
                seconds += result.train_seconds + result.evaluate_seconds
            elif folder.path not in begun.there:
                seconds += begun.ended[folder.path] - begun.since
        hours = round(seconds / 3600, 5)
        return {
            "runs": [folder.path.name for folder in begun.folders],
            "hours": hours,
            "gpu hours": round(hours * self._gpus, 5),
        }
