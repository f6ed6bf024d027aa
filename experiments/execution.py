"""One run from its folder to its end: claimed, attempted, and how it ended noted. The same code under every engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from core.config import Config
from core.errors import UserError
from core.runtime import choose_device
from core.training.divergence import Diverged
from core.training.loop import Stopped
from core.training.memory import is_out_of_memory, out_of_memory
from core.training.replicas import is_follower, process_count
from experiments.attempt import Attempt, follow
from experiments.claims import Claim, Taken
from experiments.command import Interrupted
from experiments.completing import Completion
from experiments.environment import available_memory
from experiments.records import RunFolder
from experiments.stopping import StopRequests


def execute(
    folder: RunFolder, runs: Path, *, quiet: bool = False, with_parent: bool = False, tracking: str = ""
) -> None:
    """Bring a prepared run to its end, from its last checkpoint if it has one, and to what else is asked for of it.

    with_parent: stop when the process that started this one has died. tracking: the address of a tracker besides
    Sacred's files, or empty.

    Raises Taken where another process works on it, UserError where it cannot go on, Interrupted where it was asked to
    stop.
    """
    config, free = folder.config(), available_memory()
    if is_follower():
        if not folder.finished:  # else the first process only measures, and needs nobody
            with StopRequests(with_parent) as requests:
                follow(config, folder, runs, requests)
        return
    with Claim(folder.path) as claim:
        if folder.settled:
            return
        folder.sweep()
        with StopRequests(with_parent, lambda: folder.given_up) as requests, _noting_the_end(folder, config, free):
            attempt = Attempt(config, folder, runs, claim, requests, quiet, tracking)
            real = None if folder.finished else attempt.run()
            if folder.lacking:
                Completion(config, folder, runs, claim, requests, quiet, real).run()


@contextlib.contextmanager
def _noting_the_end(folder: RunFolder, config: Config, free: int) -> Iterator[None]:
    """Write down how an attempt ended that did not come to a result. free: bytes of memory before it began."""
    try:
        yield
    except Stopped as stop:
        folder.write_status("stopped", reason=str(stop))
        raise Interrupted(f"{stop}. Its state is saved: the same command goes on from there.") from stop
    except Diverged as divergence:
        reason = f"DIVERGED {divergence}"
        folder.write_divergence(divergence.iteration, reason)
        folder.write_status("diverged", reason=reason)
        raise UserError(f"{folder.path}: {reason}") from divergence
    except Taken:
        raise
    except UserError as error:
        _note_failure(folder, str(error))
        raise
    except Exception as error:
        if is_out_of_memory(error):
            told = out_of_memory(config, choose_device(config.device), free, process_count())
            _note_failure(folder, str(told))
            raise UserError(f"{folder.path}: {told}") from error
        if process_count() > 1 and isinstance(error, RuntimeError):
            # What the others' end looks like from here; each has told its own story in the log.
            folder.write_status("stopped", reason=f"another process of this run ended ({error})")
            raise Interrupted(f"another process of this run ended ({error})") from error
        _note_failure(folder, f"{type(error).__name__}: {error}")
        raise


def _note_failure(folder: RunFolder, reason: str) -> None:
    with contextlib.suppress(UserError):  # on a full disk the reason itself is what a person needs to see
        folder.write_status("failed", reason=reason)
