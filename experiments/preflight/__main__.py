"""The process that rehearses one arm; an engine starts it: `python -m experiments.preflight --folder FOLDER`."""

from __future__ import annotations

from pathlib import Path

from core.errors import UserError
from experiments.claims import Claim, Taken, living_owner
from experiments.command import run_main
from experiments.preflight.rehearsal import RehearsalFolder
from experiments.run import TAKEN


def main(arguments: list[str]) -> int:
    """Rehearse the arm of a prepared folder, unless that is done or another process is at it."""
    folder = RehearsalFolder(Path(arguments[arguments.index("--folder") + 1]))
    if folder.settled or living_owner(folder.path):
        return TAKEN
    try:
        with Claim(folder.path):
            if not folder.settled:
                _rehearse(folder)
    except Taken:
        return TAKEN
    return 0


def _rehearse(folder: RehearsalFolder) -> None:
    """Raises UserError where the arm cannot be trained. What it wrote is gone afterwards, but for what was seen."""
    from core.runtime import choose_device
    from core.training.divergence import Diverged
    from core.training.memory import is_out_of_memory, out_of_memory
    from experiments.environment import available_memory
    from experiments.preflight.rehearse import rehearse

    folder.clear()
    config, free = folder.config(), available_memory()
    try:
        seen = rehearse(folder)
        folder.write_rehearsal(seen)
        return
    except (UserError, Diverged) as error:
        reason = f"DIVERGED {error}" if isinstance(error, Diverged) else str(error)
    except Exception as error:
        if not is_out_of_memory(error):
            folder.write_status("failed", reason=f"{type(error).__name__}: {error}")
            raise  # its log then has the traceback, for who mends the program
        reason = str(out_of_memory(config, choose_device(config.device), free))
    finally:
        folder.clear()
    folder.write_status("failed", reason=reason)
    raise UserError(reason)


if __name__ == "__main__":
    run_main(main)
