"""A real PostgreSQL of the test's own, on this machine, that can be killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa


def find_programs() -> Path | None:
    """The folder of initdb and pg_ctl: on the PATH, or where Debian puts them, the newest release first."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return installed[-1].parent if installed else None


class Postgres:
    """A server with databases that vanish with it."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))  # pytest's own folders are closed to other users
        self._user: dict[str, Any] = {}
        if os.name == "posix" and os.getuid() == 0:  # as whom the server refuses to run
            import pwd

            user = "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"
            self._user = {"user": user, "extra_groups": []}
            shutil.chown(self._folder, user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._call("initdb", "--pgdata=data", "--auth=trust", "--username=tester", "--no-sync", "--no-instructions")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-F -c listen_addresses=127.0.0.1 -p {self.port} -c unix_socket_directories="
        self._call("pg_ctl", "start", "--pgdata=data", "--wait", "--log=log", f"--options={options}")

    def kill(self) -> None:
        """What a crash leaves: no goodbye to its clients."""
        self._call("pg_ctl", "stop", "--pgdata=data", "--mode=immediate")

    def remove(self) -> None:
        """Stop it and forget all."""
        subprocess.run(self._command("pg_ctl", "stop", "--pgdata=data", "--mode=immediate"), **self._options())
        shutil.rmtree(self._folder)

    def create(self, name: str) -> str:
        """The address of a new database."""
        with self.connect("postgres") as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        return f"postgresql://tester:hunter2@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def connect(self, name: str) -> Iterator[sa.Connection]:
        """A connection that commits every statement."""
        url = f"postgresql+psycopg2://tester@127.0.0.1:{self.port}/{name}"
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection

    def query(self, name: str, statement: str) -> Sequence[Any]:
        """The rows of a statement."""
        with self.connect(name) as connection:
            return connection.execute(sa.text(statement)).fetchall()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """While this lasts the server accepts connections and says nothing."""
        main = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(main, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(main, signal.SIGCONT)

    def _command(self, program: str, *words: str) -> list[str]:
        return [str(self._programs / program), *words]

    def _options(self) -> dict[str, Any]:
        # A file, not a pipe: the server inherits it, and would keep a pipe open.
        return {"cwd": self._folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **self._user}

    def _call(self, program: str, *words: str) -> None:
        subprocess.run(self._command(program, *words), check=True, timeout=300, **self._options())
