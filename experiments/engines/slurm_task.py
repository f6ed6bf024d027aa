"""What SLURM starts on a node for a job: a process that runs it below itself and speaks with SLURM for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from types import FrameType

from experiments.engines.engine import ROOT, Job
from experiments.engines.slurm_queue import ask, own_name, queue
from experiments.environment import cores
from experiments.records import RunFolder

# What asks a task to go away: SLURM before a time limit, SLURM at a preemption or a requeue, and the engine, for good.
TIME_LIMIT, PREEMPTION, STOP = "SIGUSR2", "SIGTERM", "SIGINT"


@dataclass(frozen=True)
class Task:
    """A job as submitit pickles it.

    Asked to go away, it has the job save its state and then puts itself back into the queue. SLURM itself requeues
    only what it has to end: a task that leaves within a preemption's time of grace would be over. Submitit requeues
    what has a method `checkpoint`, but on SIGUSR2 alone, under a limit in minutes, and some times only.
    """

    job: Job

    def __call__(self) -> None:
        """Run the job and exit with its status; one that was killed gives 128 and the signal's number."""
        asked: set[str] = set()
        process: subprocess.Popen[bytes] | None = None

        def pass_on(number: int, frame: FrameType | None) -> None:
            asked.add(signal.Signals(number).name)
            if process:
                process.terminate()  # not the same signal: torchrun knows only this one

        for name in (TIME_LIMIT, PREEMPTION, STOP):
            signal.signal(signal.Signals[name], pass_on)
        reached = self._reached()
        with self.job.log.open("ab") as log:
            process = subprocess.Popen(
                self.job.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.job.variables(_threads()),
                cwd=ROOT,
            )
        if asked:  # while it was being started
            process.terminate()
        status = process.wait()
        if status and self._comes_again(asked, reached):
            ask("scontrol", "requeue", own_name())
        if status:
            sys.exit(status if status > 0 else 128 - status)

    def _comes_again(self, asked: set[str], reached: tuple[int, int]) -> bool:
        """Whether it left only because SLURM asked it to, and another time will do any good."""
        if not asked or STOP in asked or (TIME_LIMIT in asked and self._reached() == reached):
            return False
        entry = (queue(f"--jobs={own_name()}") or {}).get(own_name())
        return entry is not None and entry.state == "RUNNING"  # in any other state SLURM has decided by itself

    def _reached(self) -> tuple[int, int]:
        return RunFolder(self.job.folder).progress


def _threads() -> int:
    """Cores of this task: those that it is bound to; where nothing is bound, as many as it was given."""
    return min(cores(), int(os.environ["SLURM_CPUS_ON_NODE"]))
