"""Sacred: the grammar of the command line, and the record of every attempt at a run. The only file that knows it.

Sacred's view is secondary: a run's own folder is the truth. An attempt's id is made from the run's key, because
Sacred's own counter races between processes and an id cannot be used twice.
"""

from __future__ import annotations

import importlib.util
import pkgutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

if not hasattr(pkgutil, "find_loader"):  # Python 3.14 dropped it, and Sacred 0.8 asks it whether a module exists
    pkgutil.find_loader = importlib.util.find_spec  # type: ignore

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=".*pkg_resources.*")  # Sacred 0.8 still imports it
    from sacred import SETTINGS, Experiment
    from sacred.arg_parser import get_config_updates
    from sacred.observers import FileStorageObserver
    from sacred.utils import SacredInterrupt

from core.config import Config
from core.settings import leaves
from experiments.environment import revision

SETTINGS.CAPTURE_MODE = "no"  # the run writes its own log; capturing would break progress bars


def read_updates(word: str) -> tuple[Mapping[str, Any], list[str]]:
    """One word of a command line: ({nested key: value}, []) or ({}, [name])."""
    return get_config_updates([word])


class Attempt:
    """What a run may tell Sacred while it goes on."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def scalar(self, name: str, value: float, step: int) -> None:
        """A number worth plotting. Few of them: Sacred rewrites all of them at every heartbeat."""
        self._run.log_scalar(name, value, step)

    def artifact(self, path: Path) -> None:
        """A file that belongs to the run."""
        self._run.add_artifact(str(path))


class _Interrupted(SacredInterrupt):
    STATUS = "INTERRUPTED"

    def __init__(self, reason: Exception) -> None:
        super().__init__()
        self.reason = reason


def track(config: Config, key: str, runs: Path, body: Callable[[Attempt], str], interruption: type[Exception]) -> None:
    """Run `body` as one Sacred run under `runs/sacred`; its return value is Sacred's result.

    What `body` raises is raised; an `interruption` is recorded as such and not as a failure.
    """
    observed = runs / "sacred"
    experiment = Experiment(
        "ablation", base_dir=str(Path(__file__).resolve().parents[1]), save_git_info=revision() != "unknown"
    )
    experiment.observers.append(FileStorageObserver(str(observed)))
    experiment.add_config(_nested(config))
    experiment.logger = None

    @experiment.main
    def attempt(_run: Any) -> str:
        try:
            return body(Attempt(_run))
        except interruption as stop:
            raise _Interrupted(stop) from stop

    attempts = len(list(observed.glob(f"{key}-*"))) + 1
    try:
        # Sacred would print a traceback of every error; those that are a person's to mend get a message.
        experiment.run(options={"--id": f"{key}-{attempts}", "--loglevel": "CRITICAL"})
    except _Interrupted as stop:
        raise stop.reason from None


def _nested(config: Config) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for path, _, value in leaves(config):
        section, _, name = path.rpartition(".")
        place = nested.setdefault(section, {}) if section else nested
        place[name] = list(value) if isinstance(value, tuple) else value
    return nested
