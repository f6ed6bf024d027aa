"""Distances between two sets of features: the Fréchet distance and the kernel distance. Pure functions.

The Fréchet distance between Gaussians is Dowson and Landau (1982); in Inception features it is the FID of Heusel et
al., "GANs Trained by a Two Time-Scale Update Rule" (2017), section 4. The kernel distance is the squared maximum mean
discrepancy of Binkowski et al., "Demystifying MMD GANs" (2018), section 4; in Inception features it is the KID.
Everything is computed in float64, on the device of the features.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from core.errors import UserError

BLOCK = 4096  # rows of a kernel matrix in memory at once


@dataclass(frozen=True)
class Statistics:
    """Mean (d,) and unbiased covariance (d, d) of `count` feature vectors, float64. Two of them add up."""

    mean: Tensor
    covariance: Tensor
    count: int

    def __add__(self, other: Statistics) -> Statistics:
        """The statistics of both sets together (Chan, Golub and LeVeque 1983)."""
        count = self.count + other.count
        shift = other.mean - self.mean
        scatter = self.covariance * (self.count - 1) + other.covariance * (other.count - 1)
        scatter = scatter + torch.outer(shift, shift) * (self.count * other.count / count)
        return Statistics(self.mean + shift * (other.count / count), scatter / (count - 1), count)

    @cached_property
    def factor(self) -> Tensor:
        """A thin L (d, r) with L L^T = covariance; r is the covariance's numerical rank."""
        values, vectors = torch.linalg.eigh(self.covariance)
        kept = values > values[-1].clamp(min=0) * len(values) * torch.finfo(values.dtype).eps
        return vectors[:, kept] * values[kept].sqrt()


def statistics(features: Tensor) -> Statistics:
    """features: (n, d), n >= 2. Raises UserError for fewer: one sample has no covariance."""
    if len(features) < 2:
        raise UserError(f"A Fréchet distance needs at least 2 images on each side, but one side has {len(features)}.")
    rows = features.double()
    mean = rows.mean(0)
    centred = rows - mean
    return Statistics(mean, centred.T @ centred / (len(rows) - 1), len(rows))


def frechet_distance(first: Statistics, second: Statistics) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), at least 0. Fewer samples than dimensions are fine.

    The eigenvalues of C1 C2 are those of the symmetric L1^T C2 L1 with L1 L1^T = C1, so no matrix square root is taken.
    `first.factor` is kept: pass the statistics that many sets are compared with as `first`.
    """
    product = first.factor.T @ second.covariance @ first.factor
    root = torch.linalg.eigvalsh((product + product.T) / 2).clamp(min=0).sqrt().sum()
    spread = first.covariance.trace() + second.covariance.trace() - 2 * root
    return max(0.0, float((first.mean - second.mean).square().sum() + spread))


def kernel_sum(first: Tensor, second: Tensor) -> float:
    """The sum of k(x, y) = (x.y / d + 1)^3 over all rows x of first (n, d) and y of second (m, d)."""
    total = torch.zeros((), dtype=torch.float64, device=first.device)
    scale = 1 / first.shape[1]
    for rows in first.split(BLOCK):
        left = rows.double()
        for columns in second.split(BLOCK):
            total += (left @ columns.double().T).mul_(scale).add_(1).pow_(3).sum()
    return float(total)


def kernel_within(features: Tensor) -> float:
    """The mean of k(x, y) over ordered pairs of *different* rows, (n, d) with n >= 2: the unbiased self term."""
    count = len(features)
    if count < 2:
        raise UserError(f"A kernel distance needs at least 2 images on each side, but one side has {count}.")
    diagonal = (features.double().square().mean(1) + 1).pow(3).sum()
    return (kernel_sum(features, features) - float(diagonal)) / (count * (count - 1))


def kernel_distance(first: Tensor, second: Tensor, within_second: float | None = None) -> float:
    """The unbiased squared MMD between features (n, d) and (m, d), from all samples at once; it can be below 0.

    Binkowski et al. average this estimator over random subsets to get an error bar; its expectation is the same.
    within_second: `kernel_within(second)` where it is known already. Raises UserError for n or m below 2.
    """
    between = kernel_sum(first, second) / max(1, len(first) * len(second))
    if within_second is None:
        within_second = kernel_within(second)
    return kernel_within(first) + within_second - 2 * between
