"""Run folders: written whole, cut back on resume, read back as written."""

from __future__ import annotations

from pathlib import Path

from experiments.records import Result, RunFolder, run_key
from tests.core.settings import tiny


def result(**changes: object) -> Result:
    fields: dict[str, object] = {
        "digest": "d", "seed": 1, "config": {"a": 1}, "iterations": 4, "generator_updates": 8, "images_seen": 16,
        "parameters": {"generator": 3}, "train_seconds": 1.5, "evaluate_seconds": 0.5, "peak_memory_bytes": 7,
        "device": "cpu", "environment": {"torch": "2"}, "rows": ({"metric": "m", "value": 0.25},), "notes": ("n",),
    }  # fmt: skip
    return Result(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_key_is_digest_and_seed() -> None:
    one, two = tiny(), tiny(seed=2)
    assert run_key(one).split("-s")[0] == run_key(two).split("-s")[0]
    assert run_key(two).endswith("-s2")
    assert run_key(one) == run_key(tiny(device="cpu", data__root="/elsewhere"))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = RunFolder.of(tmp_path, tiny(seed=3))
    assert folder.status() == {"state": "waiting"}
    folder.prepare(tiny(seed=3), "F")
    assert folder.config() == tiny(seed=3)
    assert folder.label() == "F"
    assert not folder.finished
    folder.write_result(result())
    assert folder.finished
    assert folder.result() == result()


def test_the_newest_two_checkpoints_are_kept(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for iteration in (5, 10, 900, 20):
        folder.checkpoint(iteration).touch()
    folder.drop_old_checkpoints()
    assert folder.checkpoints() == [folder.checkpoint(900), folder.checkpoint(20)]


def test_the_best_checkpoint_is_no_other(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.checkpoint(7).touch()
    folder.best(5).touch()
    assert folder.bests() == [folder.best(5)]
    assert folder.checkpoints() == [folder.checkpoint(7)]
    assert folder.saved_iteration == 7


def test_a_divergence_settles_a_run_without_finishing_it(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.divergence() is None
    folder.write_divergence(12, "losses")
    assert folder.settled
    assert not folder.finished
    assert folder.divergence() == {"iteration": 12, "reason": "losses"}


def test_a_result_is_enough_unless_more_is_asked_for(tmp_path: Path) -> None:
    config = tiny(eval__seed=7)
    plain, asked = RunFolder.of(tmp_path, config), RunFolder.of(tmp_path, config, 3)
    plain.prepare(config, "F")
    assert (plain.evaluations_left, asked.evaluations_left) == (1, 3)
    assert not asked.settled and not asked.lacking  # it is not trained: everything is still to come
    plain.write_result(result())
    assert plain.settled and plain.trained and asked.trained
    assert asked.lacking.seeds == (8, 9)
    assert asked.settled  # without weights nothing more can be made
    for path in (asked.checkpoint(3), asked.best(4)):
        path.touch()
    assert asked.weights == []
    for path in (asked.checkpoint(4), asked.translator):
        path.touch()
        assert not asked.settled
    assert asked.weights == [asked.translator, asked.checkpoint(4)]
    asked.pictures.mkdir()
    for name in ("latent.png", "reference.png", "interpolation.png"):
        assert name in asked.lacking.pictures
        (asked.pictures / name).touch()
    asked.repeats.add(9, {"fid/latent/1": 1.0})
    assert (asked.lacking.pictures, asked.lacking.seeds, asked.evaluations_left) == ((), (8,), 1)
    asked.repeats.add(8, {"fid/latent/1": 2.0})
    assert asked.settled and not asked.lacking
    assert asked.progress == (4, 3)


def test_a_configuration_that_is_written_again_is_read_again(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for config in (tiny(device="cpu"), tiny(device="auto")):
        folder.prepare(config, "F")
        assert folder.config() == config


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for name in (".result.json.12.part", "pictures/.latent.png.3.part", "result.json", ".hidden"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    folder.sweep()
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [".hidden", "result.json"]


def test_a_trained_run_cannot_be_given_up(tmp_path: Path) -> None:
    """A trial that ended early may have marked it, and what it lacks is asked for by somebody else."""
    folder = RunFolder.of(tmp_path, tiny(), 3)
    folder.prepare(tiny(), "F")
    folder.give_up("pruned")
    assert folder.given_up
    (folder.path / "result.json").write_text("{}")
    assert not folder.given_up and folder.lacking
