"""The local engine: a process for each run on this machine, cores and GPUs shared out among them."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from experiments.engines.engine import ROOT, Job

STOP_SECONDS = 60  # a run gets to save its state when asked to stop


@dataclass(frozen=True)
class Slot:
    """What one job has to itself."""

    threads: int
    gpus: tuple[int, ...] = ()  # none: whatever the job finds


@dataclass
class LocalEngine:
    """Runs processes on this machine."""

    slots: Sequence[Slot]
    _running: dict[subprocess.Popen[bytes], tuple[Job, Slot]] = field(default_factory=dict)

    def room(self) -> int:
        """Free slots."""
        return len(self.slots) - len(self._running)

    def submit(self, jobs: Sequence[Job]) -> None:
        """Start a process for each job."""
        for job in jobs:
            slot = self._free_slot()
            environment = job.variables(slot.threads)
            if slot.gpus:
                environment["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, slot.gpus))
            with job.log.open("ab") as log:
                process = subprocess.Popen(
                    job.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    cwd=ROOT,
                    # Ctrl-C reaches this process alone, which then asks its jobs to stop.
                    start_new_session=True,
                    creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
                )
            self._running[process] = (job, slot)

    def running(self) -> list[Job]:
        """The jobs whose process has not been seen to end."""
        return [job for job, _ in self._running.values()]

    def ended(self) -> list[tuple[Job, str]]:
        """The jobs whose process has ended since the last call."""
        over = [process for process in self._running if process.poll() is not None]
        return [(self._running.pop(process)[0], how_ended(process.returncode)) for process in over]

    def cancel(self) -> None:
        """Ask all processes to stop, and after STOP_SECONDS end those that do not."""
        for process in self._running:
            process.send_signal(_STOP)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def _free_slot(self) -> Slot:
        free = list(self.slots)
        for _, slot in self._running.values():
            free.remove(slot)
        return free[0]


# Windows ends a process where POSIX asks it, but passes Ctrl-Break on to a group of its own.
_STOP = getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM)


def how_ended(status: int) -> str:
    """A process's exit status in words; below 0: minus the signal that ended it."""
    return f"exit status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"
