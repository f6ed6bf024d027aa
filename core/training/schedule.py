"""The learning rate as a function of the iteration, so that a resumed run has the same one.

StarGAN (arXiv 1711.09020, section 5) keeps the rate for half of the run and lets it fall linearly to 0 over the other
half. The authors' released program takes away, every 1000 iterations of the second half, the current rate divided by
the length of that half: over the paper's 200k iterations it falls by 0.1 % in all, so it is effectively constant.
"""

from __future__ import annotations

from collections.abc import Callable

from core import config as configuration
from core.config import Config, iterations

AUTHORS_INTERVAL = 1000  # iterations


def _constant(done: int, last: int) -> float:
    return 1.0


def _linear(done: int, last: int) -> float:
    half = last // 2
    return min(1.0, (last - done) / (last - half))


def _authors(done: int, last: int) -> float:
    length = max(1, last // 2)
    times = max(0, done // AUTHORS_INTERVAL - (last - length) // AUTHORS_INTERVAL)
    return (1 - 1 / length) ** times


DECAYS: dict[configuration.Decay, Callable[[int, int], float]] = {
    "none": _constant,
    "linear": _linear,
    "authors": _authors,
}


def rate_factor(config: Config, done: int) -> float:
    """What every learning rate is multiplied with after `done` iterations, in (0, 1]."""
    return DECAYS[config.train.decay](done, iterations(config))
