"""Trials that compute a known function instead of training; as a program, one process that works on a study."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from optuna.storages import InMemoryStorage

from ablations.search import Dimension
from experiments.tuning.loop import tune
from experiments.tuning.storage import Storage, open_storage
from experiments.tuning.study import Outcome, Sampling, Study, Task

SPACE = (
    Dimension("train.learning_rate", 1e-3, 1e-4, 1e-2, log=True),
    Dimension("loss.cycle", 1.0, 0.1, 10.0, log=True),
    Dimension("loss.penalty_weight", 1.0, 0.1, 10.0, log=True),
    Dimension("loss.diversity", 1.0, 0.1, 10.0, log=True),
)
OPTIMUM = (10**-2.3, 10**0.6, 10**-0.5, 10**0.2)
IDENTITY = {"arm": "F", "space": "four weights"}
SECONDS = 0.1  # of a trial in another process


def bowl(settings: Mapping[str, Any]) -> float:
    """0 at OPTIMUM, and the squared distance in orders of magnitude elsewhere."""
    return sum(
        (math.log10(settings[dimension.path]) - math.log10(best)) ** 2
        for dimension, best in zip(SPACE, OPTIMUM, strict=True)
    )


def done(settings: Mapping[str, Any]) -> Outcome:
    """What a trial comes to whose value is that of `bowl`."""
    return Outcome("done", (bowl(settings),), {"hours": 0.5, "gpu hours": 0.0})


class StubBench:
    """So many trials at a time, each over after so many steps; its looks are its value plus what is left to do."""

    def __init__(
        self,
        end: Callable[[Mapping[str, Any]], Outcome] = done,
        room: int = 1,
        steps: int = 1,
        seconds: float = 0.0,
        log: Path | None = None,
    ) -> None:
        self._end, self._room, self._steps, self._seconds, self._log = end, room, steps, seconds, log
        self._at_work: dict[int, list[Any]] = {}  # number -> [settings, steps]
        self.started: list[int] = []
        self.given_up: list[int] = []

    @property
    def room(self) -> int:
        return self._room - len(self._at_work)

    def start(self, task: Task) -> None:
        if self._log:
            with self._log.open("a") as file:
                file.write(json.dumps([task.number, task.settings]) + "\n")
        self.started.append(task.number)
        self._at_work[task.number] = [task.settings, 0]

    def step(self) -> None:
        time.sleep(self._seconds)
        for trial in self._at_work.values():
            trial[1] += 1

    def points(self, number: int) -> Iterable[tuple[int, float]]:
        settings, steps = self._at_work[number]
        outcome = self._end(settings)
        if len(outcome.values) == 1:
            yield from (
                (step, outcome.values[0] + self._steps - step) for step in range(1, min(steps, self._steps - 1) + 1)
            )

    def outcome(self, number: int) -> Outcome | None:
        settings, steps = self._at_work[number]
        if number not in self.given_up and steps < self._steps:
            return None
        del self._at_work[number]
        return Outcome("pruned") if number in self.given_up else self._end(settings)

    def give_up(self, number: int) -> None:
        self.given_up.append(number)


def open_study(
    place: Path | None,
    sampling: Sampling = Sampling(),  # noqa: B008
    space: Sequence[Dimension] = SPACE,
    identity: Mapping[str, Any] = IDENTITY,
    directions: Mapping[str, Any] = {"loss": "minimize"},
    address: str = "",
) -> Study:
    """The study `stub` in a journal in a folder, at an address, or in memory where there is neither."""
    memory = Storage(InMemoryStorage(), nullcontext, "memory")
    storage = open_storage(address, place / "stub.journal") if place else memory
    return Study.open(storage, "stub", identity, directions, space, sampling)


def run(place: Path | None, trials: int, bench: StubBench | None = None, **options: Any) -> Study:
    """A study after `trials` trials."""
    study = open_study(place, **options)
    tune(study, bench or StubBench(), trials)
    return study


if __name__ == "__main__":
    folder, wanted, where = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    tune(open_study(folder, address=where), StubBench(room=2, steps=2, seconds=SECONDS / 2, log=folder / "log"), wanted)
