"""The guard between a run and a tracker: it copies Sacred's files there, and nothing that happens there comes back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sacred.observers import RunObserver

from experiments.tracking.address import Address, warn
from experiments.tracking.stored import StoredAttempt

PATIENCE_SECONDS = 5.0  # what a run's end waits for its tracker


class Mirror(RunObserver):
    """Copies an attempt's files to a tracker after every event, in a thread of its own.

    Sacred calls observers in the thread that trains, lets an error at the start end the run, and shares one heartbeat
    among all observers. So every event only wakes the thread here. What fails is tried again at the next heartbeat;
    a person hears of it once. At the end the tracker gets some seconds to take the rest.
    """

    priority = 10  # below that of Sacred's files, which must be written first

    def __init__(self, address: Address, runs: Path, folder: Path, earlier: Sequence[Path] = ()) -> None:
        """earlier: attempts that ended without a word, whose end the tracker should hear of."""
        self._address = address
        self._runs = runs
        self._folder = folder
        self._earlier = list(earlier)
        self._news = threading.Event()
        self._ended = threading.Event()
        self._warned = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)  # a hanging server must not keep the process

    def started_event(self, *_: Any, **event: Any) -> Any:
        """Sacred's event."""
        self._thread.start()
        return event["_id"]

    def heartbeat_event(self, *_: Any, **__: Any) -> None:
        """Sacred's event."""
        self._news.set()

    def artifact_event(self, *_: Any, **__: Any) -> None:
        """Sacred's event."""
        self._news.set()

    def completed_event(self, *_: Any, **__: Any) -> None:
        """Sacred's event."""
        self._ended.set()
        self._news.set()

    interrupted_event = failed_event = completed_event

    def join(self) -> None:
        """Wait for the rest to be stored, for a limited time."""
        if self._thread.ident is not None:
            self._thread.join(PATIENCE_SECONDS)
        if self._thread.is_alive():
            self._warn(f"no answer within {PATIENCE_SECONDS:g} s")

    def _work(self) -> None:
        tracker = None
        ended = False
        while not ended:
            ended = self._ended.is_set()  # before the files are read
            try:
                tracker = tracker or self._address.open()
                tracker.store(StoredAttempt.read(self._folder))
                while self._earlier:
                    tracker.store(StoredAttempt.read(self._earlier[0]))
                    del self._earlier[0]
            except Exception as error:
                self._warn(self._address.reason(error))
            if not ended:
                self._news.wait()
                self._news.clear()

    def _warn(self, reason: str) -> None:
        if not self._warned.is_set():
            self._warned.set()
            warn(self._address, reason, self._runs)
