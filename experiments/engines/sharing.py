"""How the cores and GPUs of one machine are shared out among the runs of a ladder."""

from __future__ import annotations

from core.errors import UserError
from experiments.engines.local import Slot
from experiments.environment import cores


def share_out(
    runs: int,
    workers: int | str,
    gpus: tuple[int, ...] = (),
    runs_per_gpu: int = 1,
    gpus_per_run: int = 1,
    fit: int | None = None,
    of: int = 0,
) -> list[Slot]:
    """The slots for a number of runs. Raises UserError.

    workers: how many at a time at most, or "auto". gpus: those to use, none: the CPU. fit: how many runs fit into
    memory beside each other, where that is known; "auto" keeps to it. of: how many there were before some were done.

    Small networks gain more from a core each than from several cores for one. The last of many runs gets no more cores
    than the others had: the last digits of its numbers would tell that the ladder was interrupted.
    """
    places = _places(gpus, runs_per_gpu, gpus_per_run) if gpus else [()] * max(1, cores() // gpus_per_run)
    most = len(places) if workers == "auto" else int(workers)
    if workers == "auto" and fit:
        most = min(most, fit)
    threads = max(1, cores() // max(1, min(most, max(runs, of))))
    return [Slot(threads, places[number % len(places)]) for number in range(max(1, min(most, runs)))]


def _places(gpus: tuple[int, ...], runs_per_gpu: int, gpus_per_run: int) -> list[tuple[int, ...]]:
    """The GPUs of each slot; the first ones are all different, so that few runs spread over many GPUs."""
    if gpus_per_run > len(gpus):
        raise UserError(
            f"gpus_per_run={gpus_per_run}: there are {len(gpus)} GPUs to use. Make it smaller, or name more with "
            "gpus=0,1,..."
        )
    groups = [gpus[start : start + gpus_per_run] for start in range(0, len(gpus) - gpus_per_run + 1, gpus_per_run)]
    return groups * runs_per_gpu
