"""Where a study is kept: a journal file, an SQLite file or a PostgreSQL database; and a lock that goes with it.

Optuna's storages let several processes write at once, but "is there a trial left for me?" needs an answer that stays
true until the trial is taken: that is what the lock is for. It is freed when the process that holds it dies.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from core.errors import UserError
from experiments.tracking.address import without_password

SHAPES = "sqlite:PATH or postgresql://USER:PASSWORD@HOST/DATABASE, or leave it out for a file of its own"
ANSWER_SECONDS = 10  # in which a server has to answer
LOCK_SECONDS = 600  # a suggestion takes seconds at most, but many processes may wait for their turn


@dataclass(frozen=True)
class FileLock:
    """One process of all that see a file, by SQLite's own lock on it: the system frees it with the process."""

    path: Path

    @contextmanager
    def __call__(self) -> Iterator[None]:
        connection = sqlite3.connect(self.path, timeout=LOCK_SECONDS, isolation_level=None)
        try:
            connection.execute("BEGIN EXCLUSIVE")
            yield
        finally:
            connection.close()


class JournalLock(JournalFileOpenLock):
    """`FileLock` in place of Optuna's own, which a process that was killed goes on to hold for 30 s."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._lock = FileLock(path)
        self._held = ExitStack()

    def acquire(self) -> bool:
        """Wait for it."""
        self._held.enter_context(self._lock())
        return True

    def release(self) -> None:
        """Let others write."""
        self._held.close()


@dataclass(frozen=True)
class ServerLock:
    """One process of all that use a database, by an advisory lock: the server frees it with the connection."""

    engine: sa.Engine
    name: str

    @contextmanager
    def __call__(self) -> Iterator[None]:
        number = int.from_bytes(hashlib.blake2b(self.name.encode(), digest_size=7).digest(), "big")
        with self.engine.connect() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_lock(number)))
            try:
                yield
            finally:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(number)))


@dataclass(frozen=True)
class Storage:
    """An open storage."""

    optuna: BaseStorage
    locked: Callable[[], AbstractContextManager[None]]  # one process at a time
    shown: str  # as optuna-dashboard takes it, without a password


def file_of(text: str, journal: Path) -> Path | None:
    """The file that the storage at an address is; None where it is a server."""
    if not text:
        return journal
    if text.partition(":")[0] == "sqlite":
        return Path(text.removeprefix("sqlite:").removeprefix("///")).expanduser().absolute()
    return None


def open_storage(text: str, journal: Path) -> Storage:
    """The storage at an address, or in the file `journal` where there is none. Raises UserError."""
    scheme, file = text.partition(":")[0], file_of(text, journal)
    if file:
        return _open_sqlite(file) if text else _open_journal(file)
    if scheme in ("postgresql", "postgresql+psycopg2"):
        return _open_postgresql(text)
    raise UserError(
        f"tune.storage={without_password(text)}: not an address that studies can be kept at. Write {SHAPES}."
    )


def lost(error: Exception, storage: Storage) -> UserError:
    """What a person is told when a storage fails in the middle."""
    return UserError(
        f"{storage.shown}: the study's storage does not answer any more ({_first_line(error)}). What was found is "
        "kept; once it answers, the same command goes on."
    )


def _open_journal(path: Path) -> Storage:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(path.name + ".mutex"))
        with lock():
            _mend(path)
            backend = JournalFileBackend(str(path), JournalLock(path.with_name(path.name + ".writing")))
            return Storage(JournalStorage(backend), lock, str(path))
    except (OSError, sqlite3.Error) as error:
        raise UserError(
            f"{path}: no study can be kept there ({_first_line(error)}). Choose another runs=FOLDER."
        ) from error
    except (ValueError, KeyError) as error:
        raise UserError(f"{path}: this is no journal of a study. Name the study otherwise: name=...") from error


def _mend(path: Path) -> None:
    """Cut off a last line that a loss of power has left in part: the next one would be written onto it."""
    if path.exists():
        with path.open("rb+") as file:
            content = file.read()
            end = content.rfind(b"\n") + 1
            if content[end:].startswith(b'{"op_code"'):
                file.truncate(end)


def _open_sqlite(path: Path) -> Storage:
    shown = f"sqlite:///{path}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(path.name + ".mutex"))
        with lock():
            return Storage(_tables(shown, {"timeout": LOCK_SECONDS}), lock, shown)
    except (OSError, sqlite3.Error, SQLAlchemyError, RuntimeError) as error:
        raise UserError(f"tune.storage={shown}: no study can be kept there ({_first_line(error)}).") from error


def _open_postgresql(text: str) -> Storage:
    shown = without_password(text)
    if importlib.util.find_spec("psycopg2") is None:
        raise UserError(
            f"tune.storage={shown} needs psycopg2, which is not installed: python -m pip install psycopg2-binary"
        )
    try:
        url = sa.make_url(text).set(drivername="postgresql+psycopg2")
        if not url.database:
            raise UserError(f"tune.storage={shown}: this names no database. Write {SHAPES}.")
        engine = sa.create_engine(url, connect_args={"connect_timeout": ANSWER_SECONDS}, poolclass=sa.pool.NullPool)
        # All processes of a server's database create its tables under one lock, and take trials under it.
        lock = ServerLock(engine, "optuna studies")
        with lock():
            return Storage(
                _tables(url.render_as_string(hide_password=False), {"connect_timeout": ANSWER_SECONDS}), lock, shown
            )
    except (ArgumentError, ValueError) as error:
        raise UserError(f"tune.storage={shown}: not an address. Write {SHAPES}.") from error
    except (SQLAlchemyError, RuntimeError) as error:
        raise UserError(
            f"tune.storage={shown}: cannot be reached ({_first_line(error)}). Start the server or mend the address."
        ) from error


def _tables(url: str, connect: dict[str, Any]) -> RDBStorage:
    return RDBStorage(url, engine_kwargs={"connect_args": connect, "pool_pre_ping": True})


def _first_line(error: Exception) -> str:
    return without_password((str(error).strip().splitlines() or [type(error).__name__])[0])
