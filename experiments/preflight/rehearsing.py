"""The rehearsals of a ladder's arms: found where nothing has changed since, else made by the engine of the runs."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from core.config import Config, changed
from core.errors import UserError
from core.runtime import describe_device
from core.training.memory import refuse_too_large, step_bytes
from experiments import environment
from experiments.dispatch import Dispatch
from experiments.engines.choice import build_engine
from experiments.engines.engine import Engine, Job
from experiments.engines.local import LocalEngine
from experiments.preflight.rehearsal import Rehearsal, RehearsalFolder, program
from experiments.records import RunFolder

TRIES = 2  # the second one has more memory to itself, where the system ended the first one for want of it
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Rehearsed:
    """What came of the rehearsals."""

    arms: Mapping[str, Rehearsal]  # label -> what was seen
    problems: list[str]  # of the other arms
    made: int  # now; the others were made before
    seconds: float  # that it took


def rehearse_arms(
    arms: Mapping[str, Config], settings: Mapping[str, Any], runs: Path, count: int, device: torch.device
) -> Rehearsed:
    """Rehearse arms {label: configuration}, as many at a time as there will be runs.

    settings: of the engine. runs: the folder of the runs. count: how many runs there are, those that are done too, so
    that what was interrupted finds its rehearsals again.
    """
    started = time.perf_counter()
    configs = {label: _share(config, settings["gpus_per_run"]) for label, config in arms.items()}
    circumstances = _circumstances(settings, count, device)
    folders = {
        label: RehearsalFolder.under(runs / "cache", config, circumstances | _reading(config))
        for label, config in configs.items()
    }
    missing = {label: folder for label, folder in folders.items() if not folder.settled}
    refused, fit = estimate({label: configs[label] for label in missing}, settings, device)
    trying = {label: folder for label, folder in missing.items() if label not in refused}
    for label, folder in trying.items():
        folder.prepare(configs[label], label)
    if trying:
        engine = build_engine(settings, count, device.type)
        _dispatch([*trying.values()], LocalEngine(engine.slots[:fit]) if isinstance(engine, LocalEngine) else engine)
    for label, folder in trying.items():
        if not folder.finished:
            refused[label] = f"{folder.status().get('reason', 'no reason is known')}\n    {folder.log}"
    return Rehearsed(
        arms={label: folder.rehearsal() for label, folder in folders.items() if folder.finished},
        problems=[f"{label}: {reason}" for label, reason in refused.items()],
        made=sum(folder.finished for folder in trying.values()),
        seconds=time.perf_counter() - started,
    )


def _share(config: Config, processes: int) -> Config:
    """What one of the processes of a run trains: its share of the batch."""
    return changed(config, {"train.batch": max(1, config.train.batch // processes)})


def _job(folder: RunFolder) -> Job:
    path = folder.path.resolve()
    return Job(f"rehearsal-{folder.label()}", path, ("-m", "experiments.preflight", "--folder", str(path)))


def _dispatch(folders: Sequence[RehearsalFolder], engine: Engine) -> None:
    with tqdm(total=len(folders), desc="rehearsing every arm", unit="arm", leave=False) as bar:

        def watch(running: Sequence[RunFolder], ended: Sequence[RunFolder]) -> None:
            if ended:
                bar.update(sum(folder.settled or folder.status()["state"] == "failed" for folder in folders) - bar.n)

        Dispatch(engine, _job, watch, POLL_SECONDS, TRIES).run(folders)


def _circumstances(settings: Mapping[str, Any], count: int, device: torch.device) -> dict[str, Any]:
    """All but the arm that costs depend on."""
    if settings["engine"] == "local":
        engine = build_engine(settings, count, device.type)
        slots = [[slot.threads, list(slot.gpus)] for slot in engine.slots] if isinstance(engine, LocalEngine) else []
        where: list[Any] = [platform.node(), describe_device(device), slots]
    else:
        where = [settings["engine."], settings["gpus_per_run"]]
    versions = [importlib.metadata.version("torch"), sys.version]
    return {"engine": settings["engine"], "where": where, "program": program(), "versions": versions}


def _reading(config: Config) -> dict[str, Any]:
    """Settings of an arm that costs depend on and its digest does not."""
    return {"device": config.device, "workers": config.data.workers, "batch": config.eval.batch}


def estimate(
    configs: Mapping[str, Config], settings: Mapping[str, Any], device: torch.device
) -> tuple[dict[str, str], int | None]:
    """What is known of this machine's memory without a rehearsal.

    Returns {label: why its step cannot fit}, and how many runs of the others fit at a time, None: not known.
    """
    if settings["engine"] != "local":
        return {}, None
    free = environment.available_memory()
    refused: dict[str, str] = {}
    for label, config in configs.items():
        try:
            refuse_too_large(config, device, free)
        except UserError as error:
            refused[label] = str(error)
    largest = max((step_bytes(config) for label, config in configs.items() if label not in refused), default=0)
    return refused, max(1, free // largest) if largest and device.type == "cpu" else None
