"""What is foreseen of a ladder before anything trains: the time that it takes, its memory, its disk, what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import UserError
from experiments.engines.local import Slot
from experiments.preflight import forecast
from experiments.preflight.forecast import shown_bytes, shown_clock, shown_seconds
from experiments.preflight.rehearsal import Rehearsal
from experiments.preflight.rehearsing import Rehearsed
from experiments.preflight.room import Disk, Memory
from experiments.preflight.tuning import TuningOutlook

HEADINGS = ("arm", "parameters", "s/iteration", "iterations", "training", "evaluation", "memory", "disk")


@dataclass(frozen=True)
class ArmOutlook:
    """What one whole run of an arm takes, as its rehearsal lets expect."""

    label: str
    seen: Rehearsal
    work: forecast.Work
    disk: int  # bytes

    def cells(self) -> tuple[str, ...]:
        """The arm's row under HEADINGS."""
        costs = self.seen.costs
        return (
            self.label,
            f"{self.seen.parameters:,}",
            f"{'~' if self.seen.brief else ''}{costs.iteration:.3g}",
            f"{self.work.iterations:,}",
            shown_seconds(forecast.training_seconds(self.work, costs)),
            shown_seconds(forecast.evaluation_seconds(self.work, costs)),
            shown_bytes(self.seen.device_bytes or self.seen.host_bytes),
            shown_bytes(self.disk),
        )


@dataclass(frozen=True)
class Outlook:
    """What is foreseen of all runs that are not settled, and of the trials before them."""

    arms: Sequence[ArmOutlook]  # in the order of the ladder
    lengths: Sequence[float]  # seconds that are left of each run, in the order of their starts
    planned: int
    done: int  # of them trained
    completed: int  # of those: what they lack is made, and nothing is trained
    rehearsed: Rehearsed
    slots: Sequence[Slot]  # of this machine; none where another engine has places of its own
    memory: Memory | None  # of this machine
    card: Memory | None  # of each of its GPUs
    disk: Disk
    once: float  # seconds, before the first run
    tuning: TuningOutlook | None = None

    @property
    def fit(self) -> int | None:
        """How many runs fit into this machine's memory beside each other, where that is known."""
        return self.memory.fit if self.memory else None

    @property
    def problems(self) -> list[str]:
        """Everything that stands in the way, a message each."""
        problems = [*self.rehearsed.problems, *self.disk.problems()]
        problems += self.memory.problems(self._at_once) if self.memory else []
        problems += self.card.problems(self._sharing) if self.card else []
        return problems

    def text(self) -> str:
        """All of it, for people: a table of one row an arm, and what the whole ladder takes."""
        lines = [table([HEADINGS, *(arm.cells() for arm in self.arms)])] if self.arms else []
        if any(arm.seen.brief for arm in self.arms):
            lines.append("~ timed only once because it is slow: an estimate, like all that follows from it")
        lines += [f"{name:<10}{line}" for name, line in self._facts() if line]
        return "\n".join(lines)

    def refuse(self, what: str, otherwise: str) -> None:
        """Raise UserError where something stands in the way. otherwise: what becomes of it with preflight=false."""
        if self.problems:
            raise UserError(
                f"this {what} cannot run as it is, so nothing was trained:\n"
                + "\n".join(f"  - {problem}" for problem in self.problems)
                + f"\nWith preflight=false it starts all the same, and {otherwise}."
            )

    @property
    def _at_once(self) -> int:
        """Runs on this machine at a time."""
        return max(len(self.slots), self.tuning.places if self.tuning and self.tuning.lengths else 0)

    @property
    def _sharing(self) -> int:
        """Runs on one GPU at a time."""
        return max(Counter(slot.gpus for slot in self.slots).values(), default=0)

    def _facts(self) -> list[tuple[str, str]]:
        arms = self.rehearsed.made
        made = f"{arms} arm{'s' if arms > 1 else ''} in {shown_seconds(self.rehearsed.seconds)}"
        places = f"; {len(self.slots)} runs at a time, threads of each: {self.slots[0].threads}" if self.slots else ""
        facts = [("tuning", self.tuning.line())] if self.tuning else []
        if self.planned:
            kinds = ", tuned and untuned" if self.tuning else ""
            facts += [("runs", f"{self.planned}{kinds}, of which {self.done} are done already")]
        if self.completed:
            facts += [("completed", f"{self.completed} of these, without training: what they lack is made")]
        if self.arms:
            facts += [
                ("rehearsed", made if arms else "before; nothing has changed since"),
                ("machine", self.arms[0].seen.device + places),
                ("memory", self.memory.line(self._at_once) if self.memory else "as above, for each run"),
                ("GPU", self.card.line(self._sharing) if self.card else ""),
                ("disk", self.disk.line()),
            ]
        if (self.lengths or (self.tuning and self.tuning.lengths)) and not self.rehearsed.problems:
            facts += [("time", self._time())]
        return facts

    def _time(self) -> str:
        tuning = self.tuning.seconds if self.tuning else 0.0
        about = "at most about" if self.tuning and tuning and self.tuning.bounded else "about"
        parts = [f"{shown_seconds(tuning)} for tuning"] if tuning and self.lengths else []
        if not self.slots:
            lengths = [*self.lengths, *(self.tuning.lengths.values() if self.tuning else ())]
            return (
                f"{about} {shown_seconds(tuning + sum(self.lengths))} of computing{_of_which(parts)}, the longest run "
                f"{shown_seconds(max(lengths))}, and {shown_seconds(self.once)} once for all runs"
            )
        parts += [f"{shown_seconds(self.once)} once for all runs"] if self.once >= 1 else []
        last = forecast.makespan(self.lengths, len(self.slots)) + forecast.REPORT_SECONDS if self.lengths else 0.0
        total = tuning + self.once + last
        return f"{about} {shown_seconds(total)}{_of_which(parts)}: until {shown_clock(total)}"


def _of_which(parts: Sequence[str]) -> str:
    return f", of which {' and '.join(parts)}" if parts else ""


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, the first one the headings: the first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("   ".join([first.strip().ljust(widths[0]), *others]))
    return "\n".join(lines)
