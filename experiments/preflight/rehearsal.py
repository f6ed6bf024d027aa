"""A little of a run, done for real and timed: a few training iterations, one batch translated, one measured."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from core.config import Config
from core.data.images import DataSet
from core.losses.objective import build_objective
from core.metrics.judge import Judge
from core.metrics.judge_training import load_judge
from core.metrics.real import RealImages
from core.metrics.rows import Pair, group_rows, image_rows, measure
from core.training.loop import batches_of
from core.training.state import TrainingState
from core.training.steps import iterate
from experiments.pictures import layout_of
from experiments.preflight.forecast import Sizes
from experiments.prepare import translating

WARM_UP = 2
REPEATS = 5
BUDGET = 6.0  # seconds; whatever is slow is timed fewer times
CPU_BATCH = 8  # images translated at a time; a GPU gets the evaluation's own batch, its speed depends on it
SOURCES = 2  # least for a distance
REFERENCES = 16
JUDGE_STEPS = 6


@dataclass(frozen=True)
class ArmRehearsal:
    """What was seen of one arm."""

    iteration: float  # seconds
    translation: float  # seconds an image, over the arm's guides
    parameters: int
    sizes: Sizes
    peak_bytes: int | None  # of the device's memory, where it is counted


@dataclass(frozen=True)
class MeasuringRehearsal:
    """Seconds that measuring takes, alike in all arms."""

    translation: float  # an image
    reference: float  # an image
    pair: float


def rehearse_arm(config: Config, data: DataSet, device: torch.device) -> ArmRehearsal:
    """Train an arm for some iterations and translate a batch; nothing is kept."""
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    state = TrainingState(config, device)
    objective = build_objective(config)
    batches = batches_of(config, data.train, objective.reads, data.train_masks)

    def one(number: int) -> None:
        # As many iterations as make one update of the generator: with fewer, most would be without.
        for step in range(number * cycle, (number + 1) * cycle):
            batch = batches[step].to(device)
            iterate(state, objective, batch, ema=config.train.ema, precision=config.precision, n_critic=cycle)

    cycle = config.train.n_critic
    iteration = typical_seconds(one, device) / cycle
    peak = torch.cuda.max_memory_allocated(device) if on_gpu else None
    layout = layout_of(data.val)
    shown = len(layout.domains)
    tiles = shown * layout.sources * (1 + shown * layout.latents)
    return ArmRehearsal(
        iteration=iteration,
        translation=_translation_seconds(state, config, data, device),
        parameters=sum(state.parameters_of().values()),
        sizes=Sizes(
            checkpoint=_bytes(state.state_dict()),
            translator=_bytes(state.average.state_dict()),
            grid=tiles * 3 * layout.tile**2,
        ),
        peak_bytes=peak,
    )


class _EnoughSeen(Exception):
    """The judge is not at hand, and how long a step of its training takes is known."""


def rehearse_judge(config: Config, data: DataSet, cache: Path, device: torch.device) -> tuple[Judge, float]:
    """(the judge of the data, 0) if it is in `cache`; else (one hardly trained, seconds to train it properly)."""
    steps = config.eval.judge_steps
    seen = [time.perf_counter()]

    def watch(done: int, total: int) -> None:
        seen.append(time.perf_counter())
        if done == min(JUDGE_STEPS, total):
            raise _EnoughSeen

    try:
        judge = load_judge(data, cache, steps, device, watch)
    except _EnoughSeen:
        with tempfile.TemporaryDirectory() as nowhere:
            judge = load_judge(data, Path(nowhere), 1, device)
        return judge, steps * statistics.median(after - before for before, after in itertools.pairwise(seen))
    return judge, 0.0


def rehearse_measuring(real: RealImages, outputs: int) -> MeasuringRehearsal:
    """Measure a few images as an evaluation does. outputs: translations of one source."""
    small = RealImages(real.data, real.suite, real.judge, real.device, SOURCES, REFERENCES, real.batch)
    items = small.sources[0]
    images = small.read(items)[:, None].expand(-1, outputs, -1, -1, -1)
    pair, truth = Pair("latent", 0, 1), small.truth(items)
    with torch.inference_mode():
        once = typical_seconds(lambda _: measure(images, small), real.device, warm_up=1, repeats=3)
        measured = measure(images, small)
        train = small.data.train
        count = min(REFERENCES, train.sizes[1])
        fresh = [RealImages(real.data, real.suite, real.judge, real.device, 1, count, real.batch) for _ in range(3)]
        reference = typical_seconds(lambda number: fresh[number].reference(1), real.device, warm_up=1, repeats=2)

        def rows(_: int) -> None:
            for made in (1, outputs):
                image_rows(measured, truth, made, pair, small)
            group_rows(measured, outputs, pair, small)

        distances = typical_seconds(rows, real.device, warm_up=1, repeats=2)
    return MeasuringRehearsal(once / (len(items) * outputs), reference / count, distances)


def typical_seconds(
    work: Callable[[int], object], device: torch.device, warm_up: int = WARM_UP, repeats: int = REPEATS
) -> float:
    """The median time of `work(0)`, `work(1)`, ... after some calls to warm up; fewer where BUDGET has run out."""
    seconds: list[float] = []
    for number in range(warm_up + repeats):
        start = time.perf_counter()
        work(number)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
        if sum(seconds) > BUDGET:
            break
    return statistics.median(seconds[warm_up:] or seconds[-1:])


@torch.inference_mode()
def _translation_seconds(state: TrainingState, config: Config, data: DataSet, device: torch.device) -> float:
    count = config.eval.batch if device.type == "cuda" else min(config.eval.batch, CPU_BATCH)
    side = data.val.resolution
    images = torch.zeros(count, 3, side, side, device=device)
    source, target = torch.zeros(2, count, dtype=torch.int64, device=device)
    latents = torch.zeros(count, config.model.latent_dim, device=device)
    masks = torch.zeros(count, 2, side // 4, side // 4, device=device)
    translate = translating(state.average, config, device)
    guides = state.average.code.guides
    seconds = [
        typical_seconds(
            lambda _, guide=guide: translate(guide, images, source, target + 1, latents, images, masks),  # type: ignore[misc]
            device,
            warm_up=1,
            repeats=3,
        )
        for guide in guides
    ]
    return sum(seconds) / len(guides) / count


def _bytes(content: object) -> int:
    """Of all tensors in nested dictionaries and lists."""
    if isinstance(content, Tensor):
        return content.numel() * content.element_size()
    if isinstance(content, dict):
        return sum(map(_bytes, content.values()))
    return sum(map(_bytes, content)) if isinstance(content, list | tuple) else 0
