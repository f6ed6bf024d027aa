"""Which runs belong to which ladder: `runs/ladders/NAME.json`, written when a ladder starts.

Run folders know nothing of ladders, since several share them; `status` reads here what belongs together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from core.errors import UserError
from experiments.files import read_json, write_json


@dataclass(frozen=True)
class Cell:
    """One run of a ladder."""

    arm: str
    seed: int
    key: str  # of the run's folder
    result_only: bool = False  # nothing more is asked for, whatever is of the others


@dataclass(frozen=True)
class StartedLadder:
    """A ladder as it was last started."""

    name: str
    command: str  # that goes on with it
    cells: tuple[Cell, ...]
    evaluations: int = 0  # asked for of each run; 0: a result was enough

    def write(self, runs: Path) -> None:
        """Keep it. Raises UserError."""
        write_json(_path(runs, self.name), asdict(self))

    @classmethod
    def read(cls, runs: Path, name: str) -> StartedLadder:
        """The ladder of a name. Raises UserError that lists the names there are."""
        if not _path(runs, name).is_file():
            known = ", ".join(started(runs))
            raise UserError(
                f"{name}: no ladder of this name was started in {runs}. "
                + (f"There are: {known}" if known else "There is none: python -m experiments.ladder starts one")
            )
        content = read_json(_path(runs, name))
        cells = tuple(Cell(**cell) for cell in content["cells"])
        return cls(content["name"], content["command"], cells, content.get("evaluations", 0))


def started(runs: Path) -> Sequence[str]:
    """The names of the ladders in a folder of runs, the latest started first."""
    files = sorted((runs / "ladders").glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.stem for path in files]


def _path(runs: Path, name: str) -> Path:
    return runs / "ladders" / f"{name}.json"
