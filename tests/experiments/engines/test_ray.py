"""engine=ray on a real cluster: several nodes on this machine, two of which are lost in the middle of runs."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.errors import UserError
from tests.experiments.engines.ray_cluster import Cluster, Node, asked, cluster_of_three, free_port, kill, wait_for

ray = pytest.importorskip("ray", reason="needs Ray: python -m pip install -e '.[ray]'")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Ray has clusters of several nodes on Linux only")

from experiments.engines import ray as engine  # noqa: E402
from experiments.engines.engine import Job  # noqa: E402

ROOT = Path(__file__).parents[3]
WORDS = [
    "rungs=AB",
    "device=cpu",
    "train.steps=40",
    "train.log_every=20",
    "train.checkpoint_every=10",
    "train.sample_every=0",
    "data.train_images=20",
    "data.val_images=4",
    "eval.judge_steps=5",
]
NOISE = ("raylet", "ray::", "core_worker", "gcs_", "fork", "INFO", "WARNING", "Warning", "Traceback")


def ladder(folder: Path, *words: str, cores: int = 2, **variables: str) -> subprocess.Popen[str]:
    """The command, as if this machine had so many cores at most."""
    places = [f"runs={folder}/runs", f"reports={folder}/reports"]
    return subprocess.Popen(
        [sys.executable, "-m", "experiments.ladder", "with", "smoke", *places, *WORDS, *words],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores]),
    )


def errors_of(process: subprocess.Popen[str], status: int) -> str:
    """What a ladder printed for a person; Ray must have no part in it."""
    _, errors = process.communicate(timeout=600)
    assert process.returncode == status, errors
    assert [word for word in NOISE if word in errors] == [], errors
    return errors


def table(folder: Path) -> bytes:
    return (folder / "reports" / "smoke" / "tables" / "results.csv").read_bytes()


def runs_of(folder: Path) -> dict[str, Path]:
    """{letter of a rung: its run's folder}."""
    configs = (folder / "runs").glob("*-s0/config.json")
    return {json.loads(path.read_text())["label"]: path.parent for path in configs}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with cluster_of_three() as started:
        yield started


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What engine=local leaves, with one thread a run as on the nodes."""
    folder = tmp_path_factory.mktemp("local")
    process = ladder(folder, "workers=2")
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return folder


@pytest.fixture
def folder(undisturbed: Path, tmp_path: Path) -> Path:
    """A place for the same ladder once more; the judge need not be trained again."""
    shutil.copytree(undisturbed / "runs" / "cache", tmp_path / "runs" / "cache")
    return tmp_path


def submitted(cluster: Cluster, folder: Path, *programs: str, gpus: int = 0) -> engine.RayEngine:
    """An engine that has been given a job for each program. gpus: of a job, beside one core."""
    options = {"address": cluster.client, "num_cpus": 1, "num_gpus": gpus}
    started = engine.RayEngine(options, gpus_per_run=max(1, gpus))
    started.submit([Job(f"job {n}", folder, ("-c", program)) for n, program in enumerate(programs)])
    return started


def test_says_how_jobs_ended(cluster: Cluster, tmp_path: Path) -> None:
    fails, dies = "print('seen'); raise SystemExit(3)", "import os; os.kill(os.getpid(), 9)"
    started = submitted(cluster, tmp_path, fails, dies)
    started.submit([Job("lost", tmp_path / "not" / "there", ("-c", ""))])
    assert len(started.running()) == 3
    ended: dict[str, str] = {}
    wait_for(lambda: ended.update({job.name: how for job, how in started.ended()}) or len(ended) == 3)
    assert started.running() == []
    started.cancel()
    assert ended["job 0"] == "exit status 3"
    assert ended["job 1"] == "killed by SIGKILL"
    assert "No such file or directory" in ended["lost"]
    assert "not/there/log.txt" in ended["lost"]
    assert (tmp_path / "log.txt").read_text() == "seen\n"


def test_a_job_sees_the_gpus_that_it_was_given_and_no_others(cluster: Cluster, tmp_path: Path) -> None:
    program = "import os; print(*(os.environ[name] for name in ('CUDA_VISIBLE_DEVICES', 'OMP_NUM_THREADS')), sep='|')"
    for gpus, seen in ((2, "0,1|1"), (0, "|1")):
        started = submitted(cluster, tmp_path, program, gpus=gpus)
        wait_for(started.ended)
        started.cancel()
        assert (tmp_path / "log.txt").read_text().splitlines()[-1] == seen


def test_cancel_lets_jobs_save_and_ends_those_that_do_not_stop(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "STOP_SECONDS", 2)
    on_sigterm = signal.getsignal(signal.SIGTERM)
    wait = "print(os.getpid()); time.sleep(60)"
    saves = f"import os, signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(print('saved'))); {wait}"
    goes_on = f"import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {wait}"
    started = submitted(cluster, tmp_path, saves, goes_on, "import os, time; " + wait, saves)
    assert signal.getsignal(signal.SIGTERM) is on_sigterm  # Ray has one of its own, which ends a ladder at once
    log = tmp_path / "log.txt"
    wait_for(lambda: log.exists() and len(log.read_text().split()) == 3)
    started.cancel()
    words = log.read_text().split()
    assert words[3:] == ["saved"]  # and the fourth never began
    assert not any(psutil.pid_exists(int(word)) for word in words[:3])
    assert started.running() == []
    assert cluster.alive() == 4


def test_what_no_node_can_hold_is_refused_at_once(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", cluster.client)  # as good as the option
    told = r"takes CPU 1, GPU 1, large 2, .* they have CPU 0, GPU 0, large 0; .*; CPU 1, GPU 2, large 0\. Ask for less"
    with pytest.raises(UserError, match=told):
        engine.RayEngine({"resources.large": 2})


def test_a_lost_cluster_is_a_message(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object, **__: object) -> None:
        raise ConnectionError("Client is shutting down.")

    started = submitted(cluster, tmp_path, "import time; time.sleep(60)")
    with monkeypatch.context() as patch:
        patch.setattr("ray.wait", lost)
        with pytest.raises(UserError, match="goes on from the last checkpoints"):
            started.ended()
    assert started.running() == []
    started.cancel()


@pytest.fixture
def without_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> engine.RayEngine:
    """An engine with one job, whose cluster is an assertion: nobody is there to be asked anything."""
    place = tempfile.TemporaryDirectory(dir=tmp_path)

    def ask(*_: object, **__: object) -> None:
        raise AssertionError("a cluster was asked")

    monkeypatch.setattr(engine, "_start", lambda: place)
    monkeypatch.setattr("ray.nodes", lambda: [{"Alive": True, "Resources": {"CPU": 1}}])
    for name in ("ray.init", "ray.cancel", "ray.wait", "ray.get"):
        monkeypatch.setattr(name, ask)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    started = engine.RayEngine({})
    started._running = {ray.ObjectRef.nil(): Job("job", tmp_path, ())}
    return started


def test_a_daemon_that_died_is_a_lost_cluster(
    without_cluster: engine.RayEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Ray says so when asked whether a task is over, and where it says so as the way that a task ended."""
    died = ray.exceptions.LocalRayletDiedError()

    def says(*_: object, **__: object) -> None:
        raise died

    jobs = dict(without_cluster._running)
    for call in ("ray.wait", "ray.get"):
        without_cluster._running = dict(jobs)
        monkeypatch.setattr("ray.wait", lambda tasks, **_: (tasks, []))
        monkeypatch.setattr(call, says)
        with pytest.raises(UserError, match="the Ray cluster is lost") as caught:
            without_cluster.ended()
        assert caught.value.__cause__ is died
        assert without_cluster.running() == []


def test_other_ends_of_a_task_are_words(without_cluster: engine.RayEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def says(*_: object, **__: object) -> None:
        raise ray.exceptions.WorkerCrashedError()

    monkeypatch.setattr("ray.wait", lambda tasks, **_: (tasks, []))
    monkeypatch.setattr("ray.get", says)
    ((job, how),) = without_cluster.ended()
    assert job.name == "job" and how.startswith("WorkerCrashedError: ")


def test_without_a_connection_nobody_is_asked_to_stop(
    without_cluster: engine.RayEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    without_cluster.cancel()
    assert without_cluster.running() == []
    without_cluster._running = {ray.ObjectRef.nil(): Job("job", Path(), ())}
    monkeypatch.setattr("ray.is_initialized", lambda: True)
    with pytest.raises(AssertionError, match="a cluster was asked"):
        without_cluster.cancel()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"adress": "auto"}, "engine.adress=auto: engine=ray knows engine.address, engine.num_cpus"),
        ({"resources.memory": 2}, "engine.resources.memory=2: engine=ray knows .* engine.resources.NAME"),
        ({"num_cpus": 0}, "engine.num_cpus=0: must be a number above 0"),
        ({"num_cpus": "two"}, "engine.num_cpus=two: must be a number above 0"),
        ({"resources.large": True}, "engine.resources.large=True: must be a number above 0"),
        ({"num_gpus": 2}, "engine.num_gpus=2: a run takes as many as gpus_per_run=1 says"),
    ],
)
def test_senseless_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        engine.RayEngine(options)


