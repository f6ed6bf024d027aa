"""What a ladder will take, from what was measured of a little of it: arithmetic on plain numbers."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from core.config import GUIDES, Config, iterations
from experiments.lacking import passes, varies

BESIDE_SECONDS = 1.0  # of every run, beside what its rehearsal goes through: Sacred's record, the end of its process
REPORT_SECONDS = 2.0  # of the report, after the last run
RECORD_BYTES = 256 * 2**10  # of every run: result, log, Sacred's copies
POINT_BYTES = 500  # of the curves


@dataclass(frozen=True)
class Work:
    """How much of everything is left to do of one run."""

    iterations: int
    checkpoints: int
    drawings: int  # of sample grids, those at the end counted as one
    evaluations: int
    translations: int  # made and measured in one evaluation
    pairs: int  # of guide, source domain and target domain, in one evaluation


@dataclass(frozen=True)
class Costs:
    """Seconds, in one process with its share of the machine."""

    start: float  # until a process can train
    iteration: float
    checkpoint: float
    drawing: float
    translation: float  # of making and measuring one image
    measuring: float  # of measuring it alone
    reference: float  # of measuring one training image
    pair: float  # of the distances of one pair


@dataclass(frozen=True)
class Sizes:
    """Bytes that one run writes."""

    checkpoint: int
    translator: int
    grid: int
    pictures: int  # all that are drawn at the end


def work_of(
    config: Config, val: Sequence[int], routes: Sequence[tuple[int, int]], done: int = 0, asked: int = 1
) -> Work:
    """What is left of a run.

    val: validation images in each domain. routes: (source, target) domains between which translations are measured.
    done: iterations that are saved. asked: evaluations at the end.
    """
    guides, train, last = len(GUIDES[config.model.code]), config.train, iterations(config)
    outputs = config.eval.outputs if varies(config) else 1
    return Work(
        iterations=last - done,
        checkpoints=1 + _multiples(train.checkpoint_every, done, last - 1),
        drawings=1 + _multiples(train.sample_every, done, last),
        evaluations=passes(config, asked) + _multiples(train.evaluate_every, done, last - 1),
        translations=guides * outputs * sum(_at_most(val[source], config.eval.sources) for source, _ in routes),
        pairs=guides * len(routes),
    )


def training_seconds(work: Work, costs: Costs) -> float:
    """Of what is left of one run."""
    kept = work.checkpoints * costs.checkpoint + work.drawings * costs.drawing
    return work.iterations * costs.iteration + kept


def evaluation_seconds(work: Work, costs: Costs) -> float:
    """Of what is left of one run."""
    return work.evaluations * (work.translations * costs.translation + work.pairs * costs.pair)


def run_seconds(work: Work, costs: Costs) -> float:
    """From the start of a process to the result."""
    return BESIDE_SECONDS + costs.start + training_seconds(work, costs) + evaluation_seconds(work, costs)


def completion_seconds(evaluations: int, seconds: float) -> float:
    """Of a finished run that is measured again so many times. seconds: that its evaluation took when it ended."""
    return BESIDE_SECONDS + evaluations * seconds


def baseline_seconds(config: Config, train: Sequence[int], val: Sequence[int], costs: Costs) -> float:
    """Of the rows of real and of untouched images, measured once for all runs.

    Every training image is measured, every source as itself, in a group, and once for each other domain.
    """
    sources, domains = sum(_at_most(size, config.eval.sources) for size in val), len(val)
    references = sum(_at_most(size, config.eval.references) for size in train)
    return sources * (domains + 1) * costs.measuring + references * costs.reference + domains**2 * costs.pair


def makespan(seconds: Sequence[float], workers: int) -> float:
    """How long runs of these lengths take when each starts, in order, as soon as one of `workers` is free."""
    free = [0.0] * workers
    for length in seconds:
        heapq.heapreplace(free, free[0] + length)
    return max(free)


def disk_bytes(config: Config, sizes: Sizes, keep: int) -> int:
    """What a run takes on disk at most, when it keeps `keep` checkpoints: the next one is written before one goes."""
    last, train = iterations(config), config.train
    checkpoints = min(keep + 1, math.ceil(last / train.checkpoint_every))
    if train.keep_best:
        checkpoints += min(2, _multiples(train.evaluate_every, 0, last - 1))
    grids = _multiples(train.sample_every, 0, last)
    written = checkpoints * sizes.checkpoint + sizes.translator + grids * sizes.grid + sizes.pictures
    return written + math.ceil(last / train.log_every) * POINT_BYTES + RECORD_BYTES


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


def shown_clock(seconds: float) -> str:
    """The clock's time so many seconds from now, with the date where that is not today: `16:05`, `Tue 3 Mar 16:05`."""
    now, then = time.localtime(), time.localtime(time.time() + seconds)
    date = "" if now[:3] == then[:3] else f"{time.strftime('%a', then)} {then.tm_mday} {time.strftime('%b ', then)}"
    return date + time.strftime("%H:%M", then)


def shown_bytes(size: float) -> str:
    """A size for people: `340 MiB`, `1.2 GiB`."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{math.ceil(size / 2**20)} MiB"


def _multiples(every: int, after: int, last: int) -> int:
    """How many multiples of `every` lie behind `after` and not behind `last`; 0: none."""
    return max(0, last // every - after // every) if every else 0


def _at_most(size: int, limit: int) -> int:
    """A limit of 0 is none."""
    return min(size, limit or size)
