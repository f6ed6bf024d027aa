"""Train and evaluate one configuration: a rung, or any toggles.

python -m experiments.run with F seed=1 train.steps=500
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.rung import fold, folded_settings
from core.config import Config, as_flat, changed
from core.errors import UserError
from core.settings import with_paths
from experiments.command import EVALUATIONS, TRACKING, Command, Setting, help_text, parse, run_main, wants_help

if TYPE_CHECKING:
    from experiments.records import RunFolder

USAGE = """Train and evaluate one configuration: a rung of the ladder, or any toggles.

usage: python -m experiments.run with [SCALE] [LADDER] [RUNG] [key=value ...]
       python -m experiments.run with quick F seed=1 train.steps=500
       python -m experiments.run with F data.root=~/faces loss.diversity=2

The same command goes on from the last checkpoint."""

TAKEN = 75  # exit status of an engine's process that has nothing to do; EX_TEMPFAIL of sysexits.h

SETTINGS = {"evaluations": EVALUATIONS, "runs": Setting("runs", "folder of the runs"), "tracking": TRACKING}


def main(arguments: list[str]) -> int:
    """The command. An engine calls it as `--folder FOLDER --evaluations N` with a run that is already planned."""
    if wants_help(arguments):
        print(help_text(USAGE, SETTINGS, rungs_allowed=True))
        return 0
    if arguments[:1] == ["--folder"]:
        return _planned(Path(arguments[1]), int(arguments[3]) if len(arguments) > 2 else 0)
    command = parse(arguments, SETTINGS, rungs_allowed=True)
    config = configuration(command)

    from experiments.adoption import adopt
    from experiments.prepare import prepare
    from experiments.records import RunFolder
    from experiments.tracking.address import check_tracking

    runs = Path(command.settings["runs"])
    tracking = check_tracking(command.settings["tracking"], runs)
    prepared = prepare(config, runs / "cache")
    for note in prepared.notes:
        print(note, file=sys.stderr)
    config = prepared.resolve(config)
    folder = RunFolder.of(runs, config, command.settings["evaluations"])
    for line in adopt(runs, [folder]):
        print(line, file=sys.stderr)
    if not folder.trained:
        folder.prepare(config, command.rung or "run")
    _execute_when_free(folder, runs, tracking)
    divergence = folder.divergence()
    if divergence:
        raise UserError(
            f"{folder.path}: {divergence['reason']}. It would again: change a setting, or delete the folder if the "
            "program has changed."
        )
    if folder.lacking:
        print(f"incomplete: {folder.path} lacks {folder.lacking}; its trained networks are gone", file=sys.stderr)
    _print_result(folder.path)
    return 0


def configuration(command: Command) -> Config:
    """What a command line asks for: the scale, its updates, the rung on them, and the updates again on top."""
    problems: list[str] = []
    recipe = with_paths(Config(), command.recipe, problems)
    if not command.rung:
        return changed(recipe, {})
    changes = command.ladder.changes_to(command.rung)
    if not command.updates:
        return fold(recipe, changes)
    return changed(Config(), {**as_flat(recipe), **folded_settings(recipe, changes), **command.updates})


def _planned(path: Path, evaluations: int) -> int:
    """What an engine's process does. Whatever is looked at first needs no torch: another process may have the run."""
    from experiments.claims import Taken, living_owner
    from experiments.records import RunFolder
    from experiments.tracking.address import inherited

    folder = RunFolder(path, evaluations)
    first = os.environ.get("RANK", "0") == "0"  # of those that torchrun started; the others' owner is that one
    if first and (folder.settled or folder.given_up or living_owner(path)):
        return TAKEN

    from experiments.execution import execute

    try:
        execute(folder, path.parent, quiet=True, with_parent=True, tracking=inherited())
    except Taken as owner:
        print(f"{path}: {owner} works on this run now", file=sys.stderr)
        return TAKEN
    return 0


def _execute_when_free(folder: RunFolder, runs: Path, tracking: str) -> None:
    """Execute, after another process has ended that works on the run."""
    from experiments.claims import Taken
    from experiments.execution import execute

    told = False
    while not folder.settled:
        try:
            execute(folder, runs, tracking=tracking)
        except Taken as owner:
            if not told:
                print(f"{folder.path}: {owner} works on this run; waiting for it", file=sys.stderr)
            told = True
            time.sleep(2)


def _print_result(path: Path) -> None:
    from experiments.records import RunFolder
    from experiments.reporting.tables import run_summary

    print(run_summary(RunFolder(path).result()))
    print(f"\n{path}")


if __name__ == "__main__":
    run_main(main)
