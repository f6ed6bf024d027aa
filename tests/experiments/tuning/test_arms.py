"""Tuned arms of a ladder: a study for each, the best settings of each, and what is refused before anything is tuned."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.config import ConfigError, as_flat
from core.data.critters import load_critters
from core.errors import UserError
from experiments.plan import Plan, planned_runs, read_plan
from experiments.prepare import Prepared
from experiments.records import Result
from experiments.report_records import ReportRecords
from experiments.tuning.arms import best_settings, compared, sessions_of, tuned_plan
from experiments.tuning.objective import Aim
from tests.experiments.conftest import row
from tests.experiments.tuning.records import study, trial

ROOT = Path(__file__).parents[3]
PREPARED = Prepared(load_critters(8, 8, 16), "judge", ())
AIM = Aim("frechet", "latent", "judge_frechet/latent/1")
BEST = {"loss.cycle": 2.0, "train.learning_rate": 2e-3}


def plan(place: Path, *words: str) -> Plan:
    return read_plan(["with", "smoke", "tuned", "rungs=CF", f"runs={place}/runs", f"reports={place}/reports", *words])


def of(*values: float, settings: dict[str, Any] = BEST) -> dict[str, Any]:
    """A study of an untuned trial and one with other settings."""
    return study(*(trial(number, value, settings=settings if number else {}) for number, value in enumerate(values)))


def test_a_tuned_ladder_is_measured_on_what_nothing_was_tuned_on(tmp_path: Path) -> None:
    made = plan(tmp_path)
    assert made.name == "smoke-tuned"
    assert {arm.config.eval.part for arm in made.arms} == {"rest"}
    assert read_plan(["with", "smoke"]).recipe.eval.part == "all"


def test_every_arm_has_a_study_of_its_own_with_equal_trials(tmp_path: Path) -> None:
    made = plan(tmp_path, "trials=7", "tune.seeds=2")
    sessions = sessions_of(made, PREPARED)
    assert [session.name for session in sessions] == ["smoke-tuned-C", "smoke-tuned-F"]
    command = "python -m experiments.ladder " + made.command.again
    assert {(session.command, session.ladder) for session in sessions} == {(command, "smoke-tuned")}
    for session, arm in zip(sessions, made.arms, strict=True):
        assert session.config.eval.part == "tuning" and session.settings["trials"] == 7
        assert not set(session.seeds) & set(made.seeds) and len(session.seeds) == 2
        assert {path: value for path, value in as_flat(session.config).items() if path.startswith("model.")} == {
            path: value for path, value in as_flat(PREPARED.resolve(arm.config)).items() if path.startswith("model.")
        }
        assert session.journal.is_file()
    assert {each.path for each in sessions[1].space} - {each.path for each in sessions[0].space} == {
        "train.mapping_learning_rate",
        "loss.reconstruction",
        "loss.diversity",
    }


@pytest.mark.parametrize(
    "words, message",
    [
        (("space.loss.cycle=3:1",), "C: space.loss.cycle"),
        (("space.model.code=style,latent",), "F: space.model.code: this is what the ladder varies"),
        (("trials=0",), "trials=0: must be at least 1"),
        (("eval.part=all",), "eval.part: a tuned ladder is measured on what nothing was tuned on"),
    ],
)
def test_what_is_wrong_is_said_with_the_plan(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan(tmp_path, *words)


@pytest.mark.parametrize("word", ["trials=20", "tune.sampler=random", "space.loss.cycle=0.5:2"])
def test_settings_of_tuning_without_tuning_are_refused(word: str) -> None:
    with pytest.raises(ConfigError, match=r"this is of tuning; add the word `tuned`"):
        read_plan(["with", "smoke", word])


@pytest.mark.parametrize(
    "word, message",
    [
        ("tune.objective=frechet,recognised", "the best of two objectives is not one arm"),
        ("seed=999", "the report's seeds must not be those of tuning"),
        ("tune.objective=diversity", "there is no diversity"),
    ],
)
def test_what_is_wrong_with_an_arm_is_said_before_tuning(tmp_path: Path, word: str, message: str) -> None:
    made = plan(tmp_path, "seeds=2", word)
    with pytest.raises(ConfigError, match=message):
        sessions_of(made, PREPARED)


def test_another_space_under_the_same_name_is_refused(tmp_path: Path) -> None:
    sessions_of(plan(tmp_path), PREPARED)
    with pytest.raises(UserError, match="the study smoke-tuned-C was made with something else"):
        sessions_of(plan(tmp_path, "space.loss.cycle=0.5:2"), PREPARED)


def test_the_best_settings_of_each_arm_are_trained(tmp_path: Path) -> None:
    made = plan(tmp_path)
    tuned = tuned_plan(made, {"C": of(3.0, 2.0), "F": of(2.0, 3.0)})
    by_label = {arm.label: arm for arm in tuned.arms}
    assert (by_label["C"].config.loss.cycle, by_label["C"].config.train.learning_rate) == (2.0, 2e-3)
    assert by_label["C"].config.eval.part == "rest"
    assert by_label["F"].config == made.arms[1].config  # its untuned trial was the best
    assert tuned.name == made.name


def test_an_arm_none_of_whose_trials_ended_stays_untuned() -> None:
    assert best_settings(study(trial(0, outcome="diverged"))) == {}


def test_differences_are_those_of_the_tuned_arms(tmp_path: Path) -> None:
    made = read_plan(["with", "smoke", "tuned", "rungs=EF", f"runs={tmp_path}"])
    tuned = tuned_plan(made, {"E": of(3.0, 2.0), "F": of(3.0, 4.0)})
    difference = next(arm for arm in tuned.arms if arm.label == "F").difference
    assert difference["loss.cycle"] == (2.0, 1.0)
    assert difference["loss.diversity"] == (0.0, 1.0)


def test_a_report_gets_both_sides_numbers(tmp_path: Path) -> None:
    made = plan(tmp_path, "seeds=2")
    studies = {"C": of(3.0, 2.0), "F": of(3.0, 2.0)}
    untuned, tuned = planned_runs(made, PREPARED), planned_runs(tuned_plan(made, studies), PREPARED)
    for number, run in enumerate([*untuned, *tuned][:-1]):  # the last one has no result
        rows = (row("judge_frechet", number, "cat", "dog"), row("judge_frechet", number + 2, "dog", "cat"))
        run.folder.write_result(Result("d", 0, as_flat(run.config), 1, 1, 1, {}, 1.0, 1.0, 1, "cpu", {}, rows))
    content = compared(AIM, studies, untuned, tuned)
    assert content["untuned"] == {"F": [1.0, 3.0], "C": [2.0, 4.0]}
    assert content["tuned"] == {"F": [5.0, 7.0], "C": [6.0, None]}
    assert (content["direction"], content["seeds"]) == ("lower", [0, 1])
    records = ReportRecords(tmp_path / "report")
    assert records.tuning() is None
    records.write_ladder({"arms": [{"label": "F"}, {"label": "C"}]})
    records.write_tuning(content)
    assert records.tuning() == content
    assert [*content["studies"]] == ["C", "F"] and [*(records.tuning() or {})["studies"]] == ["F", "C"]
    records.clear()
    assert records.tuning() is None


@pytest.mark.skipif(not os.environ.get("LONG_TESTS"), reason="takes minutes: set LONG_TESTS=1")
def test_a_tuned_ladder_from_end_to_end(tmp_path: Path) -> None:
    words = ["smoke", "tuned", "trials=3", "rungs=CF", "seeds=2", "preflight=false", "tune.sampler=random"]
    command = [sys.executable, "-m", "experiments.ladder", "with", *words]
    command += [f"runs={tmp_path}/runs", f"reports={tmp_path}/reports"]
    first = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert first.returncode == 0, first.stderr[-3000:]
    report = tmp_path / "reports" / "smoke-tuned"
    content = ReportRecords(report).tuning()
    assert content is not None
    assert [one["ledger"]["trials"] for one in content["studies"].values()] == [3, 3]
    assert all(None not in values for side in ("tuned", "untuned") for values in content[side].values())
    assert "## Tuned and untuned" in (report / "report.md").read_text()
    rows = ReportRecords(report).runs()[0].result.rows
    assert all("all but the tuning split of 0.5" in row["protocol"] for row in rows if row["metric"] == "judge_frechet")
    runs = sorted(tmp_path.glob("runs/*-s*/result.json"))
    times = [path.stat().st_mtime_ns for path in runs]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert again.returncode == 0 and again.stdout == first.stdout
    assert [path.stat().st_mtime_ns for path in runs] == times
