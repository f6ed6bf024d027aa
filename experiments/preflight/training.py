"""A few iterations of an arm, a checkpoint, and whether a run that resumes from it goes on as if nothing had been."""

from __future__ import annotations

import contextlib
import hashlib
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.config import Config, changed
from core.data.images import DataSet
from core.errors import UserError
from core.training.loop import Hooks, Stopped, train
from core.training.replicas import Replica
from core.training.state import TrainingState, load, save

WARM_UP = 2  # iterations that do not count
REPEATS = 5  # that do, at least
LEAST_SECONDS = 0.5  # of them together, so that neither chance nor images read ahead weigh much
BUDGET = 6.0  # seconds after which enough is seen; what is slow is timed fewer times
CLOSE = 0.01  # how far losses may lie apart on a GPU, where sums have no fixed order

# Whoever rehearses decides when it is enough, and looks at every iteration.
ENDLESS = {
    "train.steps": 10**6,
    "train.log_every": 1,
    "train.sample_every": 0,
    "train.evaluate_every": 0,
    "train.checkpoint_every": 10**9,
}


@dataclass(frozen=True)
class TrainingCosts:
    """Of training and keeping it."""

    iteration: float  # seconds
    checkpoint: float  # seconds
    brief: bool  # whether fewer iterations were timed than should be


def rehearse_training(
    config: Config, data: DataSet, device: torch.device, path: Path
) -> tuple[TrainingState, TrainingCosts]:
    """Train, save to `path`, and go on for one iteration twice: as if nothing had been, and from the checkpoint.

    Returns the state that went on from the checkpoint. Raises UserError where the two differ, Diverged.
    """
    config = changed(config, ENDLESS)
    state = TrainingState(config, device)
    n_critic = config.train.n_critic
    first = _train(config, state, data, device, lambda seconds: enough(seconds, n_critic), path)
    ahead = _train(config, state, data, device, lambda _: True)
    expected = _fingerprint(state)
    del state  # two at once would be more than a run ever has
    state = TrainingState(config, device)
    state.load_state_dict(load(path, device))
    again = _train(config, state, data, device, lambda _: True)
    exact = device.type == "cpu"
    if not (expected == _fingerprint(state) if exact else _close(ahead.losses, again.losses)):
        raise UserError(
            "a run that resumes from its checkpoint does not go on as it would have without. This is a fault of the "
            "program: preflight=false trains all the same, but let nothing interrupt it."
        )
    return state, TrainingCosts(
        iteration=mean_iteration([*first.seconds, *ahead.seconds], n_critic),
        checkpoint=first.saving,
        brief=len(first.seconds) < WARM_UP + REPEATS,
    )


def enough(seconds: Sequence[float], n_critic: int) -> bool:
    """Whether to stop after iterations of these lengths. The next one is one that updates the generator."""
    counted = seconds[WARM_UP:]
    seen = len(counted) >= REPEATS and sum(counted) >= LEAST_SECONDS
    return (len(seconds) + 1) % n_critic == 0 and (seen or sum(seconds) > BUDGET)


def mean_iteration(seconds: Sequence[float], n_critic: int) -> float:
    """The mean over whole cycles of one generator update, from the lengths of iterations 1, 2, ...

    Those to warm up, and the last one, which began anew, count only where no other is of their kind.
    """

    def mean(full: bool) -> float:
        kind = [number for number in range(1, len(seconds) + 1) if (number % n_critic == 0) == full]
        counted = [number for number in kind if WARM_UP < number < len(seconds)]
        return statistics.mean(seconds[number - 1] for number in counted or kind)

    return (mean(True) + ((n_critic - 1) * mean(False) if n_critic > 1 else 0)) / n_critic


@dataclass
class _Seen:
    """Of one call of the training loop."""

    seconds: list[float]
    losses: dict[str, float]
    saving: float = 0.0


def _train(
    config: Config,
    state: TrainingState,
    data: DataSet,
    device: torch.device,
    stop: Callable[[Sequence[float]], bool],
    path: Path | None = None,
) -> _Seen:
    """Call the training loop until `stop`, asked after every iteration with the lengths so far; then save to `path`."""
    seen, last = _Seen([], {}), time.perf_counter()

    def progress(done: int, losses: dict[str, float]) -> None:
        nonlocal last
        now = time.perf_counter()
        seen.seconds.append(now - last)
        seen.losses, last = losses, now

    def checkpoint(state: TrainingState) -> None:
        if path is not None:
            started = time.perf_counter()
            save(state.state_dict(), path)
            seen.saving = time.perf_counter() - started

    hooks = Hooks(progress=progress, checkpoint=checkpoint, should_stop=lambda: stop(seen.seconds))
    with contextlib.suppress(Stopped):
        train(config, state, data.train, Replica(device), hooks, data.train_masks)
    return seen


def _fingerprint(state: TrainingState) -> str:
    """Of everything that a state holds, but for the time that it took."""
    digest = hashlib.blake2b(digest_size=16)
    for name, value in _leaves({**state.state_dict(), "seconds": 0}):
        digest.update(name.encode())
        digest.update(value.cpu().numpy().tobytes() if isinstance(value, Tensor) else repr(value).encode())
    return digest.hexdigest()


def _leaves(content: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """(place, value) of everything in nested dictionaries and lists."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _leaves(value, f"{name}/{key}")
    elif isinstance(content, list | tuple):
        for number, value in enumerate(content):
            yield from _leaves(value, f"{name}/{number}")
    else:
        yield name, content


def _close(one: dict[str, float], other: dict[str, float]) -> bool:
    return one.keys() == other.keys() and all(
        math.isclose(value, other[name], rel_tol=CLOSE, abs_tol=CLOSE) for name, value in one.items()
    )
