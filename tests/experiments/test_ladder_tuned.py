"""The last runs of a tuned ladder: which ones are trained, what is asked of each, and what is taken over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.config import as_flat
from core.migrations import SINCE_1
from experiments import ladder
from experiments.command import Interrupted
from experiments.files import write_json
from experiments.plan import PlannedRun, planned_runs, read_plan
from experiments.prepare import prepare
from experiments.registry import StartedLadder
from experiments.tuning import arms
from experiments.tuning.arms import tuned_plan
from tests.experiments.tuning.records import study, trial

STUDIES = {
    "C": study(trial(0, 3.0, settings={}), trial(1, 2.0, settings={"loss.cycle": 2.0})),
    "F": study(trial(0, 1.0)),
}
STUDIES["F"]["trials"][0]["settings"] = {}  # the untuned ones are the best of F


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    small = ["train.steps=3", "data.train_images=20", "data.val_images=4", "eval.judge_steps=1", "eval.metrics=judge"]
    places = [f"runs={tmp_path}/runs", f"reports={tmp_path}/reports"]
    return ["with", "smoke", "tuned", "rungs=CF", "evaluations=3", "preflight=false", "device=cpu", *small, *places]


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[PlannedRun]:
    """What a ladder would train whose tuning found STUDIES."""
    found: list[PlannedRun] = []

    def stop(plan: object, planned: Sequence[PlannedRun], *_: Any) -> None:
        found.extend(planned)
        raise KeyboardInterrupt

    monkeypatch.setattr(arms, "tune_arms", lambda *_: STUDIES)
    monkeypatch.setattr(ladder, "_train", stop)
    return found


def test_only_what_a_report_shows_is_measured_again(
    words: list[str], trained: list[PlannedRun], tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        ladder.main(words)
    asked = [(run.name, run.config.loss.cycle, run.folder.asked) for run in trained]
    assert asked == [("F seed 0", 1.0, 3), ("C seed 0", 2.0, 3), ("C seed 0", 1.0, 0)]
    started = StartedLadder.read(tmp_path / "runs" / "ladders" / "smoke-tuned.json")
    assert started.evaluations == 3
    assert [(cell.arm, cell.result_only) for cell in started.cells] == [
        ("F", False),
        ("C", False),
        ("F untuned", True),
        ("C untuned", True),
    ]


def test_tuned_runs_of_an_earlier_version_are_taken_over(
    words: list[str], trained: list[PlannedRun], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = read_plan(words)
    tuned = planned_runs(tuned_plan(plan, STUDIES), prepare(plan.recipe, plan.runs / "cache"))
    new = next(run for run in tuned if run.arm.label == "C")
    old = plan.runs / "0123456789ab-s0"  # as the first version stored it: fewer settings, no number of the schema
    flat = {path: value for path, value in as_flat(new.config).items() if path not in SINCE_1}
    write_json(old / "config.json", {"label": "C", "config": flat})
    write_json(old / "diverged.json", {"iteration": 1, "reason": "no matter"})
    with pytest.raises(Interrupted):
        ladder.main(words)
    assert new.folder.trained and not old.exists()
    assert f"{old.name}: a run of an earlier version" in capsys.readouterr().err
    assert [run.folder.path for run in trained if run.folder.trained] == [new.folder.path]
