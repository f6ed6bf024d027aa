"""Random weights in a temporary torch cache, in the files and the format of the published ones; small data sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import pytest
import torch
from torch import Tensor, nn

from core.data.critters import load_critters
from core.data.images import DataSet, Item
from core.metrics import weights
from core.metrics.judge import Judge
from core.metrics.judge_training import load_judge
from core.runtime import global_stream, stream


@pytest.fixture(scope="session")
def weights_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torchvision
    from pytorch_fid import inception

    home = tmp_path_factory.mktemp("torch_home")
    with global_stream(0, "random weights"):
        nothing_loaded = mock.patch.object(nn.Module, "load_state_dict")
        with nothing_loaded, mock.patch.object(inception, "load_state_dict_from_url"):
            networks = {weights.INCEPTION: inception.fid_inception_v3()}
        networks[weights.ALEXNET] = torchvision.models.alexnet(weights=None)
        networks[weights.TORCHVISION_INCEPTION] = torchvision.models.Inception3(init_weights=False)
        for module in (module for network in networks.values() for module in network.modules()):
            if isinstance(module, nn.Conv2d):  # so that features neither vanish nor explode
                nn.init.kaiming_normal_(module.weight)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(home))
        for file, network in networks.items():
            file.path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(network.state_dict(), file.path)
    return home


@pytest.fixture
def random_weights(weights_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TORCH_HOME with random weights for FID and LPIPS."""
    monkeypatch.setenv("TORCH_HOME", str(weights_home))
    return weights_home


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TORCH_HOME without any weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch_home"))
    return tmp_path / "torch_home"


class Plain:
    """An image set of given images, one tensor uint8 (n, 3, R, R) a domain."""

    def __init__(self, images: dict[str, Tensor]):
        self.domains = tuple(sorted(images))
        self.sizes = tuple(len(images[name]) for name in self.domains)
        self.resolution = images[self.domains[0]].shape[-1]
        self._images = [images[name] for name in self.domains]

    def read(self, items: Sequence[Item], augment: Tensor | None = None) -> Tensor:
        return torch.stack([self._images[domain][index] for domain, index in items])


@pytest.fixture(scope="session")
def colours() -> Callable[[Sequence[str], int, int, int], DataSet]:
    """(domains, training images a domain, validation images a domain, resolution) -> data."""
    return _colours


def _colours(names: Sequence[str], train: int, val: int, resolution: int) -> DataSet:
    """A data set without known factors: each domain is noise around a colour of its own."""
    splits = []
    for split, count in (("train", train), ("val", val)):
        draws = stream(0, split, *names)
        images = {}
        for number, name in enumerate(names):
            colour = torch.rand(3, 1, 1, generator=stream(number, "colour")) * 200
            noise = torch.rand(count, 3, resolution, resolution, generator=draws) * 55
            images[name] = (colour + noise).to(torch.uint8)
        splits.append(Plain(images))
    return DataSet(*splits, fingerprint=f"colours {names} {train} {val} {resolution}")


@pytest.fixture(scope="session")
def critters() -> DataSet:
    return load_critters(150, 12, 32)


@pytest.fixture(scope="session")
def critters_judge(critters: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return load_judge(critters, tmp_path_factory.mktemp("judge"), 150, torch.device("cpu"))
