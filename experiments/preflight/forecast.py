"""What a ladder will take, from what was measured of a little of it: arithmetic on plain numbers."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.config import GUIDES, Config, iterations

START_SECONDS = 6.0  # of every run: a process starts, imports its libraries and reads its images
RECORD_BYTES = 2 * 2**20  # of every run: result, log, Sacred's copies
POINT_BYTES = 500  # of the curves


@dataclass(frozen=True)
class Work:
    """How much of everything one run does."""

    iterations: int
    translations: int  # made and measured in the evaluation
    references: int  # training images that they are compared with
    pairs: int  # of guide, source domain and target domain


@dataclass(frozen=True)
class Costs:
    """Seconds, in one process with its share of the cores."""

    iteration: float
    translation: float  # of making one image
    measuring: float  # of one translation
    reference: float  # of one training image
    pair: float  # of the distances of one pair


@dataclass(frozen=True)
class Sizes:
    """Bytes that one run writes."""

    checkpoint: int
    translator: int
    grid: int


def work_of(config: Config, train: Sequence[int], val: Sequence[int]) -> Work:
    """What a run does over data with so many training and validation images in each domain."""
    guides, others = len(GUIDES[config.model.code]), len(val) - 1
    outputs = 1 if config.model.code == "label" else config.eval.outputs
    return Work(
        iterations=iterations(config),
        translations=guides * others * outputs * sources_of(config, val),
        references=sum(_at_most(size, config.eval.references) for size in train),
        pairs=guides * len(val) * others,
    )


def sources_of(config: Config, val: Sequence[int]) -> int:
    """Validation images that are translated, of all domains."""
    return sum(_at_most(size, config.eval.sources) for size in val)


def training_seconds(work: Work, costs: Costs) -> float:
    """Of one run."""
    return work.iterations * costs.iteration


def evaluation_seconds(work: Work, costs: Costs) -> float:
    """Of one run."""
    translations = work.translations * (costs.translation + costs.measuring)
    return translations + work.references * costs.reference + work.pairs * costs.pair


def baseline_seconds(work: Work, costs: Costs, sources: int, domains: int) -> float:
    """Of the rows of real and of untouched images, measured once for all runs.

    Every source is measured as itself, in a group, and once for each other domain.
    """
    measured = sources * (domains + 1) * costs.measuring
    return measured + work.references * costs.reference + domains**2 * costs.pair


def makespan(seconds: Sequence[float], workers: int) -> float:
    """How long runs of these lengths take when each starts, in order, as soon as one of `workers` is free."""
    free = [0.0] * workers
    for length in seconds:
        heapq.heapreplace(free, free[0] + length)
    return max(free)


def disk_bytes(config: Config, sizes: Sizes, keep: int) -> int:
    """What a run takes on disk at most, when it keeps `keep` checkpoints: the next one is written before one goes."""
    last, train = iterations(config), config.train
    checkpoints = min(keep + 1, -(-last // train.checkpoint_every))
    grids = (last // train.sample_every if train.sample_every else 0) + len(GUIDES[config.model.code])
    points = -(-last // train.log_every)
    written = checkpoints * sizes.checkpoint + sizes.translator + grids * sizes.grid
    return written + points * POINT_BYTES + RECORD_BYTES


def shown_seconds(seconds: float) -> str:
    """A duration for people: `8 s`, `3 min 20 s`, `5 h 10 min`, `4.2 days`."""
    whole = round(seconds)
    if whole < 1:
        return "under 1 s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{seconds / 86400:.1f} days"


def shown_bytes(size: float) -> str:
    """A size for people: `340 MiB`, `1.2 GiB`."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{math.ceil(size / 2**20)} MiB"


def _at_most(size: int, limit: int) -> int:
    """A limit of 0 is none."""
    return min(size, limit or size)
