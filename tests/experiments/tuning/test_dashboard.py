"""A study opens in the real optuna-dashboard, by the command that the documentation gives, while it is at work."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from tests.experiments.engines.ray_cluster import free_port
from tests.experiments.tuning.stubs import SPACE, run

PROGRAM = Path(sys.executable).with_name("optuna-dashboard")
SECONDS = 300  # to start in

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="needs optuna-dashboard: pip install optuna-dashboard")


@contextmanager
def dashboard(place: str) -> Iterator[str]:
    """The address of a dashboard of the studies there."""
    port = free_port()
    server = subprocess.Popen([PROGRAM, place, "--port", str(port), "--quiet"])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(300)


def asked(address: str) -> Any:
    """What it answers, once it does."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return json.load(answer)
        except URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@pytest.mark.parametrize("kept", ["journal", "database"])
def test_a_study_opens_in_the_dashboard(tmp_path: Path, kept: str) -> None:
    database = f"sqlite:///{tmp_path}/studies.db"
    study = run(tmp_path, 1, address="" if kept == "journal" else database)
    assert study.take(2)
    with dashboard(str(tmp_path / "stub.journal") if kept == "journal" else database) as address:
        [summary] = asked(f"{address}/api/studies")["study_summaries"]
        told = asked(f"{address}/api/studies/{summary['study_id']}?after=0")
    assert (summary["study_name"], summary["directions"]) == ("stub", ["minimize"])
    assert told["objective_names"] == ["loss"]
    assert [trial["state"] for trial in told["trials"]] == ["Complete", "Running"]
    untuned = {entry["name"]: float(entry["param_external_value"]) for entry in told["trials"][0]["params"]}
    assert untuned == {dimension.path: dimension.default for dimension in SPACE}
