"""From what was measured on groups of images to rows: one number each, with all that it was measured with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

import torch
from torch import Tensor

from core.metrics.factors import content_errors, style_spread
from core.metrics.frechet import frechet_distance, kernel_distance, statistics
from core.metrics.real import RealImages


class Row(TypedDict):
    """One number and what it was measured with."""

    metric: str
    guide: str  # latent | reference | none
    outputs: int  # per source image
    source: str
    target: str
    value: float
    direction: str  # lower | higher is better
    samples: int  # images measured
    reference_samples: int  # real images they were compared with
    protocol: str  # extractor, its weights' checksum, resolution


@dataclass(frozen=True)
class Pair:
    """From which domain to which, and guided by what."""

    guide: str
    source: int
    target: int


@dataclass(frozen=True)
class Measured:
    """What is kept of n groups of k images each."""

    features: Tensor  # (n, k, d)
    domains: Tensor  # (n, k), as the judge recognises them
    factors: Tensor  # (n, k, F), as the judge reads them
    diversity: Tensor  # (n,); empty where k is 1


def measure(images: Tensor, real: RealImages) -> Measured:
    """images: (m, k, 3, R, R)."""
    flat, shape = images.flatten(0, 1), images.shape[:2]
    reading = real.judge.read(flat)
    features = torch.cat([real.suite.features(part) for part in flat.split(real.batch)]).to(real.device)
    return Measured(
        features=features.unflatten(0, shape),
        domains=reading.domains.unflatten(0, shape),
        factors=reading.factors.unflatten(0, shape),
        diversity=real.suite.perceptual.mean_pairwise(images).cpu() if shape[1] > 1 else torch.zeros(0),
    )


def join(parts: Sequence[Measured]) -> Measured:
    """All groups of all parts."""
    columns = ("features", "domains", "factors", "diversity")
    return Measured(**{column: torch.cat([getattr(part, column) for part in parts]) for column in columns})


def image_rows(measured: Measured, truth: Tensor, outputs: int, pair: Pair, real: RealImages) -> Iterator[Row]:
    """What single images give, from the first `outputs` of each group. truth: the sources' factors (n, F)."""
    suite, reference = real.suite, real.reference(pair.target)
    features = measured.features[:, :outputs].flatten(0, 1)
    count, compared = len(features), len(reference.features)
    if min(count, compared) > 1:
        frechet = frechet_distance(reference.statistics, statistics(features))
        kernel = kernel_distance(features, reference.features, reference.kernel_within)
        for metric, value in ((suite.frechet, frechet), (suite.kernel, kernel)):
            yield _row(real, pair, metric, value, "lower", outputs, (count, compared), suite.features_protocol)
    share = float((measured.domains[:, :outputs] == pair.target).double().mean())
    yield _row(real, pair, "recognised", share, "higher", outputs, (count, 0), real.judge.protocol)
    for metric, errors in content_errors(real.data.factors, truth, measured.factors[:, :outputs]).items():
        yield _row(real, pair, metric, float(errors.mean()), "lower", outputs, (count, 0), real.judge.protocol)


def group_rows(measured: Measured, outputs: int, pair: Pair, real: RealImages) -> Iterator[Row]:
    """What the several outputs of one source give together. A source counts as much as any other."""
    suite, count = real.suite, measured.domains.numel()
    diversity = suite.mean_diversity(measured.diversity)
    yield _row(real, pair, suite.diversity, diversity, "higher", outputs, (count, 0), suite.perceptual_protocol)
    spread = style_spread(measured.factors, real.style(pair.target))
    if spread is not None:
        samples = (count, len(real.sources[pair.target]))
        yield _row(real, pair, "style_spread", spread, "higher", outputs, samples, real.judge.protocol)


def _row(
    real: RealImages,
    pair: Pair,
    metric: str,
    value: float,
    direction: str,
    outputs: int,
    samples: tuple[int, int],
    protocol: str,
) -> Row:
    return Row(
        metric=metric,
        guide=pair.guide,
        outputs=outputs,
        source=real.data.domains[pair.source],
        target=real.data.domains[pair.target],
        value=value,
        direction=direction,
        samples=samples[0],
        reference_samples=samples[1],
        protocol=", ".join(filter(None, (protocol, f"{real.data.val.resolution} px", real.data.part))),
    )
