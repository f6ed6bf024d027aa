"""Memory is that of this process and of its container."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from experiments import environment

PEAK = "from experiments.environment import own_peak_memory, peak_memory; print(peak_memory(), own_peak_memory())"


def test_a_peak_is_the_process_own_and_not_its_parents() -> None:
    held = bytearray(os.urandom(1)) * (300 * 2**20)
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    child, own = map(int, done.stdout.split())
    assert 4 * 2**20 < child < 200 * 2**20
    assert 2**20 < own <= child
    assert environment.peak_memory() > len(held)


def test_a_containers_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    monkeypatch.setattr(environment, "_control_groups", lambda: [tmp_path / "inner", tmp_path])
    for group, limit in ((tmp_path / "inner", "900"), (tmp_path, "max")):
        group.mkdir(exist_ok=True)
        (group / "memory.max").write_text(limit)
        (group / "memory.current").write_text("500")
        (group / "memory.stat").write_text("anon 300\ninactive_file 150\n")
    assert environment.available_memory() == 900 - 500 + 150
    (tmp_path / "inner" / "memory.max").write_text("400")
    assert environment.available_memory() == 50
    (tmp_path / "inner" / "memory.max").unlink()
    assert environment.available_memory() == 1000
