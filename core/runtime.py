"""Where and how a computation runs: named random streams, device, precision.

Every random number of a run comes from `stream`, a pure function of its name. So nothing depends on what was drawn
before, a killed run resumes exactly, and the rungs of a ladder see the same images and the same latents at one seed.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

import torch

from core.errors import UserError


def stream(seed: int, *purpose: int | str) -> torch.Generator:
    """A CPU random generator that is a function of (seed, purpose) alone, e.g. `stream(seed, step, "latent")`."""
    name = "/".join(str(part) for part in (seed, *purpose))
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1)


@contextlib.contextmanager
def global_stream(seed: int, *purpose: int | str) -> Iterator[None]:
    """Make torch's global CPU generator `stream(seed, *purpose)` inside the block: for weight initialisation."""
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(stream(seed, *purpose).get_state())
        yield


def choose_device(name: str) -> torch.device:
    """`auto`, `cpu` or `cuda` -> a device. Raises UserError where CUDA is asked for and missing."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "device=cuda: this machine's torch sees no GPU. Use device=cpu, or install a CUDA build of torch."
        )
    return torch.device(name)


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """The context in which networks run: plain float32, or bfloat16 where autocast allows it (weights stay float32)."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def make_deterministic() -> None:
    """Have cuDNN choose the same algorithms every time. On a CPU torch already repeats itself bit for bit."""
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one CPU thread inside the block: for work whose last bits must not depend on the number of cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def describe_device(device: torch.device) -> str:
    """A name for records, e.g. `cuda (NVIDIA H200)`."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else "cpu"
