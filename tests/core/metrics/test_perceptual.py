import itertools
import warnings
from pathlib import Path

import pytest
import torch

from core.errors import UserError
from core.metrics import weights
from core.metrics.perceptual import Lpips, mean_pairwise

CPU = torch.device("cpu")


def groups(count: int, size: int, resolution: int) -> torch.Tensor:
    return torch.rand(count, size, 3, resolution, resolution, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.filterwarnings("ignore:The parameter 'pretrained':UserWarning")
@pytest.mark.filterwarnings("ignore:Arguments other than a weight enum:UserWarning")
def test_equals_the_packages_own_on_every_pair(random_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import lpips

    images = groups(3, 4, 48)
    images[2] = images[2] * 0.1
    package = lpips.LPIPS(net="alex", verbose=False)  # loads the same random trunk from torch's cache
    capsys.readouterr()
    with warnings.catch_warnings(record=True) as caught:
        ours = Lpips(CPU).mean_pairwise(images)
    assert capsys.readouterr() == ("", "")
    assert not caught
    with torch.no_grad():
        expected = [
            torch.stack([package(a[None], b[None]).squeeze() for a, b in itertools.combinations(group, 2)]).mean()
            for group in images
        ]
    torch.testing.assert_close(ours, torch.stack(expected), rtol=1e-5, atol=1e-6)
    assert ours.shape == (3,)
    assert ours.min() > 0.01


def test_equal_images_have_no_diversity(random_weights: Path) -> None:
    same = groups(2, 1, 32).expand(-1, 5, -1, -1, -1)
    assert Lpips(CPU).mean_pairwise(same).abs().max() < 1e-9


def test_two_directions_in_closed_form() -> None:
    maps = torch.tensor([[3.0, 0.0], [0.0, 5.0], [2.0, 2.0]]).view(3, 2, 1, 1)  # unit vectors at 0, 90, 45 degrees
    near = 2 - 2**0.5  # the squared distance of unit vectors 45 degrees apart
    pairs = (2 + near + near) / 3
    assert float(mean_pairwise([maps], [None], 3)) == pytest.approx(pairs, rel=1e-6)
    weighted = float(mean_pairwise([maps, maps], [None, torch.tensor([2.0, 0.0])], 3))
    assert weighted == pytest.approx(pairs * 2, rel=1e-6)  # by symmetry each channel is half of the distance


def test_groups_do_not_depend_on_each_other(random_weights: Path) -> None:
    images, lpips = groups(20, 2, 32), Lpips(CPU)
    together = lpips.mean_pairwise(images)
    torch.testing.assert_close(together[17:18], lpips.mean_pairwise(images[17:18]), rtol=1e-5, atol=1e-7)


def test_weights_of_another_network_are_refused(empty_cache: Path) -> None:
    weights.ALEXNET.path.parent.mkdir(parents=True)
    torch.save({"other": torch.zeros(1)}, weights.ALEXNET.path)
    with pytest.raises(UserError, match=str(weights.ALEXNET.path)):
        Lpips(CPU)
