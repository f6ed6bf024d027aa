"""The SLURM engine on a real SLURM, started here; skipped where there is none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from experiments.engines.engine import Job
from experiments.engines.slurm import SlurmEngine
from tests.experiments.engines.slurm_cluster import SlurmCluster, started_slurm

ROOT = Path(__file__).parents[3]
SMALL = ["data.train_images=20", "data.val_images=4", "eval.judge_steps=5", "train.sample_every=0", "rungs=AF"]
LONG_ENOUGH = ["train.steps=80", "train.log_every=5", "train.checkpoint_every=1000"]  # to be disturbed in the middle
SOONEST = 0.3  # seconds between two looks at the queue, where the engine is by itself
ALIVE = {"PENDING", "CONFIGURING", "RUNNING", "COMPLETING"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    with started_slurm(tmp_path_factory.mktemp("slurm")) as slurm:
        yield slurm


def ladder(folder: Path, *words: str) -> list[str]:
    places = [f"runs={folder}/runs", f"reports={folder}/reports"]
    return [sys.executable, "-m", "experiments.ladder", "with", "smoke", *places, *SMALL, *words]


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(cluster: SlurmCluster) -> Iterator[Start]:
    """A function (folder, words) that starts a ladder on the cluster; at the end none is left."""
    started = []

    def start(folder: Path, *words: str) -> subprocess.Popen[str]:
        command = ladder(folder, "engine=slurm", *words)
        started.append(subprocess.Popen(command, cwd=ROOT, env=cluster.environment, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def on_two_cores() -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def wait_for(there: Callable[[], Any], seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


def run_folder(folder: Path, label: str) -> Path | None:
    for path in (folder / "runs").glob("*-s*/config.json"):
        if json.loads(path.read_text())["label"] == label:
            return path.parent
    return None


def status(folder: Path, label: str) -> dict[str, Any]:
    path = run_folder(folder, label)
    return json.loads((path / "status.json").read_text()) if path and (path / "status.json").exists() else {}


def trains(folder: Path, label: str) -> bool:
    return status(folder, label).get("state") == "training" and status(folder, label)["iteration"] > 0


def arrays(folder: Path) -> dict[str, str]:
    """{SLURM's number: script} of everything that was submitted."""
    scripts = (folder / "runs" / "slurm").glob("[0-9]*_submission.sh")
    return {path.name.partition("_")[0]: path.read_text() for path in scripts}


def test_preempted_and_timed_out_runs_end_in_the_table_of_undisturbed_ones(
    cluster: SlurmCluster, start: Start, tmp_path: Path
) -> None:
    undisturbed, here = tmp_path / "undisturbed", tmp_path / "here"
    command = ladder(undisturbed, *LONG_ENOUGH)  # one thread a run, as below
    local = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, preexec_fn=on_two_cores)
    assert local.returncode == 0, local.stderr
    process = start(here, *LONG_ENOUGH, "engine.array_parallelism=1")
    wait_for(lambda: trains(here, "F"))
    [(array, script)] = arrays(here).items()
    assert "#SBATCH --array=0-1%1\n" in script
    cluster.ask("scancel", "--signal=USR2", f"{array}_0")  # as SLURM does before a time limit
    wait_for(lambda: trains(here, "A"))
    cluster.ask("sbatch", "--partition=high", "--cpus-per-task=2", "--output=/dev/null", "--wrap=sleep 1")
    _, said = process.communicate(timeout=600)
    assert process.returncode == 0, said

    assert list(arrays(here)) == [array]
    for task in (0, 1):
        assert " Restarts=1 " in cluster.ask("scontrol", "show", "job", "--oneliner", f"{array}_{task}")
    table = Path("reports", "smoke", "tables", "results.csv")
    assert (here / table).read_bytes() == (undisturbed / table).read_bytes()
    for label in "AF":
        ours, theirs = run_folder(here, label), run_folder(undisturbed, label)
        assert ours and theirs
        assert (ours / "log.txt").read_text().count("going on from iteration") == 1
        assert (ours / "curves.jsonl").read_bytes() == (theirs / "curves.jsonl").read_bytes()
        for path in (ours, theirs):
            assert json.loads((path / "result.json").read_text())["environment"]["threads"] == "1"


