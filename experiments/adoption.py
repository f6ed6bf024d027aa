"""Finished runs of older schemas: where their results still hold, they get the names that they have today."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from core.errors import UserError
from experiments.claims import Claim, Taken
from experiments.records import RunFolder


def adopt(runs: Path, wanted: Sequence[RunFolder]) -> list[str]:
    """Rename what is finished under an older name to the wanted one, so that it is not trained again.

    A folder that is there already is never overwritten, and a run whose results would be others today stays what it
    was. Returns a line for each run that was renamed.
    """
    missing = {folder.path.name for folder in wanted if not folder.path.exists()}
    renamed = []
    for path in sorted(runs.glob("*-s*/config.json")) if missing else ():
        old = RunFolder(path.parent)
        with contextlib.suppress(UserError, Taken, OSError):  # what cannot be read, or is at work, is left alone
            key = old.key_today()
            if key in missing and old.trained and not old.imported:
                with Claim(old.path) as claim:
                    claim.move(runs / key)
                renamed.append(f"{old.path.name}: a run of an earlier version, called {key} now; its results hold")
    return renamed
