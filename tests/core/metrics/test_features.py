from pathlib import Path

import pytest
import scipy
import torch
from PIL import Image

from core.data.images import to_uint8
from core.errors import UserError
from core.metrics import weights
from core.metrics.features import Inception
from core.metrics.frechet import frechet_distance, statistics

CPU = torch.device("cpu")


@pytest.fixture
def inception(random_weights: Path) -> Inception:
    return Inception(CPU)


def images(count: int) -> torch.Tensor:
    """Some values lie outside [-1, 1] and most between 8-bit levels, like a generator's."""
    draws = torch.Generator().manual_seed(0)
    colours = torch.randn(count, 3, 1, 1, generator=draws) * 0.5
    return colours + torch.randn(count, 3, 32, 32, generator=draws) * 0.3


@pytest.mark.skipif(
    tuple(map(int, scipy.__version__.split(".")[:2])) >= (1, 18),
    reason="pytorch-fid's calculate_frechet_distance calls sqrtm(disp=...), which SciPy 1.18 dropped",
)
@pytest.mark.filterwarnings("ignore:The `disp` argument:DeprecationWarning")
def test_fid_equals_pytorch_fid_on_the_same_images_as_files(inception: Inception, tmp_path: Path) -> None:
    from pytorch_fid import fid_score
    from pytorch_fid.inception import InceptionV3

    pictures = images(12)
    files = []
    for number, pixels in enumerate(to_uint8(pictures)):
        files.append(tmp_path / f"{number:02}.png")
        Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(files[-1])
    theirs = fid_score.get_activations(files, InceptionV3(), batch_size=12, num_workers=0)
    ours = inception(pictures)
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, torch.from_numpy(theirs).float(), rtol=1e-4, atol=1e-5)
    assert ours.std(0).mean() > 0.05  # the random network tells images apart

    # With 6 images, 2048 dimensions would be singular for SciPy's square root: four mixtures of them.
    mixing = torch.randn(2048, 4, generator=torch.Generator().manual_seed(1)) / 45
    mine, halves = ours @ mixing, torch.from_numpy(theirs).float() @ mixing
    first, second = (statistics(half) for half in (halves[:6], halves[6:]))
    expected = fid_score.calculate_frechet_distance(
        *(array.numpy() for array in (first.mean, first.covariance, second.mean, second.covariance))
    )
    assert frechet_distance(statistics(mine[:6]), statistics(mine[6:])) == pytest.approx(float(expected), rel=1e-4)


def test_features_do_not_depend_on_the_batch(inception: Inception) -> None:
    pictures = images(3)
    together = inception(pictures)
    assert together.shape == (3, 2048)
    torch.testing.assert_close(together[1:2], inception(pictures[1:2]), rtol=1e-4, atol=1e-5)
    assert not together.requires_grad


def test_the_checksum_is_the_files(inception: Inception, weights_home: Path) -> None:
    import hashlib

    assert inception.checksum == hashlib.sha256(weights.INCEPTION.path.read_bytes()).hexdigest()[:8]
    assert weights.INCEPTION.path.parent == weights_home / "hub" / "checkpoints"


def test_building_draws_no_random_numbers(random_weights: Path) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    Inception(CPU)
    assert torch.equal(before, torch.get_rng_state())


def test_weights_of_another_network_are_refused(empty_cache: Path) -> None:
    weights.INCEPTION.path.parent.mkdir(parents=True)
    torch.save({"other": torch.zeros(1)}, weights.INCEPTION.path)
    with pytest.raises(UserError, match=str(weights.INCEPTION.path)):
        Inception(CPU)