def test_a_stopped_ladder_takes_its_tasks_along(cluster: SlurmCluster, start: Start, tmp_path: Path) -> None:
    process = start(tmp_path, "train.steps=100000", "train.log_every=1", "engine.cpus_per_task=2")
    wait_for(lambda: trains(tmp_path, "F"))
    [array] = arrays(tmp_path)
    assert cluster.states()[f"{array}_1"] == "PENDING"  # both cores are taken
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "every run's state is saved" in said
    assert status(tmp_path, "F")["state"] == "stopped"
    folder = run_folder(tmp_path, "F")
    assert folder and len(list(folder.glob("checkpoint-*.pt"))) == 1
    assert status(tmp_path, "A") == {}
    assert not {state for task, state in cluster.states().items() if task.startswith(f"{array}_")} & ALIVE


def test_what_sbatch_refuses_is_one_message(start: Start, tmp_path: Path) -> None:
    process = start(tmp_path, "train.steps=3", "engine.partition=nowhere")
    _, said = process.communicate(timeout=600)
    assert process.returncode == 2
    assert said.count("invalid partition specified: nowhere") == 1
    assert "error: engine=slurm: " in said
    assert "Traceback" not in said
    assert not list((tmp_path / "runs").glob("*-s*/status.json"))


# The engine by itself, with jobs that are no runs


@pytest.fixture
def slurm(cluster: SlurmCluster, monkeypatch: pytest.MonkeyPatch) -> SlurmCluster:
    monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
    monkeypatch.setattr("experiments.engines.slurm.SOONEST", SOONEST)
    return cluster


def job(folder: Path, name: str, code: str) -> Job:
    path = folder / "runs" / name
    path.mkdir(parents=True)
    return Job(name=name, folder=path, arguments=("-c", f"import os, signal, sys, time\n{code}"))


def ends(engine: SlurmEngine, count: int) -> dict[str, str]:
    """{job: how it ended}"""
    found: dict[str, str] = {}

    def all_ended() -> bool:
        found.update({job.name: how for job, how in engine.ended()})
        return len(found) == count

    wait_for(all_ended)
    return found


def shown(slurm: SlurmCluster, task: str) -> str:
    return slurm.ask("scontrol", "show", "job", "--oneliner", task)


def test_every_job_ends_with_slurms_word_for_it(slurm: SlurmCluster, tmp_path: Path) -> None:
    engine = SlurmEngine({"partition": "low"})
    jobs = [
        job(tmp_path, "good", "print(os.environ['OMP_NUM_THREADS'], os.getcwd())"),
        job(tmp_path, "bad", "print('why', file=sys.stderr); sys.exit(3)"),
        job(tmp_path, "killed", "os.kill(os.getpid(), signal.SIGKILL)"),
    ]
    assert engine.room() == 1000
    engine.submit(jobs)
    assert engine.running() == jobs
    assert engine.room() == 997
    found = ends(engine, 3)
    assert engine.running() == []
    [array] = arrays(tmp_path)
    assert found["good"] == f"COMPLETED, see {tmp_path}/runs/slurm/{array}_0_0_log.out"
    assert found["bad"] == f"FAILED (NonZeroExitCode), see {tmp_path}/runs/slurm/{array}_1_0_log.out"
    assert found["killed"].startswith("FAILED (NonZeroExitCode)")
    for number, code in enumerate((0, 3, 128 + signal.SIGKILL)):
        assert f" ExitCode={code}:0 " in shown(slurm, f"{array}_{number}")
    assert jobs[0].log.read_text() == f"1 {ROOT}\n"
    assert jobs[1].log.read_text() == "why\n"


