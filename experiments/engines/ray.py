"""The Ray engine: a task for each run, on the nodes of a cluster; the task starts the run's process and waits for it.

Ray finds a place for each run and says what was lost with a node. The process is the one that every engine starts, so
every node has to have the same Python, this program and the runs' folder under the same paths as this machine.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import UserError
from experiments.engines.engine import ROOT, Job
from experiments.engines.local import STOP_SECONDS, how_ended
from experiments.environment import cores

# Where a process talks gRPC, its handlers of forks may hang or print; nothing here forks without starting a program.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
try:
    import ray
except ImportError as error:
    raise UserError("engine=ray needs Ray: python -m pip install -e '.[ray]'") from error

# The cluster is lost to this process: it does not answer, or the daemon that speaks for this machine is dead.
LOST = (ConnectionError, ray.exceptions.LocalRayletDiedError)
KNOWN = ("address", "num_cpus", "num_gpus", "resources.NAME")
NOT_NAMES = ("CPU", "GPU", "memory", "object_store_memory")  # of resources: Ray has its own
ANSWER_SECONDS = 60  # a cluster gets to answer, on a busy machine too; Ray itself would try for minutes
TRIAL = """
import sys, ray
try:
    ray.init(sys.argv[1], log_to_driver=False)
except Exception as error:
    sys.exit(print(error) or 1)
"""
STORE_BYTES = 80 * 2**20  # nearly the least that Ray takes: nothing of a run goes through its store


class RayEngine:
    """Runs tasks on a Ray cluster: one that exists, or one of this machine alone that ends with the engine."""

    def __init__(self, options: Mapping[str, Any], gpus_per_run: int = 1) -> None:
        """Connect to the cluster or start one. Raises UserError, also where no node could ever hold a run.

        options: `address` of the cluster (RAY_ADDRESS says it too), and what one run takes of a node: `num_cpus`
        (a core for each of its processes), `num_gpus` (gpus_per_run, if the cluster has any), `resources.NAME`.
        """
        _refuse_wrong(options, gpus_per_run)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._running: dict[ray.ObjectRef, Job] = {}
        address = str(options.get("address", os.environ.get("RAY_ADDRESS", "")))
        if address:
            _join(address)
        else:
            self._folder = _start()
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        share = _share(options, gpus_per_run, any("GPU" in node for node in nodes))
        if not any(all(node.get(name, 0) >= much for name, much in share.items()) for node in nodes):
            self.cancel()
            raise UserError(
                f"a run takes {_listed(share)}, and no node of the Ray cluster has that; they have "
                f"{'; '.join(sorted({_listed(node, share) for node in nodes}))}. Ask for less: engine.num_cpus, "
                "engine.num_gpus, engine.resources.NAME, gpus_per_run"
            )
        self._threads = max(1, int(share["CPU"]))
        try:
            self._task = _task(share)
        except ValueError as error:  # numbers that are finer than Ray counts
            raise UserError(f"engine=ray: {error}") from error

    def room(self) -> int:
        """Any number: what the nodes cannot take yet waits in Ray's queue."""
        return sys.maxsize

    def submit(self, jobs: Sequence[Job]) -> None:
        """Hand over a task for each job."""
        for job in jobs:
            variables = job.variables(self._threads)
            reference = self._task.remote(job.command, str(ROOT), variables, str(job.log), STOP_SECONDS)
            self._running[reference] = job

    def running(self) -> list[Job]:
        """The jobs whose task has not been seen to end."""
        return list(self._running.values())

    def ended(self) -> list[tuple[Job, str]]:
        """The jobs whose task has ended since the last call, or was lost with its node. Raises UserError."""
        try:
            return [(self._running.pop(reference), _how(reference)) for reference in self._over(0)]
        except LOST as error:
            self._running.clear()  # there is nobody to be asked to stop
            raise UserError("the Ray cluster is lost. The same command goes on from the last checkpoints") from error

    def cancel(self) -> None:
        """Ask all processes to stop, wait for that, and leave the cluster, or end it if it was started for this."""
        if ray.is_initialized():  # else Ray would start a cluster to ask it
            with contextlib.suppress(*LOST):  # nobody is left to be asked
                for reference in self._running:
                    ray.cancel(reference)
                self._over(STOP_SECONDS + 10)  # the tasks themselves end what does not stop in time
        self._running.clear()
        ray.shutdown()
        if self._folder:
            self._folder.cleanup()

    def _over(self, seconds: float) -> list[ray.ObjectRef]:
        """The tasks that are over, once all are or so many seconds have passed."""
        tasks = list(self._running)
        return ray.wait(tasks, num_returns=len(tasks), timeout=seconds)[0] if tasks else []


