"""The iteration at which a run diverges, noticed exactly and without making the host wait for the device."""

from __future__ import annotations

import torch
from torch import Tensor

from core.training.state import TrainingState

NEVER = torch.iinfo(torch.int64).max
WEIGHTS = "weights"  # of any network or of the average, in the list of what is not finite


class Diverged(Exception):
    """Losses or weights are not finite any more."""

    def __init__(self, iteration: int, what: tuple[str, ...]) -> None:
        """iteration: the first of which that is so. what: names of losses, and WEIGHTS."""
        super().__init__(f"at iteration {iteration} these are not finite: {', '.join(what)}")
        self.iteration, self.what = iteration, what


class Watch:
    """Looks at every iteration's losses and weights; what it saw is read only when somebody asks."""

    def __init__(self, state: TrainingState, *, at_once: bool) -> None:
        """at_once: check at every look, where there is no device to wait for."""
        self._at_once = at_once
        networks = (*state.networks.values(), state.average)
        self._weights: list[Tensor] = [weight for network in networks for weight in network.parameters()]
        # By the names of an iteration's values: for each, the first iteration at which it was not finite.
        self._first: dict[tuple[str, ...], Tensor] = {}

    @torch.no_grad()
    def look(self, iteration: int, values: dict[str, Tensor]) -> None:
        """Note what is not finite after `iteration` iterations. values: the last one's losses, scalars."""
        names = (*values, WEIGHTS)
        # A norm passes on whatever is not finite. On a CPU that of order 1 is several times faster than the largest.
        sizes = torch._foreach_norm(self._weights, 1)
        finite = torch.stack([*values.values(), torch.stack(sizes).sum()]).isfinite()
        before = self._first.get(names, torch.full_like(finite, NEVER, dtype=torch.int64))
        self._first[names] = torch.where(finite, before, before.clamp(max=iteration))
        if self._at_once:
            self.check()

    def check(self) -> None:
        """Raise Diverged if anything was not finite in an iteration looked at. Waits for the device."""
        found = [
            (iteration, name)
            for names, first in self._first.items()
            for iteration, name in zip(first.tolist(), names, strict=True)
            if iteration != NEVER
        ]
        if found:
            iteration, _ = min(found)
            raise Diverged(iteration, tuple(sorted({name for when, name in found if when == iteration})))
