"""Who works on a run: a claim is taken atomically, kept alive by a heartbeat, and taken over when its owner is dead.

A run's folder holds `claim-000001.json`, `claim-000002.json`, ...: the file with the highest number is the claim, and
a new one can only be the next number, created exclusively, so of any number of processes and machines one gets it.
Numbers never go down (a released claim stays, marked): an owner that was thought dead and wakes up sees a higher
number, knows that the run is another's now, and stops before it writes anything.
"""

from __future__ import annotations

import contextlib
import os
import platform
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from core.errors import UserError
from experiments.files import read_json, unwritable, write_json

HEARTBEAT = 10.0  # seconds between two signs of life
SILENCE = 60.0  # seconds without one after which an owner on another machine is dead; here that is seen at once
CLOCK_STEPS = 60.0  # seconds by which a process's start may seem to move when the clock is set


class Taken(Exception):
    """Another process works on the run."""


@dataclass(frozen=True)
class Owner:
    """A process that works on a run."""

    host: str
    pid: int
    started: float  # of the process, seconds since 1970: a process number is given again after a restart
    machine: str  # where process numbers mean the same

    @classmethod
    def here(cls) -> Owner:
        """This process."""
        return cls(platform.node(), os.getpid(), psutil.Process().create_time(), _machine())

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    @property
    def lives(self) -> bool | None:
        """Whether this process lives, None where that cannot be seen from here: on another machine."""
        if self.machine != _machine():
            return None
        try:
            process = psutil.Process(self.pid)
            # One that is dead stays in the list until its parent has asked how it ended, and some never ask.
            same = abs(process.create_time() - self.started) < CLOCK_STEPS
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


class Claim:
    """The right to work on a run, from `take` to `release`."""

    def __init__(self, folder: Path, heartbeat: float = HEARTBEAT, silence: float = SILENCE) -> None:
        """heartbeat, silence: seconds, see HEARTBEAT and SILENCE."""
        self._folder = folder
        self._heartbeat = heartbeat
        self._silence = silence
        self._number = 0
        self._ended = threading.Event()

    def take(self) -> None:
        """Raises Taken where a living process has the run, UserError where the folder cannot be written."""
        number = _newest(self._folder) + 1
        owner = living_owner(self._folder, self._silence)
        if owner:
            raise Taken(str(owner))
        try:
            _create(_path(self._folder, number), vars(Owner.here()))
        except FileExistsError as error:
            raise Taken("another process that came first") from error
        self._number = number
        if not self.held:  # others took and ended higher claims between our look and our file
            _path(self._folder, number).unlink(missing_ok=True)
            raise Taken("another process that came first")
        for old in range(number):
            _path(self._folder, old).unlink(missing_ok=True)
        threading.Thread(target=self._beat, name="claim", daemon=True).start()

    @property
    def held(self) -> bool:
        """Whether the run is still this process's own."""
        return self._number > 0 and _newest(self._folder) == self._number

    def verify(self) -> None:
        """Raises Taken where the run is another's now: nothing may be written any more."""
        if not self.held:
            raise Taken(str(living_owner(self._folder, self._silence) or "another process"))

    def move(self, folder: Path) -> None:
        """Rename the run's folder; the claim goes with it. Raises OSError where there is another of that name."""
        self._folder.rename(folder)
        self._folder = folder

    def release(self) -> None:
        """Let others have the run."""
        self._ended.set()
        if self.held:
            with contextlib.suppress(UserError):  # on a full disk the process's end says the same
                write_json(_path(self._folder, self._number), {"released": True})
        self._number = 0

    def __enter__(self) -> Claim:
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _beat(self) -> None:
        while not self._ended.wait(self._heartbeat):
            with contextlib.suppress(OSError):  # a file system that is away for a while is no reason to stop
                os.utime(_path(self._folder, self._number))


def living_owner(folder: Path, silence: float = SILENCE) -> Owner | None:
    """Who works on the run in this folder, if anybody does."""
    number = _newest(folder)
    path = _path(folder, number)
    content = _content(path) if number else {"released": True}
    if content.get("released"):
        return None
    if set(content) != set(Owner.__annotations__):  # being written in this moment, or by a process that died in it
        return Owner("unknown", 0, 0.0, "") if _age(path) < silence else None
    owner = Owner(**content)
    lives = owner.lives
    if lives is None:
        lives = _age(path) < silence
    return owner if lives else None


def _create(path: Path, content: dict[str, Any]) -> None:
    """Write a file that must not be there yet, at once with its content. Raises FileExistsError, UserError."""
    whole = path.with_name(f".{path.name}.{os.getpid()}.part")
    write_json(whole, content)
    try:
        os.link(whole, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(whole.read_text(encoding="utf-8"))
        except FileExistsError:
            raise
        except OSError as error:
            raise unwritable(path, error) from error
    finally:
        whole.unlink(missing_ok=True)


def _content(path: Path) -> dict[str, Any]:
    try:
        return dict(read_json(path))
    except (UserError, TypeError, ValueError):
        return {}


def _age(path: Path) -> float:
    """Seconds since a file was touched, by the clock of its own file system: machines' clocks differ."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".now-") as probe:
            now = os.stat(probe.name).st_mtime
    except OSError:  # read-only, for whoever only looks
        now = time.time()
    try:
        return now - path.stat().st_mtime
    except OSError:
        return 0.0


def _machine() -> str:
    """Where process numbers mean the same: the host, and within it the container."""
    with contextlib.suppress(OSError):
        return f"{platform.node()} {Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {_namespace()}"
    return platform.node()


def _namespace() -> str:
    return os.readlink("/proc/self/ns/pid")


def _path(folder: Path, number: int) -> Path:
    return folder / f"claim-{number:06d}.json"


def _newest(folder: Path) -> int:
    """The highest number of a claim, 0 without any."""
    return max((int(path.stem.rpartition("-")[2]) for path in folder.glob("claim-*.json")), default=0)
