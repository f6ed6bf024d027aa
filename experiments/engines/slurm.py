"""The SLURM engine: job arrays through submitit, one run a task. SLURM queues, preempts and requeues them.

Submitit's files (scripts, pickles, what its tasks print) lie in RUNS/slurm, which the nodes have to share.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.errors import UserError
from experiments.engines.engine import ROOT, Job
from experiments.engines.local import STOP_SECONDS
from experiments.engines.slurm_queue import ask, queue
from experiments.engines.slurm_task import STOP, Task
from experiments.files import unwritable

NAME = "stargan-ablations"  # in the queue, unless engine.job_name is given
LARGEST_ARRAY = 1000  # tasks; SLURM's own limit, unless its MaxArraySize is another
SOONEST, LATEST = 2.0, 30.0  # seconds between two looks at the queue: soon after a change, then ever later
SUBMITITS = ("array_parallelism", "setup", "signal_delay_s")  # settings that are submitit's and not sbatch's


@dataclass
class SlurmEngine:
    """Runs tasks on a cluster.

    options: what the `engine.` settings say: sbatch's long options, and SUBMITITS. gpus: of each task, unless the
    options ask for some themselves.

    Raises UserError where there is no submitit or no SLURM.
    """

    options: Mapping[str, Any]
    gpus: int = 0
    _unsent: list[Job] = field(default_factory=list)
    _tasks: dict[str, Job] = field(default_factory=dict)  # by SLURM's name for them, e.g. 123_4
    _next_look: float = 0.0
    _changed: float = 0.0  # when something was sent or has ended

    def __post_init__(self) -> None:
        try:
            import submitit
        except ImportError as error:
            raise UserError("engine=slurm needs submitit: python -m pip install -e '.[slurm]'") from error
        if submitit.SlurmExecutor.affinity() < 0:
            raise UserError("engine=slurm: there is no srun here. Start it where SLURM is, e.g. on a login node.")

    def room(self) -> int:
        """What one array takes, less what is at work."""
        return max(0, LARGEST_ARRAY - len(self.running()))

    def submit(self, jobs: Sequence[Job]) -> None:
        """Put jobs into the queue, but those that an earlier command has left there.

        Raises UserError with sbatch's words where it refuses. If it has taken something before, the settings are good
        and SLURM is away for a while: then it is asked again later.
        """
        self._unsent += jobs
        self._send()

    def running(self) -> list[Job]:
        """The jobs that run, or are in the queue, for the first time or again."""
        return [*self._tasks.values(), *self._unsent]

    def ended(self) -> list[tuple[Job, str]]:
        """The jobs seen to end since the last call, with SLURM's words for it."""
        if not self.running() or time.monotonic() < self._next_look:
            return []
        self._send()
        return self._look()

    def cancel(self) -> None:
        """Take what waits out of the queue, have what runs save and stop, and after STOP_SECONDS let SLURM end it."""
        self._unsent.clear()
        if not self._tasks:  # scancel without a task's name would mean all of this person's
            return
        deadline = time.monotonic() + STOP_SECONDS
        ask("scancel", "--state=PENDING", *self._tasks)
        ask("scancel", f"--signal={STOP}", *self._tasks)
        while self._tasks and time.monotonic() < deadline:
            time.sleep(SOONEST / 2)
            self._look()
        if self._tasks:
            ask("scancel", *self._tasks)
            self._tasks.clear()

    def _send(self) -> None:
        """One array of what is not sent yet, but for what the queue holds already."""
        if not self._unsent:
            return
        folder = self._unsent[0].folder.parent / "slurm"
        left = self._left_in(folder)
        jobs = [job for job in self._unsent if job.folder not in left]
        try:
            sent = self._array(folder, jobs) if jobs else {}
        except UserError:
            if not self._tasks:
                raise
            return
        found = {left[job.folder]: job for job in self._unsent if job.folder in left}
        if found:
            _say(f"runs in SLURM's queue already: {len(found)}")
        self._tasks |= found | sent
        self._unsent = []
        self._changed = time.monotonic()
        self._next_look = self._changed + SOONEST

    def _array(self, folder: Path, jobs: Sequence[Job]) -> dict[str, Job]:
        """The tasks of a new job array, by name. Raises UserError where sbatch refuses it."""
        import submitit

        executor = submitit.SlurmExecutor(folder)
        try:
            with _outside_of_jobs(), contextlib.redirect_stderr(io.StringIO()):  # submitit prints what it raises too
                executor.update_parameters(**self._parameters())
                tasks = executor.submit_array([Task(job) for job in jobs])
        except OSError as error:
            raise unwritable(folder, error) from error
        except RuntimeError as error:
            told = "; ".join(str(error).strip().splitlines())
            raise UserError(f"engine=slurm: {told}. The settings engine.KEY=VALUE are sbatch's own options.") from error
        _say(f"runs sent to SLURM: {len(jobs)}, as its job {tasks[0].job_id.partition('_')[0]}; its own logs: {folder}")
        return {task.job_id: job for task, job in zip(tasks, jobs, strict=True)}

    def _parameters(self) -> dict[str, Any]:
        """For submitit; what is sbatch's goes through as it is."""
        given = {name.replace("-", "_"): _plain(value) for name, value in self.options.items() if value is not False}
        own = {name: given.pop(name) for name in SUBMITITS if name in given}
        if "setup" in own:
            own["setup"] = [own["setup"]]
        asked = any(name.startswith(("gpus", "gres", "tres")) for name in given)
        gpus = {"gpus_per_node": self.gpus} if self.gpus and not asked else {}
        cores = [f"--cpus-per-task={given['cpus_per_task']}"] if "cpus_per_task" in given else []
        return {
            **own,
            "time": None,  # the partition's, and not submitit's five minutes
            "wckey": None,
            "stderr_to_stdout": True,
            "srun_args": ["--ntasks=1", *cores],  # which not every srun takes over from sbatch
            "additional_parameters": {"job_name": NAME, "requeue": True, "chdir": ROOT, **gpus, **given},
        }

    def _left_in(self, folder: Path) -> dict[Path, str]:
        """{folder of a run: task} of what is in the queue and not this engine's: an earlier command sent it."""
        import submitit

        left = {}
        for name, entry in (queue() or {}).items():
            if entry.script.parent == folder and not entry.over and name not in self._tasks:
                task: submitit.SlurmJob[None] = submitit.SlurmJob(folder, name)
                if task.paths.submitted_pickle.exists():  # if not, it is being sent in this moment
                    sent = task.submission().function
                    assert isinstance(sent, Task)
                    left[sent.job.folder] = name
        return left

    def _look(self) -> list[tuple[Job, str]]:
        """The jobs that the queue shows to have ended: one question for all of them."""
        entries, now = queue(), time.monotonic()
        over: list[tuple[Job, str]] = []
        if entries is not None:
            for name in [name for name in self._tasks if name not in entries or entries[name].over]:
                job = self._tasks.pop(name)
                log = job.folder.parent / "slurm" / f"{name}_0_log.out"
                over.append((job, f"{entries.get(name, 'gone from the queue')}, see {log}"))
                _see_anew(job.folder)
        if over:
            self._changed = now
        self._next_look = now + min(LATEST, max(SOONEST, (now - self._changed) / 10))
        return over


def _see_anew(folder: Path) -> None:
    """Open a folder: then NFS asks its server for it and shows what a node wrote there a moment ago."""
    with contextlib.suppress(OSError):
        os.listdir(folder)


@contextlib.contextmanager
def _outside_of_jobs() -> Iterator[None]:
    """Hide the job that this process itself may run in: the new one would take its variables for its own."""
    from submitit.helpers import clean_env

    meant = {name: value for name, value in os.environ.items() if name.startswith(("SBATCH_", "SLURM_CONF"))}
    with clean_env() if "SLURM_JOB_ID" in os.environ else contextlib.nullcontext():
        os.environ.update(meant)
        yield


def _plain(value: Any) -> Any:
    """As sbatch reads it: a list is one word."""
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else value


def _say(text: str) -> None:
    tqdm.write(text, file=sys.stderr)
