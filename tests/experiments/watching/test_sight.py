"""What runs are doing is read off their folders: by what they wrote, and by whether their owner lives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.config import as_flat, digest
from experiments.claims import Claim
from experiments.records import Result, RunFolder
from experiments.registry import Cell
from experiments.watching.sight import Sight, Watcher
from tests.core.settings import tiny

ROOT = Path(__file__).parents[3]
CONFIG = tiny(seed=2)  # of 4 iterations


def result() -> Result:
    return Result(digest(CONFIG), 2, as_flat(CONFIG), 4, 8, 12, {"generator": 1}, 2.5, 0.5, 7, "cpu", {}, rows=())


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder.of(tmp_path, CONFIG)
    folder.prepare(CONFIG, "F")
    return folder


def seen(folder: RunFolder, watcher: Watcher | None = None, asked: int = 0) -> Sight:
    (sight,) = (watcher or Watcher(folder.path.parent)).look([Cell("F", 2, folder.path.name)], asked)
    assert (sight.arm, sight.seed, sight.name) == ("F", 2, "F seed 2")
    assert (sight.folder, sight.log) == (str(folder.path), str(folder.log))
    return sight


def test_what_is_wanted_for_its_result_alone_is_done_with_it(folder: RunFolder) -> None:
    folder.write_result(result())
    folder.translator.touch()
    cells = (Cell("F", 2, folder.path.name), Cell("F untuned", 2, folder.path.name, result_only=True))
    watcher = Watcher(folder.path.parent)
    for _ in range(2):
        whole, beside = watcher.look(cells, 2)
        assert (whole.state, beside.state) == ("incomplete", "done")


def test_a_run_that_nobody_has_begun_waits(folder: RunFolder) -> None:
    sight = seen(folder)
    assert (sight.state, sight.iteration, sight.of, sight.owner) == ("waiting", 0, 4, "")


def test_a_run_at_work_says_how_far_it_is_and_who_works_on_it(folder: RunFolder) -> None:
    with Claim(folder.path):
        assert seen(folder).state == "starting"  # it has not said anything yet
        folder.write_status("training", iteration=3, of=4, rate=1.5)
        sight = seen(folder)
        assert (sight.state, sight.iteration, sight.of, sight.rate) == ("training", 3, 4, 1.5)
        assert f"process {os.getpid()} on " in sight.owner
        folder.write_status("evaluating", iteration=4, of=4)
        said = os.stat(folder.path / "status.json").st_mtime
        os.utime(folder.path / "status.json", (said, said - 9))
        sight = seen(folder)
        assert sight.state == "evaluating" and 9 <= sight.age < 30


def test_a_run_whose_process_is_dead_is_lost_and_goes_on_from_its_checkpoint(folder: RunFolder) -> None:
    code = (
        "import sys, time; from pathlib import Path; from experiments.claims import Claim; "
        "Claim(Path(sys.argv[1])).take(); print('taken', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(folder.path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "taken\n"
        folder.write_status("training", iteration=3, of=4, rate=1.5)
        folder.checkpoint(2).touch()
        assert (seen(folder).state, seen(folder).iteration) == ("training", 3)
        process.kill()
        process.wait()
    sight = seen(folder)
    assert (sight.state, sight.iteration, sight.of, sight.rate, sight.owner) == ("lost", 2, 4, None, "")


def test_stopped_and_failed_runs_say_so_without_an_owner(folder: RunFolder) -> None:
    folder.checkpoint(2).touch()
    folder.write_status("stopped", reason="stopped by SIGTERM")
    assert (seen(folder).state, seen(folder).iteration, seen(folder).of) == ("stopped", 2, 4)
    folder.write_status("failed", reason="out of memory")
    assert (seen(folder).state, seen(folder).reason) == ("failed", "out of memory")


def test_results_and_divergences_are_read_once(folder: RunFolder) -> None:
    watcher = Watcher(folder.path.parent)
    folder.write_result(result())
    first = seen(folder, watcher)
    assert (first.state, first.iteration, first.of) == ("done", 4, 4)
    assert (first.train_seconds, first.evaluate_seconds) == (2.5, 0.5)
    (folder.path / "result.json").write_text("damaged")
    assert seen(folder, watcher) == first


def test_a_divergence_has_its_iteration(folder: RunFolder) -> None:
    folder.write_divergence(3, "DIVERGED at iteration 3")
    sight = seen(folder)
    assert (sight.state, sight.iteration, sight.reason) == ("diverged", 3, "DIVERGED at iteration 3")


def test_a_folder_that_was_deleted_is_gone(tmp_path: Path) -> None:
    assert seen(RunFolder(tmp_path / "0123456789ab-s2")).state == "gone"


def test_a_run_of_a_newer_version_has_no_length(folder: RunFolder) -> None:
    (folder.path / "config.json").write_text('{"schema": 99, "config": {}}')
    assert (seen(folder).state, seen(folder).of) == ("waiting", 0)


def test_a_finished_run_that_lacks_something_is_incomplete_until_it_has_it(folder: RunFolder) -> None:
    assert (seen(folder).evaluations, seen(folder, asked=3).evaluations) == (1, 3)
    folder.write_result(result())
    folder.write_status("done", iteration=4, of=4)
    assert seen(folder).state == "done"
    assert seen(folder, asked=3).state == "done"  # its networks are gone
    folder.translator.touch()
    folder.pictures.mkdir()
    for name in ("latent.png", "reference.png", "interpolation.png"):
        (folder.pictures / name).touch()
    sight = seen(folder, asked=3)
    assert (sight.state, sight.iteration, sight.of, sight.evaluations) == ("incomplete", 4, 4, 2)
    assert sight.reason == "lacks the evaluation with seed 1, the evaluation with seed 2"
    assert (sight.train_seconds, sight.evaluate_seconds) == (2.5, 0.5)
    with Claim(folder.path):
        folder.write_status("evaluating", iteration=4, of=4)
        assert seen(folder, asked=3).state == "evaluating"
    assert seen(folder, asked=3).state == "incomplete"  # and not lost: the next start has nothing to train
    folder.repeats.add(1, {})
    assert seen(folder, asked=3).evaluations == 1
    folder.write_status("failed", reason="no space")
    assert (seen(folder, asked=3).state, seen(folder, asked=3).reason) == ("failed", "no space")
    folder.repeats.add(2, {})
    watcher = Watcher(folder.path.parent)
    assert seen(folder, watcher, asked=3).state == "done"


def test_a_trial_s_run_that_was_given_up_is_pruned_until_somebody_asks_for_it(folder: RunFolder) -> None:
    watcher, cell = Watcher(folder.path.parent), Cell("F", 2, folder.path.name, trial=3)
    folder.write_status("stopped", reason="trial 3 of a study ended early")
    folder.checkpoint(2).touch()
    assert watcher.look([cell])[0].state == "stopped"
    folder.give_up("trial 3 of a study ended early")
    (sight,) = watcher.look([cell])
    assert (sight.state, sight.name, sight.iteration, sight.of) == ("pruned", "F trial 3 seed 2", 2, 4)
    assert seen(folder, watcher).state == "stopped"  # a ladder's next start goes on with its own
    with Claim(folder.path):
        folder.write_status("training", iteration=3, of=4)
        assert watcher.look([cell])[0].state == "training"  # it saves its state
    assert watcher.look([cell])[0].state == "pruned"
    folder.prepare(CONFIG, "F")
    assert watcher.look([cell])[0].state == "lost"
    folder.write_result(result())
    assert watcher.look([cell])[0].state == "done"
    assert [one.name for one in watcher.look([cell, Cell("F", 2, folder.path.name, trial=5)])] == [
        "F trial 3 seed 2",
        "F trial 5 seed 2",
    ]
