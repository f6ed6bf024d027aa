"""Perceptual diversity: how far apart several images are, in the feature maps of a network.

LPIPS is Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (2018), equation 1; its
mean over the pairs of the outputs of one source is the diversity of StarGAN v2, appendix C. Higher is more diverse.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from core.metrics import weights

CHUNK = 32  # images in the network at once


class Perceptual(Protocol):
    """Groups of images float (m, k, 3, R, R) in [-1, 1], k >= 2 -> mean distance over the pairs of each group (m,)."""

    name: str
    checksum: str  # of the weights

    def mean_pairwise(self, images: Tensor) -> Tensor:
        """See the class."""
        ...


class Lpips:
    """The lpips package's LPIPS, version 0.1 on AlexNet."""

    name = "lpips AlexNet"

    def __init__(self, device: torch.device):
        """The trunk's weights must lie in torch's cache: see `weights.fetch`. Raises UserError where damaged."""
        import lpips  # loads torchvision: only where LPIPS is measured

        state, self.checksum = weights.load(weights.ALEXNET)
        # Built with a random trunk, which the state dict then replaces: the package would unpickle the file unguarded.
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("ignore")  # it calls torchvision by a deprecated argument
            metric = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
        trunk = metric.net
        try:
            trunk.load_state_dict({name: state["features." + name.partition(".")[2]] for name in trunk.state_dict()})
        except (KeyError, RuntimeError) as error:
            raise weights.damaged(weights.ALEXNET, error) from error
        self._metric = metric.eval().to(device)
        self._importance = [layer.model[-1].weight.flatten() for layer in metric.lins]
        self._device = device

    @torch.inference_mode()
    def mean_pairwise(self, images: Tensor) -> Tensor:
        """images: float (m, k, 3, R, R) in [-1, 1], R >= 32 -> (m,), the mean LPIPS over the k (k - 1) / 2 pairs."""
        groups = []
        for group in images.split(max(1, CHUNK // images.shape[1])):
            flat = self._metric.scaling_layer(group.flatten(0, 1).to(self._device))
            groups.append(mean_pairwise(list(self._metric.net(flat)), self._importance, images.shape[1]))
        return torch.cat(groups)


def mean_pairwise(maps: Sequence[Tensor], importance: Sequence[Tensor | None], group: int) -> Tensor:
    """Mean over pairs, per group of `group` consecutive images, of the layers' summed distances -> (m,).

    maps: one a layer, (m * group, c, h, w). importance: (c,) a layer, or None for all ones. A layer's distance is the
    spatial mean of sum_c w_c (a_c - b_c)^2, a and b of unit length in c. It is not computed pair by pair: the sum over
    pairs of |a_i - a_j|^2 is k times the sum of |a_i - mean|^2.
    """
    total = torch.zeros(len(maps[0]) // group, device=maps[0].device)
    for features, weight in zip(maps, importance, strict=True):
        unit = features / (features.square().sum(1, keepdim=True).sqrt() + 1e-10)
        unit = unit.unflatten(0, (-1, group))
        squares = (unit - unit.mean(1, keepdim=True)).square().sum(1).mean((2, 3))
        total += (squares if weight is None else squares * weight).sum(1)
    return total * 2 / (group - 1)  # times k, over k (k - 1) / 2 pairs
