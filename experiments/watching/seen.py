"""What `status` has to show of what was started, whether it is a ladder or a study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from experiments.registry import StartedLadder, StartedStudy
from experiments.watching.outlook import Outlook
from experiments.watching.screen import lines_of
from experiments.watching.sight import Sight, Watcher
from experiments.watching.study_screen import lines_of_study
from experiments.watching.trials import StudySight


@dataclass(frozen=True)
class Seen:
    """One look at it."""

    facts: dict[str, Any]  # for programs
    lines: Callable[[int | None], list[str]]  # for people, from the width of a terminal
    over: bool  # nothing is left to do
    part_of: str = ""  # the ladder that goes on when this is over


def look(started: StartedLadder | StartedStudy, watcher: Watcher) -> Seen:
    """Look at its runs."""
    if isinstance(started, StartedLadder):
        sights = watcher.look(started.cells, started.evaluations)
        over = all(sight.state in ("done", "diverged") for sight in sights)
        lines = partial(lines_of, started.name, started.command, sights)
        return Seen(_facts(started, Outlook(sights), sights), lines, over)
    study = StudySight(started, watcher.look(started.cells))
    facts = {
        **_facts(started, study.outlook, study.sights),
        "ladder": started.ladder,
        "trials": [asdict(trial) for trial in study.trials],
    }
    return Seen(facts, partial(lines_of_study, study), study.over, started.ladder)


def _facts(started: StartedLadder | StartedStudy, outlook: Outlook, sights: Sequence[Sight]) -> dict[str, Any]:
    left = outlook.of_all()
    return {
        "name": started.name,
        "command": started.command,
        "seconds_left": left and left.seconds,
        "runs": [asdict(sight) for sight in sights],
    }
