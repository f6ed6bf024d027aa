"""What a ladder is doing: which runs are done, at work, waiting, lost or failed, and how long the rest will take.

python -m experiments.status cpu --watch
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from dataclasses import asdict

from core.errors import UserError
from experiments.command import run_main
from experiments.naming import names_and_folder

DESCRIPTION = """What a ladder is doing: which runs are done, at work, waiting, lost or failed, and the time left.

It is read off the run folders, so it can be asked for anywhere that sees them, while the ladder runs or after.
Time left: what runs now, at its rate; what waits, as long as finished runs of the same arm took. Where there is
nothing to go by it is unknown."""

REFRESH_SECONDS = 2.0


def main(arguments: list[str]) -> int:
    """The command."""
    asked = _parser().parse_intermixed_args(arguments)
    names, runs = names_and_folder(asked.words, "runs")
    if len(names) > 1:
        raise UserError(f"{' '.join(names)}: name one ladder")

    from experiments.registry import StartedLadder, started
    from experiments.watching.outlook import Outlook
    from experiments.watching.screen import Screen, lines_of, terminal_width
    from experiments.watching.sight import Watcher

    known = started(runs)
    if not names and not known:
        raise UserError(f"{runs}: no ladder was started here. Start one: python -m experiments.ladder with quick")
    name = names[0] if names else known[0]
    watcher, screen = Watcher(runs), Screen(sys.stdout)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            ladder = StartedLadder.read(runs, name)
            sights = watcher.look(ladder)
            if asked.json:
                left = Outlook(sights).of_all()
                facts = {"name": name, "command": ladder.command, "seconds_left": left and left.seconds}
                print(json.dumps({**facts, "runs": [asdict(sight) for sight in sights]}))
            else:
                screen.show(lines_of(name, ladder.command, sights, terminal_width(sys.stdout)))
            if not asked.watch or all(sight.state in ("done", "diverged") for sight in sights):
                return 0
            time.sleep(REFRESH_SECONDS)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.status",
        usage="python -m experiments.status [NAME] [runs=FOLDER] [--watch] [--json]",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", metavar="NAME", help="of the ladder; the one started last if not given")
    parser.add_argument("--watch", action="store_true", help="show it again every 2 seconds, until all is done")
    parser.add_argument("--json", action="store_true", help="one line of JSON for programs")
    return parser


if __name__ == "__main__":
    run_main(main)
