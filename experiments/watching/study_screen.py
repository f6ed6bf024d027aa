"""How the trials of a study are shown in a terminal: their numbers by state, and what needs more words below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from experiments.reporting.labels import plural
from experiments.watching.screen import fitted, one_line, parts_of, time_left
from experiments.watching.sight import AT_WORK
from experiments.watching.trials import STATES, StudySight, TrialSight


def lines_of_study(seen: StudySight, width: int | None) -> list[str]:
    """What is to be said of a study. width: of a terminal, to which lines are shortened; None: as long as they are."""
    study, outlook = seen.study, seen.outlook
    numbers = {state: [trial.number for trial in seen.trials if trial.state == state] for state in STATES}
    counts = [f"{len(numbers[state])} {state}" for state in STATES if numbers[state]]
    lines = [f"{study.name}: {plural(len(seen.trials), 'trial')} of {study.arm}; {', '.join(counts)}"]
    if study.ladder:
        lines.append(f"part of the tuned ladder {study.ladder}")
    left = outlook.of_all()
    if left:
        lines.append(f"{time_left(left)}; less where trials are ended early")
    elif any(sight.state in AT_WORK for sight in outlook.sights):
        lines.append("time left: unknown; there is nothing to go by yet")
    column = max(map(len, STATES)) + 2
    lines += ["", "trials", *(f"  {state.ljust(column)}{_spans(numbers[state])}" for state in STATES if numbers[state])]
    for heading, parts in [*parts_of(outlook), *_ended(study.arm, seen.trials)]:
        lines += ["", heading, *parts]
    if not seen.over and not numbers["at work"]:
        lines += ["", "nothing is at work; to go on:", f"  {study.command}"]
    return fitted(lines, width)


def _ended(arm: str, trials: Sequence[TrialSight]) -> Iterator[tuple[str, list[str]]]:
    """Why trials came to nothing, kind by kind: (heading, lines)."""
    for state in ("diverged", "failed"):
        lines = []
        for trial in trials:
            if trial.state == state:
                lines += [f"  {arm} trial {trial.number}: {one_line(trial.reason)}"]
                lines += [f"    {trial.log}"] if trial.log else []
        if lines:
            yield state, lines


def _spans(numbers: Sequence[int]) -> str:
    """Rising numbers, e.g. 0-3, 5."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][-1] == number - 1:
            spans[-1] = [spans[-1][0], number]
        else:
            spans.append([number])
    return ", ".join("-".join(map(str, span)) for span in spans)
