"""What an engine is: something that starts processes for runs, on this machine or on many, and says how they ended.

Engines know nothing of training and keep no state of their own: the run folders are the truth, under every engine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).resolve().parents[2]  # where a process has to start to find this program


@dataclass(frozen=True)
class Job:
    """One process of this program, or several that compute one run together, a GPU each."""

    name: str  # for people and queues, e.g. F-s1
    folder: Path  # absolute; what it prints is appended to log.txt there
    arguments: tuple[str, ...]  # for Python, e.g. ("-m", "experiments.run", "--folder", "...")
    processes: int = 1
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)  # beside that of this process

    @property
    def log(self) -> Path:
        """Where everything that it prints goes."""
        return self.folder / "log.txt"

    @property
    def command(self) -> list[str]:
        """The command line; it has to be run in ROOT."""
        together = (
            ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(self.processes))
            if self.processes > 1
            else ()
        )
        return [sys.executable, *together, *self.arguments]

    def variables(self, threads: int) -> dict[str, str]:
        """The whole environment of its processes. threads: cores for all of them."""
        each = str(max(1, threads // self.processes))
        return os.environ | {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": each} | dict(self.environment)


class Engine(Protocol):
    """Where jobs run."""

    def room(self) -> int:
        """How many more jobs it takes now. An engine with a queue of its own takes any number."""

    def submit(self, jobs: Sequence[Job]) -> None:
        """Start jobs, as many as there is room for. Raises UserError where that is impossible."""

    def running(self) -> list[Job]:
        """What was submitted and has not been seen to end; some of it may wait in a queue."""

    def ended(self) -> list[tuple[Job, str]]:
        """What has ended since the last call, each with how, in a few words: `exit status 1`, `killed by SIGKILL`."""

    def cancel(self) -> None:
        """Ask everything to save its state and stop, wait for that, and forget what was still in a queue."""
