"""What the rehearsal of an arm saw, and the folder that keeps it: `runs/cache/preflight/DIGEST-CIRCUMSTANCES/`."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.config import Config, digest
from experiments.engines.engine import ROOT
from experiments.files import read_json, write_json
from experiments.preflight.forecast import Costs, Sizes
from experiments.records import RunFolder


@dataclass(frozen=True)
class Rehearsal:
    """What was seen of one arm, in a process of its own."""

    device: str
    threads: int
    costs: Costs
    sizes: Sizes
    host_bytes: int  # at the peak, without what processes share
    device_bytes: int  # of a GPU at the peak; 0 on a CPU
    parameters: int
    brief: bool  # something was so slow that it was timed once and cold


class RehearsalFolder(RunFolder):
    """A rehearsal on disk. It is to a dispatch what a run is: claimed, started by an engine, finished or failed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._rehearsal = path / "rehearsal.json"

    @classmethod
    def under(cls, cache: Path, config: Config, circumstances: Mapping[str, Any]) -> RehearsalFolder:
        """The folder of an arm, whatever its seed, under circumstances: all else that its costs depend on."""
        text = json.dumps(circumstances, sort_keys=True)
        name = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
        return cls(cache / "preflight" / f"{digest(config)}-{name}")

    @property
    def cache(self) -> Path:
        """The folder of what runs share, in which this one lies."""
        return self.path.parents[1]

    @property
    def finished(self) -> bool:
        """Whether the arm was rehearsed to the end."""
        return self._rehearsal.exists()

    @property
    def settled(self) -> bool:
        """The same: whatever went wrong is tried again."""
        return self.finished

    def write_rehearsal(self, seen: Rehearsal) -> None:
        """The last thing a rehearsal does."""
        write_json(self._rehearsal, asdict(seen))

    def rehearsal(self) -> Rehearsal:
        """What was seen. Raises UserError."""
        content = read_json(self._rehearsal)
        costs, sizes = Costs(**content.pop("costs")), Sizes(**content.pop("sizes"))
        return Rehearsal(costs=costs, sizes=sizes, **content)

    def clear(self) -> None:
        """Remove what the arm wrote as a run does. Only for who holds the claim."""
        self.sweep()
        for file in (*self.checkpoints(), self.translator):
            file.unlink(missing_ok=True)
        shutil.rmtree(self.pictures, ignore_errors=True)


def program() -> str:
    """8 hex digits over the source files that a run's costs depend on."""
    files = [*(ROOT / "core").rglob("*.py"), *(ROOT / "experiments").glob("*.py"), *Path(__file__).parent.glob("*.py")]
    content = hashlib.blake2b(digest_size=4)
    for path in sorted(files):
        content.update(path.read_bytes())
    return content.hexdigest()
