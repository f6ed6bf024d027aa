"""What an engine starts for an arm: rehearsed, recorded, cleared away; or a reason why not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.config import Config, changed
from core.errors import UserError
from experiments.claims import Claim
from experiments.preflight import __main__ as process
from experiments.preflight import measuring, rehearse, training
from experiments.preflight.rehearsal import RehearsalFolder
from experiments.prepare import prepare
from experiments.run import TAKEN
from tests.core.settings import tiny


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(measuring, "BUDGET", 0.0)


def planned(folder: Path, **changes: object) -> RehearsalFolder:
    wanted: Config = tiny(
        data__train_images=4, data__val_images=3, eval__judge_steps=1, eval__metrics="judge", device="cpu", **changes
    )
    config = prepare(wanted, folder / "cache").resolve(wanted)
    rehearsal = RehearsalFolder.under(folder / "cache", config, {})
    rehearsal.prepare(config, "F")
    return rehearsal


def rehearsed(folder: RehearsalFolder) -> int:
    return process.main(["--folder", str(folder.path)])


def test_an_arm_goes_through_all_that_a_run_goes_through(tmp_path: Path) -> None:
    folder = planned(tmp_path)
    assert rehearsed(folder) == 0
    seen = folder.rehearsal()
    assert (seen.device, seen.device_bytes, seen.threads) == ("cpu", 0, torch.get_num_threads())
    assert 10 * 2**20 < seen.host_bytes < 8 * 2**30
    assert min(vars(seen.sizes).values()) > 0 and seen.sizes.pictures > seen.sizes.grid  # the reference grid, too
    assert seen.sizes.checkpoint > seen.sizes.translator > 4 * seen.parameters / 4
    assert all(0 <= seconds < 3600 for seconds in vars(seen.costs).values()) and seen.costs.iteration > 0
    assert sorted(path.suffix for path in folder.path.iterdir()) == [".json"] * 3  # claim, configuration, rehearsal
    assert rehearsed(folder) == TAKEN


def test_a_folder_that_another_process_has_is_left_alone(tmp_path: Path) -> None:
    folder = planned(tmp_path)
    with Claim(folder.path):
        assert rehearsed(folder) == TAKEN
    assert not folder.settled


def test_a_divergence_is_the_reason(tmp_path: Path) -> None:
    folder = planned(tmp_path, loss__diversity=1e39)
    with pytest.raises(UserError, match="DIVERGED at iteration 1"):
        rehearsed(folder)
    assert folder.status()["state"] == "failed" and "DIVERGED" in folder.status()["reason"]
    assert not folder.settled and not folder.checkpoints()


@pytest.mark.parametrize(
    "error, reason",
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "out of memory with train.batch=3 at 16 px: use train.batch=1."),
        (UserError("disk full"), "disk full"),
    ],
)
def test_what_a_person_can_mend_is_said(
    error: Exception, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    folder = planned(tmp_path)
    monkeypatch.setattr(rehearse, "rehearse_training", fail)
    with pytest.raises(UserError, match=reason):
        rehearsed(folder)
    assert folder.status() == {"state": "failed", "reason": reason}


def test_a_fault_of_the_program_leaves_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = planned(tmp_path)
    monkeypatch.setattr(rehearse, "draw", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        rehearsed(folder)
    assert folder.status() == {"state": "failed", "reason": "ZeroDivisionError: division by zero"}
    assert not folder.checkpoints()


def test_other_images_than_those_that_were_planned_with_are_refused(tmp_path: Path) -> None:
    folder = planned(tmp_path)
    folder.prepare(changed(folder.config(), {"data.fingerprint": "another"}), "F")
    with pytest.raises(UserError, match="the images have changed"):
        rehearsed(folder)
