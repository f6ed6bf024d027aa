"""What fits: the memory and the disk that runs take, as measured, against what is free."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.preflight.forecast import shown_bytes

MARGIN = 1.1  # of peaks beside each other: over hours memory frays


@dataclass(frozen=True)
class Memory:
    """One memory that runs share: the machine's, or a GPU's."""

    name: str
    setting: str  # how many share it
    peaks: Sequence[int]  # bytes that each run takes of it
    free: int  # bytes

    @property
    def fit(self) -> int:
        """How many of the runs fit into it beside each other, whichever they are."""
        fit = sum(self.needed(count) <= self.free for count in range(1, len(self.peaks) + 1))
        return max(fit, int(max(self.peaks, default=0) <= self.free))

    def needed(self, count: int) -> int:
        """Bytes that `count` runs take at most, with a margin."""
        return int(MARGIN * sum(sorted(self.peaks, reverse=True)[:count]))

    def line(self, count: int) -> str:
        """For people."""
        return f"up to {shown_bytes(self.needed(count))} of {shown_bytes(self.free)} that are free"

    def problems(self, count: int) -> list[str]:
        """What to do where `count` runs do not fit at a time."""
        if count <= self.fit or not self.peaks:
            return []
        if self.fit == 0:
            return [
                f"{self.name}: a run takes {shown_bytes(max(self.peaks))} and {shown_bytes(self.free)} are free. Close "
                "other programs, or use a smaller train.batch."
            ]
        return [
            f"{self.name}: {count} runs at a time take {shown_bytes(self.needed(count))} and {shown_bytes(self.free)} "
            f"are free. Use {self.setting}={self.fit}."
        ]


@dataclass(frozen=True)
class Disk:
    """The disk with the folder of the runs."""

    runs: Path
    needed: int  # bytes

    @property
    def free(self) -> int:
        """Bytes."""
        return shutil.disk_usage(existing(self.runs)).free

    def line(self) -> str:
        """For people."""
        return f"up to {shown_bytes(self.needed)} of {shown_bytes(self.free)} that are free"

    def problems(self) -> list[str]:
        """What to do where it is too small."""
        if self.needed <= self.free:
            return []
        return [
            f"disk: the runs write up to {shown_bytes(self.needed)} into {self.runs} and {shown_bytes(self.free)} are "
            f"free. Free {shown_bytes(self.needed - self.free)}, or choose another disk with runs=FOLDER."
        ]


def taken(folder: Path) -> int:
    """Bytes of the files in a folder; 0 where it is not there."""
    sizes = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # another process is at work there
            sizes += path.stat().st_size
    return sizes


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    path = folder.absolute()
    return next(place for place in (path, *path.parents) if place.exists())
