"""The address of a tracker besides Sacred's files: read, checked, and never shown with its password."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from core.errors import UserError
from experiments.tracking.tracker import Tracker, Unavailable, within

VARIABLE = "ABLATIONS_TRACKING"  # an address in the environment stands for one on the command line
SHAPES = "sqlite:PATH, postgresql://USER:PASSWORD@HOST/DATABASE or mongodb://HOST:PORT/DATABASE"
ANSWER_SECONDS = 10.0  # until a tracker that is asked before training counts as out of reach
DRIVERS = {"postgresql": ("psycopg2", "psycopg2-binary"), "mongodb": ("pymongo", "pymongo")}  # module, package
SQLITE_HEADER = b"SQLite format 3\0"


@dataclass(frozen=True)
class Address:
    """Where a tracker is. As a string it has no password."""

    text: str = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Address:
        """An address as a person gives it; a file's becomes absolute. Raises UserError."""
        scheme, _, rest = text.partition(":")
        if scheme == "sqlite" and rest:
            return cls(f"sqlite:{_database_file(rest)}")
        _refuse_missing_driver(scheme)
        try:
            has_database = {"postgresql": _names_postgresql, "mongodb": _names_mongodb}[scheme](text)
        except (KeyError, ValueError):
            has_database = False
        if not has_database:
            raise UserError(
                f"tracking={without_password(text)}: not the address of a tracker. Write {SHAPES}; in a password, "
                "@ : / % as %40 %3A %2F %25."
            )
        return cls(text)

    def __str__(self) -> str:
        return without_password(self.text)

    def open(self) -> Tracker:
        """The tracker; nothing is connected yet."""
        if self.text.startswith("mongodb:"):
            from experiments.tracking.mongo import MongoTracker

            return MongoTracker(self.text)
        from experiments.tracking.sql import SqlTracker

        return SqlTracker(self.text)

    def reason(self, error: Exception) -> str:
        """The first line of an error, without the password."""
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        secret = urlsplit(self.text).password or ""
        for hidden in filter(None, (secret, unquote(secret))):
            first = first.replace(hidden, "***")
        return first


def check_tracking(setting: Any, runs: Path) -> str:
    """What a command does with its setting `tracking` before anything trains: the address for `track`, or empty.

    An empty setting stands for the environment's. Raises UserError where the address is wrong or its driver is missing.
    A tracker that merely cannot be reached gets a warning: it may come back, and everything can be sent to it later.
    """
    text = setting or inherited()
    if not text:
        return ""
    address = Address.read(str(text))
    try:
        within(ANSWER_SECONDS, address.open().reach)
    except Unavailable as error:
        warn(address, address.reason(error), runs)
    return address.text


def warn(address: Address, reason: str, runs: Path) -> None:
    """Say that a tracker has not got what it should, and how to mend that later."""
    print(
        f"warning: tracking to {address} fails ({reason}). The run goes on, and keeps its own record. "
        f"To send it later: python -m experiments.track {runs} --to '{address}'",
        file=sys.stderr,
    )


def hand_down(tracking: str) -> None:
    """Let the processes that this one starts track there too; no command line shows the password."""
    if tracking:
        os.environ[VARIABLE] = tracking


def inherited() -> str:
    """The address that the environment gives."""
    return os.environ.get(VARIABLE, "")


def without_password(text: str) -> str:
    """An address fit to be shown: without what stands before its last @, even where it is malformed."""
    if text.startswith("sqlite:"):
        return text
    hidden = re.sub(r"^([\w+.-]+:/*)?.*@", r"\1***@", text, flags=re.DOTALL)
    return re.sub(r"(?i)(pass\w*=)[^&]*", r"\1***", hidden)


def _database_file(name: str) -> Path:
    path = Path(name.removeprefix("///")).expanduser().absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            with path.open("r+b") as file:
                if file.read(len(SQLITE_HEADER)) not in (b"", SQLITE_HEADER):
                    raise UserError(f"tracking=sqlite:{path}: this file is no SQLite database. Name another.")
    except OSError as error:
        raise UserError(
            f"tracking=sqlite:{path}: cannot be written ({error.strerror}). Name a file in a folder of yours."
        ) from error
    return path


def _refuse_missing_driver(scheme: str) -> None:
    module, package = DRIVERS.get(scheme, ("sys", ""))
    if importlib.util.find_spec(module) is None:
        raise UserError(
            f"tracking={scheme}:... needs {module}, which is not installed. Install it: python -m pip install {package}"
        )


def _names_postgresql(text: str) -> bool:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return bool(make_url(text).database)
    except ArgumentError:
        return False


def _names_mongodb(text: str) -> bool:
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    try:
        with MongoClient[Any](text, connect=False) as client:
            return bool(client.get_default_database().name)
    except PyMongoError:
        return False
