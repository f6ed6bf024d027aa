"""An attempt at a run, told to Sacred while it goes on.

An attempt's id is made from the run's key and a number, because Sacred's own counter races between processes and an id
cannot be used twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sacred import Experiment
from sacred.observers import FileStorageObserver
from sacred.serializer import flatten
from sacred.utils import SacredInterrupt

from core.config import Config
from core.settings import leaves
from experiments.environment import revision
from experiments.files import write_json
from experiments.tracking.address import Address
from experiments.tracking.folders import end_earlier, reserve
from experiments.tracking.mirror import Mirror

PROGRAM = Path(__file__).resolve().parents[2]


class Attempt:
    """What a run may tell Sacred while it goes on."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def scalar(self, name: str, value: float, step: int) -> None:
        """A number worth plotting. Few of them: Sacred rewrites all of them at every heartbeat."""
        self._run.log_scalar(name, value, step)

    def results(self, values: Mapping[str, float], step: int) -> None:
        """The main numbers of a finished run: as scalars, and as `result` of Sacred's info, which SQL keeps too."""
        for name, value in values.items():
            self.scalar(name, value, step)
        self._run.info["result"] = dict(values)

    def artifact(self, path: Path) -> None:
        """A file that belongs to the run."""
        self._run.add_artifact(str(path))


def track(
    config: Config,
    key: str,
    runs: Path,
    body: Callable[[Attempt], str],
    interruption: type[Exception],
    tracking: str = "",
) -> None:
    """Run `body` as one Sacred run under `runs/sacred`; its return value is Sacred's result.

    No two processes may do this for one key at a time: attempts that have not ended are taken for dead.
    tracking: the address of another tracker, which gets a copy; empty for none. Whatever becomes of it, `body` goes on.

    What `body` raises is raised; an `interruption` is recorded as such and not as a failure.
    """
    observed = runs / "sacred"
    ended = end_earlier(observed, key)
    folder = reserve(observed, key)
    experiment = Experiment("ablation", base_dir=str(PROGRAM), save_git_info=False)
    experiment.observers.append(_Files(str(observed)))
    if tracking:
        experiment.observers.append(Mirror(Address(tracking), runs, folder, ended))
    experiment.add_config(_nested(config))
    experiment.logger = None

    @experiment.main
    def attempt(_run: Any) -> str:
        try:
            return body(Attempt(_run))
        except interruption as stop:
            raise _Interrupted(stop) from stop

    try:
        # Sacred would print a traceback of every error; those that are a person's to mend get a message.
        experiment.run(options={"--id": folder.name, "--loglevel": "CRITICAL"})
    except _Interrupted as stop:
        raise stop.reason from None


class _Interrupted(SacredInterrupt):
    STATUS = "INTERRUPTED"

    def __init__(self, reason: Exception) -> None:
        super().__init__()
        self.reason = reason


class _Files(FileStorageObserver):
    """Sacred's files, in a folder that was made for them, each written whole or not at all."""

    def _make_run_dir(self, _id: str) -> None:
        self.dir = os.path.join(self.basedir, _id)

    def started_event(self, *_: Any, **event: Any) -> Any:
        program = {**event.pop("ex_info"), "repositories": _repositories()}
        return super().started_event(ex_info=program, **event)

    def save_json(self, obj: Any, filename: str) -> None:
        write_json(Path(str(self.dir)) / filename, flatten(obj))


def _repositories() -> list[dict[str, Any]]:
    """What Sacred would find by asking git once for every file of the program."""
    commit = revision()
    if commit == "unknown":
        return []
    return [{"url": f"git:/{PROGRAM}", "commit": commit.rstrip("+"), "dirty": commit.endswith("+")}]


def _nested(config: Config) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for path, _, value in leaves(config):
        section, _, name = path.rpartition(".")
        place = nested.setdefault(section, {}) if section else nested
        place[name] = list(value) if isinstance(value, tuple) else value
    return nested
