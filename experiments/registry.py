"""Which runs belong to which ladder or tuning study, written by those that start them.

runs/ladders/NAME.json               a ladder and its runs, written when its runs are started
runs/studies/NAME/study.json         a study, written when its command is started
runs/studies/NAME/trial-0003.json    one of its trials, written when that begins and when it has ended

Run folders know nothing of ladders and studies, since several share them; `status` and `clean` read here what belongs
together. A study's own storage may be a database elsewhere, so what they need of it is mirrored here, a file a trial:
any number of processes write them, each what the storage says, and none has to know of the others' trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import UserError
from experiments.claims import Owner
from experiments.files import read_json, write_json

STUDY, TRIALS = "study.json", "trial-*.json"


@dataclass(frozen=True)
class Cell:
    """One run of a ladder, or of a trial."""

    arm: str
    seed: int
    key: str  # of the run's folder
    trial: int | None = None  # its number; None: of a ladder
    result_only: bool = False  # nothing more is asked for, whatever is of the others

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.arm}{'' if self.trial is None else f' trial {self.trial}'} seed {self.seed}"


@dataclass(frozen=True)
class StartedLadder:
    """A ladder as it was last started."""

    name: str
    command: str  # that goes on with it
    cells: tuple[Cell, ...]
    evaluations: int = 0  # asked for of each run; 0: a result was enough

    def write(self, runs: Path) -> None:
        """Keep it. Raises UserError."""
        content = asdict(self)
        for cell in content["cells"]:
            del cell["trial"]
        write_json(runs / "ladders" / f"{self.name}.json", content)

    @classmethod
    def read(cls, path: Path) -> StartedLadder:
        """The ladder in a file. Raises UserError."""
        content = read_json(path)
        cells = tuple(Cell(**cell) for cell in content["cells"])
        return cls(content["name"], content["command"], cells, content.get("evaluations", 0))


@dataclass(frozen=True)
class StartedTrial:
    """A trial that was begun, as the study's storage has it."""

    number: int
    keys: Mapping[str, str]  # {seed: key of the run's folder}
    outcome: str = ""  # done, pruned, diverged or failed; empty: it has not ended
    reason: str = ""  # why it failed or diverged
    owner: Owner | None = None  # the process that has taken it; it may have died since


@dataclass(frozen=True)
class StartedStudy:
    """A tuning study as it was last started."""

    name: str
    command: str  # that goes on with it
    arm: str
    asked: int  # trials
    seeds: int  # runs of each trial
    ladder: str = ""  # whose arm is tuned; empty: of none
    trials: tuple[StartedTrial, ...] = ()  # that were begun, by their numbers

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The runs of all trials that were begun; those of a repeated trial are there again."""
        return tuple(
            Cell(self.arm, int(seed), key, trial.number) for trial in self.trials for seed, key in trial.keys.items()
        )

    def write(self, runs: Path) -> None:
        """Keep what holds for all trials. Raises UserError."""
        content = asdict(self)
        del content["trials"]
        write_json(_folder(runs, self.name) / STUDY, content)

    def write_trial(self, runs: Path, trial: StartedTrial) -> None:
        """Keep one trial. Raises UserError."""
        write_json(_trial_path(runs, self.name, trial.number), asdict(trial))

    def kept(self, runs: Path) -> set[int]:
        """The numbers of the trials that are kept."""
        return {int(path.stem.partition("-")[2]) for path in _folder(runs, self.name).glob(TRIALS)}

    def drop_trial(self, runs: Path, number: int) -> None:
        """Keep one trial no more."""
        _trial_path(runs, self.name, number).unlink(missing_ok=True)

    @classmethod
    def read(cls, path: Path) -> StartedStudy:
        """The study whose `study.json` this is. Raises UserError."""
        content: dict[str, Any] = read_json(path)
        trials = [_trial(read_json(file)) for file in path.parent.glob(TRIALS)]
        return replace(cls(**content), trials=tuple(sorted(trials, key=lambda trial: trial.number)))


@dataclass(frozen=True)
class Entry:
    """A ladder or a study that is known of, unread."""

    name: str
    path: Path  # of its file

    @property
    def title(self) -> str:
        """For people: a ladder and a study may have the same name."""
        return f"tuning {self.name}" if self.path.name == STUDY else self.name

    def read(self) -> StartedLadder | StartedStudy:
        """As it is now. Raises UserError."""
        try:
            return StartedStudy.read(self.path) if self.path.name == STUDY else StartedLadder.read(self.path)
        except (UserError, KeyError, TypeError, AttributeError) as error:
            reason = error if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            raise UserError(
                f"{self.title}: what is kept of it in {self.path.parent} cannot be used ({reason}). Start it again "
                "by its command, which writes it anew."
            ) from error


def started(runs: Path, name: str = "") -> Sequence[Entry]:
    """The ladders and studies in a folder of runs, the latest started first; those of a name, if one is given.

    Raises UserError that lists the names there are, where there is none of this one.
    """
    found = {path: Entry(path.stem, path) for path in (runs / "ladders").glob("*.json")}
    found |= {path: Entry(path.parent.name, path) for path in (runs / "studies").glob(f"*/{STUDY}")}
    latest = sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)
    entries = [found[path] for path in latest if name in ("", found[path].name)]
    if name and not entries:
        known = ", ".join(dict.fromkeys(found[path].name for path in latest))
        raise UserError(
            f"{name}: no ladder or study of this name was started in {runs}. "
            + (f"There are: {known}" if known else "There is none: python -m experiments.ladder starts one")
        )
    return entries


def _trial(content: Mapping[str, Any]) -> StartedTrial:
    owner = content["owner"]
    return StartedTrial(**{**content, "owner": Owner(**owner) if owner else None})


def _folder(runs: Path, name: str) -> Path:
    return runs / "studies" / name


def _trial_path(runs: Path, name: str, number: int) -> Path:
    return _folder(runs, name) / f"trial-{number:04d}.json"
