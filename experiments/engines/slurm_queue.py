"""SLURM's queue, as its own commands show it: they work with and without accounting (sacct does not)."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

# A task in any other state may still run.
ENDS = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED"),
    *("NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"),
}


@dataclass(frozen=True)
class Entry:
    """A task as the queue shows it, for some minutes after its end too."""

    state: str  # e.g. FAILED
    reason: str  # e.g. NonZeroExitCode
    script: Path

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in ENDS

    def __str__(self) -> str:
        return self.state if self.reason in ("", "None") else f"{self.state} ({self.reason})"


def queue(*which: str) -> dict[str, Entry] | None:
    """{task: entry}; None where SLURM does not answer, which says of no task that it has ended.

    which: squeue's options, all tasks of this person if not given.
    """
    shown = ask("squeue", *(which or ("--me",)), "--states=all", "--array", "--noheader", "--format=%i|%T|%r|%o")
    if shown is None:
        return None
    rows = (line.split("|", 3) for line in shown.splitlines())
    return {name: Entry(state, reason, Path(script)) for name, state, reason, script in rows}


def ask(*command: str) -> str | None:
    """What a command of SLURM prints; None where it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    except (subprocess.SubprocessError, OSError):
        return None


def own_name() -> str:
    """What the queue calls the task that this process is. SLURM_JOB_ID may be the whole array's number as well."""
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    return f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}" if array else os.environ["SLURM_JOB_ID"]
