"""FID and KID against torch-fidelity's, on the features of the same images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from core.metrics.features import Inception
from core.metrics.frechet import frechet_distance, kernel_distance, statistics

metric_fid = pytest.importorskip("torch_fidelity.metric_fid", reason="torch-fidelity is not installed: make setup")
metric_kid = pytest.importorskip("torch_fidelity.metric_kid", reason="torch-fidelity is not installed: make setup")

COUNT = 10  # images on each side


@pytest.fixture(scope="module")
def features(weights_home: Path) -> tuple[Tensor, Tensor]:
    """Of two sets of images, float64 (COUNT, 2048), by Inception with random weights."""
    draws = torch.Generator().manual_seed(0)
    colours = torch.randn(2 * COUNT, 3, 1, 1, generator=draws) * 0.5
    images = colours + torch.randn(2 * COUNT, 3, 32, 32, generator=draws) * 0.3
    images[COUNT:] = images[COUNT:] * 0.3 + 0.5
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(weights_home))
        inception = Inception(torch.device("cpu"))
    first, second = (inception(part).double() for part in images.split(COUNT))
    return first, second


def their_fid(first: Tensor, second: Tensor) -> float:
    sides = [metric_fid.fid_features_to_statistics(part) for part in (first, second)]
    return float(metric_fid.fid_statistics_to_metric(*sides, verbose=False)["frechet_inception_distance"])


def test_kid(features: tuple[Tensor, Tensor]) -> None:
    one_subset_of_all = {"kid_subsets": 1, "kid_subset_size": COUNT, "verbose": False}
    expected = metric_kid.kid_features_to_metric(*features, **one_subset_of_all)["kernel_inception_distance_mean"]
    assert expected > 0.01
    assert kernel_distance(*features) == pytest.approx(expected, rel=1e-9)
    # As evaluation does it: features in the network's float32.
    assert kernel_distance(*(part.float() for part in features)) == pytest.approx(expected, rel=1e-4)


def test_fid(features: tuple[Tensor, Tensor]) -> None:
    """On mixtures of the features: few enough for covariances of full rank."""
    mixing = torch.randn(2048, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64) / 45
    first, second = (part @ mixing for part in features)
    expected = their_fid(first, second)
    assert expected > 0.01
    assert frechet_distance(statistics(first), statistics(second)) == pytest.approx(expected, rel=1e-6)


def test_fid_of_fewer_images_than_features(features: tuple[Tensor, Tensor]) -> None:
    """Covariances of rank COUNT - 1. A part of the features: theirs takes the eigenvalues of a general matrix."""
    first, second = (part[:, :512] for part in features)
    assert frechet_distance(statistics(first), statistics(second)) == pytest.approx(their_fid(first, second), rel=1e-4)
    covariance = metric_fid.fid_features_to_statistics(first)["sigma"]
    np.testing.assert_allclose(statistics(first).covariance, covariance, rtol=1e-9, atol=1e-12)
