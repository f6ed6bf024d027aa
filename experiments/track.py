"""Send what Sacred's files have recorded to a tracker that was down, or that nobody had asked for.

python -m experiments.track RUNS --to URL
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

from core.errors import UserError
from experiments.command import run_main, wants_help
from experiments.tracking.address import SHAPES, VARIABLE, Address, inherited
from experiments.tracking.folders import attempt_folders, end_abandoned
from experiments.tracking.stored import StoredAttempt
from experiments.tracking.tracker import Unavailable, within

USAGE = f"""Send every attempt recorded under RUNS/sacred to a tracker that misses it or its end. Each gets there once,
however often this is done.

usage: python -m experiments.track [RUNS] --to URL
       python -m experiments.track --to sqlite:runs.db
       python -m experiments.track runs --to postgresql://me:secret@server/ablations

  RUNS    folder of the runs; runs if not given
  URL     {SHAPES};
          that of the environment variable {VARIABLE} if not given

While they train, ladder and run record there too if asked to: tracking=URL."""

ATTEMPT_SECONDS = 60.0  # a tracker that takes longer for one attempt hangs


def main(arguments: list[str]) -> int:
    """The command."""
    if wants_help(arguments):
        print(USAGE)
        return 0
    runs, address = _asked(arguments)
    observed = runs / "sacred"
    end_abandoned(observed, datetime.now(timezone.utc).replace(tzinfo=None))
    folders = attempt_folders(observed)
    if not folders:
        raise UserError(f"{observed}: no run is recorded there. Name the folder of the runs.")
    counts, problems = _send(folders, address)
    if counts:
        print(f"{address}: {counts['sent']} sent, {counts['there']} there already, {counts['running']} still running")
    if counts["running"]:
        print("Those that still run are there as far as they have come; send them again when they have ended.")
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _send(folders: list[Path], address: Address) -> tuple[Counter[str], list[str]]:
    """({what became of them: how many}, what went wrong)."""
    tracker = address.open()
    counts: Counter[str] = Counter()
    problems = []
    for number, folder in enumerate(folders):
        try:
            attempt = StoredAttempt.read(folder)
            stored = within(ATTEMPT_SECONDS, lambda attempt=attempt: tracker.store(attempt))  # type: ignore[misc]
            counts["running" if attempt.running else "sent" if stored else "there"] += 1
        except Unavailable as error:
            problems.append(
                f"{address} cannot be used ({address.reason(error)}), so {len(folders) - number} of {len(folders)} "
                "attempts were not sent. The same command sends the rest."
            )
            break
        except Exception as error:
            problems.append(f"{folder} could not be sent ({address.reason(error)}).")
    return counts, problems


def _asked(arguments: list[str]) -> tuple[Path, Address]:
    """(the folder of the runs, the tracker). Raises UserError."""
    folders, url = [], ""
    words = iter(arguments)
    for word in words:
        if word == "--to":
            url = next(words, "")
        elif word.startswith("--to="):
            url = word.removeprefix("--to=")
        elif word.startswith("-"):
            raise UserError(f"{word}: this command knows RUNS and --to URL")
        else:
            folders.append(word)
    if len(folders) > 1:
        raise UserError(f"{' '.join(folders)}: name one folder of runs")
    if not (url or inherited()):
        raise UserError(f"say where to: --to URL, which is {SHAPES}")
    return Path(folders[0] if folders else "runs").expanduser(), Address.read(url or inherited())


if __name__ == "__main__":
    run_main(main)
