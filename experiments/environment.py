"""What a result was computed with: versions, machine, code revision, memory."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

import psutil

PACKAGES = ("torch", "torchvision", "lpips", "pytorch-fid", "numpy", "sacred")


def environment() -> dict[str, str]:
    """Versions and code revision, for records."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "revision": revision(),
        **versions,
    }


def revision() -> str:
    """The git commit of this code, with `+` where files differ from it; `unknown` outside a checkout."""
    root = Path(__file__).resolve().parents[1]
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        # Reports are written into the checkout, so they say nothing of the code.
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!reports")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed else "")


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def compute_with(threads: int) -> int:
    """Have torch compute as a run has so far, on so many CPU threads; returns how many there are cores for."""
    import torch

    torch.set_num_threads(min(threads, cores()))
    return torch.get_num_threads()


def peak_memory() -> int:
    """Peak resident memory of this process, bytes; 0 where the system does not say."""
    here = _status("VmHWM")
    if here:  # Linux; its getrusage would give the parent's peak where that was higher
        return here
    try:
        import resource
    except ImportError:  # Windows
        return int(psutil.Process().memory_info().peak_wset)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def own_peak_memory() -> int:
    """The same without pages of files (libraries, images), which processes share and the system can take back."""
    return peak_memory() - _status("RssFile")


def available_memory() -> int:
    """Memory that can be taken now, bytes: the machine's, or what is left of this process's container."""
    free = int(psutil.virtual_memory().available)
    for group in _control_groups():
        with contextlib.suppress(OSError, ValueError):  # no limit ("max"), or none that can be read
            limit, taken = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
            kept = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            free = min(free, limit - taken + int(kept["inactive_file"]))
    return max(0, free)


def _status(field: str) -> int:
    """Of this process, bytes; 0 where the system has no such file."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
    return 0


def _control_groups() -> list[Path]:
    """Linux: the folders of the groups (version 2) that this process is in, each with limits of its own."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            if line.startswith("0::"):
                root = Path("/sys/fs/cgroup")
                inner = root / line.removeprefix("0::").lstrip("/")
                return [group for group in (inner, *inner.parents) if group.is_relative_to(root)]
    return []


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.strip()
