"""Requests to stop: by a person (Ctrl-C), by a system (SIGTERM, a queue's signals), by the death of the parent, or
because nobody wants the run any more."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import psutil

from core.training.loop import Stopped
from core.training.replicas import process_count

# SIGUSR1 and SIGUSR2 are what queues send before a time limit or a preemption; SIGBREAK is Windows' SIGTERM.
SIGNALS = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGBREAK")


class StopRequests:
    """Inside the block a request raises Stopped at once, and within `deferred` it becomes a question to be asked."""

    def __init__(self, with_parent: bool, given_up: Callable[[], bool] = lambda: False) -> None:
        """with_parent: whether the death of the process that started this one is a request too. given_up: another."""
        self._parents = _parents() if with_parent else None
        self._given_up = given_up
        self._asked = False
        self._deferred = False

    def __enter__(self) -> StopRequests:
        known = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
        self._before = {number: signal.signal(number, self._ask) for number in known}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def deferred(self) -> Iterator[Callable[[], bool]]:
        """Where a stop has its own moments: gives the question whether it is time to stop."""
        self._deferred = True
        try:
            yield self.pending
        finally:
            self._deferred = False

    def pending(self) -> bool:
        """Whether the run should stop now."""
        return self._asked or (self._parents is not None and _parents() != self._parents) or self._given_up()

    def check(self) -> None:
        """Raise Stopped where the run should stop now."""
        if self.pending():
            raise Stopped("stopped before the evaluation was done")

    def _ask(self, number: int, frame: FrameType | None) -> None:
        first, self._asked = not self._asked, True
        if first and not self._deferred:  # a second one must not tear what the first one set off
            raise Stopped(f"stopped by {signal.Signals(number).name}")


def _parents() -> tuple[int, ...]:
    """The process that started this one; with torchrun between the two, both."""
    parent = os.getppid()
    if process_count() == 1:
        return (parent,)
    try:
        return (parent, psutil.Process(parent).ppid())
    except psutil.Error:
        return (parent,)
