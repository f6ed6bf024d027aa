"""Free the disk of what finished runs do not need: shows what would go, and deletes it only when told to.

python -m experiments.clean quick
python -m experiments.clean quick --yes
"""

from __future__ import annotations

import argparse
import itertools
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.errors import UserError
from experiments.command import run_main
from experiments.naming import names_and_folder

if TYPE_CHECKING:
    from experiments.clearing import Spare

DESCRIPTION = """Free the disk of what finished runs do not need: their checkpoints, and what killed processes left.

Results, curves, pictures and the trained networks (translator.pt) stay, and so does all that a run needs to go on or
that somebody works on. Without --yes nothing is deleted: it shows what would be.

Runs whose trial was pruned are not finished. Nothing goes on with them but who asks for just their settings as a run of
its own, so their checkpoints stay until --pruned lets them go; such a run would then begin anew."""


def main(arguments: list[str]) -> int:
    """The command."""
    asked = _parser().parse_intermixed_args(arguments)
    names, runs = names_and_folder(asked.words, "runs")
    if len(names) > 1:
        raise UserError(f"{' '.join(names)}: name one ladder or study")

    from experiments.clearing import clear, spare_files
    from experiments.preflight.forecast import shown_bytes
    from experiments.reporting.labels import plural

    seen = spare_files(runs, "".join(names), asked.best, asked.pruned)
    found = [spare for spare in seen if spare.files]
    if asked.yes:
        found = [clear(spare, asked.best, asked.pruned) for spare in found]
    for owner, group in itertools.groupby(found, key=lambda spare: spare.owner):
        own = list(group)
        print(f"{owner or 'of no ladder or study'}: {_amount(own)}")
        for spare in own:
            print(f"  {spare.run}: {_amount([spare])}, {spare.folder.path}")
    busy = sum(spare.at_work for spare in seen)
    if busy:
        print(f"left alone: {plural(busy, 'run')} at work")
    held = [spare.held for spare in seen if spare.held]
    if held:
        print(
            f"kept: checkpoints of {plural(len(held), 'pruned run')}, {shown_bytes(sum(held))}; --pruned lets them go"
        )
    if not found:
        print(f"{runs}: there is nothing to free")
    elif asked.yes:
        print(f"freed: {_amount(found)}")
    else:
        again = shlex.join(["python", "-m", "experiments.clean", *arguments, "--yes"])
        print(f"could be freed: {_amount(found)}. Nothing was deleted; this deletes it:\n  {again}")
    return 0


def _amount(spares: Sequence[Spare]) -> str:
    from experiments.preflight.forecast import shown_bytes
    from experiments.reporting.labels import plural

    files = sum(len(spare.files) for spare in spares)
    return f"{plural(files, 'file')}, {shown_bytes(sum(spare.size for spare in spares))}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.clean",
        usage="python -m experiments.clean [NAME] [runs=FOLDER] [--best] [--pruned] [--yes]",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "words", nargs="*", metavar="NAME", help="of a ladder or a tuning study; all runs in the folder if not given"
    )
    parser.add_argument("--best", action="store_true", help="the best checkpoints too, which were asked for once")
    parser.add_argument("--pruned", action="store_true", help="the checkpoints of pruned trials too")
    parser.add_argument("--yes", action="store_true", help="delete")
    return parser


if __name__ == "__main__":
    run_main(main)
