"""`python -m experiments.status`: which ladder it means, and that it looks without torch and ends quietly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import UserError
from experiments.records import RunFolder
from experiments.registry import Cell, StartedLadder, StartedStudy, StartedTrial
from experiments.status import main
from tests.core.settings import tiny

ROOT = Path(__file__).parents[2]


def start(runs: Path, name: str, *seeds: int) -> list[RunFolder]:
    """A ladder of rung F, as starting it registers it."""
    folders = []
    for seed in seeds:
        folders.append(RunFolder.of(runs, tiny(seed=seed)))
        folders[-1].prepare(tiny(seed=seed), "F")
    cells = tuple(Cell("F", seed, folder.path.name) for seed, folder in zip(seeds, folders, strict=True))
    StartedLadder(name, f"python -m experiments.ladder with name={name}", cells).write(runs)
    return folders


def test_the_ladder_started_last_is_meant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start(tmp_path, "one", 0)
    start(tmp_path, "two", 0, 1)
    os.utime(tmp_path / "ladders" / "one.json", (1e9, 1e9))
    assert main([f"runs={tmp_path}"]) == 0
    assert capsys.readouterr().out.startswith("two: 2 runs; 2 waiting\n")
    assert main(["one", f"runs={tmp_path}"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("one: 1 run; 1 waiting\n")
    assert shown.endswith("nothing is at work; to go on:\n  python -m experiments.ladder with name=one\n")


def test_json_has_the_same_facts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder,) = start(tmp_path, "one", 3)
    folder.write_status("failed", reason="out of memory")
    assert main(["one", "--json", f"runs={tmp_path}"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["name"], facts["seconds_left"]) == ("one", None)
    (run,) = facts["runs"]
    assert (run["arm"], run["seed"], run["state"], run["of"]) == ("F", 3, "failed", 4)
    assert (run["reason"], run["log"]) == ("out of memory", str(folder.log))


def test_mistakes_are_one_message(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no ladder was started here\. Start one: python -m experiments\.ladder"):
        main([f"runs={tmp_path}"])
    start(tmp_path, "one", 0)
    with pytest.raises(UserError, match=r"no ladder or study of this name was started in .* There are: one"):
        main(["two", f"runs={tmp_path}"])
    with pytest.raises(UserError, match="one two: name one ladder or study"):
        main(["one", "two", f"runs={tmp_path}"])
    with pytest.raises(UserError, match="seeds=3: this command knows NAME and runs=FOLDER"):
        main(["one", "seeds=3"])
    with pytest.raises(UserError, match="without slashes"):
        main(["../one", f"runs={tmp_path}"])


def test_watching_ends_when_all_is_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder,) = start(tmp_path, "one", 0)
    folder.write_divergence(3, "DIVERGED")
    assert main(["--watch", f"runs={tmp_path}"]) == 0
    assert capsys.readouterr().out.count("one: 1 run; 1 diverged") == 1


def study(runs: Path, name: str, *outcomes: str, ladder: str = "") -> RunFolder:
    """A study of rung F with a trial for each outcome, as working on it registers it; the run that they all have."""
    folder = RunFolder.of(runs, tiny(seed=1000))
    folder.prepare(tiny(seed=1000), "F")
    made = StartedStudy(name, f"python -m experiments.tune with name={name}", "F", len(outcomes), 1, ladder)
    made.write(runs)
    for number, outcome in enumerate(outcomes):
        made.write_trial(runs, StartedTrial(number, {"1000": folder.path.name}, outcome))
    return folder


def test_what_was_started_last_is_meant_whichever_kind_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start(tmp_path, "one", 0)
    study(tmp_path, "one-F", "done", "")
    os.utime(tmp_path / "ladders" / "one.json", (1e9, 1e9))
    assert main([f"runs={tmp_path}"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("one-F: 2 trials of F; 1 done, 1 waiting\n")
    assert said.endswith("nothing is at work; to go on:\n  python -m experiments.tune with name=one-F\n")
    os.utime(tmp_path / "studies" / "one-F" / "study.json", (9e8, 9e8))
    assert main([f"runs={tmp_path}"]) == 0
    assert capsys.readouterr().out.startswith("one: 1 run; 1 waiting\n")
    assert main(["one-F", f"runs={tmp_path}"]) == 0
    assert capsys.readouterr().out.startswith("one-F: 2 trials of F")
    with pytest.raises(UserError, match="There are: one, one-F"):
        main(["two", f"runs={tmp_path}"])


def test_json_of_a_study_has_its_trials_and_their_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = study(tmp_path, "tuned-F", "pruned", ladder="tuned")
    folder.give_up("trial 0 of a study ended early")
    assert main(["--json", f"runs={tmp_path}"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["name"], facts["ladder"], facts["seconds_left"]) == ("tuned-F", "tuned", None)
    assert facts["command"] == "python -m experiments.tune with name=tuned-F"
    assert facts["trials"] == [{"number": 0, "state": "pruned", "reason": "", "log": ""}]
    (run,) = facts["runs"]
    assert (run["arm"], run["trial"], run["seed"], run["state"]) == ("F", 0, 1000, "pruned")


def test_watching_a_study_of_a_tuned_ladder_goes_on_with_what_follows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    study(tmp_path, "tuned-F", "done", ladder="tuned")
    assert main(["tuned-F", "--watch", f"runs={tmp_path}"]) == 0
    assert capsys.readouterr().out.count("tuned-F: 1 trial of F; 1 done") == 1

    def follow(_: float) -> None:
        (folder,) = start(tmp_path, "tuned", 0)
        folder.write_divergence(3, "DIVERGED")

    monkeypatch.setattr("time.sleep", follow)
    assert main(["--watch", f"runs={tmp_path}"]) == 0
    said = capsys.readouterr().out
    assert said.count("tuned-F: 1 trial of F; 1 done\npart of the tuned ladder tuned\n") == 1
    assert said.count("tuned: 1 run; 1 diverged") == 1


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_watching_repeats_and_ends_quietly(tmp_path: Path) -> None:
    start(tmp_path, "one", 0)
    command = [sys.executable, "-m", "experiments.status", "one", f"runs={tmp_path}", "--watch"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = 0
        for line in process.stdout:
            seen += line.startswith("one: 1 run; 1 waiting")
            if seen == 2:
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (0, "")


def test_looking_needs_no_torch(tmp_path: Path) -> None:
    start(tmp_path, "one", 0)
    study(tmp_path, "one-F", "done")
    code = (
        "import sys; from experiments.clean import main as clean; from experiments.status import main as status; "
        f"status(['runs={tmp_path}']); status(['one', 'runs={tmp_path}']); clean(['runs={tmp_path}']); "
        "assert not {'torch', 'sacred', 'pandas', 'optuna'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
