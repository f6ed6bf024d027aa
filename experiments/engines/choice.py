"""From the words `engine=...`, `workers=...`, `gpus=...` to an engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import UserError
from experiments.command import Setting
from experiments.engines.engine import Engine, Job
from experiments.records import RunFolder

ENGINES = ("local", "ray", "slurm")

SETTINGS = {
    "engine": Setting("local", "where runs are computed: local, ray or slurm; docs/running.md shows each"),
    "engine.": Setting(
        {}, "of the engine: engine.address (ray); partition, time and all else that sbatch knows (slurm)"
    ),
    "workers": Setting("auto", "training processes at a time; auto: what the machine has room for"),
    "gpus": Setting("auto", "GPUs of this machine to use, e.g. 0,1; auto: all"),
    "runs_per_gpu": Setting(1, "runs that share one GPU"),
    "gpus_per_run": Setting(1, "GPUs of one run (on a CPU: processes), among which its batch is shared out"),
}


def problems_of(settings: Mapping[str, Any]) -> list[str]:
    """What is wrong with the values of SETTINGS, a message each."""
    workers = settings["workers"]
    problems = []
    if settings["engine"] not in ENGINES:
        problems.append(f"engine={settings['engine']}: the engines are {', '.join(ENGINES)}")
    if settings["engine"] == "local" and settings["engine."]:
        given = ", ".join(f"engine.{key}" for key in settings["engine."])
        problems.append(f"{given}: engine=local has no such setting; name the engine, e.g. engine=slurm")
    if workers != "auto" and not (type(workers) is int and workers >= 1):
        problems.append(f"workers={workers}: must be auto, or a whole number of at least 1")
    if settings["gpus"] != "auto" and _numbers(settings["gpus"]) is None:
        shown = ",".join(map(str, settings["gpus"])) if isinstance(settings["gpus"], list) else settings["gpus"]
        problems.append(f"gpus={shown}: must be auto, or numbers of GPUs such as 0,1")
    for name in ("runs_per_gpu", "gpus_per_run"):
        if settings[name] < 1:
            problems.append(f"{name}={settings[name]}: must be at least 1")
    return problems


def build_engine(
    settings: Mapping[str, Any], runs: int, device_type: str, fit: int | None = None, of: int = 0
) -> Engine:
    """The engine for a number of runs. Raises UserError where it cannot be had.

    device_type: cpu or cuda. fit: how many runs fit into this machine's memory beside each other, where that is known.
    of: how many runs there were before some were done.
    """
    if settings["engine"] == "local" or not runs:  # where nothing is to be computed, no cluster has to be there
        from experiments.engines.local import LocalEngine
        from experiments.engines.sharing import share_out

        gpus = _gpus(settings["gpus"]) if device_type == "cuda" else ()
        shares = {name: settings[name] for name in ("workers", "runs_per_gpu", "gpus_per_run")}
        return LocalEngine(share_out(runs, gpus=gpus, fit=fit, of=of, **shares))
    if settings["engine"] == "ray":
        from experiments.engines.ray import RayEngine

        return RayEngine(settings["engine."], gpus_per_run=settings["gpus_per_run"])
    from experiments.engines.slurm import SlurmEngine

    return SlurmEngine(settings["engine."], gpus=settings["gpus_per_run"] if device_type == "cuda" else 0)


def job_of(settings: Mapping[str, Any], folder: RunFolder) -> Job:
    """The processes that bring a prepared run to its end."""
    path = folder.path.resolve()
    return Job(
        name=f"{folder.label()}-s{folder.config().seed}",
        folder=path,
        arguments=("-m", "experiments.run", "--folder", str(path), "--evaluations", str(folder.asked)),
        processes=settings["gpus_per_run"],
    )


def _gpus(asked: Any) -> tuple[int, ...]:
    import torch

    there = torch.cuda.device_count()
    numbers = tuple(range(there)) if asked == "auto" else _numbers(asked) or ()
    absent = [number for number in numbers if number >= there]
    if absent:
        raise UserError(f"gpus={','.join(map(str, numbers))}: this machine has {there}, counted from 0.")
    return numbers


def _numbers(value: Any) -> tuple[int, ...] | None:
    numbers = value if isinstance(value, list) else [value]
    whole = all(type(number) is int and number >= 0 for number in numbers)
    return tuple(numbers) if numbers and whole and len(set(numbers)) == len(numbers) else None
