"""A real SLURM on this machine: munged, slurmctld and slurmd as a test's processes, on ports and in folders of its own.

One node with two cores and a device file that passes for a GPU; partition `low`, whose tasks those of `high` preempt.
"""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo")

# No cgroups, no accounting, no systemd: what works in a container too. cred_expire (seconds, at least 5) is how long a
# requeued task has to wait, KillWait how long after SIGTERM comes SIGKILL.
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
KillWait=20
MessageTimeout=30
ReturnToService=2
MpiDefault=none
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 Port={node_port} CPUs=2 Gres=gpu:1
PartitionName=low Nodes=ALL Default=YES PriorityTier=1 GraceTime=120
PartitionName=high Nodes=ALL PriorityTier=2
"""


class NoSlurm(Exception):
    """Why there is none here."""


class SlurmCluster:
    """From `start` to `stop`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._daemons: list[subprocess.Popen[bytes]] = []
        path = f"{os.environ['PATH']}:/usr/sbin"  # not everybody has the daemons on theirs
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": path}

    def start(self, seconds: float = 300) -> None:
        """Returns when the node waits for work. Raises NoSlurm where that does not come about."""
        missing = [name for name in PROGRAMS if not shutil.which(name, path=self.environment["PATH"])]
        if missing:
            raise NoSlurm(f"not installed: {', '.join(missing)} (Debian: apt-get install slurm-wlm munge)")
        self._write_files()
        munge = [f"--{name}-file={self._folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
        socket_path = self._folder / "munge.socket"
        self._begin("munged", "--foreground", "--force", "--num-threads=10", f"--socket={socket_path}", *munge)
        self._wait(socket_path.exists, seconds)
        self._begin("slurmctld", "-D", "-c")
        self._begin("slurmd", "-D")
        self._wait(lambda: self._try("sinfo", "--noheader", "--format=%T").split() == ["idle"], seconds)

    def stop(self) -> None:
        """End all tasks and daemons."""
        self._try("scancel", "--me")
        with contextlib.suppress(NoSlurm):
            self._wait(lambda: not self._try("squeue", "--noheader"), 30)
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def ask(self, *command: str) -> str:
        """What a command of SLURM prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=600, check=True)
        return done.stdout

    def states(self) -> dict[str, str]:
        """{task: state} of everything that the controller remembers."""
        shown = self.ask("squeue", "--states=all", "--array", "--noheader", "--format=%i %T")
        return dict(line.split() for line in shown.splitlines())

    def _write_files(self) -> None:
        (self._folder / "state").mkdir()
        (self._folder / "spool").mkdir()
        with open(os.open(self._folder / "munge.key", os.O_CREAT | os.O_WRONLY, 0o600), "wb") as key:
            key.write(secrets.token_bytes(128))
        controller_port, node_port = _free_ports(2)
        host = platform.node().split(".")[0]
        (self._folder / "slurm.conf").write_text(
            CONFIGURATION.format(
                folder=self._folder,
                host=host,
                user=os.getuid(),
                controller_port=controller_port,
                node_port=node_port,
            )
        )
        (self._folder / "gres.conf").write_text(f"NodeName={host} Name=gpu File=/dev/null\n")

    def _begin(self, program: str, *options: str) -> None:
        with (self._folder / f"{program}.out").open("wb") as log:
            daemon = subprocess.Popen(
                [program, *options], stdout=log, stderr=log, env=self.environment, start_new_session=True
            )
        self._daemons.append(daemon)

    def _wait(self, ready: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            dead = [daemon for daemon in self._daemons if daemon.poll() is not None]
            if dead or time.monotonic() > deadline:
                logs = (path.read_text(errors="replace").splitlines()[-3:] for path in self._folder.glob("*.out"))
                raise NoSlurm("SLURM does not start: " + "; ".join(line for lines in logs for line in lines))
            time.sleep(0.2)

    def _try(self, *command: str) -> str:
        """The same, and nothing where it fails."""
        try:
            return self.ask(*command)
        except (subprocess.SubprocessError, OSError):
            return ""


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextlib.contextmanager
def started_slurm(folder: Path) -> Iterator[SlurmCluster]:
    """One that works; the test is skipped where it cannot be had."""
    slurm = SlurmCluster(folder)
    try:
        slurm.start()
        yield slurm
    except NoSlurm as reason:
        pytest.skip(str(reason))
    finally:
        slurm.stop()
