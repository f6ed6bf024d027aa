"""Run folders and report records: the files that are the truth, read and written here alone.

A run is `runs/DIGEST-sSEED/`:

    config.json          the whole configuration, and which arm first asked for it
    status.json          what the run is doing now
    curves.jsonl         one line a point; cut back to the checkpoint on resume
    checkpoint-*.pt      the newest two
    translator.pt        the averaged generator and code networks, once trained
    samples/ pictures/   grids during and after training
    result.json          everything measured; its presence means that the run is finished
    log.txt              what an engine's process printed
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.config import Config, as_flat, digest, from_flat
from core.errors import UserError

KEEP_CHECKPOINTS = 2


def write_atomically(path: Path, text: str) -> None:
    """Write a text file whole or not at all. Raises UserError where the folder cannot be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(f"{path}: cannot be written ({error.strerror}). Free the disk, or choose another folder.")


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically, in a fixed form: equal content, equal bytes."""
    write_atomically(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON. Raises UserError where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such file.") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}).") from error


@dataclass(frozen=True)
class Result:
    """What a finished run found."""

    digest: str
    seed: int
    config: Mapping[str, Any]  # flat
    iterations: int
    generator_updates: int
    images_seen: int  # source images that discriminator updates were made on
    parameters: Mapping[str, int]  # of each network
    train_seconds: float
    evaluate_seconds: float
    peak_memory_bytes: int
    device: str
    environment: Mapping[str, str]
    rows: tuple[Mapping[str, Any], ...]  # as core.metrics.protocol gives them
    notes: tuple[str, ...] = ()
    pictures: Mapping[str, Any] = field(default_factory=dict)  # how the picture files are laid out


class RunFolder:
    """One run on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "log.txt"
        self.translator = path / "translator.pt"
        self.samples = path / "samples"
        self.pictures = path / "pictures"
        self._config = path / "config.json"
        self._status = path / "status.json"
        self._curves = path / "curves.jsonl"
        self._result = path / "result.json"

    @classmethod
    def of(cls, runs: Path, config: Config) -> RunFolder:
        """The folder of a configuration and its seed."""
        return cls(runs / run_key(config))

    # Configuration

    def prepare(self, config: Config, label: str) -> None:
        """Create the folder and write the configuration. Raises UserError where that is not allowed."""
        write_json(self._config, {"label": label, "config": as_flat(config)})

    def config(self) -> Config:
        """The configuration of the run. Raises UserError."""
        return from_flat(read_json(self._config)["config"])

    def label(self) -> str:
        """The arm that first asked for this run."""
        return str(read_json(self._config)["label"])

    # Status

    @property
    def imported(self) -> bool:
        """Whether the weights were made by another program and only measured here."""
        return self.status()["state"] == "imported"

    def write_status(self, state: str, **details: Any) -> None:
        """What the run is doing: waiting, training, evaluating, done, failed or stopped."""
        write_json(self._status, {"state": state, **details})

    def status(self) -> dict[str, Any]:
        """The last status, or `waiting`."""
        try:
            return dict(read_json(self._status))
        except UserError:
            return {"state": "waiting"}

    # Curves

    def append_curve(self, iteration: int, values: Mapping[str, float]) -> None:
        """One more point."""
        try:
            with self._curves.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"iteration": iteration, **values}) + "\n")
        except OSError as error:
            raise _unwritable(self._curves, error) from error

    def cut_curves(self, iteration: int) -> None:
        """Forget points after an iteration, and a last line that was written in part."""
        points = [point for point in self.curves() if point["iteration"] <= iteration]
        write_atomically(self._curves, "".join(json.dumps(point) + "\n" for point in points))

    def curves(self) -> Iterator[dict[str, float]]:
        """The points of the curves so far."""
        if not self._curves.exists():
            return
        for line in self._curves.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                return

    # Checkpoints

    def checkpoint(self, iteration: int) -> Path:
        """Where the checkpoint of an iteration lies."""
        return self.path / f"checkpoint-{iteration:09d}.pt"

    def checkpoints(self) -> list[Path]:
        """Newest first."""
        return sorted(self.path.glob("checkpoint-*.pt"), reverse=True)

    def drop_old_checkpoints(self) -> None:
        """Keep the newest ones."""
        for old in self.checkpoints()[KEEP_CHECKPOINTS:]:
            old.unlink(missing_ok=True)

    # Result

    @property
    def finished(self) -> bool:
        """Whether there is a result."""
        return self._result.exists()

    def write_result(self, result: Result) -> None:
        """The last thing a run does."""
        write_json(self._result, asdict(result))

    def result(self) -> Result:
        """The result of a finished run. Raises UserError."""
        content = read_json(self._result)
        return Result(**{**content, "rows": tuple(content["rows"]), "notes": tuple(content["notes"])})


def run_key(config: Config) -> str:
    """The identity of a run: digest and seed."""
    return f"{digest(config)}-s{config.seed}"


@dataclass(frozen=True)
class RunRecord:
    """A run as a report keeps it."""

    label: str
    result: Result
    curves: tuple[Mapping[str, float], ...]
    folder: Path  # with latent.png and, where references guide, reference.png


class ReportRecords:
    """`reports/NAME/records/`: everything a report is made from.

    ladder.json              what was compared, on what, and the numbers of real images
    LABEL-sSEED/             result.json, curves.jsonl and pictures of one run
    """

    def __init__(self, report: Path) -> None:
        self.path = report / "records"
        self._ladder = self.path / "ladder.json"

    def clear(self) -> None:
        """Forget the runs of an earlier ladder of this name."""
        for folder in self._run_folders():
            shutil.rmtree(folder)

    def keep(self, label: str, seed: int, run: RunFolder) -> None:
        """Copy a finished run's record."""
        target = self.path / f"{label}-s{seed}"
        target.mkdir(parents=True, exist_ok=True)
        write_json(target / "result.json", asdict(run.result()))
        write_atomically(target / "curves.jsonl", "".join(json.dumps(point) + "\n" for point in run.curves()))
        for picture in sorted(run.pictures.glob("*.png")):
            shutil.copyfile(picture, target / picture.name)

    def write_ladder(self, content: Mapping[str, Any]) -> None:
        """What holds for all runs."""
        write_json(self._ladder, content)

    def ladder(self) -> dict[str, Any]:
        """See `write_ladder`. Raises UserError."""
        return dict(read_json(self._ladder))

    def runs(self) -> list[RunRecord]:
        """All runs, in the order of the ladder's arms, then by seed. Raises UserError."""
        order = [arm["label"] for arm in self.ladder()["arms"]]
        records = []
        for folder in self._run_folders():
            label = folder.name.rpartition("-s")[0]
            run = RunFolder(folder)
            records.append(RunRecord(label, run.result(), tuple(run.curves()), folder))
        return sorted(records, key=lambda record: (order.index(record.label), record.result.seed))

    def _run_folders(self) -> list[Path]:
        return sorted(self.path.glob("*-s*/")) if self.path.exists() else []


def check_writable(folder: Path) -> None:
    """Raise UserError where a folder cannot be made or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"{folder}: nothing can be written there ({error.strerror}). Free it, or choose other folders with "
            "runs=... and reports=..."
        ) from error
