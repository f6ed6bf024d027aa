"""What every tracker besides Sacred's files can do, and the patience that they get."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from experiments.tracking.stored import StoredAttempt

Value = TypeVar("Value")


class Unavailable(Exception):
    """A tracker cannot be reached, does not answer or refuses everything; the message says why."""


class Tracker(Protocol):
    """A database with Sacred's tables or collections in it."""

    def reach(self) -> None:
        """Connect once. Raises Unavailable."""

    def store(self, attempt: StoredAttempt) -> bool:
        """Store what is missing of an attempt, all or nothing, and say whether anything was.

        Any number of processes may do so at any time: an attempt is there once. Raises Unavailable, and other errors
        where this attempt alone is refused.
        """


def within(seconds: float, call: Callable[[], Value]) -> Value:
    """What a call returns or raises. Raises Unavailable where that takes too long.

    A server that accepts a question and never answers cannot be made to let go, so the waiting thread is left behind.
    """
    outcome: queue.Queue[tuple[Value | None, BaseException | None]] = queue.Queue()

    def work() -> None:
        try:
            outcome.put((call(), None))
        except BaseException as error:
            outcome.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        value, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise Unavailable(f"no answer within {seconds:g} s") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]
