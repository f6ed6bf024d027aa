"""`python -m experiments.status`: which ladder it means, and that it looks without torch and ends quietly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import UserError
from experiments.records import RunFolder
from experiments.registry import Cell, StartedLadder
from experiments.status import main
from tests.core.settings import tiny

ROOT = Path(__file__).parents[2]


def start(runs: Path, name: str, *seeds: int) -> list[RunFolder]:
    """A ladder of rung F, as starting it registers it."""
    folders = []
    for seed in seeds:
        folders.append(RunFolder.of(runs, tiny(seed=seed)))
        folders[-1].prepare(tiny(seed=seed), "F")
    cells = tuple(Cell("F", seed, folder.path.name) for seed, folder in zip(seeds, folders, strict=True))
    StartedLadder(name, f"python -m experiments.ladder with name={name}", cells).write(runs)
    return folders


def test_the_ladder_started_last_is_meant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start(tmp_path, "one", 0)
    start(tmp_path, "two", 0, 1)
    os.utime(tmp_path / "ladders" / "one.json", (1e9, 1e9))
    assert main([f"runs={tmp_path}"]) == 0
    assert capsys.readouterr().out.startswith("two: 2 runs; 2 waiting\n")
    assert main(["one", f"runs={tmp_path}"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("one: 1 run; 1 waiting\n")
    assert shown.endswith("nothing is at work; to go on:\n  python -m experiments.ladder with name=one\n")


def test_json_has_the_same_facts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder,) = start(tmp_path, "one", 3)
    folder.write_status("failed", reason="out of memory")
    assert main(["one", "--json", f"runs={tmp_path}"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["name"], facts["seconds_left"]) == ("one", None)
    (run,) = facts["runs"]
    assert (run["arm"], run["seed"], run["state"], run["of"]) == ("F", 3, "failed", 4)
    assert (run["reason"], run["log"]) == ("out of memory", str(folder.log))


def test_mistakes_are_one_message(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no ladder was started here\. Start one: python -m experiments\.ladder"):
        main([f"runs={tmp_path}"])
    start(tmp_path, "one", 0)
    with pytest.raises(UserError, match=r"no ladder of this name was started in .* There are: one"):
        main(["two", f"runs={tmp_path}"])
    with pytest.raises(UserError, match="one two: name one ladder"):
        main(["one", "two", f"runs={tmp_path}"])
    with pytest.raises(UserError, match="seeds=3: this command knows NAME and runs=FOLDER"):
        main(["one", "seeds=3"])
    with pytest.raises(UserError, match="without slashes"):
        main(["../one", f"runs={tmp_path}"])


def test_watching_ends_when_all_is_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder,) = start(tmp_path, "one", 0)
    folder.write_divergence(3, "DIVERGED")
    assert main(["--watch", f"runs={tmp_path}"]) == 0
    assert capsys.readouterr().out.count("one: 1 run; 1 diverged") == 1


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_watching_repeats_and_ends_quietly(tmp_path: Path) -> None:
    start(tmp_path, "one", 0)
    command = [sys.executable, "-m", "experiments.status", "one", f"runs={tmp_path}", "--watch"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = 0
        for line in process.stdout:
            seen += line.startswith("one: 1 run; 1 waiting")
            if seen == 2:
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_looking_needs_no_torch(tmp_path: Path) -> None:
    start(tmp_path, "one", 0)
    code = (
        "import sys; from experiments.clean import main as clean; from experiments.status import main as status; "
        f"status(['runs={tmp_path}']); clean(['runs={tmp_path}']); "
        "assert not {'torch', 'sacred', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