def test_settings_go_through_to_sbatch(slurm: SlurmCluster, tmp_path: Path) -> None:
    given = {"partition": "high", "time": "1:30:00", "cpus_per_task": 2, "comment": "a b", "nice": 7}
    own = {"setup": "export SEEN=here", "array_parallelism": 1, "signal_delay_s": 33, "exclusive": False}
    engine = SlurmEngine({**given, **own}, gpus=1)
    names = "os.environ[name] for name in ('SEEN', 'OMP_NUM_THREADS', 'CUDA_VISIBLE_DEVICES')"
    jobs = [job(tmp_path, name, f"print(*({names}))") for name in ("first", "second")]
    engine.submit(jobs)
    [(array, script)] = arrays(tmp_path).items()
    text = shown(slurm, f"{array}_0")
    for part in ("Partition=high", "TimeLimit=01:30:00", "Comment=a b", "JobName=stargan-ablations", "Requeue=1"):
        assert f" {part} " in text
    assert " TresPerNode=gres:gpu:1 " in text
    assert "#SBATCH --array=0-1%1\n" in script
    assert "#SBATCH --signal=USR2@33\n" in script
    assert "exclusive" not in script
    ends(engine, 2)
    assert [each.log.read_text() for each in jobs] == ["here 2 0\n"] * 2


@pytest.mark.parametrize(
    ("options", "gpus", "asked"),
    [({}, 0, []), ({}, 1, ["#SBATCH --gpus-per-node=1"]), ({"gres": "gpu:1"}, 2, ["#SBATCH --gres=gpu:1"])],
)
def test_gpus_of_the_settings_go_before_those_of_the_run(
    slurm: SlurmCluster, tmp_path: Path, options: dict[str, Any], gpus: int, asked: list[str]
) -> None:
    engine = SlurmEngine({**options, "hold": True}, gpus=gpus)
    engine.submit([job(tmp_path, "a", "pass")])
    [(number, script)] = arrays(tmp_path).items()
    assert [line for line in script.splitlines() if line.startswith("#SBATCH --g")] == asked
    engine.cancel()
    assert engine.running() == []
    assert slurm.states()[number] == "CANCELLED"


def test_what_an_earlier_command_left_is_found(slurm: SlurmCluster, tmp_path: Path) -> None:
    jobs = [job(tmp_path, name, f"time.sleep({seconds})") for name, seconds in (("a", 1), ("b", 0), ("c", 0))]
    SlurmEngine({"cpus_per_task": 2}).submit(jobs[:2])
    engine = SlurmEngine({"cpus_per_task": 2})
    engine.submit(jobs)
    assert engine.running() == jobs
    assert len(arrays(tmp_path)) == 2
    [array] = [array for array, script in arrays(tmp_path).items() if "--array" not in script]
    found = ends(engine, 3)
    assert [how.partition(",")[0] for how in found.values()] == ["COMPLETED"] * 3
    assert f"/{array}_0_log.out" in found["c"]
    assert not any(f"/{array}_0_log.out" in found[name] for name in "ab")


def test_a_time_limit_without_progress_is_an_end(slurm: SlurmCluster, tmp_path: Path) -> None:
    engine = SlurmEngine({})
    waiting = job(tmp_path, "waiting", "print('here', flush=True); time.sleep(60)")
    engine.submit([waiting])
    wait_for(lambda: waiting.log.exists() and waiting.log.read_text())
    [number] = arrays(tmp_path)
    slurm.ask("scancel", "--signal=USR2", number)
    assert ends(engine, 1)["waiting"].startswith("FAILED (NonZeroExitCode)")
    assert " Restarts=0 " in shown(slurm, number)


def test_a_slurm_that_is_away_ends_nothing(
    slurm: SlurmCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = SlurmEngine({})
    jobs = [job(tmp_path, "a", "pass"), job(tmp_path, "b", "pass")]
    engine.submit(jobs[:1])
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("squeue", "sbatch"):
        (programs / name).write_text("#!/bin/sh\nexit 1\n")
        (programs / name).chmod(0o755)
    with monkeypatch.context() as away:
        away.setenv("PATH", str(programs), prepend=os.pathsep)
        engine.submit(jobs[1:])
        time.sleep(SOONEST + 0.1)
        assert engine.ended() == []
        assert engine.running() == jobs
        with pytest.raises(UserError, match="engine=slurm: "):
            SlurmEngine({}).submit(jobs)
    assert [how.partition(",")[0] for how in ends(engine, 2).values()] == ["COMPLETED"] * 2


def test_without_submitit_or_slurm_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as bare:
        bare.setenv("PATH", str(tmp_path))
        with pytest.raises(UserError, match="no srun here"):
            SlurmEngine({})
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(UserError, match=r"pip install -e '\.\[slurm\]'"):
        SlurmEngine({})
