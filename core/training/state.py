"""Everything a training run changes, in one object: networks, moving averages, optimisers, counters."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor, nn

from core.config import Config
from core.errors import UserError
from core.model.build import Translator, build_discriminator, build_translator
from core.training.memory import is_out_of_memory

SEAL = b"sha256:"  # before the digest
SEAL_BYTES = len(SEAL) + 64
ANOTHER = "this checkpoint is of another configuration, or of another version of the program"


class TrainingState:
    """The state of a run; `save` and `load` keep all of it."""

    def __init__(self, config: Config, device: torch.device) -> None:
        """Fresh networks, a function of `config.seed`; the average is a copy made after initialisation."""
        self.iteration = 0  # iterations done
        self.seconds = 0.0  # spent in training so far, over all attempts
        self.threads = torch.get_num_threads()  # of the CPU; a sum in other parts has other last digits
        self.translator = build_translator(config).to(device)
        self.discriminator = build_discriminator(config).to(device)
        self.average: Translator = copy.deepcopy(self.translator).eval().requires_grad_(False)
        self.networks: dict[str, nn.Module] = {
            "generator": self.translator.generator,
            "discriminator": self.discriminator,
            **dict(self.translator.code.named_children()),
        }
        self.statistics: list[Tensor] = [  # not learned but recorded, of the images that pass
            buffer
            for network in self.networks.values()
            for path, buffer in network.named_buffers()
            if path.rpartition(".")[2] in ("running_mean", "running_var")
        ]
        self.rates = {name: _rate(config, name) for name in self.networks}
        self.optimisers = {name: _adam(config, self.rates[name], network) for name, network in self.networks.items()}

    def scale_rates(self, factor: float) -> None:
        """Set every learning rate to `factor` times its own at the start of the run."""
        for name, optimiser in self.optimisers.items():
            for group in optimiser.param_groups:
                group["lr"] = factor * self.rates[name]

    @torch.no_grad()
    def update_average(self, decay: float) -> None:
        """One step of the exponential moving average of generator and code networks; by decay 0 it is their weights."""
        averages: list[Tensor] = list(self.average.parameters())
        weights: list[Tensor] = list(self.translator.parameters())
        torch._foreach_lerp_(averages, weights, 1 - decay)
        for average, live in zip(self.average.buffers(), self.translator.buffers(), strict=True):
            average.copy_(live)

    def parameters_of(self) -> dict[str, int]:
        """Number of weights of every network."""
        return {name: sum(p.numel() for p in network.parameters()) for name, network in self.networks.items()}

    def state_dict(self) -> dict[str, Any]:
        """Plain data and tensors only, so that it can be loaded without executing anything."""
        return {
            "iteration": self.iteration,
            "seconds": self.seconds,
            "threads": self.threads,
            "networks": {name: network.state_dict() for name, network in self.networks.items()},
            "average": self.average.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of `state_dict`. Raises UserError, and changes nothing, where a state is of other networks."""
        try:
            misfits = sorted(self._misfits(state))
        except (KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{ANOTHER} ({type(error).__name__}: {error}).") from error
        if misfits:
            more = f" and {len(misfits) - 3} more" if len(misfits) > 3 else ""
            raise UserError(f"{ANOTHER} (its {', '.join(misfits[:3])}{more} differ).")
        self.iteration, self.seconds = state["iteration"], state["seconds"]
        self.threads = state.get("threads", self.threads)  # checkpoints of earlier versions do not name it
        for name, network in self.networks.items():
            network.load_state_dict(state["networks"][name])
            self.optimisers[name].load_state_dict(state["optimisers"][name])
        self.average.load_state_dict(state["average"])

    def _misfits(self, state: dict[str, Any]) -> Iterator[str]:
        """The names of what a state has in another shape, has beside, or has not."""
        yield from {"iteration", "seconds"} - state.keys()
        yield from _differing("average", self.average.state_dict(), state["average"])
        for name, network in self.networks.items():
            yield from _differing(name, network.state_dict(), state["networks"][name])
            optimiser, weights = state["optimisers"][name], dict(enumerate(network.parameters()))
            if [group["params"] for group in optimiser["param_groups"]] != [list(weights)]:
                yield f"{name}.params"
            moments = optimiser["state"]  # of the weights that have taken a step
            for moment in ("exp_avg", "exp_avg_sq"):
                theirs = {number: moments[number][moment] for number in moments}
                yield from _differing(f"{name}.{moment}", {number: weights[number] for number in moments}, theirs)


def _differing(owner: str, ours: Mapping[Any, Tensor], theirs: Mapping[Any, Tensor]) -> Iterator[str]:
    """Names of tensors that are not in both, or not of one shape."""
    shapes = [{(name, tensor.shape) for name, tensor in tensors.items()} for tensors in (ours, theirs)]
    yield from {f"{owner}.{name}" for name, _ in shapes[0] ^ shapes[1]}


def _rate(config: Config, name: str) -> float:
    return config.train.mapping_learning_rate if name == "mapping_network" else config.train.learning_rate


def _adam(config: Config, rate: float, network: nn.Module) -> torch.optim.Adam:
    recipe = config.train
    return torch.optim.Adam(
        network.parameters(),
        lr=rate,
        betas=(recipe.beta1, recipe.beta2),
        weight_decay=recipe.weight_decay,
        fused=True,
    )


def save(state: dict[str, Any], path: Path) -> int:
    """Write a checkpoint whole or not at all: under a temporary name, then renamed. Returns its bytes.

    Raises UserError where it cannot be written; what was saved before is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("w+b") as file:
            torch.save(state, file)
            # The seal is the archive's comment, whose length is the last field of an archive.
            length = file.seek(-2, os.SEEK_END) + 2
            file.write(SEAL_BYTES.to_bytes(2, "little"))
            file.write(_seal(file, length))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except (OSError, RuntimeError) as error:
        # On a full disk torch speaks of places in its archive; what the system said comes before that.
        reason = error if isinstance(error, OSError) else error.__context__ or error
        raise UserError(
            f"{path}: cannot be written ({reason}). Free the disk: the same command goes on from the last checkpoint."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return length + SEAL_BYTES


def load(path: Path, device: torch.device) -> dict[str, Any]:
    """Read a checkpoint as data only. Raises UserError where as little as a bit of it is not what was written."""
    try:
        _check_seal(path)
        return dict(torch.load(path, map_location=device, weights_only=True))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}).") from error
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise UserError(f"{path}: this checkpoint is damaged ({type(error).__name__}). Delete it.") from error


def _seal(file: BinaryIO, length: int) -> bytes:
    """What stands behind the first `length` bytes of a file: their digest, because torch reads damaged weights too."""
    digest = hashlib.sha256()
    file.seek(0)
    while part := file.read(min(length, 2**20)):
        digest.update(part)
        length -= len(part)
    return SEAL + digest.hexdigest().encode()


def _check_seal(path: Path) -> None:
    """Raise ValueError where a file is not as it was written. What plain torch.save wrote has no seal and passes."""
    with path.open("rb") as file:
        length = max(0, file.seek(0, os.SEEK_END) - SEAL_BYTES)
        file.seek(length)
        end = file.read()
        plain = end[-22:-18] == b"PK\5\6" and end[-2:] == b"\0\0"  # the end of an archive without a comment
        if not plain and end != _seal(file, length):
            raise ValueError("the digest is another one")


def _sync_folder(folder: Path) -> None:
    """Have a rename survive a power failure, where the system does that for folders."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
