"""Which distance and which diversity are measured: the published ones, or the judge's where weights cannot be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from core.errors import UserError
from core.metrics import weights
from core.metrics.authors import TorchvisionInception, mean_over_batches
from core.metrics.features import Extractor, Inception
from core.metrics.judge import Judge
from core.metrics.perceptual import Lpips, Perceptual

Kind = Literal["paper", "judge"]
Variant = Literal["standard", "authors"]

SMALLEST = 32  # pixels: AlexNet has no map left of smaller images


@dataclass(frozen=True)
class Suite:
    """The extractors of one evaluation and the names of the numbers they give."""

    kind: Kind
    features: Extractor
    perceptual: Perceptual
    frechet: str  # metric names
    kernel: str
    diversity: str
    note: str = ""  # what log and report must say of the choice
    variant: Variant = "standard"  # of the published metrics: `authors` measures as `core/metrics/authors.py` says

    @property
    def sees_floats(self) -> bool:
        """Whether a diversity is measured on a model's own floats, not on the 8 bits of a saved picture."""
        return self.variant == "authors"

    def mean_diversity(self, values: Tensor) -> float:
        """Over sources, (n,) in their order."""
        return float(mean_over_batches(values.double()) if self.variant == "authors" else values.double().mean())

    @property
    def features_protocol(self) -> str:
        """What stands beside a distance in `features`."""
        return self._protocol(self.features)

    @property
    def perceptual_protocol(self) -> str:
        """What stands beside a diversity."""
        return self._protocol(self.perceptual)

    @property
    def protocol(self) -> str:
        """Both, for people."""
        return "; ".join(dict.fromkeys((self.features_protocol, self.perceptual_protocol)))

    def _protocol(self, part: Extractor | Perceptual) -> str:
        return f"{f'{self.variant}: ' if self.kind == 'paper' else ''}{part.name} {part.checksum}"


def decide(metrics: str, resolution: int, variant: Variant = "standard") -> tuple[Kind, str]:
    """`auto`, `paper` or `judge` -> which suite to use, and a note for log and report ("" where there is none).

    variant: of the published metrics; each needs weights of its own.

    Downloads the published weights where they are wanted and missing; a host that does not answer is given up within
    10 s. Raises UserError where `paper` cannot be had.
    """
    if metrics == "judge":
        return "judge", ""
    files = (weights.TORCHVISION_INCEPTION if variant == "authors" else weights.INCEPTION, weights.ALEXNET)
    try:
        if resolution < SMALLEST:
            raise weights.WeightsUnavailable(f"LPIPS needs images of {SMALLEST} pixels, these have {resolution}")
        weights.fetch(files)
    except weights.WeightsUnavailable as error:
        if metrics == "auto":
            return "judge", f"No FID and LPIPS: {error}. The judge's own distance and diversity are measured instead."
        raise UserError(_refusal(error, files)) from error
    return "paper", ""


def choose(metrics: str, judge: Judge, resolution: int, device: torch.device, variant: Variant = "standard") -> Suite:
    """The suite for `metrics`, see `decide`. Raises UserError too where a weights file is damaged."""
    kind, note = decide(metrics, resolution, variant)
    if kind == "paper":
        features = TorchvisionInception(device) if variant == "authors" else Inception(device)
        return Suite(kind, features, Lpips(device), "fid", "kid", "lpips", note, variant)
    return Suite(kind, judge, judge, "judge_frechet", "judge_mmd", "judge_diversity", note)


def _refusal(error: Exception, files: Sequence[weights.WeightsFile]) -> str:
    places = "\n".join(f"  {file.path}\n    from {file.url}" for file in files)
    return (
        f"eval.metrics=paper cannot be measured: {error}.\nThese files must lie here:\n{places}\n"
        "Put them there, or use eval.metrics=auto or eval.metrics=judge."
    )
