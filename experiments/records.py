"""Run folders: the files that are the truth of a run, read and written here alone.

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
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.config import Config, as_flat, digest, from_flat
from core.errors import UserError
from experiments.files import read_json, unwritable, write_atomically, write_json

KEEP_CHECKPOINTS = 2


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
            raise unwritable(self._curves, error) from error

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
