import math

import numpy as np
import pytest
import scipy
import torch

from core.errors import UserError
from core.metrics.frechet import (
    Statistics,
    frechet_distance,
    kernel_distance,
    kernel_sum,
    kernel_within,
    statistics,
)


def gaussian(mean: list[float], variances: list[float]) -> Statistics:
    return Statistics(torch.tensor(mean).double(), torch.diag(torch.tensor(variances).double()), 100)


def samples(seed: int, count: int, dimensions: int) -> torch.Tensor:
    draws = torch.Generator().manual_seed(seed)
    mixing = torch.randn(dimensions, dimensions, generator=draws) / math.sqrt(dimensions)
    return torch.randn(count, dimensions, generator=draws) @ mixing + 0.3 * seed


def test_closed_form_of_diagonal_gaussians() -> None:
    first, second = gaussian([0, 1, 2], [1, 4, 9]), gaussian([1, 1, 0], [4, 4, 1])
    # |m1 - m2|^2 = 5 and the sum of (s1 - s2)^2 = 1 + 0 + 4
    assert frechet_distance(first, second) == pytest.approx(10, rel=1e-12)
    assert frechet_distance(second, first) == pytest.approx(10, rel=1e-12)


def test_closed_form_of_rotated_gaussians() -> None:
    turn, _ = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    first, second = gaussian([0] * 4, [1, 4, 9, 16]), gaussian([0] * 4, [4, 9, 16, 25])
    turned = [Statistics(s.mean, turn @ s.covariance @ turn.T, 100) for s in (first, second)]
    assert frechet_distance(*turned) == pytest.approx(4, rel=1e-10)


def test_a_singular_covariance() -> None:
    assert frechet_distance(gaussian([0, 0], [0, 1]), gaussian([0, 0], [4, 1])) == pytest.approx(4, rel=1e-12)
    assert frechet_distance(gaussian([0, 0], [0, 0]), gaussian([3, 4], [0, 0])) == pytest.approx(25, rel=1e-12)


@pytest.mark.parametrize("count", [5, 200])
def test_identical_sets_have_no_distance(count: int) -> None:
    features = samples(1, count, 40)
    assert 0 <= frechet_distance(statistics(features), statistics(features.clone())) < 1e-9


def test_fewer_samples_than_dimensions_is_symmetric_and_positive() -> None:
    first, second = statistics(samples(1, 8, 60)), statistics(samples(2, 20, 60))
    assert first.factor.shape == (60, 7)
    assert frechet_distance(first, second) == pytest.approx(frechet_distance(second, first), rel=1e-7)
    assert frechet_distance(first, second) > 1


def test_statistics_match_numpy_and_add_up() -> None:
    features = samples(1, 30, 7)
    whole, sum_of_parts = statistics(features), statistics(features[:11]) + statistics(features[11:])
    np.testing.assert_allclose(whole.mean, features.double().mean(0), rtol=1e-12)
    np.testing.assert_allclose(whole.covariance, np.cov(features.double().numpy(), rowvar=False), rtol=1e-10)
    np.testing.assert_allclose(sum_of_parts.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(sum_of_parts.covariance, whole.covariance, rtol=1e-10)
    assert sum_of_parts.count == whole.count == 30


@pytest.mark.skipif(
    tuple(map(int, scipy.__version__.split(".")[:2])) >= (1, 18),
    reason="pytorch-fid's calculate_frechet_distance calls sqrtm(disp=...), which SciPy 1.18 dropped",
)
@pytest.mark.filterwarnings("ignore:The `disp` argument:DeprecationWarning")
def test_equals_pytorch_fid() -> None:
    from pytorch_fid.fid_score import calculate_frechet_distance

    first, second = statistics(samples(1, 300, 64)), statistics(samples(2, 500, 64))
    expected = calculate_frechet_distance(
        *(array.numpy() for array in (first.mean, first.covariance, second.mean, second.covariance))
    )
    assert frechet_distance(first, second) == pytest.approx(float(expected), rel=1e-6)


def test_kernel_distance_equals_its_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.metrics.frechet.BLOCK", 4)  # several blocks, the last one smaller
    first, second = samples(1, 9, 5).double(), samples(2, 6, 5).double()

    def mean(x: torch.Tensor, y: torch.Tensor, same: bool) -> float:
        pairs = [(i, j) for i in range(len(x)) for j in range(len(y)) if not (same and i == j)]
        return sum(float((x[i] @ y[j] / 5 + 1) ** 3) for i, j in pairs) / len(pairs)

    expected = mean(first, first, True) + mean(second, second, True) - 2 * mean(first, second, False)
    assert kernel_distance(first.float(), second.float()) == pytest.approx(expected, rel=1e-5)
    assert kernel_distance(first, second, kernel_within(second)) == pytest.approx(expected, rel=1e-12)
    assert kernel_sum(first, second) == pytest.approx(mean(first, second, False) * 54, rel=1e-12)


def test_kernel_distance_is_unbiased() -> None:
    """Its mean over draws from one distribution is 0, though each draw is small."""
    draws = torch.Generator().manual_seed(0)
    values = [kernel_distance(*torch.randn(2, 10, 4, generator=draws)) for _ in range(400)]
    assert abs(np.mean(values)) < 3 * np.std(values) / math.sqrt(400)
    assert min(values) < 0 < max(values)


def test_one_sample_is_too_few() -> None:
    one, two = torch.ones(1, 3), torch.ones(2, 3)
    with pytest.raises(UserError, match="at least 2 images"):
        statistics(one)
    for first, second in ((one, two), (two, one)):
        with pytest.raises(UserError, match="at least 2 images"):
            kernel_distance(first, second)
