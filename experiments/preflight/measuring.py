"""What measuring an arm's translations costs: the real evaluation with the real extractors, of a few images."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from core.config import Config, changed
from core.metrics import rows
from core.metrics.real import RealImages
from core.model.build import Translator
from experiments.evaluation import measure

BUDGET = 4.0  # seconds for one measurement; what is slow is timed fewer times, and then not by whole batches
SOURCES, OUTPUTS = 2, 2  # least for the numbers that compare several
REFERENCES = 16  # training images


@dataclass(frozen=True)
class EvaluationCosts:
    """Seconds, see `forecast.Costs`."""

    translation: float
    measuring: float
    reference: float
    pair: float
    brief: bool


@torch.inference_mode()
def evaluation_costs(config: Config, translator: Translator, real: RealImages) -> EvaluationCosts:
    """Evaluate in miniature, between two domains: very few images, then about a batch of them. Raises UserError.

    The difference between the two is what an image costs, the rest is what a pair of domains costs.
    """
    route = real.data.routes[0]
    data = dataclasses.replace(real.data, pairs=(route,))
    guides = len(translator.code.guides)

    def sample(sources: int) -> RealImages:
        return RealImages(data, real.suite, real.judge, real.device, sources, REFERENCES, real.batch)

    few = sample(SOURCES)
    reference = _seconds(lambda: few.reference(route[1]), real.device) / len(few.reference(route[1]).features)
    cheap = changed(config, {"eval.outputs": OUTPUTS})
    made = OUTPUTS if translator.code.stochastic else 1
    little = guides * made * len(few.sources[route[0]])
    least = typical_seconds(lambda: measure(cheap, translator, few, title="", quiet=True), real.device)
    images = few.read(few.sources[route[0]])
    measuring = typical_seconds(lambda: rows.measure(images[:, None], few), real.device) / len(images)

    made = config.eval.outputs if translator.code.stochastic else 1
    many = sample(max(SOURCES, real.batch // made))
    much = guides * made * len(many.sources[route[0]])
    if much == little or least / little * much > BUDGET:
        return EvaluationCosts(least / little, measuring, reference, 0.0, brief=True)
    most = typical_seconds(lambda: measure(config, translator, many, title="", quiet=True), real.device)
    translation = (most - least) / (much - little) if most > least else most / much
    pair = max(0.0, least - little * translation) / guides
    return EvaluationCosts(translation, measuring, reference, pair, brief=False)


def typical_seconds(work: Callable[[], object], device: torch.device, warm_up: int = 1, repeats: int = 3) -> float:
    """The median time of `work()`, after some calls to warm up; of fewer calls where BUDGET runs out."""
    seconds: list[float] = []
    for _ in range(warm_up + repeats):
        seconds.append(_seconds(work, device))
        if sum(seconds) + seconds[-1] > BUDGET:
            break
    return statistics.median(seconds[warm_up:] or seconds[-1:])


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start
