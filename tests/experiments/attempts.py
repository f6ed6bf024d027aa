"""Attempts for the tests of tracking: recorded by Sacred, without training anything."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiments.tracking.attempts import Attempt, track
from tests.core.settings import tiny

KEY = "A-0123456789ab-s0"
SECRET = "hunter2"  # the password of every tracker in the tests; nothing may show it


class Stop(Exception):
    pass


def finish(attempt: Attempt) -> str:
    attempt.scalar("loss", 0.5, 3)
    attempt.results({"judge_frechet/latent/1": 12.5}, 4)
    attempt.artifact(Path(__file__))
    return "well"


def fail(attempt: Attempt) -> str:
    raise ValueError("no")


def stop(attempt: Attempt) -> str:
    raise Stop("later")


def record(runs: Path, body: Callable[[Attempt], str] = finish, key: str = KEY, tracking: str = "") -> Path:
    """Make one attempt; its folder."""
    before = set((runs / "sacred").glob(f"{key}-*"))
    with contextlib.suppress(ValueError, Stop):
        track(tiny(), key, runs, body, Stop, tracking)
    [folder] = set((runs / "sacred").glob(f"{key}-*")) - before
    return folder


def copies(folder: Path, count: int) -> list[Path]:
    """More attempts like one, each the first of another run."""
    label, _, rest = folder.name.partition("-")
    made = [folder.with_name(f"{label}{number}-{rest}") for number in range(count)]
    for path in made:
        shutil.copytree(folder, path)
    return made


def change(folder: Path, **changes: Any) -> None:
    """Change what run.json says."""
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def said(folder: Path) -> dict[str, Any]:
    """What run.json says."""
    return dict(json.loads((folder / "run.json").read_text()))


def wait_for(holds: Callable[[], Any], seconds: float = 300) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
