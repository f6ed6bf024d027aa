"""A finished run gets what it lacks from its trained networks: without an iteration, and its result is not touched."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from core.config import changed
from core.errors import UserError
from experiments import completing, execution
from experiments.command import parse
from experiments.evaluation import means, measure
from experiments.networks import read_translator
from experiments.prepare import open_real_images, prepare
from experiments.records import RunFolder
from experiments.run import configuration

CPU = torch.device("cpu")
WORDS = (
    "train.steps=2", "train.checkpoint_every=1", "data.train_images=6", "data.val_images=3", "eval.outputs=2",
    "eval.judge_steps=2", "eval.metrics=judge", "device=cpu",
)  # fmt: skip
MADE = {"repeats.jsonl", "interpolation.png", "latent.png", "reference.png"}
ITS_OWN = {"status.json", "claim-000001.json", "claim-000002.json"}  # of a process at work


def finished(runs: Path, letter: str, asked: int) -> RunFolder:
    """A run that is planned and executed here."""
    command = parse(["with", "smoke", letter, *WORDS], {}, rungs_allowed=True)
    config = prepare(configuration(command), runs / "cache").resolve(configuration(command))
    folder = RunFolder.of(runs, config, asked)
    folder.prepare(config, letter)
    execution.execute(folder, runs, quiet=True)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunFolder]:
    """A run of A and one of F, measured once."""
    runs = tmp_path_factory.mktemp("trained")
    return {letter: finished(runs, letter, 1) for letter in "AF"}


@pytest.fixture
def copied(trained: dict[str, RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function (letter, asked) -> such a run as it is found by another command; nothing can be trained any more."""
    shutil.copytree(trained["F"].path.parent, tmp_path / "runs")

    def train(*_: object) -> None:
        raise AssertionError("a finished run is trained")

    monkeypatch.setattr(execution, "Attempt", lambda *_: type("Nothing", (), {"run": train}))

    def found(letter: str, asked: int) -> RunFolder:
        return RunFolder(tmp_path / "runs" / trained[letter].path.name, asked)

    return found


def files(folder: RunFolder) -> dict[str, str]:
    """{name: checksum} of all that a run has, but for what a process at work says of itself."""
    paths = [path for path in folder.path.rglob("*") if path.is_file() and path.name not in ITS_OWN]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def completed(folder: RunFolder) -> None:
    execution.execute(folder, folder.path.parent, quiet=True)


def measured(folder: RunFolder, seed: int) -> dict[str, float]:
    """What an evaluation with this seed gives."""
    config = folder.config()
    real = open_real_images(config, folder.path.parent / "cache", CPU)
    translator = read_translator(config, folder.weights, CPU)
    return means(measure(changed(config, {"eval.seed": seed}), translator, real, title="", quiet=True))


def test_a_run_that_was_just_trained_lacks_nothing(trained: dict[str, RunFolder]) -> None:
    for letter, pictures in (("A", {"latent.png"}), ("F", MADE - {"repeats.jsonl"})):
        folder = trained[letter]
        assert {path.name for path in folder.pictures.iterdir()} == pictures
        assert not folder.lacking and folder.settled
        assert not folder.repeats.path.exists()
        assert folder.evaluations_left == 0


def test_further_evaluations_are_those_of_their_seeds(copied: Any) -> None:
    folder = copied("F", 3)
    assert folder.lacking.seeds == (1, 2) and not folder.settled
    assert str(folder.lacking) == "the evaluation with seed 1, the evaluation with seed 2"
    assert folder.evaluations_left == 2
    before = files(folder)
    completed(folder)
    lines = [json.loads(line) for line in folder.repeats.path.read_text().splitlines()]
    assert lines == [{"eval_seed": seed, **measured(folder, seed)} for seed in (1, 2)]
    result = means(folder.result().rows)
    assert set(lines[0]) - {"eval_seed"} == set(result)
    assert lines[0]["judge_frechet/latent/2"] != lines[1]["judge_frechet/latent/2"] != result["judge_frechet/latent/2"]
    assert files(folder) == before | {"repeats.jsonl": files(folder)["repeats.jsonl"]}
    assert folder.settled and folder.status() == {"state": "done", "iteration": 2, "of": 2}
    assert folder.progress == (2, 3)
    assert RunFolder(folder.path, 2).settled  # one that asks for fewer has them
    assert RunFolder(folder.path, 4).lacking.seeds == (3,)


