"""What `ladder plan` shows of a ladder."""

from __future__ import annotations

from pathlib import Path

from experiments.overview import overview
from experiments.plan import planned_runs, read_plan
from experiments.prepare import prepare

SMALL = ["train.steps=3", "data.train_images=20", "data.val_images=4", "eval.judge_steps=5"]


def shown(tmp_path: Path, *words: str, done: tuple[str, ...] = ()) -> str:
    plan = read_plan(["with", "smoke", *SMALL, f"runs={tmp_path}/runs", *words])
    planned = planned_runs(plan, prepare(plan.recipe, plan.runs / "cache"))
    for run in planned:
        if run.name in done:
            run.folder.path.mkdir(parents=True)
            (run.folder.path / "result.json").write_text("{}")
    return overview(plan, planned)


def test_arms_with_what_they_change_and_what_is_done(tmp_path: Path) -> None:
    text = shown(tmp_path, "design=both", "seeds=2", done=("F-adain seed 1", "A seed 0", "A seed 1"))
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines[0] == "controlled ladder, scale smoke, design both: ladder and leave_one_out"
    assert lines[1] == "10 arms, 2 seeds each: 20 runs, of which 3 are done already"
    assert "A            Baseline StarGAN (2 of 2 done)" in lines
    place = lines.index("F-adain      F without AdaIN, against F (1 of 2 done)")
    assert lines[place + 1].strip() == "model.injection: adain -> concat"
    assert lines[lines.index("E            + style code in its place, against D (0 of 2 done)") + 1].strip() == (
        "the same as F-diversity"
    )
    assert lines[-1].startswith("compared: A and B, B and C,") and lines[-1].endswith("F-style and F")
    assert not list((tmp_path / "runs").glob("*/checkpoint*"))


def test_a_tuned_ladder_has_more_than_its_untuned_runs(tmp_path: Path) -> None:
    lines = shown(tmp_path, "tuned", "rungs=AF", "trials=4", "tune.seeds=2", "seeds=3").splitlines()
    assert lines[1] == "2 arms, 3 seeds each: 6 runs, of which 0 are done already"
    assert lines[2] == (
        "these are untuned; first 4 trials of 2 runs for each arm, and in the end 6 runs more with the best settings"
    )


def test_what_cannot_run_is_named_with_its_rule(tmp_path: Path) -> None:
    text = shown(tmp_path, "paper_ladder", "design=leave_one_out", "train.steps=12")
    assert "cannot run:\n  F-stargan_v2: model.backbone=stargan takes its code at the input alone" in text
    half = shown(tmp_path, "design=half")
    assert "half of the combinations, of resolution" in half and "compared:" not in half
