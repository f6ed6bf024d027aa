"""Many runs to their end over one engine: start, watch, start again what was lost, leave others' work to them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from experiments.claims import living_owner
from experiments.engines.engine import Engine, Job
from experiments.records import RunFolder

POLL_SECONDS = 0.5
TRIES = 3  # starts of a run that ends without a word and without progress; a machine may be lost at any time

Watch = Callable[[list[RunFolder], list[RunFolder]], None]


@dataclass
class Dispatch:
    """Runs on their way. Two of them over the same folders share the work: a run is claimed by its process.

    watch: sees, twice a second, the runs at work and those that have ended since. tries: see TRIES.
    """

    engine: Engine
    job_of: Callable[[RunFolder], Job]
    watch: Watch = lambda running, ended: None
    poll: float = POLL_SECONDS
    tries: int = TRIES
    _waiting: deque[RunFolder] = field(default_factory=deque)
    _submitted: dict[Job, RunFolder] = field(default_factory=dict)
    _tries: dict[RunFolder, tuple[tuple[int, int], int]] = field(default_factory=dict)  # progress, starts from there

    def run(self, folders: Sequence[RunFolder]) -> list[RunFolder]:
        """Bring all runs to their end; returns those without a result. On KeyboardInterrupt they save and stop."""
        try:
            self.add(folders)
            while self.busy:
                self.step()
        finally:
            self.engine.cancel()
        return [folder for folder in folders if not folder.finished]

    def add(self, folders: Sequence[RunFolder]) -> None:
        """Have these runs brought to their end too, as far as they are not there."""
        self._waiting.extend(folder for folder in folders if not folder.settled)

    @property
    def busy(self) -> bool:
        """Whether there are runs that have not come to an end."""
        return bool(self._waiting or self._submitted)

    @property
    def room(self) -> int:
        """How many more runs would be started at once."""
        return self.engine.room() - len(self._waiting)

    def step(self) -> list[RunFolder]:
        """Start what can be started and wait a moment; returns the runs that need no process any more."""
        over = self._submit()
        time.sleep(self.poll)
        ended = [(self._submitted.pop(job), how) for job, how in self.engine.ended()]
        self.watch([*self._submitted.values()], [*over, *(folder for folder, _ in ended)])
        for folder, how in ended:
            (over if self._over(folder, how) else self._waiting).append(folder)
        return over

    def _over(self, folder: RunFolder, how: str) -> bool:
        """Whether a run whose process has ended needs no other one."""
        if folder.settled or folder.given_up or folder.status()["state"] == "failed":
            return True
        return not living_owner(folder.path) and not self._again(folder, how)

    def _submit(self) -> list[RunFolder]:
        """Give the engine what it has room for; returns the runs that another process has ended meanwhile."""
        room = self.engine.room()
        jobs: list[Job] = []
        ended: list[RunFolder] = []
        for _ in range(len(self._waiting)):
            if len(jobs) >= room:
                break
            folder = self._waiting.popleft()
            if folder.settled or folder.given_up:
                ended.append(folder)
            elif living_owner(folder.path):
                self._waiting.append(folder)
            else:
                if folder.status()["state"] in ("failed", "done"):  # said by an earlier attempt; the next one speaks
                    folder.write_status("waiting")
                job = self.job_of(folder)
                self._submitted[job] = folder
                jobs.append(job)
        if jobs:
            self.engine.submit(jobs)
        return ended

    def _again(self, folder: RunFolder, how: str) -> bool:
        """Whether to start a run again that ended without a result and without a reason."""
        reached = folder.progress
        before, starts = self._tries.get(folder, ((-1, -1), 0))
        starts = 1 if reached > before else starts + 1
        self._tries[folder] = (reached, starts)
        if starts < self.tries:
            return True
        folder.write_status(
            "failed",
            reason=f"its process ended {self.tries} times without a word and without progress, the last time: {how}. "
            "The system may have been short of memory",
        )
        return False
