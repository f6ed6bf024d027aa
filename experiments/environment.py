"""What a result was computed with: versions, machine, code revision, memory."""

from __future__ import annotations

import importlib.metadata
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


def peak_memory() -> int:
    """Peak resident memory of this process, bytes; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def available_memory() -> int:
    """Memory that can be taken now, bytes."""
    return int(psutil.virtual_memory().available)


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.strip()
