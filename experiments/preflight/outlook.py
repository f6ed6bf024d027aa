"""What is foreseen of a ladder before anything trains: the time that it takes, its memory, its disk, what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from core.config import Config
from core.data.images import DataSet
from core.metrics.real import RealImages
from experiments import environment
from experiments.engines.choice import build_engine
from experiments.engines.local import LocalEngine, Slot
from experiments.plan import Plan, PlannedRun
from experiments.preflight import forecast
from experiments.preflight.forecast import shown_bytes, shown_clock, shown_seconds
from experiments.preflight.rehearsal import Rehearsal
from experiments.preflight.rehearsing import Rehearsed, rehearse_arms
from experiments.preflight.room import Disk, Memory, taken
from experiments.prepare import Prepared, references_file
from experiments.records import KEEP_CHECKPOINTS, RunFolder

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
    """What is foreseen of all runs that are not settled."""

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

    @property
    def fit(self) -> int | None:
        """How many runs fit into this machine's memory beside each other, where that is known."""
        return self.memory.fit if self.memory else None

    @property
    def problems(self) -> list[str]:
        """Everything that stands in the way, a message each."""
        problems = [*self.rehearsed.problems, *self.disk.problems()]
        problems += self.memory.problems(len(self.slots)) if self.memory else []
        problems += self.card.problems(self._sharing) if self.card else []
        return problems

    def text(self) -> str:
        """All of it, for people: a table of one row an arm, and what the whole ladder takes."""
        lines = [table([HEADINGS, *(arm.cells() for arm in self.arms)])] if self.arms else []
        if any(arm.seen.brief for arm in self.arms):
            lines.append("~ timed only once because it is slow: an estimate, like all that follows from it")
        lines += [f"{name:<10}{line}" for name, line in self._facts() if line]
        return "\n".join(lines)

    @property
    def _sharing(self) -> int:
        """Runs on one GPU at a time."""
        return max(Counter(slot.gpus for slot in self.slots).values(), default=0)

    def _facts(self) -> list[tuple[str, str]]:
        arms = self.rehearsed.made
        made = f"{arms} arm{'s' if arms > 1 else ''} in {shown_seconds(self.rehearsed.seconds)}"
        places = f"; {len(self.slots)} runs at a time, threads of each: {self.slots[0].threads}" if self.slots else ""
        facts = [("runs", f"{self.planned}, of which {self.done} are done already")]
        if self.completed:
            facts += [("completed", f"{self.completed} of these, without training: what they lack is made")]
        if self.arms:
            facts += [
                ("rehearsed", made if arms else "before; nothing has changed since"),
                ("machine", self.arms[0].seen.device + places),
                ("memory", self.memory.line(len(self.slots)) if self.memory else "as above, for each run"),
                ("GPU", self.card.line(self._sharing) if self.card else ""),
                ("disk", self.disk.line()),
            ]
        if self.lengths and not self.rehearsed.problems:
            facts += [("time", self._time())]
        return facts

    def _time(self) -> str:
        if not self.slots:
            return (
                f"about {shown_seconds(sum(self.lengths))} of computing, the longest run "
                f"{shown_seconds(max(self.lengths))}, and {shown_seconds(self.once)} once for all runs"
            )
        total = self.once + forecast.makespan(self.lengths, len(self.slots)) + forecast.REPORT_SECONDS
        once = f", of which {shown_seconds(self.once)} once for all runs" if self.once >= 1 else ""
        return f"about {shown_seconds(total)}{once}: until {shown_clock(total)}"


def foresee(
    plan: Plan, prepared: Prepared, planned: Sequence[PlannedRun], real: RealImages, device: torch.device
) -> Outlook:
    """Rehearse what has to be, and foresee the rest. real: with the judge, so that no rehearsal has to train it."""
    settings, data = plan.command.settings, prepared.data
    asked = settings["evaluations"]
    rehearsed = rehearse_arms(plan, planned, device)
    arms = {
        arm.label: _of_arm(arm.label, prepared.resolve(arm.config), rehearsed.arms[arm.label], data, asked)
        for arm in plan.arms
        if arm.label in rehearsed.arms
    }
    missing = [run for run in planned if not run.folder.trained]
    incomplete = [run.folder for run in planned if run.folder.trained and not run.folder.settled]
    runs = [(run, arms[run.arm.label]) for run in missing if run.arm.label in arms]
    completions = [_completion(folder) for folder in incomplete]
    memory = card = None
    slots: Sequence[Slot] = ()
    if settings["engine"] == "local":
        peaks = [arm.seen.host_bytes * settings["gpus_per_run"] for _, arm in runs]
        peaks += [_peak(folder, "cpu") for folder in incomplete]
        memory = Memory("memory", "workers", peaks, environment.available_memory())
        engine = build_engine(settings, len(missing) + len(incomplete), device.type, memory.fit, of=len(planned))
        slots = engine.slots if isinstance(engine, LocalEngine) else ()
        if device.type == "cuda":
            peaks = [arm.seen.device_bytes for _, arm in runs] + [_peak(folder, "cuda") for folder in incomplete]
            card = Memory("GPU memory", "runs_per_gpu", peaks, torch.cuda.mem_get_info(device)[0])
    return Outlook(
        arms=list(arms.values()),
        lengths=[forecast.run_seconds(_left(run, data), arm.seen.costs) for run, arm in runs] + completions,
        planned=len(planned),
        done=len(planned) - len(missing),
        completed=len(incomplete),
        rehearsed=rehearsed,
        slots=slots,
        memory=memory,
        card=card,
        disk=Disk(plan.runs, sum(max(0, arm.disk - taken(run.folder.path)) for run, arm in runs)),
        once=_once(plan, prepared, real, arms.values()),
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, the first one the headings: the first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("   ".join([first.strip().ljust(widths[0]), *others]))
    return "\n".join(lines)


def _of_arm(label: str, config: Config, seen: Rehearsal, data: DataSet, asked: int) -> ArmOutlook:
    work = forecast.work_of(config, data.val.sizes, data.routes, asked=asked)
    return ArmOutlook(label, seen, work, forecast.disk_bytes(config, seen.sizes, KEEP_CHECKPOINTS))


def _left(run: PlannedRun, data: DataSet) -> forecast.Work:
    saved, asked = run.folder.saved_iteration, run.folder.asked
    return forecast.work_of(run.config, data.val.sizes, data.routes, saved, asked)


def _completion(folder: RunFolder) -> float:
    """Seconds until a finished run has all that is asked for, by what its own evaluation took."""
    return forecast.completion_seconds(folder.evaluations_left, folder.result().evaluate_seconds)


def _peak(folder: RunFolder, kind: str) -> int:
    """Bytes of a kind of memory, cpu or cuda, that a run took when it was trained; 0 where that was another one."""
    result = folder.result()
    return result.peak_memory_bytes if result.device.startswith(kind) else 0


def _once(plan: Plan, prepared: Prepared, real: RealImages, arms: Iterable[ArmOutlook]) -> float:
    """Seconds for what is measured before the first run, if it was not before."""
    config, data = prepared.resolve(plan.recipe), prepared.data
    costs = next((arm.seen.costs for arm in arms), None)
    if costs is None or references_file(config, real, plan.runs / "cache").exists():
        return 0.0
    return forecast.baseline_seconds(config, data.train.sizes, data.val.sizes, costs)
