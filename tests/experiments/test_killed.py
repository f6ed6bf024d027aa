"""A run that is killed at any moment and started again ends as one that nobody touched, bit for bit, for every rung."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from ablations.ladders import DEFAULT
from core.config import Config, changed
from experiments.command import parse
from experiments.environment import cores
from experiments.prepare import prepare
from experiments.records import RunFolder
from experiments.run import configuration

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks, so that the libraries are imported once")
ROOT = Path(__file__).parents[2]
CLOCK = ("train_seconds", "evaluate_seconds", "peak_memory_bytes")

WORDS = (
    "train.steps=6", "train.log_every=1", "train.checkpoint_every=2", "train.sample_every=4", "train.evaluate_every=3",
    "train.keep_best=true", "data.train_images=20", "data.val_images=4", "eval.judge_steps=5", "device=cpu",
)  # fmt: skip

# Executes a run again and again in forked children. Each but the last is killed at its n-th file operation in the
# folder of the runs (the run's own files, the caches, Sacred's): before a file is opened, renamed or removed, and in
# the middle of writing a checkpoint.
KILLER = """
import io, json, os, signal, sys, traceback
from pathlib import Path
import torch
from experiments.command import Interrupted
from experiments.execution import execute
from experiments.records import RunFolder

folder, moments = RunFolder(Path(sys.argv[1]), int(sys.argv[3])), json.loads(sys.argv[2])
threads = int(sys.argv[4])
EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.link", "os.utime")

def count(kill_at):
    seen = 0
    def die():
        os.kill(os.getpid(), signal.SIGKILL)
    def watch(event, arguments):
        nonlocal seen
        if event in EVENTS and any(str(folder.path.parent) in str(a) for a in arguments if isinstance(a, (str, Path))):
            seen += 1
            if seen == kill_at:
                die()
    sys.addaudithook(watch)
    write = torch.save
    def save(content, file):
        nonlocal seen
        seen += 1
        if seen == kill_at:
            whole = io.BytesIO()
            write(content, whole)
            half = whole.getvalue()[: len(whole.getvalue()) // 2]
            Path(file).write_bytes(half) if isinstance(file, (str, Path)) else (file.write(half), file.flush())
            die()
        write(content, file)
    torch.save = save
    return lambda: seen

def child(kill_at):
    if [kill_at] != moments[:1] and threads:
        torch.set_num_threads(threads)
    seen = count(kill_at)
    execute(folder, folder.path.parent, quiet=True)
    print(f"operations {seen()}", flush=True)

kills = 0
for moment in [*moments, 0]:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            child(moment)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, -signal.SIGKILL), status
    kills += status != 0
    if status == 0:
        break
print(f"kills {kills}", flush=True)
"""


def prepared(runs: Path, letter: str) -> RunFolder:
    command = parse(["with", "smoke", letter, *WORDS], {}, rungs_allowed=True)
    config = prepare(configuration(command), runs / "cache").resolve(configuration(command))
    folder = RunFolder.of(runs, config, asked=2)
    folder.prepare(config, letter)
    return folder


def executed(folder: RunFolder, moments: list[int], threads: int = 0) -> dict[str, int]:
    """threads: that those who start again are given, 0: as many as the first had."""
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(folder.path), json.dumps(moments), str(folder.asked), str(threads)],
        cwd=ROOT, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return {name: int(number) for name, number in (line.split() for line in done.stdout.splitlines())}


def outcome(folder: RunFolder) -> dict[str, Any]:
    """Everything that a run leaves, but for times."""
    result = json.loads((folder.path / "result.json").read_text())
    checkpoints = [torch.load(path, weights_only=True) for path in (*folder.checkpoints(), *folder.bests())]
    weights = [state | {"seconds": 0} for state in checkpoints]
    weights.append(torch.load(folder.translator, weights_only=True))
    pictures = [*sorted(folder.samples.iterdir()), *sorted(folder.pictures.iterdir())]
    return {
        "result": {name: value for name, value in result.items() if name not in CLOCK},
        "curves": folder.curves.path.read_bytes(),
        "evaluations": folder.evaluations.path.read_bytes(),
        "repeats": folder.repeats.path.read_bytes(),
        "weights": _plain(weights),
        "names": [path.name for path in (*folder.checkpoints(), *folder.bests(), *pictures)],
        "pictures": [path.read_bytes() for path in pictures],
        "left": [path.name for path in folder.path.rglob(".*")],
    }


def _plain(content: Any) -> Any:
    """Tensors as their bytes, so that == compares bits."""
    if isinstance(content, torch.Tensor):
        return content.dtype, content.shape, content.contiguous().numpy().tobytes()
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    return [_plain(value) for value in content] if isinstance(content, list | tuple) else content


@pytest.mark.parametrize("letter", DEFAULT.letters)
def test_killed_at_any_moment_a_run_ends_the_same(letter: str, tmp_path: Path) -> None:
    whole = prepared(tmp_path / "whole", letter)
    operations = executed(whole, [])["operations"]
    assert operations > 40
    expected = outcome(whole)
    assert expected["left"] == []
    broken = prepared(tmp_path / "broken", letter)
    choose = random.Random(letter)
    kills = executed(broken, [choose.randint(1, operations // 2) for _ in range(5)])["kills"]
    assert kills >= 3
    found = outcome(broken)
    for part, value in expected.items():
        assert found[part] == value, part


@pytest.mark.skipif(cores() < 2, reason="needs two cores")
def test_a_run_keeps_its_number_of_threads(tmp_path: Path) -> None:
    """Whoever goes on with it is given two; in two parts, sums have other last digits."""
    whole, broken, other = (prepared(tmp_path / name, "F") for name in ("whole", "broken", "other"))
    operations = executed(whole, [])["operations"]
    assert executed(broken, [operations * 3 // 4], threads=2)["kills"] == 1  # after a checkpoint
    executed(other, [], threads=2)
    assert outcome(whole)["result"]["environment"]["threads"] == "1"
    assert outcome(broken) == outcome(whole)
    assert outcome(other)["curves"] != outcome(whole)["curves"]
    (broken.path / "pictures" / "latent.png").unlink()
    broken.asked = whole.asked = 4
    executed(broken, [], threads=2)
    executed(whole, [])
    assert outcome(broken) == outcome(whole)


def test_killed_at_any_moment_a_completion_loses_nothing(tmp_path: Path) -> None:
    """A finished run that lacks two evaluations and a picture."""
    whole = prepared(tmp_path / "whole", "F")
    executed(whole, [])
    broken = RunFolder(tmp_path / "broken" / whole.path.name, 4)
    shutil.copytree(whole.path.parent, broken.path.parent)
    (broken.path / "pictures" / "interpolation.png").unlink()
    whole.asked = 4
    operations = executed(whole, [])["operations"]
    assert executed(broken, [*range(5, operations, operations // 6)])["kills"] >= 3
    assert [int(line["eval_seed"]) for line in broken.repeats] == [1, 2, 3]
    assert broken.settled and outcome(broken) == outcome(whole)


def test_the_configuration_is_small_but_has_every_part() -> None:
    config = changed(Config(), parse(["with", "smoke", *WORDS], {}, rungs_allowed=True).recipe)
    assert config.train.keep_best
    assert 0 < config.train.evaluate_every < config.train.steps