def _refuse_wrong(options: Mapping[str, Any], gpus_per_run: int) -> None:
    """Raise UserError where options are unknown or make no sense."""
    numbers = {key: value for key, value in options.items() if key != "address"}
    problems = [
        f"engine.{key}={value}: engine=ray knows {', '.join(f'engine.{name}' for name in KNOWN)}"
        for key, value in numbers.items()
        if key not in KNOWN and (key.partition(".")[0] != "resources" or key.partition(".")[2] in NOT_NAMES)
    ]
    problems = problems or [
        f"engine.{key}={value}: must be a number above 0"
        for key, value in numbers.items()
        if type(value) not in (int, float) or value < 0 or (value == 0 and key != "num_gpus")
    ]
    gpus = options.get("num_gpus", 0)
    if not problems and gpus not in (0, gpus_per_run) and not (gpus < 1 == gpus_per_run):
        problems = [
            f"engine.num_gpus={gpus}: a run takes as many as gpus_per_run={gpus_per_run} says, 0 to be computed on "
            "CPUs, or a part of one, e.g. 0.5, to share it"
        ]
    if problems:
        raise UserError("\n".join(problems))


def _share(options: Mapping[str, Any], gpus_per_run: int, gpus_there: bool) -> dict[str, float]:
    """What one run takes of a node, by Ray's names; nothing that it takes 0 of."""
    own = {key.removeprefix("resources."): value for key, value in options.items() if key.startswith("resources.")}
    gpus = options.get("num_gpus", gpus_per_run if gpus_there else 0)
    return {"CPU": options.get("num_cpus", gpus_per_run)} | ({"GPU": gpus} if gpus else {}) | own


def _listed(much: Mapping[str, float], names: Mapping[str, float] | None = None) -> str:
    return ", ".join(f"{name} {much.get(name, 0):g}" for name in names or much)


def _join(address: str) -> None:
    """Connect to a cluster. Raises UserError.

    Another process tries it first, as Ray can neither be told to give up soon nor to be silent.
    """
    trial = [sys.executable, "-c", TRIAL, address]
    try:
        tried = subprocess.run(trial, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=ANSWER_SECONDS)
        problem = _one_line(tried.stdout or tried.stderr) if tried.returncode else ""
    except subprocess.TimeoutExpired:
        problem = f"no answer within {ANSWER_SECONDS} seconds"
    if problem:
        raise UserError(
            f"engine.address={address}: {problem}. It has to be a Ray cluster (ray start --head) that this machine is "
            "a node of; from any other machine it is ray://HOST:10001"
        )
    _init(address=address)


def _start() -> tempfile.TemporaryDirectory[str]:
    """Start a cluster of this machine alone; returns its folder. Raises UserError."""
    # The path of a socket may have about 100 letters, and some systems' own folder for temporary files takes half.
    place = "/tmp" if os.name == "posix" else None
    folder = tempfile.TemporaryDirectory(prefix="ray-", dir=place, ignore_cleanup_errors=True)
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex())  # else Ray writes one into the person's home
    _init(
        address="local",
        num_cpus=cores(),
        include_dashboard=False,
        object_store_memory=STORE_BYTES,
        _temp_dir=folder.name,
    )
    return folder


def _init(**arguments: Any) -> None:
    """ray.init without a word. Raises UserError."""
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**arguments, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray has no type of its own for what may go wrong here
        raise UserError(f"engine=ray: {_one_line(str(error))}") from error
    finally:
        signal.signal(signal.SIGTERM, on_sigterm)  # Ray's would end this process without a chance to save


def _task(share: Mapping[str, float]) -> Any:
    """What Ray runs. A function within a function travels as code, so a worker need not find this file to call it."""

    def compute(command: list[str], root: str, variables: dict[str, str], log: str, patience: float) -> int:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in all that a script has put into background
        gpus = ",".join(map(str, ray.get_gpu_ids()))
        with open(log, "ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=variables | {"CUDA_VISIBLE_DEVICES": gpus},
                cwd=root,
                start_new_session=True,
            )
        try:
            while process.poll() is None:
                time.sleep(0.2)  # being cancelled is seen only between two of them
        except KeyboardInterrupt:
            process.terminate()
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            raise
        return process.returncode

    return ray.remote(compute).options(
        num_cpus=share["CPU"],
        num_gpus=share.get("GPU", 0),
        resources={name: much for name, much in share.items() if name not in ("CPU", "GPU")},
        max_retries=0,  # what is lost is for the dispatcher to start again: it looks at the run's folder first
        scheduling_strategy="SPREAD",
    )


def _how(reference: ray.ObjectRef) -> str:
    """How a task has ended, in a few words. Raises one of LOST where nobody can say it."""
    try:
        return how_ended(ray.get(reference))
    except LOST:
        raise
    except ray.exceptions.RayTaskError as error:  # no process could be started; what matters comes after a traceback
        return str(error).strip().rpartition("\n")[2]
    except ray.exceptions.RayError as error:
        return f"{type(error).__name__}: {_one_line(str(error))}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
