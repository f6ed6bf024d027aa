"""What a ladder or a tuning study is doing: what is done, at work, waiting, lost or failed, and the time that is left.

python -m experiments.status cpu --watch
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time

from core.errors import UserError
from experiments.command import run_main
from experiments.naming import names_and_folder

DESCRIPTION = """What a ladder is doing: which runs are done, at work, waiting, lost or failed, and the time left.
Or a tuning study: which trials are, which were pruned, and what is at work of their runs.

It is read off the run folders, so it can be asked for anywhere that sees them, while the ladder runs or after.
Time left: what runs now, at its rate; what waits, as long as finished runs of the same arm took. Where there is
nothing to go by it is unknown."""

REFRESH_SECONDS = 2.0


def main(arguments: list[str]) -> int:
    """The command."""
    asked = _parser().parse_intermixed_args(arguments)
    names, runs = names_and_folder(asked.words, "runs")
    if len(names) > 1:
        raise UserError(f"{' '.join(names)}: name one ladder or study")

    from experiments.registry import started
    from experiments.watching.screen import Screen, terminal_width
    from experiments.watching.seen import look
    from experiments.watching.sight import Watcher

    known = started(runs, "".join(names))
    if not known:
        raise UserError(f"{runs}: no ladder was started here. Start one: python -m experiments.ladder with quick")
    entry, watcher, screen = known[0], Watcher(runs), Screen(sys.stdout)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            seen = look(entry.read(), watcher)
            if asked.json:
                print(json.dumps(seen.facts))
            else:
                screen.show(seen.lines(terminal_width(sys.stdout)))
            if not asked.watch or (seen.over and (names or not seen.part_of)):
                return 0
            time.sleep(REFRESH_SECONDS)
            if not names and seen.over:
                entry = started(runs)[0]
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.status",
        usage="python -m experiments.status [NAME] [runs=FOLDER] [--watch] [--json]",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "words", nargs="*", metavar="NAME", help="of the ladder or study; what was started last if not given"
    )
    parser.add_argument("--watch", action="store_true", help="show it again every 2 seconds, until all is done")
    parser.add_argument("--json", action="store_true", help="one line of JSON for programs")
    return parser


if __name__ == "__main__":
    run_main(main)
