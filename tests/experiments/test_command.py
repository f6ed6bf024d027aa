"""The command line: what it reads, and that every mistake is one clear message."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.config import ConfigError
from experiments import run
from experiments.command import Setting, parse
from experiments.plan import read_plan
from experiments.run import configuration

ROOT = Path(__file__).parents[2]


def test_words_are_scales_rungs_and_settings() -> None:
    command = parse(
        ["with", "smoke", "F", "train.steps=7", "seeds=2", "data.root=/a b/ü"],
        {"seeds": Setting(1, ""), "name": Setting("x", "")},
        rungs_allowed=True,
    )
    assert (command.preset.name, command.rung) == ("smoke", "F")
    assert command.updates == {"train.steps": 7, "data.root": "/a b/ü"}
    assert command.settings == {"seeds": 2, "name": "x"}
    assert parse([], {}, rungs_allowed=False).preset.name == "quick"


def test_the_same_command_again_shows_no_password() -> None:
    words = ["with", "smoke", "tracking=postgresql://me:hunter2@server/runs", "seed=2"]
    command = read_plan(words).command
    assert command.settings["tracking"] == "postgresql://me:hunter2@server/runs"
    assert command.again == "with smoke tracking=postgresql://***@server/runs seed=2"


def test_everything_wrong_is_said_at_once() -> None:
    words = ["with", "smok", "trian.steps=3", "train.batch=two", "seeds=x"]
    with pytest.raises(ConfigError) as error:
        parse(words, {"seeds": Setting(1, "")}, rungs_allowed=True)
    assert len(error.value.problems) == 4
    text = str(error.value)
    for part in (
        "did you mean smoke?",
        "did you mean train.steps?",
        "train.batch=two: must be a whole number",
        "seeds=x",
    ):
        assert part in text


def test_a_run_is_measured_once_at_least(tmp_path: Path) -> None:
    for read in (read_plan, run.main):
        with pytest.raises(ConfigError, match="evaluations=0: must be at least 1"):
            read(["with", "smoke", f"runs={tmp_path}", "evaluations=0"])
    assert parse(["evaluations=2"], run.SETTINGS, rungs_allowed=True).settings["evaluations"] == 2
    assert parse([], run.SETTINGS, rungs_allowed=True).settings["evaluations"] == 1


def test_a_ladder_refuses_to_fix_what_it_varies() -> None:
    with pytest.raises(ConfigError, match=r"model\.code: this is what the ladder varies"):
        read_plan(["with", "smoke", "model.code=label"])
    arms = {arm.label: arm.config for arm in read_plan(["with", "smoke", "loss.diversity=2"]).arms}
    assert (arms["E"].loss.diversity, arms["F"].loss.diversity) == (0.0, 2.0)


def test_a_word_chooses_the_ladder() -> None:
    plan = read_plan(["with", "smoke", "paper_ladder", "train.batch=4"])
    assert (plan.command.ladder.name, plan.name, plan.recipe.train.budget) == ("paper", "paper-smoke", "iterations")
    assert [arm.config.model.backbone for arm in plan.arms] == ["stargan"] * 2 + ["starganv2"] * 4
    assert [arm.config.train.batch for arm in plan.arms] == [16, 16, 4, 4, 4, 4]
    assert read_plan(["with", "smoke", "paper_ladder", "train.budget=updates"]).recipe.train.budget == "updates"
    controlled = read_plan(["with", "smoke", "controlled_ladder"])
    assert (controlled.name, controlled.recipe) == ("smoke", read_plan(["with", "smoke"]).recipe)
    with pytest.raises(ConfigError, match="name one ladder"):
        read_plan(["with", "paper_ladder", "controlled_ladder"])
    with pytest.raises(ConfigError, match=r"train\.n_critic is larger than train\.steps"):
        read_plan(["with", "smoke", "paper_ladder", "train.steps=4"])
    config = configuration(parse(["paper_ladder", "smoke", "B"], {}, rungs_allowed=True))
    assert (config.model.backbone, config.model.head, config.model.first_width) == ("stargan", "multitask", 8)


def test_a_run_takes_a_rung_and_any_toggles_on_top() -> None:
    command = parse(["with", "smoke", "D", "loss.cycle=3", "model.injection=concat"], {}, rungs_allowed=True)
    config = configuration(command)
    assert (config.model.code, config.model.injection, config.loss.cycle) == ("latent", "concat", 3.0)
    assert (config.loss.diversity, config.model.resolution) == (0.0, 16)
    with pytest.raises(ConfigError, match=r"loss\.diversity needs a code that varies"):
        configuration(parse(["with", "A", "loss.diversity=1"], {}, rungs_allowed=True))


MISTAKES = [
    (["ladder", "with", "smoke", "data.root=/nowhere/at/all"], "/nowhere/at/all"),
    (["ladder", "with", "smoke", "model.resolution=20"], "power of two"),
    (["ladder", "with", "smoke", "rungs=AXF"], "the rungs are ABCDEF"),
    (["ladder", "with", "smoke", "name=../../x"], "without slashes"),
    (["ladder", "with", "smoke", "F"], "there is no such name"),
    (["run", "with", "smoke", "F", "A"], "name one rung"),
    (["run", "with", "smoke", "F", "train.batch=100000000"], "use train.batch="),
    (["run", "with", "smoke", "F", "device=cuda"], "device=cpu"),
    (["run", "with", "smoke", "F", "eval.metrics=paper", "model.resolution=32"], "alexnet-owt-7be5be79.pth"),
    (["ladder", "with", "smoke", "runs=/proc/nothing"], "runs=..."),
]


@pytest.mark.parametrize(
    ("words", "hint"), MISTAKES, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_a_mistake_is_one_message_without_a_traceback(words: list[str], hint: str, tmp_path: Path) -> None:
    where = [f"runs={tmp_path}/runs"] if not any(word.startswith("runs=") for word in words) else []
    where += [f"reports={tmp_path}/reports"] if words[0] == "ladder" else []
    command = [sys.executable, "-m", f"experiments.{words[0]}", *words[1:], *where]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert hint in done.stderr.split("error: ", 1)[1]
    assert done.stdout == ""


def test_the_scale_says_which_arms_and_the_name_says_where_they_are_others() -> None:
    def named(*words: str) -> tuple[str, str, int]:
        plan = read_plan(["with", *words])
        return plan.name, plan.design.name, len(plan.arms)

    assert named("quick") == ("quick", "ladder", 6)
    assert named("cpu") == ("cpu", "both", 10)
    assert named("celeba_hq")[1] == named("afhq")[1] == "both"
    assert named("quick", "design=both") == ("quick-both", "both", 10)
    assert named("cpu", "design=factorial") == ("cpu-factorial", "factorial", 40)
    assert named("cpu", "rungs=AF") == ("cpu", "ladder", 2)
    assert named("smoke", "paper_ladder", "design=add_one") == ("paper-smoke-add_one", "add_one", 6)
    assert named("smoke", "design=half", "name=mine") == ("mine", "half", 20)


def test_a_design_that_is_not_there_and_one_of_some_rungs_alone_are_refused() -> None:
    with pytest.raises(ConfigError, match="design=all: choose one of ladder, leave_one_out, add_one, both"):
        read_plan(["with", "smoke", "design=all"])
    with pytest.raises(ConfigError, match="rungs=AF: only design=ladder can be of some rungs alone"):
        read_plan(["with", "cpu", "design=both", "rungs=AF"])
