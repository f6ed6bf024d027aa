"""How much memory a training step takes, found without taking it: the step's graph on torch's meta device.

Saved activations are counted exactly, once each; weights, gradients, Adam's two moments and the average are five times
the parameters at most. What libraries need beside that is an allowance. And what to say where it was too little.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from core.config import Config
from core.data.batches import Batch
from core.errors import UserError
from core.losses.objective import GeneratorPass, build_objective, total
from core.model.build import build_discriminator, build_translator

ALLOWANCE = 500 * 2**20  # bytes: interpreter, libraries, workspaces
HEADROOM = 1.3  # of what is counted: fragmentation, temporaries, the backward pass's own
# How torch words it where a host has none left, on Linux and macOS, on Windows, and in the libraries of a GPU.
FAILURES = ("can't allocate memory", "not enough memory", "CUDNN_STATUS_ALLOC_FAILED", "CUBLAS_STATUS_ALLOC_FAILED")


def step_bytes(config: Config, processes: int = 1) -> int:
    """Bytes that training takes at its peak: the generator update, the largest graph of an iteration.

    processes: that share the batch; the bytes are those of each.
    """
    fixed, one = _costs(config, processes)
    return int(fixed + config.train.batch / processes * one)


def largest_batch(config: Config, available: int, processes: int = 1) -> int:
    """The largest `train.batch` of which a step fits, 0 where none does.

    available: bytes, for each of the processes that share the batch. What they share is a multiple of their number.
    """
    fixed, one = _costs(config, processes)
    return max(0, int((available - fixed) // one)) * processes


def refuse_too_large(config: Config, device: torch.device, available: int | None, processes: int = 1) -> None:
    """Raise UserError where a step cannot fit in the device's free memory, naming a batch that does.

    available: bytes of the host's memory, where that is known. processes: that share the batch, each with a GPU of its
    own or all of them on the CPU.
    """
    free, needed = _free(device, available, processes), step_bytes(config, processes)
    if free is None or needed <= free:
        return
    advice = _advice(largest_batch(config, free, processes))
    each = "" if processes == 1 else f" for each of {processes} processes"
    raise UserError(
        f"train.batch={config.train.batch} at {config.model.resolution} px needs about {needed / 2**30:.1f} GiB of "
        f"memory{each} and {free / 2**30:.1f} GiB are free: use {advice}."
    )


def out_of_memory(config: Config, device: torch.device, available: int | None, processes: int = 1) -> UserError:
    """What to say of a run that ran out of memory, with a batch that should fit.

    available: as for `refuse_too_large`, found before the run took any. That forecast let this batch pass, so it is
    not believed beyond half of it.
    """
    free = _free(device, available, processes)
    if free is not None and device.type == "cuda":
        free += torch.cuda.memory_reserved(device)  # by this run, which is over
    half = config.train.batch // 2 // processes * processes
    fits = half if free is None else min(half, largest_batch(config, free, processes))
    return UserError(
        f"out of memory with train.batch={config.train.batch} at {config.model.resolution} px: use {_advice(fits)}."
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed: on a GPU, which has a class of its own, or on the host, which torch only words."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in FAILURES)


def _free(device: torch.device, host: int | None, processes: int) -> int | None:
    """Bytes that each process can take now, where that is known. host: of the host's memory."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return None if host is None else host // processes


def _advice(batch: int) -> str:
    return f"train.batch={batch}" if batch >= 1 else "a smaller model.resolution or model.first_width"


def _costs(config: Config, processes: int) -> tuple[float, float]:
    """Bytes of a step: (those that it takes with any batch, those of each image more)."""
    single = dataclasses.replace(config, train=dataclasses.replace(config.train, batch=1))
    # Processes that share a batch exchange gradients through copies, of a network in each update that it learns in.
    copies = 5 if processes == 1 else 7
    return ALLOWANCE + HEADROOM * copies * _weights(config), HEADROOM * _activations(single)


def _weights(config: Config) -> float:
    """Bytes of all networks that train."""
    with torch.device("meta"):
        networks = (build_translator(config), build_discriminator(config))
    return sum(p.numel() * p.element_size() for network in networks for p in network.parameters())


def _activations(config: Config) -> float:
    """Bytes kept for the backward pass of a generator update."""
    sizes: dict[int, int] = {}
    kept: list[Tensor] = []  # alive until counted, so that no storage takes the place of another

    def count(tensor: Tensor) -> Tensor:
        sizes[tensor.untyped_storage()._cdata] = tensor.untyped_storage().nbytes()
        kept.append(tensor)
        return tensor

    with torch.device("meta"):
        translator, discriminator = build_translator(config), build_discriminator(config)
        discriminator.requires_grad_(False)
        objective = build_objective(config)
        update = GeneratorPass(translator, discriminator, _empty_batch(config), "latent")
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            total(objective.generator, 0, update)
    weights = {p.untyped_storage()._cdata for network in (translator, discriminator) for p in network.parameters()}
    return float(sum(size for name, size in sizes.items() if name not in weights))


def _empty_batch(config: Config) -> Batch:
    size, side = config.train.batch, config.model.resolution
    domain = torch.zeros(size, dtype=torch.int64)
    image = torch.empty(size, 3, side, side)
    latent = torch.empty(size, config.model.latent_dim)
    masks = torch.empty(size, 2, side // 4, side // 4)
    return Batch(domain, domain, latent, latent, torch.empty(size, 1, 1, 1), image, image, image, masks)
