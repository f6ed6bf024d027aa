"""The local engine: a process for each run, a few at a time, the cores shared out among them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from experiments.records import RunFolder

STOP_SECONDS = 60  # a run gets to save its state when asked to stop
POLL_SECONDS = 0.5


@dataclass
class LocalEngine:
    """Runs processes on this machine."""

    workers: int
    threads: int  # of each process
    _running: dict[subprocess.Popen[bytes], RunFolder] = field(default_factory=dict)

    def run(
        self, folders: list[RunFolder], watch: Callable[[list[RunFolder], list[RunFolder]], None]
    ) -> list[RunFolder]:
        """Bring all runs to their end; returns those that failed.

        `watch` sees, twice a second, what runs and what has ended.

        On KeyboardInterrupt the runs are asked to stop and waited for.
        """
        waiting, failed = list(folders), []
        try:
            while waiting or self._running:
                while waiting and len(self._running) < self.workers:
                    self._start(waiting.pop(0))
                time.sleep(POLL_SECONDS)
                ended = [process for process in self._running if process.poll() is not None]
                folders_ended = [self._running.pop(process) for process in ended]
                failed += [folder for folder in folders_ended if not folder.finished]
                watch(list(self._running.values()), folders_ended)
        finally:
            self._stop()
        return failed

    def _start(self, folder: RunFolder) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": str(self.threads), "PYTHONUNBUFFERED": "1"}
        with folder.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "experiments.run", "--folder", str(folder.path.resolve())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=Path(__file__).resolve().parents[2],
                start_new_session=True,  # Ctrl-C reaches this process alone, which then asks its runs to stop
            )
        self._running[process] = folder

    def _stop(self) -> None:
        for process in self._running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        self._running.clear()


def share_out(runs: int, workers: int | str, device_type: str, fit: int | None = None) -> tuple[int, int]:
    """(processes at a time, threads of each) for a number of runs; `workers` is a number or "auto".

    Small networks gain more from a core each than from several cores for one; one GPU trains one run at a time.
    fit: how many runs fit into memory beside each other, where that is known; "auto" keeps to it.
    """
    cores = _cores()
    if workers == "auto":
        workers = min(runs, cores) if device_type == "cpu" else 1
        workers = min(workers, fit) if fit else workers
    count = max(1, min(int(workers), runs))
    return count, max(1, cores // count)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
