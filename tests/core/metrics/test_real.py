"""The features of training images are measured once for all runs over the same images."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from core.data.images import DataSet
from core.metrics.judge import Judge
from core.metrics.real import RealImages
from core.metrics.suite import Suite, choose

CPU = torch.device("cpu")


class Counted:
    """An extractor that counts the images it sees."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.seen = inner, 0
        self.name, self.checksum = inner.name, inner.checksum

    def __call__(self, images: Tensor) -> Tensor:
        self.seen += len(images)
        return self.inner(images)


@pytest.fixture
def counted(critters_judge: Judge) -> Suite:
    suite = choose("judge", critters_judge, 32, CPU)
    return dataclasses.replace(suite, features=Counted(suite.features))


def test_features_are_kept_between_runs(
    critters: DataSet, critters_judge: Judge, counted: Suite, tmp_path: Path
) -> None:
    def fresh(limit: int | None = 9) -> RealImages:
        return RealImages(critters, counted, critters_judge, CPU, max_reference=limit, cache=tmp_path)

    first = fresh().reference(0).features
    assert counted.features.seen == 9
    assert torch.equal(fresh().reference(0).features, first)
    assert counted.features.seen == 9
    assert not torch.equal(fresh().reference(1).features, first)
    assert counted.features.seen == 18
    fresh(8).reference(0)
    assert counted.features.seen == 26
    for file in tmp_path.iterdir():
        file.write_bytes(b"damaged")
    assert torch.equal(fresh().reference(0).features, first)
    assert counted.features.seen == 35
