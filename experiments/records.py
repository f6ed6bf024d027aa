"""Run folders: the files that are the truth of a run, read and written here alone.

A run is `runs/DIGEST-sSEED/`:

    config.json          the whole configuration, its schema, and which arm first asked for it
    status.json          what the run is doing now
    claim-*.json         which process works on the run, see claims.py
    unwanted.json        the run was given up before its end: nobody asks for it any more, until somebody does
    curves.jsonl         one line a point; cut back to the checkpoint on resume
    evaluations.jsonl    the same for evaluations in between, where they are asked for
    checkpoint-*.pt      the newest two; best-*.pt, where it is asked for
    translator.pt        the averaged generator and code networks, once trained
    samples/ pictures/   grids during and after training
    result.json          everything measured; its presence means that the run is finished
    repeats.jsonl        the means of evaluations with further seeds, where they are asked for
    diverged.json        instead of it, where losses or weights became infinite: the same would happen again
    log.txt              what an engine's process printed
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.config import SCHEMA, Config, as_flat, digest, from_flat, iterations
from core.errors import UserError
from core.migrations import UNNUMBERED, carries_over, migrated
from experiments.files import read_json, write_json
from experiments.lacking import Lacking, passes, pictures_of, varies
from experiments.points import Points
from experiments.repeats import Repeats

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

    def __init__(self, path: Path, asked: int = 0) -> None:
        """asked: evaluations that are wanted of it, and with them all of its pictures; 0: a result is enough."""
        self.path = path
        self.asked = asked
        self.log = path / "log.txt"
        self.translator = path / "translator.pt"
        self.samples = path / "samples"
        self.pictures = path / "pictures"
        self.curves = Points(path / "curves.jsonl")
        self.evaluations = Points(path / "evaluations.jsonl")
        self.repeats = Repeats(path / "repeats.jsonl")
        self._config = path / "config.json"
        self._known: Config | None = None  # as it was read: that takes milliseconds, and a ladder asks often
        self._status = path / "status.json"
        self._result = path / "result.json"
        self._diverged = path / "diverged.json"
        self._unwanted = path / "unwanted.json"

    @classmethod
    def of(cls, runs: Path, config: Config, asked: int = 0) -> RunFolder:
        """The folder of a configuration and its seed."""
        return cls(runs / run_key(config), asked)

    # Configuration

    def prepare(self, config: Config, label: str) -> None:
        """Ask for the run: create the folder and write the configuration. Raises UserError where that is impossible."""
        write_json(self._config, {"label": label, "schema": SCHEMA, "config": as_flat(config)})
        self._known = None
        self._unwanted.unlink(missing_ok=True)

    def config(self) -> Config:
        """The configuration of the run, in today's schema. Raises UserError."""
        if self._known is None:
            self._known = _config_of(read_json(self._config))
        return self._known

    def key_today(self) -> str | None:
        """Its key in today's schema; None where its results would be others today. Raises UserError."""
        stored = read_json(self._config)
        return self.path.name if stored.get("schema") == SCHEMA else key_of(stored)

    def label(self) -> str:
        """The arm that first asked for this run."""
        return str(read_json(self._config)["label"])

    # Status

    @property
    def imported(self) -> bool:
        """Whether the weights were made by another program and only measured here."""
        return self.status()["state"] == "imported"

    def write_status(self, state: str, **details: Any) -> None:
        """What the run is doing: waiting, starting, training, evaluating, done, diverged, failed or stopped."""
        write_json(self._status, {"state": state, **details})

    def status(self) -> dict[str, Any]:
        """The last status, or `waiting`."""
        try:
            return dict(read_json(self._status))
        except UserError:
            return {"state": "waiting"}

    @property
    def status_age(self) -> float:
        """Seconds since the last status, 0 without any."""
        with contextlib.suppress(OSError):
            return max(0.0, time.time() - self._status.stat().st_mtime)
        return 0.0

    def give_up(self, reason: str) -> None:
        """Have whoever works on the run save its state and stop; it is not started again before it is asked for."""
        write_json(self._unwanted, {"reason": reason})

    @property
    def given_up(self) -> bool:
        """Whether nobody asks for the run any more. One that is trained cannot be: what it lacks, somebody asks for."""
        return self._unwanted.exists() and not self.trained

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

    def damaged(self) -> list[Path]:
        """Checkpoints that could not be read and were put aside."""
        return sorted(self.path.glob("*.damaged"))

    def best(self, iteration: int) -> Path:
        """Where the best checkpoint lies, if it is that of this iteration."""
        return self.path / f"best-{iteration:09d}.pt"

    def bests(self) -> list[Path]:
        """One at most, but for a moment."""
        return sorted(self.path.glob("best-*.pt"))

    @property
    def saved_iteration(self) -> int:
        """That of the newest checkpoint, 0 without any."""
        return max((int(path.stem.rpartition("-")[2]) for path in self.checkpoints()), default=0)

    @property
    def weights(self) -> list[Path]:
        """What is there of the files with the averaged networks at the end of training. Raises UserError."""
        return [path for path in (self.translator, self.checkpoint(iterations(self.config()))) if path.is_file()]

    @property
    def progress(self) -> tuple[int, int]:
        """How far the run has come on disk, (iterations, evaluations): what gets on has more of one."""
        return self.saved_iteration, self.finished + len(self.repeats.seeds)

    def sweep(self) -> None:
        """Remove what a process that was killed while it wrote has left. Only for who holds the claim."""
        for left in self.leftovers():
            left.unlink(missing_ok=True)

    def leftovers(self) -> list[Path]:
        """Files under temporary names. Those of a process at work are among them, if there is one."""
        return [path for pattern in (".*.part", "*/.*.part", ".now-*") for path in sorted(self.path.glob(pattern))]

    # Result

    @property
    def finished(self) -> bool:
        """Whether there is a result."""
        return self._result.exists()

    @property
    def trained(self) -> bool:
        """Whether no iteration is left: there is a result, or a divergence, which is one too."""
        return self.finished or self._diverged.exists()

    @property
    def lacking(self) -> Lacking:
        """What is asked for of a finished run, trained here, and is not there. Raises UserError."""
        if not (self.asked and self.finished and self._config.exists()) or self.imported:
            return Lacking()
        config, there = self.config(), self.repeats.seeds
        seeds = range(config.eval.seed + 1, config.eval.seed + self.asked)  # the first one is the result's
        return Lacking(
            tuple(name for name in pictures_of(config) if not (self.pictures / name).is_file()),
            tuple(seed for seed in seeds if seed not in there),
        )

    @property
    def evaluations_left(self) -> int:
        """How often its translations are still to be made and measured at its end. Raises UserError."""
        if self.finished:
            return len(self.lacking.seeds) if varies(self.config()) else 0
        return passes(self.config(), max(1, self.asked))

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to do: all is there, or what is lacking cannot be made any more."""
        return self.trained and not (self.lacking and self.weights)

    def write_result(self, result: Result) -> None:
        """The last thing a run does."""
        write_json(self._result, {"schema": SCHEMA, **asdict(result)})

    def write_divergence(self, iteration: int, reason: str) -> None:
        """The last thing a run does whose losses or weights are not finite any more."""
        write_json(self._diverged, {"iteration": iteration, "reason": reason})

    def divergence(self) -> dict[str, Any] | None:
        """The iteration and the reason, if the run diverged."""
        return dict(read_json(self._diverged)) if self._diverged.exists() else None

    def result(self) -> Result:
        """The result of a finished run, its configuration in today's schema. Raises UserError."""
        content = dict(read_json(self._result))
        config = migrated(content["config"], content.pop("schema", UNNUMBERED))
        lists = {"rows": tuple(content["rows"]), "notes": tuple(content["notes"])}
        return Result(**{**content, **lists, "config": config})


def run_key(config: Config) -> str:
    """The identity of a run: digest and seed."""
    return f"{digest(config)}-s{config.seed}"


def key_of(stored: Mapping[str, Any]) -> str | None:
    """The key that a stored run has today, None where its results would be others today. Raises UserError.

    stored: the content of its config.json or result.json.
    """
    config = _config_of(stored)
    return run_key(config) if carries_over(stored.get("schema", UNNUMBERED)) else None


def _config_of(stored: Mapping[str, Any]) -> Config:
    return from_flat(migrated(stored["config"], stored.get("schema", UNNUMBERED)))
