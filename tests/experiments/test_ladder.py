"""The main job from end to end: trained, resumed, recorded, reported, and stopped cleanly."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from experiments.evaluation import means
from experiments.plan import read_plan
from experiments.prepare import prepare
from experiments.records import RunFolder
from experiments.report_records import ReportRecords

ROOT = Path(__file__).parents[2]
SMALL = ["train.steps=3", "data.train_images=20", "data.val_images=4", "eval.judge_steps=5"]


def ladder(folder: Path, *words: str) -> list[str]:
    places = [f"runs={folder}/runs", f"reports={folder}/reports"]
    return [sys.executable, "-m", "experiments.ladder", "with", "smoke", *places, *SMALL, *words]


def tracked_ladder(folder: Path) -> list[str]:
    return ladder(folder, f"tracking=sqlite:{folder}/tracked.db")


def results(folder: Path) -> dict[str, dict[str, object]]:
    """{key: result} of every finished run, without what depends on the clock."""
    found = {}
    for path in sorted((folder / "runs").glob("*-s*/result.json")):
        content = json.loads(path.read_text())
        for name in ("train_seconds", "evaluate_seconds", "peak_memory_bytes", "environment"):
            del content[name]
        found[path.parent.name] = content
    return found


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ladder")
    finished = subprocess.run(tracked_ladder(folder), cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 0, finished.stderr
    assert str(folder / "reports" / "smoke") in finished.stdout
    (folder / "said.txt").write_text(finished.stderr)
    return folder


def test_it_is_foreseen_before_anything_trains(done: Path) -> None:
    said = (done / "said.txt").read_text()
    table = [line.split() for line in said.splitlines() if line[:1] in "ABCDEF" and "MiB" in line]
    assert [(row[0], row[3]) for row in table] == [*[(letter, "6") for letter in "ABCD"], ("E", "3"), ("F", "3")]
    assert "rehearsed 6 arms in" in said and "time      about" in said
    assert len(list((done / "runs" / "cache" / "preflight").glob("*/rehearsal.json"))) == 6
    for record in done.rglob("rehearsal.json"):
        seen = json.loads(record.read_text())
        key = record.parent.name.partition("-")[0]
        checkpoint = max((done / "runs" / f"{key}-s0").glob("checkpoint-*.pt"))
        assert seen["sizes"]["checkpoint"] == pytest.approx(checkpoint.stat().st_size, rel=0.01)
        taken = json.loads((checkpoint.parent / "result.json").read_text())["peak_memory_bytes"]
        assert 0.2 * taken < seen["host_bytes"] < taken  # without the libraries, which processes share


def test_every_rung_has_a_run_and_a_record(done: Path) -> None:
    assert len(results(done)) == 6
    records = done / "reports" / "smoke" / "records"
    assert sorted(path.name for path in records.glob("*-s0")) == [f"{letter}-s0" for letter in "ABCDEF"]
    for letter in "ABCDEF":
        content = json.loads((records / f"{letter}-s0" / "result.json").read_text())
        assert content["generator_updates"] == 6  # equal in all rungs
        assert content["images_seen"] == 48
        points = (records / f"{letter}-s0" / "curves.jsonl").read_text().splitlines()
        assert len(points) == content["iterations"] == (6 if letter in "ABCD" else 3)
        picture = Image.open(records / f"{letter}-s0" / "latent.png")
        assert picture.size == (7 * 16, 6 * 16)  # source and two latents for each of three domains; six sources
        assert (records / f"{letter}-s0" / "reference.png").exists() == (letter in "EF")


def test_results_hold_every_pair_and_their_sample_counts(done: Path) -> None:
    table = pd.read_csv(done / "reports" / "smoke" / "tables" / "results.csv")
    ours = table[table["arm"] == "F"]
    pairs = ours[(ours["metric"] == "recognised") & (ours["guide"] == "latent") & (ours["outputs"] == 1)]
    assert len(pairs) == 6
    assert set(pairs["samples"]) == {4}
    assert set(ours["guide"]) == {"latent", "reference"}
    assert set(table["direction"]) == {"lower", "higher"}
    assert table["protocol"].notna().all()
    assert not table["metric"].isin(["fid", "kid", "lpips"]).any()  # the judge's numbers have other names


def test_sacred_has_every_run(done: Path) -> None:
    tracked = [path for path in (done / "runs" / "sacred").iterdir() if not path.name.startswith("_")]
    assert len(tracked) == 6
    for path in tracked:
        run = json.loads((path / "run.json").read_text())
        assert run["status"] == "COMPLETED"
        assert json.loads((path / "config.json").read_text())["train"]["steps"] == 3
        assert (path / "result.json").exists()


def test_the_tracker_asked_for_has_every_run(done: Path) -> None:
    """Two workers write to one file."""
    with sqlite3.connect(done / "tracked.db") as connection:
        tracked = connection.execute("SELECT run_id, status FROM run").fetchall()
    recorded = [path.parent.name for path in (done / "runs" / "sacred").glob("*/run.json")]
    assert sorted(tracked) == [(name, "COMPLETED") for name in sorted(recorded)]
    assert not [log for log in (done / "runs").glob("*/log.txt") if "warning:" in log.read_text()]


def test_the_same_command_again_trains_nothing(done: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (done / "runs").glob("*-s*/*")}
    report = {path: path.read_bytes() for path in (done / "reports").rglob("*") if path.is_file()}
    finished = subprocess.run(tracked_ladder(done), cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 0, finished.stderr
    assert "6 runs are done already" in finished.stderr
    assert "rehearsed" not in finished.stderr
    assert {path: path.stat().st_mtime_ns for path in (done / "runs").glob("*-s*/*")} == before
    assert {path: path.read_bytes() for path in (done / "reports").rglob("*") if path.is_file()} == report


def test_a_design_trains_only_the_arms_that_are_not_there(done: Path) -> None:
    """And `plan` shows them before, without training."""
    before = set(results(done))
    words = ["design=both", "preflight=false"]
    asked = ladder(done, *words)
    planned = [*asked[:3], "plan", *asked[3:]]
    shown = subprocess.run(planned, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert shown.returncode == 0, shown.stderr
    assert "10 arms, 1 seed each: 10 runs, of which 6 are done already" in shown.stdout
    assert set(results(done)) == before
    finished = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 0, finished.stderr
    assert len(set(results(done)) - before) == 4
    report = done / "reports" / "smoke-both"
    ladder_record = json.loads((report / "records" / "ladder.json").read_text())
    labels = [*"ABCDEF", "F-multitask", "F-r1", "F-adain", "F-style"]
    assert [arm["label"] for arm in ladder_record["arms"]] == labels
    assert ladder_record["design"]["also"] == {"E": ["F-diversity"], "F": ["F-latent"]}
    assert list(pd.read_csv(report / "tables" / "results.csv")["arm"].unique()) == labels


def test_finished_runs_are_completed_and_their_results_stay(done: Path, tmp_path: Path) -> None:
    """More evaluations, and pictures that are gone: by the same command and without training."""
    shutil.copytree(done, tmp_path / "here")
    here, asked = tmp_path / "here", ("rungs=AF", "evaluations=3", "name=more")
    label = {json.loads(path.read_text())["label"]: path.parent for path in here.glob("runs/*-s0/config.json")}
    pictures = {path: path.read_bytes() for path in (label["F"] / "pictures").iterdir()}
    assert {path.name for path in pictures} == {"latent.png", "reference.png", "interpolation.png"}
    for path in pictures:
        path.unlink()
    kept = ("result.json", "translator.pt", "curves.jsonl", "config.json", "checkpoint-000000003.pt")
    before = {path: path.read_bytes() for path in (label["F"] / name for name in kept)}
    attempts = sorted((here / "runs" / "sacred").iterdir())

    finished = subprocess.run(ladder(here, *asked), cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 0, finished.stderr
    assert "completed 2 of these, without training" in finished.stderr
    assert "rehearsed" not in finished.stderr and "threads of each" not in finished.stderr
    assert {path: path.read_bytes() for path in before} == before
    assert {path: path.read_bytes() for path in pictures} == pictures
    assert sorted((here / "runs" / "sacred").iterdir()) == attempts
    log = (label["F"] / "log.txt").read_text()
    assert "made of its trained networks: latent.png, reference.png, interpolation.png, the evaluation" in log
    assert "going on from iteration" not in log
    for record in ReportRecords(here / "reports" / "more").runs():
        own = label[record.label] / "repeats.jsonl"
        assert [json.dumps(line) for line in record.repeats] == own.read_text().splitlines()
        assert [line["eval_seed"] for line in record.repeats] == [1, 2]
        assert (record.folder / "interpolation.png").exists() == (record.label == "F")
        result = {"eval_seed": 1, **means(record.result.rows)}
        assert (dict(record.repeats[0]) == result) == (record.label == "A")  # A's translations do not vary

    for path in (label["F"] / "pictures" / "interpolation.png", label["F"] / "translator.pt"):
        path.unlink()
    for checkpoint in label["F"].glob("checkpoint-*.pt"):
        checkpoint.unlink()
    again = subprocess.run(ladder(here, *asked), cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert again.returncode == 0, again.stderr
    assert "2 runs are done already" in again.stderr
    assert again.stderr.splitlines()[-1] == (
        "incomplete: F seed 0 lacks interpolation.png, and its trained networks are gone"
    )
    assert {path: path.read_bytes() for path in before if path.exists()} == {
        path: content for path, content in before.items() if path.suffix != ".pt"
    }


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_an_interrupted_ladder_goes_on_and_ends_in_the_same_numbers(tmp_path: Path) -> None:
    words = ["rungs=CF", "train.steps=200", "train.log_every=20", "train.checkpoint_every=1000", "train.sample_every=0"]
    words.append("preflight=false")
    whole = tmp_path / "whole"
    assert subprocess.run(ladder(whole, *words), cwd=ROOT, capture_output=True, timeout=600).returncode == 0
    broken = tmp_path / "broken"
    process = subprocess.Popen(ladder(broken, *words), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait_for_training(broken)
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "python -m experiments.ladder with smoke" in message
    assert "Traceback" not in message
    statuses = [json.loads(path.read_text()) for path in (broken / "runs").glob("*-s*/status.json")]
    assert "stopped" in {status["state"] for status in statuses}
    again = subprocess.run(ladder(broken, *words), cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert again.returncode == 0, again.stderr
    assert results(broken) == results(whole)
    for key in results(whole):
        ours, theirs = (folder / "runs" / key / "curves.jsonl" for folder in (broken, whole))
        assert ours.read_bytes() == theirs.read_bytes()


def wait_for_training(folder: Path, seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for path in (folder / "runs").glob("*-s*/status.json"):
            status = json.loads(path.read_text())
            if status["state"] == "training" and status["iteration"] > 0:
                return
        time.sleep(0.05)
    raise AssertionError("no run began to train")


def test_the_papers_ladder_trains_stargan_by_its_own_recipe(tmp_path: Path) -> None:
    words = ["paper_ladder", "rungs=AB", "train.steps=10", "preflight=false"]
    finished = subprocess.run(ladder(tmp_path, *words), cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 0, finished.stderr
    report = tmp_path / "reports" / "paper-smoke"
    seen = {}
    for label in "AB":
        content = json.loads((report / "records" / f"{label}-s0" / "result.json").read_text())
        seen[label] = [content[name] for name in ("iterations", "generator_updates", "images_seen")]
        points = [json.loads(line) for line in (report / "records" / f"{label}-s0" / "curves.jsonl").open()]
        assert len([point for point in points if "g/latent/adversarial" in point]) == content["generator_updates"]
    assert seen == {"A": [10, 2, 160], "B": [10, 2, 160]}
    text = (report / "report.md").read_text()
    assert "2 generator updates and 160 source images a run, batch 16" in text
    assert "StarGAN's own networks and recipe" in text


def test_a_failed_arm_does_not_stop_the_others(tmp_path: Path) -> None:
    """An arm whose pictures cannot be written: the ladder goes on, says why, and ends with a status that is not 0."""
    words = [*SMALL, "rungs=EF", "preflight=false"]
    plan = read_plan(["with", "smoke", *words])
    config = prepare(plan.recipe, tmp_path / "runs" / "cache").resolve(plan.arms[1].config)
    blocked = RunFolder.of(tmp_path / "runs", config).pictures
    blocked.parent.mkdir(parents=True)
    blocked.touch()
    finished = subprocess.run(ladder(tmp_path, *words), cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 1
    assert "failed: F seed 0" in finished.stderr
    assert str(blocked.parent / "log.txt") in finished.stderr
    assert len(results(tmp_path)) == 1
    assert "F, seed 0 failed" in (tmp_path / "reports" / "smoke" / "report.md").read_text()
    blocked.unlink()  # mended, and the same command again trains that arm alone
    again = subprocess.run(ladder(tmp_path, *words), cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert again.returncode == 0, again.stderr
    assert "1 runs are done already" in again.stderr
    assert len(results(tmp_path)) == 2


def test_a_divergence_is_a_result(tmp_path: Path) -> None:
    """An arm whose losses overflow: noted at its iteration, never trained again, and no arm beside it is stopped."""
    words = ["rungs=EF", "loss.diversity=1e39", "preflight=false"]
    finished = subprocess.run(ladder(tmp_path, *words), cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 1
    assert "diverged: F seed 0, DIVERGED at iteration 1" in finished.stderr
    assert len(results(tmp_path)) == 1
    (path,) = (tmp_path / "runs").glob("*-s0/diverged.json")
    assert json.loads(path.read_text())["iteration"] == 1
    log = (path.parent / "log.txt").read_bytes()
    again = subprocess.run(ladder(tmp_path, *words), cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert again.returncode == 1
    assert "diverged: F seed 0" in again.stderr
    assert (path.parent / "log.txt").read_bytes() == log


def test_two_ladders_at_once_share_the_runs(tmp_path: Path) -> None:
    """Every run is trained by one of them, once, and both end with the whole table."""
    words = ["workers=1", "rungs=ACDF", "preflight=false"]
    commands = [ladder(tmp_path, *words, f"name={name}") for name in ("one", "two")]
    both = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for command in commands]
    for process in both:
        _, message = process.communicate(timeout=600)
        assert process.returncode == 0, message
    tables = [tmp_path / "reports" / name / "tables" / "results.csv" for name in ("one", "two")]
    assert tables[0].read_bytes() == tables[1].read_bytes()
    tracked = [path.name for path in (tmp_path / "runs" / "sacred").iterdir() if not path.name.startswith("_")]
    assert sorted(name[0] for name in tracked) == ["A", "C", "D", "F"]  # an attempt each
    for path in (tmp_path / "runs").glob("*-s0/claim-*.json"):
        assert json.loads(path.read_text()) == {"released": True}


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_sigterm_stops_a_ladder_as_ctrl_c_does(tmp_path: Path) -> None:
    words = ["rungs=F", "train.steps=2000", "train.log_every=5", "preflight=false"]
    process = subprocess.Popen(ladder(tmp_path, *words), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait_for_training(tmp_path)
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, message = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "To go on:" in message
    assert time.monotonic() - asked < 30
    (folder,) = (tmp_path / "runs").glob("*-s0")
    assert json.loads((folder / "status.json").read_text())["state"] == "stopped"
    assert list(folder.glob("checkpoint-*.pt"))


def test_an_arm_that_cannot_be_trained_is_refused_before_anything_trains(tmp_path: Path) -> None:
    words = ["rungs=EF", "loss.diversity=1e39"]
    finished = subprocess.run(ladder(tmp_path, *words), cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 2
    refusal = finished.stderr.split("error: this ladder cannot run as it is, so nothing was trained:\n", 1)[1]
    problem, log, way_out = refusal.splitlines()
    assert problem.startswith("  - F: DIVERGED at iteration 1 ")
    assert Path(log.strip()).is_file()
    assert "preflight=false" in way_out
    assert not list((tmp_path / "runs").glob("*-s0")) and not (tmp_path / "runs" / "ladders").exists()