def test_what_is_asked_for_from_the_start_is_the_same(copied: Any, tmp_path: Path, monkeypatch: Any) -> None:
    later = copied("F", 3)
    completed(later)
    monkeypatch.undo()
    at_once = finished(tmp_path / "again", "F", 3)
    assert at_once.repeats.path.read_bytes() == later.repeats.path.read_bytes()
    assert at_once.settled and at_once.status()["state"] == "done"


def test_a_seed_that_decides_nothing_is_not_measured_with(
    copied: Any, trained: dict[str, RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The label alone says where to go: no latent is looked at, so every evaluation is the same, number for number."""
    folder = copied("A", 3)
    assert folder.evaluations_left == 0 and folder.lacking.seeds == (1, 2)
    result = means(folder.result().rows)
    with monkeypatch.context() as patch:
        for name in ("measure", "open_real_images", "read_translator"):
            patch.setattr(completing, name, None)
        completed(folder)
    assert list(folder.repeats) == [{"eval_seed": seed, **result} for seed in (1, 2)]
    assert measured(folder, 1) == result and measured(folder, 2) == result


def test_pictures_that_are_gone_are_drawn_again(copied: Any) -> None:
    folder = copied("F", 1)
    before = files(folder)
    for name in ("interpolation.png", "reference.png"):
        (folder.pictures / name).unlink()
    assert folder.lacking.pictures == ("reference.png", "interpolation.png")
    assert RunFolder(folder.path).settled  # for who asks for a result alone
    completed(folder)
    assert files(folder) == before and folder.settled


@pytest.mark.parametrize("left", ["the last checkpoint", "a damaged translator and the last checkpoint"])
def test_the_last_checkpoint_will_do(copied: Any, left: str) -> None:
    folder = copied("F", 2)
    expected = measured(folder, 1)
    folder.translator.write_bytes(folder.translator.read_bytes()[:-100])
    if left == "the last checkpoint":
        folder.translator.unlink()
    completed(folder)
    assert list(folder.repeats) == [{"eval_seed": 1, **expected}]


def test_without_weights_nothing_can_be_done_and_nothing_is(copied: Any) -> None:
    folder = copied("F", 2)
    folder.translator.unlink()
    folder.checkpoint(2).unlink()
    assert folder.checkpoints() == [folder.checkpoint(1)]  # those of another iteration are not the result's
    assert folder.lacking and folder.settled
    before = files(folder)
    completed(folder)
    assert files(folder) == before and folder.status()["state"] == "done"


def test_damaged_weights_are_a_message_and_the_result_stays(copied: Any) -> None:
    folder = copied("F", 2)
    for path in folder.weights:
        path.write_bytes(path.read_bytes()[:-100])
    before = files(folder)
    with pytest.raises(UserError, match=r"translator\.pt"):
        completed(folder)
    assert files(folder) == before
    assert folder.finished and not folder.settled and folder.status()["state"] == "failed"


def test_imported_and_diverged_runs_are_left_alone(copied: Any, tmp_path: Path) -> None:
    imported = copied("F", 3)
    imported.write_status("imported", checkpoint="x.ckpt")
    assert not imported.lacking and imported.settled
    diverged = RunFolder(tmp_path, 3)
    diverged.write_divergence(1, "losses")
    assert diverged.trained and not diverged.lacking and diverged.settled


def test_a_second_process_is_not_needed(copied: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, followed = copied("F", 2), []
    monkeypatch.setattr(execution, "is_follower", lambda: True)
    monkeypatch.setattr(execution, "follow", lambda *_: followed.append(True))
    completed(folder)
    assert followed == [] and folder.lacking
    (folder.path / "result.json").unlink()
    completed(folder)
    assert followed == [True]
