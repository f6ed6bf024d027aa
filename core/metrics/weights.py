"""The published weights that FID and LPIPS need: where they lie, whether they can be had, loading them as data.

They live in torch's own cache, under the names that pytorch-fid and torchvision give them, so weights that any other
program has downloaded are found.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from core.errors import UserError

PATIENCE = 8.0  # seconds until a host that does not answer counts as unreachable


class WeightsUnavailable(Exception):
    """Weights are neither in torch's cache nor to be downloaded; the message says why."""


@dataclass(frozen=True)
class WeightsFile:
    """One file of weights. Its name ends in the first digits of its SHA-256."""

    network: str
    url: str

    @property
    def path(self) -> Path:
        """Where torch keeps it (TORCH_HOME moves that)."""
        return Path(torch.hub.get_dir()) / "checkpoints" / self.url.rpartition("/")[2]

    @property
    def digits(self) -> str:
        """The first digits of the genuine file's SHA-256."""
        return self.path.stem.rpartition("-")[2]


INCEPTION = WeightsFile(
    "pytorch-fid's Inception",
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
)
TORCHVISION_INCEPTION = WeightsFile(
    "torchvision's Inception", "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth"
)
ALEXNET = WeightsFile("torchvision's AlexNet", "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth")


def fetch(files: Sequence[WeightsFile], patience: float = PATIENCE) -> None:
    """Download what is missing from torch's cache. Raises WeightsUnavailable.

    Whether the hosts answer at all is decided within `patience` seconds, before anything is written.
    """
    missing = [file for file in files if not file.path.exists()]
    failures = _probe(missing, patience)
    if failures:
        raise WeightsUnavailable("; ".join(f"{file.network}: {reason}" for file, reason in failures.items()))
    for file in missing:
        try:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            with _read_timeout(patience):
                # Writes to a temporary name, checks the digits and renames.
                torch.hub.download_url_to_file(file.url, str(file.path), hash_prefix=file.digits)
        except (OSError, RuntimeError) as error:
            raise WeightsUnavailable(f"{file.network}: {error}") from error


def load(file: WeightsFile) -> tuple[dict[str, Tensor], str]:
    """The state dict and the first 8 hex digits of the file's SHA-256. Runs no code from the file.

    Raises UserError where the file is no intact state dict.
    """
    try:
        state = torch.load(file.path, map_location="cpu", weights_only=True)
        if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
            raise ValueError("it holds something other than weights")
    except Exception as error:  # torch.load raises whatever a broken pickle or archive leads to
        raise damaged(file, error) from error
    return state, hashlib.sha256(file.path.read_bytes()).hexdigest()[:8]


def damaged(file: WeightsFile, error: Exception) -> UserError:
    """The message for a file that is there but cannot be used."""
    reason = str(error).strip().partition("\n")[0][:200]
    return UserError(
        f"{file.path}: these weights of {file.network} are damaged ({reason}). Delete the file and start again."
    )


def _probe(files: Sequence[WeightsFile], patience: float) -> dict[WeightsFile, str]:
    """Which hosts do not answer, and why. All are asked at once, on threads: looking up a name can hang for minutes."""
    results: dict[WeightsFile, str | None] = {}

    def ask(file: WeightsFile) -> None:
        try:
            with urllib.request.urlopen(file.url, timeout=patience) as answer:
                answer.read(1)
            results[file] = None
        except Exception as error:  # whatever is wrong with the connection, the answer is the same
            results[file] = f"{file.url} cannot be reached ({error})"

    threads = [threading.Thread(target=ask, args=(file,), daemon=True) for file in files]
    for thread in threads:
        thread.start()
    end = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    silent = f"does not answer within {patience:g} s"
    reasons = {file: results.get(file, f"{file.url} {silent}") for file in files}
    return {file: reason for file, reason in reasons.items() if reason is not None}


@contextlib.contextmanager
def _read_timeout(seconds: float) -> Iterator[None]:
    """torch.hub sets none, so a connection that dies half-way would hang for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def checksum(state: dict[str, Tensor]) -> str:
    """The first 8 hex digits of the SHA-256 over names and values: one name for one set of weights."""
    digest = hashlib.sha256()
    for name, value in sorted(state.items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:8]