def test_an_address_without_a_cluster_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "ANSWER_SECONDS", 3)
    address = f"127.0.0.1:{free_port()}"
    began = time.monotonic()
    with pytest.raises(UserError, match=f"engine.address={address}: no answer within 3 seconds"):
        engine.RayEngine({"address": address})
    with pytest.raises(UserError, match=r"engine\.address=nonsense: Invalid address format"):
        engine.RayEngine({"address": "nonsense"})
    assert time.monotonic() - began < 15


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "experiments.engines.ray")
    with pytest.raises(UserError, match=r"pip install -e '\.\[ray\]'"):
        importlib.import_module("experiments.engines.ray")


def test_ctrl_c_saves_and_another_cluster_goes_on(cluster: Cluster, undisturbed: Path, folder: Path) -> None:
    """First on a cluster of its own, of one core: one run is at work, and one in Ray's queue. Nothing is left of it."""
    mark = str(folder)
    process = ladder(folder, "engine=ray", cores=1, RAY_TEST_MARK=mark, RAY_ADDRESS="")
    wait_for(lambda: list(folder.glob("runs/*-s0/checkpoint-*.pt")) or process.poll() is not None)
    (place,) = {word.partition("=")[2] for words in marked(mark) for word in words if word.startswith("--temp_dir=")}
    assert Path(place).is_dir()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: Ray's processes get it too
    errors = errors_of(process, 130)
    assert "To go on:\n  python -m experiments.ladder with smoke" in errors
    (begun,) = {path.parent for path in folder.glob("runs/*-s0/claim-*")}
    assert json.loads((begun / "status.json").read_text())["state"] == "stopped"
    assert marked(mark) == []
    assert not Path(place).exists()

    again = ladder(folder, "engine=ray", f"engine.address={cluster.client}", "engine.num_gpus=0")
    errors_of(again, 0)
    assert "going on from iteration" in (begun / "log.txt").read_text()
    assert table(folder) == table(undisturbed)


