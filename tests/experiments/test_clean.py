"""`python -m experiments.clean`: what can go and what stays, a dry run first, and never what somebody works on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.config import as_flat, digest
from core.errors import UserError
from experiments.claims import Claim, living_owner
from experiments.clean import main
from experiments.clearing import Spare, clear, spare_files
from experiments.records import Result, RunFolder
from experiments.registry import Cell, StartedLadder, StartedStudy, StartedTrial
from tests.core.settings import tiny

LEFT_BY_A_KILL = (".result.json.77.part", "samples/.000000002.png.77.part", ".now-abc", "checkpoint-000000003.damaged")


def make(runs: Path, seed: int, *, finished: bool) -> RunFolder:
    """A run with two checkpoints of 1000 bytes, a best one, and all that stays."""
    config = tiny(seed=seed)
    folder = RunFolder.of(runs, config)
    folder.prepare(config, "F")
    folder.samples.mkdir()
    for path in (folder.checkpoint(2), folder.checkpoint(4), folder.best(2), folder.translator, folder.log):
        path.write_bytes(b"x" * 1000)
    (folder.samples / "000000004.png").write_bytes(b"picture")
    folder.curves.append(4, {"loss": 0.5})
    if finished:
        none: dict[str, int] = {}
        folder.write_result(Result(digest(config), seed, as_flat(config), 4, 8, 12, none, 1, 1, 7, "cpu", {}, rows=()))
    return folder


def litter(folder: RunFolder) -> None:
    for name in LEFT_BY_A_KILL:
        (folder.path / name).write_bytes(b"x" * 10)


def files(folder: RunFolder) -> set[str]:
    return {
        str(path.relative_to(folder.path))
        for path in folder.path.rglob("*")
        if path.is_file() and not path.name.startswith("claim-")
    }


def register(runs: Path, name: str, *folders: RunFolder) -> None:
    cells = tuple(Cell("F", folder.config().seed, folder.path.name) for folder in folders)
    StartedLadder(name, "again", cells).write(runs)


STAYS = {"config.json", "curves.jsonl", "log.txt", "translator.pt", "samples/000000004.png"}
CHECKPOINTS = {"checkpoint-000000002.pt", "checkpoint-000000004.pt"}
BEST = "best-000000002.pt"


def test_without_yes_nothing_is_deleted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = make(tmp_path, 1, finished=True), make(tmp_path, 2, finished=True)
    register(tmp_path, "quick", first)
    before = files(first), files(second)
    assert main([f"runs={tmp_path}"]) == 0
    assert (files(first), files(second)) == before and not list(first.path.glob("claim-*"))
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "quick: 2 files, 1 MiB",
        f"  F seed 1: 2 files, 1 MiB, {first.path}",
        "of no ladder or study: 2 files, 1 MiB",
        f"  {second.path.name}: 2 files, 1 MiB, {second.path}",
        "could be freed: 4 files, 1 MiB. Nothing was deleted; this deletes it:",
        f"  python -m experiments.clean runs={tmp_path} --yes",
    ]


def test_checkpoints_of_finished_runs_go_and_all_else_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make(tmp_path, 1, finished=True)
    litter(folder)
    register(tmp_path, "quick", folder)
    assert main(["quick", f"runs={tmp_path}", "--yes"]) == 0
    assert files(folder) == {*STAYS, "result.json", BEST}
    assert "freed: 6 files" in capsys.readouterr().out
    assert folder.finished and living_owner(folder.path) is None
    assert main(["quick", f"runs={tmp_path}", "--yes"]) == 0
    assert "there is nothing to free" in capsys.readouterr().out
    assert main(["quick", f"runs={tmp_path}", "--yes", "--best"]) == 0
    assert files(folder) == {*STAYS, "result.json"}


def test_unfinished_and_diverged_runs_keep_their_checkpoints(tmp_path: Path) -> None:
    unfinished, diverged = make(tmp_path, 1, finished=False), make(tmp_path, 2, finished=False)
    diverged.write_divergence(4, "DIVERGED")
    for folder in (unfinished, diverged):
        litter(folder)
    assert main([f"runs={tmp_path}", "--best", "--yes"]) == 0
    assert files(unfinished) == STAYS | CHECKPOINTS | {BEST}
    assert files(diverged) == STAYS | CHECKPOINTS | {BEST, "diverged.json"}


def test_what_somebody_works_on_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make(tmp_path, 1, finished=True)
    litter(folder)
    (seen,) = spare_files(tmp_path)
    assert len(seen.files) == 6 and seen.size == 2040
    before = files(folder)
    with Claim(folder.path):
        assert main([f"runs={tmp_path}", "--yes"]) == 0
        assert "left alone: 1 run at work" in capsys.readouterr().out
        assert clear(seen) == Spare("", seen.run, seen.folder, at_work=True)  # it was begun after the look
    assert files(folder) == before


def test_imported_runs_are_left_alone(tmp_path: Path) -> None:
    folder = make(tmp_path, 1, finished=True)
    folder.write_status("imported", checkpoint="nets.ckpt")
    litter(folder)
    before = files(folder)
    assert main([f"runs={tmp_path}", "--best", "--yes"]) == 0
    assert files(folder) == before


def test_only_the_named_ladder_is_meant(tmp_path: Path) -> None:
    first, second = make(tmp_path, 1, finished=True), make(tmp_path, 2, finished=True)
    register(tmp_path, "one", first)
    register(tmp_path, "both", first, second)
    assert main(["one", f"runs={tmp_path}", "--yes"]) == 0
    assert not first.checkpoints() and len(second.checkpoints()) == 2
    with pytest.raises(UserError, match="no ladder or study of this name"):
        main(["two", f"runs={tmp_path}", "--yes"])


def test_a_run_of_two_ladders_is_counted_once(tmp_path: Path) -> None:
    folder = make(tmp_path, 1, finished=True)
    register(tmp_path, "one", folder)
    register(tmp_path, "two", folder)
    assert [(spare.run, spare.size) for spare in spare_files(tmp_path)] == [("F seed 1", 2000)]


def test_what_cannot_be_deleted_is_said(tmp_path: Path) -> None:
    folder = make(tmp_path, 1, finished=True)
    (folder.path / "odd.damaged").mkdir()
    with pytest.raises(UserError, match=r"odd\.damaged: cannot be deleted"):
        main([f"runs={tmp_path}", "--yes"])
    assert living_owner(folder.path) is None


def register_study(runs: Path, name: str, *trials: RunFolder) -> None:
    study = StartedStudy(name, "again", "F", len(trials), 1)
    study.write(runs)
    for number, folder in enumerate(trials):
        study.write_trial(runs, StartedTrial(number, {str(folder.config().seed): folder.path.name}))


def test_runs_of_trials_are_listed_under_their_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [make(tmp_path, seed, finished=True) for seed in (1, 2, 3)]
    register_study(tmp_path, "quick", *folders[:2])
    register(tmp_path, "quick", folders[2])  # a ladder of the same name
    os.utime(tmp_path / "ladders" / "quick.json", (1e9, 1e9))
    assert main([f"runs={tmp_path}"]) == 0
    assert capsys.readouterr().out.splitlines()[:5] == [
        "tuning quick: 4 files, 1 MiB",
        f"  F trial 0 seed 1: 2 files, 1 MiB, {folders[0].path}",
        f"  F trial 1 seed 2: 2 files, 1 MiB, {folders[1].path}",
        "quick: 2 files, 1 MiB",
        f"  F seed 3: 2 files, 1 MiB, {folders[2].path}",
    ]
    register_study(tmp_path, "other", folders[0])
    assert main(["other", f"runs={tmp_path}", "--yes"]) == 0
    assert [len(folder.checkpoints()) for folder in folders] == [0, 2, 2]


def test_checkpoints_of_pruned_runs_go_only_when_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pruned, unfinished = make(tmp_path, 1, finished=False), make(tmp_path, 2, finished=False)
    pruned.give_up("trial 0 of a study ended early")
    litter(pruned)
    register_study(tmp_path, "quick-F", pruned, unfinished)
    (seen, other) = spare_files(tmp_path)
    assert (len(seen.files), seen.size, seen.held, other.held) == (4, 40, 2000, 0)
    assert spare_files(tmp_path, best=True)[0].held == 3000
    assert main([f"runs={tmp_path}", "--yes"]) == 0
    assert "kept: checkpoints of 1 pruned run, 1 MiB; --pruned lets them go" in capsys.readouterr().out
    assert files(pruned) == {*STAYS, *CHECKPOINTS, BEST, "unwanted.json"}
    assert main(["quick-F", f"runs={tmp_path}", "--pruned"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"tuning quick-F: 2 files, 1 MiB\n  F trial 0 seed 1: 2 files, 1 MiB, {pruned.path}\n")
    assert "kept" not in said and said.endswith(f"clean quick-F runs={tmp_path} --pruned --yes\n")
    assert len(pruned.checkpoints()) == 2
    (seen, _) = spare_files(tmp_path, pruned=True)
    pruned.prepare(pruned.config(), "F")  # somebody asks for it in between
    assert clear(seen, pruned=True).files == () and len(pruned.checkpoints()) == 2
    pruned.give_up("trial 0 of a study ended early")
    assert main(["quick-F", f"runs={tmp_path}", "--pruned", "--yes"]) == 0
    assert files(pruned) == {*STAYS, BEST, "unwanted.json"}
    assert files(unfinished) == STAYS | CHECKPOINTS | {BEST}


def test_help_says_what_becomes_of_pruned_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "checkpoints stay until --pruned lets them go" in " ".join(capsys.readouterr().out.split())
