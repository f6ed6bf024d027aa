"""SQLite and PostgreSQL: the tables of Sacred's SqlObserver, each change of an attempt in one transaction.

They keep no scalars; the main numbers are in `run.info`, as JSON under `result`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sacred.observers import SqlObserver
from sacred.observers.sql_bases import Artifact, Base, Run, Source
from sqlalchemy.orm import Session

from experiments.tracking.stored import StoredAttempt
from experiments.tracking.tracker import Unavailable

# A server that is gone is noticed in seconds. One that hangs is not: whoever asks it must not wait for ever.
POSTGRESQL_PATIENCE = {"connect_timeout": 5, "keepalives_idle": 10, "tcp_user_timeout": 30_000}
SQLITE_PATIENCE = {"timeout": 30}  # seconds for another process to end its transaction
STATEMENT_PATIENCE = "30s"
NEW_ATTEMPTS = 0x5AC2ED  # PostgreSQL's lock that processes take to add an attempt, one after the other

LONGEST_ID = 24  # of the column; PostgreSQL refuses what is longer


class SqlTracker:
    """A SQL database."""

    def __init__(self, address: str) -> None:
        scheme, _, rest = address.partition(":")
        if scheme == "sqlite":
            self._engine = _sqlite(rest)
        else:
            # Without a pool: a connection that is kept may have died meanwhile. The driver's name: SQLAlchemy's
            # default differs between its releases.
            url = sa.make_url(address).set(drivername="postgresql+psycopg2")
            self._engine = sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args=POSTGRESQL_PATIENCE)
        self._is_server = scheme != "sqlite"
        self._prepared = False

    def reach(self) -> None:
        """See Tracker; makes the tables where they are missing."""
        with self._transaction() as session:
            self._take_turn(session)
            Base.metadata.create_all(session.connection())
        self._prepared = True

    def store(self, attempt: StoredAttempt) -> bool:
        """See Tracker."""
        if not self._prepared:
            self.reach()
        with self._transaction() as session:
            name, run = _find(session, attempt)
            if run is None:
                self._take_turn(session)
                name, run = _find(session, attempt)
            if run is not None and not attempt.adds_to(run.status, run.stop_time):
                return False
            observer: Any = _WithoutCommits.create_from(session.connection(), session)
            observer.run = run
            if run is None:
                _add_sources(session, attempt)
                observer.started_event(
                    ex_info=_experiment(attempt),
                    command=attempt.run["command"],
                    host_info=_host(attempt),
                    start_time=attempt.started,
                    config=attempt.config,
                    meta_info={"comment": attempt.id},
                    _id=name,
                )
            there: set[str] = set(session.scalars(sa.select(Artifact.filename).where(Artifact.run_id == name)))
            missing = {file: path for file, path in attempt.artifacts().items() if file not in there}
            result = attempt.run.get("result")
            attempt.replay(observer, result if isinstance(result, int | float) else None, missing)
        return True

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        try:
            with Session(self._engine, autoflush=False) as session, session.begin():
                if self._is_server:
                    session.execute(sa.text(f"SET LOCAL statement_timeout = '{STATEMENT_PATIENCE}'"))
                yield session
        except (sa.exc.DataError, sa.exc.IntegrityError):
            raise
        except sa.exc.DBAPIError as error:
            raise Unavailable(str(error.orig)) from error

    def _take_turn(self, session: Session) -> None:
        """Wait until no other process adds an attempt: Sacred's tables allow a host or a source twice."""
        if self._is_server:  # SQLite's transactions come one by one anyway
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(NEW_ATTEMPTS)))


class _WithoutCommits(SqlObserver):
    """Sacred's observer, whose every event would be a transaction of its own."""

    def save(self) -> None:
        self.session.flush()


def _sqlite(path: str) -> sa.Engine:
    url = sa.URL.create("sqlite", database=path)
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args=SQLITE_PATIENCE)

    # Python's sqlite3 begins transactions late and as readers, and a reader that turns writer fails without waiting.
    @sa.event.listens_for(engine, "connect")
    def begin_nothing(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def begin_as_writer(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _find(session: Session, attempt: StoredAttempt) -> tuple[str, Any]:
    """(the attempt's `run_id` here, its row, locked until the transaction ends, or None)."""

    def row(name: str) -> Any:
        return session.query(Run).filter_by(run_id=_fitting(name)).with_for_update().first()

    def started(name: str) -> datetime | None:
        found = row(name)
        return found and found.start_time

    name = attempt.id_at(started)
    return _fitting(name), row(name)


def _fitting(name: str) -> str:
    if len(name) <= LONGEST_ID:
        return name
    ending = hashlib.md5(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_ID - 9]}-{ending}"


def _add_sources(session: Session, attempt: StoredAttempt) -> None:
    """Sacred would read the program's files of today; these are those that ran."""
    sources = attempt.sources()
    known: Any = session.query(Source.filename, Source.md5sum)
    there = {tuple(row) for row in known.filter(Source.md5sum.in_([source.md5 for source in sources]))}
    for source in sources:
        if (source.name, source.md5) not in there:
            text = source.path.read_text(encoding="utf-8", errors="replace")
            session.add(Source(filename=source.name, md5sum=source.md5, content=text))
    session.flush()


def _experiment(attempt: StoredAttempt) -> dict[str, Any]:
    """What ran, cut to the widths of the columns."""
    experiment = attempt.run["experiment"]
    packages = [package.partition("==") for package in experiment["dependencies"]]
    return {
        **experiment,
        "base_dir": experiment["base_dir"][:64],
        "dependencies": [f"{name[:32]}=={version[:16]}" for name, _, version in packages],
        "sources": [[source.name, source.md5] for source in attempt.sources()],
    }


def _host(attempt: StoredAttempt) -> dict[str, Any]:
    """Where it ran, cut to the widths of the columns."""
    host = attempt.run["host"]
    system, details = host["os"]
    return {
        "hostname": host["hostname"][:64],
        "cpu": str(host.get("cpu"))[:64],
        "os": [system[:16], details[:64]],
        "python_version": host["python_version"][:16],
    }