def marked(value: str) -> list[list[str]]:
    """The command lines of what was started, by whatever way, by a process with RAY_TEST_MARK=value."""
    ours = ("RAY_TEST_MARK", value)
    return [asked(each.cmdline, []) for each in psutil.process_iter() if ours in asked(each.environ, {}).items()]


def test_runs_of_lost_nodes_go_on_elsewhere_and_end_in_the_same_table(
    cluster: Cluster, undisturbed: Path, folder: Path
) -> None:
    """A's node is lost as a machine without power is; of B's, Ray alone: the process of the run is still there."""
    process = ladder(folder, "engine=ray", f"engine.address={cluster.address}", "engine.num_gpus=0")
    orphans: list[psutil.Process] = []
    lost: dict[str, Node] = {}

    def lose_nodes() -> bool:
        for label, run in runs_of(folder).items():
            if label not in lost and list(run.glob("checkpoint-*.pt")):
                node = lost[label] = cluster.node_of(run)
                orphans.extend(node.of_run(run) if label == "B" else [])
                kill([part for part in node.parts() if part not in orphans])
        return len(lost) == 2 or process.poll() is not None

    wait_for(lose_nodes)
    errors_of(process, 0)
    assert lost["A"] is not lost["B"]
    assert len(orphans) == 1
    assert not orphans[0].is_running()
    for run in runs_of(folder).values():
        resumed = [line for line in (run / "log.txt").read_text().splitlines() if "going on from iteration" in line]
        assert len(resumed) == 1
        assert 0 < int(resumed[0].split()[4]) < 80
    assert table(folder) == table(undisturbed)
