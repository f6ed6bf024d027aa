"""What was recorded is sent later: all of it, once, and completed where a tracker died in the middle."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from experiments.track import main
from experiments.tracking.address import VARIABLE
from tests.experiments.attempts import KEY, SECRET, change, copies, fail, record, said, wait_for
from tests.experiments.postgres import Postgres

ROOT = Path(__file__).parents[2]
SMALL = ["train.steps=3", "data.train_images=20", "data.val_images=4", "eval.judge_steps=5"]


@pytest.fixture(autouse=True)
def no_tracker_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def command(name: str, *words: Any) -> list[str]:
    return [sys.executable, "-m", f"experiments.{name}", *map(str, words)]


def rows(database: Path, statement: str) -> list[Any]:
    with sqlite3.connect(database) as connection:
        return connection.execute(statement).fetchall()


def test_every_attempt_is_sent_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path)
    record(tmp_path, fail)
    running = record(tmp_path, key="B-0123456789ab-s0")
    end = said(running)
    change(running, status="RUNNING", stop_time=None, heartbeat="9999-01-01T00:00:00")
    (tmp_path / "sacred" / "C-0123456789ab-s0-1").mkdir()  # its process was killed before it wrote anything
    arguments = [str(tmp_path), "--to", f"sqlite:{tmp_path}/a.db"]
    assert main(arguments) == 0
    assert f"sqlite:{tmp_path}/a.db: 2 sent, 0 there already, 1 still running\n" in capsys.readouterr().out
    change(running, **end)
    assert main(arguments) == 0
    assert "1 sent, 2 there already, 0 still running" in capsys.readouterr().out
    assert main([str(tmp_path), f"--to=sqlite:{tmp_path}/a.db"]) == 0
    assert "0 sent, 3 there already, 0 still running" in capsys.readouterr().out
    assert rows(tmp_path / "a.db", "SELECT run_id, status FROM run ORDER BY run_id") == [
        (f"{KEY}-1", "COMPLETED"),
        (f"{KEY}-2", "FAILED"),
        ("B-0123456789ab-s0-1", "COMPLETED"),
    ]


def test_an_attempt_that_was_killed_is_sent_as_interrupted(tmp_path: Path) -> None:
    change(record(tmp_path), status="RUNNING", stop_time=None, heartbeat="2026-01-02T03:04:05.000006")
    assert main([str(tmp_path), "--to", f"sqlite:{tmp_path}/a.db"]) == 0
    assert rows(tmp_path / "a.db", "SELECT status, stop_time FROM run") == [
        ("INTERRUPTED", "2026-01-02 03:04:05.000006")
    ]


def test_a_damaged_record_keeps_no_other_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = record(tmp_path)
    damaged = copies(folder, 1)[0]
    (damaged / "run.json").write_text("{")
    assert main([str(tmp_path), "--to", f"sqlite:{tmp_path}/a.db"]) == 1
    printed = capsys.readouterr()
    assert "1 sent" in printed.out
    assert str(damaged) in printed.err
    assert rows(tmp_path / "a.db", "SELECT run_id FROM run") == [(folder.name,)]


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_killed_in_the_middle_and_done_again(tmp_path: Path) -> None:
    count = 61
    copies(record(tmp_path), count - 1)
    database = tmp_path / "a.db"
    words = command("track", tmp_path, "--to", f"sqlite:{database}")
    process = subprocess.Popen(words, cwd=ROOT)
    wait_for(lambda: database.exists() and rows(database, "SELECT name FROM sqlite_master WHERE name = 'run'"))
    wait_for(lambda: rows(database, "SELECT count(*) FROM run")[0][0] >= 3)
    process.kill()
    process.wait()
    [(there,)] = rows(database, "SELECT count(*) FROM run WHERE status = 'COMPLETED'")
    assert 3 <= there < count
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert f"{count - there} sent, {there} there already" in done.stdout
    assert rows(database, "SELECT count(*), count(DISTINCT run_id) FROM run") == [(count, count)]
    assert rows(database, "SELECT count(*), count(DISTINCT run_id) FROM artifact") == [(count, count)]


def test_what_is_wrong_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="say where to: --to URL"):
        main([])
    with pytest.raises(UserError, match="RUNS and --to URL"):
        main(["--from", "x"])
    with pytest.raises(UserError, match="name one folder"):
        main(["one", "two", "--to", "sqlite:a.db"])
    with pytest.raises(UserError, match="no run is recorded there"):
        main(["--to", "sqlite:a.db"])
    with pytest.raises(UserError, match="not the address of a tracker"):
        main(["--to", "http://server"])
    record(Path("runs"))
    monkeypatch.setenv(VARIABLE, "sqlite:a.db")
    assert main([]) == 0
    assert "1 sent" in capsys.readouterr().out


def test_a_tracker_out_of_reach(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copies(record(tmp_path), 2)
    address = postgres.create(f"reach{os.getpid()}")
    monkeypatch.setattr("experiments.track.ATTEMPT_SECONDS", 1)
    with postgres.hanging():
        assert main([str(tmp_path), "--to", address]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "no answer within 1 s), so 3 of 3 attempts were not sent. The same command sends the rest." in printed.err
    assert main([str(tmp_path), "--to", f"postgresql://me:{SECRET}@127.0.0.1:1/runs"]) == 1
    assert "Connection refused" in (refused := capsys.readouterr().err)
    assert SECRET not in printed.err + refused


def test_a_real_run_outlives_its_tracker(
    postgres: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server is killed while the run trains: the run ends well, and what is missing is sent later, once."""
    name = f"real{os.getpid()}"
    address = postgres.create(name)
    runs = tmp_path / "runs"
    words = command("run", "with", "smoke", "A", f"runs={runs}", *SMALL, "train.steps=50", f"tracking={address}")
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    wait_for(lambda: postgres.query(name, "SELECT to_regclass('run')") != [(None,)])
    wait_for(lambda: postgres.query(name, "SELECT status FROM run"))
    statuses = list(runs.glob("*-s0/status.json"))
    postgres.kill()
    try:
        assert json.loads(statuses[0].read_text())["state"] == "training"
        out, err = process.communicate(timeout=600)
    finally:
        postgres.start()
    assert process.returncode == 0, err
    assert err.count("warning: tracking to postgresql://***@127.0.0.1") == 1 and "The run goes on" in err
    assert "judge Fréchet" in out
    assert postgres.query(name, "SELECT status, info, stop_time FROM run") == [("RUNNING", "{}", None)]

    done = subprocess.run(command("track", runs, "--to", address), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "1 sent, 0 there already" in done.stdout, done.stderr
    assert main([str(runs), "--to", address]) == 0
    assert "0 sent, 1 there already" in capsys.readouterr().out
    [(run_id, status, distance)] = postgres.query(
        name, "SELECT run_id, status, info::json->'result'->>'judge_frechet/latent/1' FROM run"
    )
    [result] = runs.glob("*-s0/result.json")
    values = [
        row["value"]
        for row in json.loads(result.read_text())["rows"]
        if (row["metric"], row["guide"], row["outputs"]) == ("judge_frechet", "latent", 1)
    ]
    assert status == "COMPLETED" and run_id == f"A-{result.parent.name}-1"
    assert float(distance) == pytest.approx(sum(values) / len(values), rel=1e-12)
    [(content,)] = postgres.query(name, "SELECT content FROM artifact")
    assert bytes(content) == result.read_bytes()
    assert postgres.query(name, "SELECT count(*) FROM source WHERE filename = 'core/training/loop.py'") == [(1,)]
    everything = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in content for content in [out.encode(), err.encode(), *everything])


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_a_stopped_run_says_so_to_its_tracker(tmp_path: Path) -> None:
    words = ["with", "smoke", "A", f"runs={tmp_path}/runs", *SMALL, "train.steps=100000"]
    process = subprocess.Popen(
        command("run", *words, f"tracking=sqlite:{tmp_path}/a.db"), cwd=ROOT, stderr=subprocess.DEVNULL
    )
    states = (tmp_path / "runs").glob
    wait_for(lambda: any('"iteration": 0' not in path.read_text() for path in states("*/status.json")))
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=300) == 130
    assert rows(tmp_path / "a.db", "SELECT status FROM run") == [("INTERRUPTED",)]
