"""A Ray cluster of several nodes on this machine, each with processes, a folder and ports of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import psutil

Answer = TypeVar("Answer")


def wait_for(what: Callable[[], object], seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        asked(process.kill, None)
    psutil.wait_procs(processes, timeout=10)


def asked(question: Callable[[], Answer], otherwise: Answer) -> Answer:
    """What a process is asked that may have ended in this moment."""
    try:
        return question()
    except psutil.Error:
        return otherwise


@dataclass(frozen=True)
class Node:
    """A node of a cluster: a process whose descendants are Ray's processes and the runs'."""

    process: psutil.Process

    @classmethod
    def start(cls, number: int, *words: str) -> Node:
        """number: 1 or more; it gives the node an address of its own, as a machine has one."""
        ray = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", "--block"]
        options = [
            f"--node-ip-address=127.0.0.{number}",
            f"--object-store-memory={80 * 2**20}",
            "--disable-usage-stats",
        ]
        return cls(
            psutil.Popen(
                [*ray, *options, *words],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",  # nodes know nothing of this program
                env=os.environ | {"GRPC_ENABLE_FORK_SUPPORT": "0"},  # else one connection by ray:// in ten fails
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # as in the background of a script
            )
        )

    def parts(self) -> list[psutil.Process]:
        """All processes of the node, the runs' among them."""
        return [self.process, *asked(partial(self.process.children, recursive=True), [])]

    def of_run(self, run: Path) -> list[psutil.Process]:
        """The processes that compute a run here."""
        return [process for process in self.parts() if str(run) in asked(process.cmdline, [])]


@dataclass(frozen=True)
class Cluster:
    """Three nodes with a core each, the last one with what it takes for two GPUs, beside a head without any."""

    nodes: list[Node]
    address: str
    client: str  # address for machines that are no node

    def alive(self) -> int:
        """Nodes that Ray sees; 0 where it does not answer."""
        count = "import sys, ray; ray.init(sys.argv[1]); print(sum(node['Alive'] for node in ray.nodes()))"
        counted = subprocess.run([sys.executable, "-c", count, self.address], capture_output=True, text=True, cwd="/")
        return int(counted.stdout or 0)

    def node_of(self, run: Path) -> Node:
        return next(node for node in self.nodes if node.of_run(run))


@contextmanager
def cluster_of_three() -> Iterator[Cluster]:
    """A cluster, for the time of the block."""
    folder = tempfile.mkdtemp(prefix="nodes-", dir="/tmp")  # sockets lie in it: pytest's own folders are too deep
    ports = free_port(), free_port()
    address = f"127.0.0.1:{ports[0]}"
    head = ["--head", f"--port={ports[0]}", f"--ray-client-server-port={ports[1]}", f"--temp-dir={folder}"]
    nodes = [Node.start(1, *head, "--include-dashboard=false", "--num-cpus=0")]
    started = Cluster(nodes, address, f"ray://127.0.0.1:{ports[1]}")
    try:
        wait_for(lambda: can_connect(ports[0]))
        for gpus in (0, 0, 2):
            wait_for(lambda: started.alive() == len(nodes))  # two at once would take one name for their sockets
            nodes.append(Node.start(len(nodes) + 1, f"--address={address}", "--num-cpus=1", f"--num-gpus={gpus}"))
        wait_for(lambda: started.alive() == len(nodes))
        yield started
    finally:
        for node in nodes:
            kill(node.parts())
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def can_connect(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0
