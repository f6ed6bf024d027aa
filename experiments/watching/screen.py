"""How the runs of a ladder are shown in a terminal: a table of arms and seeds, and what needs more words below it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from experiments.preflight.forecast import shown_seconds
from experiments.reporting.labels import number, plural, shortened
from experiments.watching.outlook import Left, Outlook
from experiments.watching.sight import AT_WORK, UNFINISHED, Sight

NARROWEST = 40  # characters a line that anything is shortened to
HOME, CLEAR, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[2J", "\x1b[K", "\x1b[J"


def lines_of(name: str, command: str, sights: Sequence[Sight], width: int | None) -> list[str]:
    """What is to be said of a ladder. width: of a terminal, to which lines are shortened; None: as long as they are."""
    outlook = Outlook(sights)
    lines = [_headline(name, sights), *_time(outlook), "", *_grid(sights, width)]
    for heading, parts in parts_of(outlook):
        lines += ["", heading, *parts]
    if not any(sight.state in AT_WORK for sight in sights) and any(_goes_on(sight) for sight in sights):
        lines += ["", "nothing is at work; to go on:", f"  {command}"]
    return fitted(lines, width)


def fitted(lines: Sequence[str], width: int | None) -> list[str]:
    """Lines, shortened to a terminal's width; None: as long as they are."""
    return [line if width is None else shortened(line, max(width, NARROWEST)) for line in lines]


def time_left(left: Left) -> str:
    """Of all that is to be done."""
    return f"about {shown_seconds(left.seconds)} left" + ("" if left.evaluated else ", not counting evaluations")


def terminal_width(stream: TextIO) -> int | None:
    """Of what a stream is shown on; None where it is no terminal."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


@dataclass
class Screen:
    """Where the same lines are shown again and again: in place in a terminal, one block after the other elsewhere."""

    stream: TextIO = sys.stdout
    _begun: bool = False

    def show(self, lines: Sequence[str]) -> None:
        """Replace what was shown before."""
        if not self.stream.isatty():
            self.stream.write(("\n" if self._begun else "") + "\n".join(lines) + "\n")
        else:
            if os.name == "nt" and not self._begun:
                os.system("")  # has the console understand what follows
            # Line over line, and never more than there is room for: nothing is blank in between.
            seen = lines[: shutil.get_terminal_size().lines - 1]
            start = HOME if self._begun else CLEAR + HOME
            self.stream.write(start + "".join(f"{line}{CLEAR_LINE}\n" for line in seen) + CLEAR_BELOW)
        self.stream.flush()
        self._begun = True


def _headline(name: str, sights: Sequence[Sight]) -> str:
    counts = [f"{sum(sight.state in AT_WORK for sight in sights)} at work"]
    states = ("done", "waiting", "stopped", "lost", "failed", "diverged", "incomplete", "gone")
    counts += [f"{sum(sight.state == state for sight in sights)} {state}" for state in states]
    return f"{name}: {plural(len(sights), 'run')}; " + ", ".join(c for c in counts if not c.startswith("0 "))


def _time(outlook: Outlook) -> Iterator[str]:
    if not any(sight.state in AT_WORK for sight in outlook.sights):
        return
    left = outlook.of_all()
    if left:
        yield time_left(left)
    else:
        unseen = {sight.arm for sight in outlook.sights if _goes_on(sight) and outlook.of(sight) is None}
        yield f"time left: unknown; there is nothing to go by yet for {', '.join(sorted(unseen))}"


def _grid(sights: Sequence[Sight], width: int | None) -> Iterator[str]:
    """Arms down, seeds across, in as many blocks as fit side by side into the width."""
    cells = {(sight.arm, sight.seed): _cell(sight) for sight in sights}
    arms, seeds = sorted({arm for arm, _ in cells}), sorted({seed for _, seed in cells})
    first = max(map(len, arms), default=0)
    column = max([len("seed ") + len(str(seed)) for seed in seeds] + [len(cell) for cell in cells.values()]) + 2
    most = len(seeds) if width is None else max(1, (max(width, NARROWEST) - first) // column)
    for start in range(0, len(seeds), most):
        block = seeds[start : start + most]
        if start:
            yield ""
        yield _row("", first, [f"seed {seed}" for seed in block], column)
        for arm in arms:
            yield _row(arm, first, [cells.get((arm, seed), "") for seed in block], column)


def _row(label: str, first: int, cells: Sequence[str], column: int) -> str:
    return "".join([label.ljust(first), *("  " + cell.ljust(column - 2) for cell in cells)]).rstrip()


def _cell(sight: Sight) -> str:
    if sight.state == "training" and sight.of:
        return f"{100 * sight.iteration // sight.of} %"
    return sight.state


def parts_of(outlook: Outlook) -> Iterator[tuple[str, list[str]]]:
    """What needs more than a word, kind by kind: (heading, lines)."""
    of_state: dict[str, list[Sight]] = {}
    for sight in outlook.sights:
        of_state.setdefault("at work" if sight.state in AT_WORK else sight.state, []).append(sight)
    if "at work" in of_state:
        yield "at work", [f"  {_work(sight, outlook.of(sight))}" for sight in of_state["at work"]]
    for state, heading in (
        ("stopped", "stopped; the next start goes on from"),
        ("lost", "lost, their processes are dead; the next start goes on from"),
    ):
        if state in of_state:
            places = [f"{sight.name}: iteration {_progress(sight)}" for sight in of_state[state]]
            yield heading, [f"  {place}" for place in places]
    if "incomplete" in of_state:
        heading = "incomplete; the next start makes what they lack, and trains nothing"
        yield heading, [f"  {sight.name}: {one_line(sight.reason)}" for sight in of_state["incomplete"]]
    if "diverged" in of_state:
        yield "diverged", [f"  {s.name}: {one_line(s.reason)}" for s in of_state["diverged"]]
    if "failed" in of_state:
        yield (
            "failed",
            [line for s in of_state["failed"] for line in (f"  {s.name}: {one_line(s.reason)}", f"    {s.log}")],
        )
    if "gone" in of_state:
        yield "gone, without a folder", [f"  {sight.name}: {sight.folder}" for sight in of_state["gone"]]


def _work(sight: Sight, left: Left | None) -> str:
    rate = [f"{number(sight.rate)} it/s"] if sight.rate and sight.state == "training" else []
    time = f"{shown_seconds(left.seconds)} left" if left else "time left unknown"
    if left and not left.evaluated:
        time = "time left unknown" if sight.state == "evaluating" else f"{time} before its evaluation"
    doing = sight.state if sight.state != "training" else _progress(sight)
    return ", ".join([f"{sight.name}: {doing}", *rate, time, sight.owner])


def _progress(sight: Sight) -> str:
    return f"{sight.iteration:,} of {sight.of:,}" if sight.of else f"{sight.iteration:,}"


def _goes_on(sight: Sight) -> bool:
    """Whether a start of the ladder would do something for this run."""
    return sight.state in (*AT_WORK, *UNFINISHED, "failed")


def one_line(text: str) -> str:
    """A text without line breaks."""
    return " ".join(text.split())
