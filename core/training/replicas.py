"""The processes that train one run together: each on its own rows of every batch, all of them with the same weights.

Every term is a mean over the batch and no layer mixes its images, so K processes with B / K images each follow one
process with B images to rounding: torch's DistributedDataParallel averages their gradients, and what is left is
averaged here. torchrun starts the processes (`python -m torch.distributed.run`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from core.errors import UserError
from core.model.layers import BareBlock

Result = TypeVar("Result")
PATIENCE = timedelta(days=1)


class Replica:
    """One process's place among those that train a run. This one is on its own: there is nobody to agree with."""

    def __init__(self, device: torch.device, rank: int = 0, count: int = 1) -> None:
        """device: on which this process trains. rank: from 0 to count - 1; the first one writes what is written."""
        self.device, self.rank, self.count = device, rank, count

    def rows(self, batch: int) -> slice:
        """Which rows of a batch of `batch` images are this process's."""
        share = batch // self.count
        return slice(self.rank * share, (self.rank + 1) * share)

    def together(self, networks: Iterable[nn.Module], compute: Callable[[], Result]) -> Result:
        """`compute()`, a loss whose backward pass gives the weights of `networks` the gradient of the whole batch."""
        return compute()

    def mean(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """Scalars of these rows -> scalars of the whole batch."""
        return values

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Set tensors to their means over the processes."""

    def any(self, flag: bool) -> bool:
        """Whether it is so in any process."""
        return flag

    def wait_for_all(self) -> None:
        """Go on when every process has come here."""

    def close(self) -> None:
        """Leave the others."""


ALONE = Replica(torch.device("cpu"))  # for what trains without saying where: only `device` would differ


class GroupedReplica(Replica):
    """One of several. All of them make the same calls in the same order, or they wait for each other for ever."""

    def __init__(self, device: torch.device, rank: int, count: int) -> None:
        """Finds the others by torchrun's environment."""
        super().__init__(device, rank, count)
        self._wrapped: dict[tuple[nn.Module, ...], DistributedDataParallel] = {}
        # What processes agree on goes from host to host and does not wait for the devices.
        # The first one evaluates while the others wait; torchrun itself ends those whose peers have died.
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)

    def together(self, networks: Iterable[nn.Module], compute: Callable[[], Result]) -> Result:
        """See `Replica`. Networks that learn together are wrapped once; wrappers may share networks."""
        learners = tuple(networks)
        if learners not in self._wrapped:
            self._wrapped[learners] = DistributedDataParallel(_Computation(learners))
        return self._wrapped[learners](compute)

    def mean(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """See `Replica`."""
        return dict(zip(values, self._mean(torch.stack(list(values.values()))), strict=True))

    @torch.no_grad()
    def average(self, tensors: Sequence[Tensor]) -> None:
        """See `Replica`."""
        if tensors:
            sizes = [tensor.numel() for tensor in tensors]
            means = self._mean(torch.cat([tensor.flatten() for tensor in tensors]))
            for tensor, mean in zip(tensors, means.split(sizes), strict=True):
                tensor.copy_(mean.view_as(tensor))

    def any(self, flag: bool) -> bool:
        """See `Replica`."""
        flags = torch.tensor(int(flag))
        dist.all_reduce(flags, dist.ReduceOp.MAX)
        return bool(flags)

    def wait_for_all(self) -> None:
        """See `Replica`."""
        self.any(False)

    def close(self) -> None:
        """See `Replica`. Together: a group that one has left while another still uses it ends in an abort."""
        self.wait_for_all()
        self._wrapped.clear()
        dist.destroy_process_group()

    def _mean(self, tensor: Tensor) -> Tensor:
        dist.all_reduce(tensor)
        return tensor / self.count


class _Computation(nn.Module):
    """Weights that learn, and whatever is computed with them as the forward pass: what DistributedDataParallel takes.

    There is then one forward pass an update, however often and in which order the loss calls the networks.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        parts = [part for network in networks for part in network.modules()]
        # Nothing uses them, so their gradients would be waited for in vain.
        unused = {weight for part in parts if isinstance(part, BareBlock) for weight in part.shortcut.parameters()}
        weights = [weight for network in networks for weight in network.parameters()]
        self.weights = nn.ParameterList(weight for weight in weights if weight not in unused)

    def forward(self, compute: Callable[[], Result]) -> Result:
        return compute()


def process_count() -> int:
    """How many processes train the run together that this one belongs to."""
    return int(os.environ["WORLD_SIZE"]) if dist.is_available() and dist.is_torchelastic_launched() else 1


def is_follower() -> bool:
    """Whether this process helps the first one of its run, which alone writes anything."""
    return process_count() > 1 and os.environ["RANK"] != "0"


def open_replica(device: torch.device) -> Replica:
    """This process's place: among those that torchrun started, or on its own. device: without an index.

    Raises UserError where there are fewer GPUs than processes.
    """
    if not (dist.is_available() and dist.is_torchelastic_launched()):
        return Replica(device)
    rank, count, place, here = (
        int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    )
    if device.type == "cuda":
        if here > torch.cuda.device_count():
            raise UserError(
                f"gpus_per_run={count}: torch sees {torch.cuda.device_count()} GPUs on this machine. Use as many or "
                "fewer, or device=cpu."
            )
        device = torch.device("cuda", place)
        torch.cuda.set_device(device)
    return GroupedReplica(device, rank, count)


def refuse_uneven(batch: int, count: int) -> None:
    """Raise UserError where `count` processes cannot have equal shares of a batch, naming what they can."""
    if batch % count == 0:
        return
    less, more = batch // count * count, (batch // count + 1) * count
    fewer = max(number for number in range(1, count) if batch % number == 0)
    batches = " or ".join(f"train.batch={size}" for size in (less, more) if size)
    raise UserError(
        f"train.batch={batch} cannot be shared evenly by gpus_per_run={count} processes: use {batches}, or "
        f"gpus_per_run={fewer}."
    )
