from __future__ import annotations

from pathlib import Path

import pytest

from core.config import changed
from experiments.preflight import rehearsal
from experiments.preflight.forecast import Costs, Sizes
from experiments.preflight.rehearsal import Rehearsal, RehearsalFolder, program
from tests.core.settings import tiny

SEEN = Rehearsal(
    device="cpu",
    threads=1,
    costs=Costs(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0),
    sizes=Sizes(1, 2, 3, 4),
    host_bytes=5,
    device_bytes=0,
    parameters=6,
    brief=True,
)


def test_a_rehearsal_is_kept_and_found_by_all_that_matters(tmp_path: Path) -> None:
    folder = RehearsalFolder.under(tmp_path, tiny(), {"threads": 1})
    assert folder.cache == tmp_path
    assert not folder.settled and not folder.finished
    folder.write_rehearsal(SEEN)
    again = RehearsalFolder.under(tmp_path, changed(tiny(), {"seed": 7, "train.log_every": 3}), {"threads": 1})
    assert again.settled and again.finished
    assert again.rehearsal() == SEEN
    for other in (
        RehearsalFolder.under(tmp_path, tiny(), {"threads": 2}),
        RehearsalFolder.under(tmp_path, tiny(train__batch=2), {"threads": 1}),
    ):
        assert not other.settled


def test_what_the_arm_wrote_is_cleared_away(tmp_path: Path) -> None:
    folder = RehearsalFolder(tmp_path)
    folder.prepare(tiny(), "A")
    folder.write_rehearsal(SEEN)
    kept = {path.name for path in tmp_path.iterdir()}
    folder.pictures.mkdir()
    for path in (folder.checkpoint(0), folder.translator, folder.pictures / "latent.png", tmp_path / ".x.1.part"):
        path.write_bytes(b"x")
    folder.clear()
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_a_change_of_the_program_changes_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "ROOT", tmp_path)
    (tmp_path / "core" / "model").mkdir(parents=True)
    before = program()
    (tmp_path / "core" / "model" / "layers.py").write_text("a = 1")
    after = program()
    (tmp_path / "core" / "notes.txt").write_text("nothing that runs")
    assert before != after == program()
