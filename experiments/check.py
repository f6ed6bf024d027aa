"""The preflight of a ladder by itself: are data, weights, memory and disk enough, and how long will it take?

python -m experiments.check with quick seeds=3
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from ablations.rung import Arm
from core.errors import UserError
from experiments.command import help_text, run_main, wants_help
from experiments.plan import SETTINGS, Plan, planned_runs, read_plan
from experiments.preflight import forecast
from experiments.preflight.forecast import Costs, shown_bytes, shown_seconds

if TYPE_CHECKING:
    import torch

    from core.config import Config
    from core.metrics.judge import Judge
    from core.metrics.suite import Suite
    from experiments.preflight.rehearsal import MeasuringRehearsal
    from experiments.prepare import Prepared

USAGE = """Look before a ladder runs: its data, the metrics' weights, memory, disk, and the time that it will take.

usage: python -m experiments.check with [SCALE] [LADDER] [key=value ...]
       python -m experiments.check with quick seeds=3
       python -m experiments.check with afhq data.root=~/animals

Takes the words that the ladder takes, trains every arm for a few iterations and keeps nothing but caches. The exit
status is 0 where all fits, 1 where something does not."""

HEADINGS = ("arm", "parameters", "s/iteration", "iterations", "training", "evaluation", "memory", "disk")


@dataclass(frozen=True)
class ArmForecast:
    """What one run of an arm will take."""

    label: str
    memory: int  # bytes
    work: forecast.Work
    costs: Costs | None = None  # None where the arm does not fit into memory and so was not timed
    parameters: int = 0
    disk: int = 0  # bytes

    @property
    def seconds(self) -> float:
        """From start to result."""
        if self.costs is None:
            return 0.0
        training = forecast.training_seconds(self.work, self.costs)
        return forecast.START_SECONDS + training + forecast.evaluation_seconds(self.work, self.costs)

    def cells(self) -> tuple[str, ...]:
        """The arm's row under HEADINGS."""
        if self.costs is None:
            return (self.label, "-", "-", f"{self.work.iterations:,}", "-", "-", shown_bytes(self.memory), "-")
        return (
            self.label,
            f"{self.parameters:,}",
            f"{self.costs.iteration:.3g}",
            f"{self.work.iterations:,}",
            shown_seconds(forecast.training_seconds(self.work, self.costs)),
            shown_seconds(forecast.evaluation_seconds(self.work, self.costs)),
            shown_bytes(self.memory),
            shown_bytes(self.disk),
        )


def main(arguments: list[str]) -> int:
    """The command."""
    if wants_help(arguments):
        print(help_text(USAGE, SETTINGS, rungs_allowed=False))
        return 0
    plan = read_plan(arguments)
    problems = _unwritable(plan)

    import torch

    from core.metrics.real import RealImages
    from core.metrics.suite import choose
    from core.runtime import choose_device, describe_device, make_deterministic
    from experiments.engines.sharing import share_out
    from experiments.preflight.rehearsal import rehearse_judge, rehearse_measuring
    from experiments.prepare import prepare

    device = choose_device(plan.recipe.device)
    make_deterministic()
    prepared = prepare(plan.recipe, plan.runs / "cache")
    config = prepared.resolve(plan.recipe)
    _print_data(prepared, config)
    planned = planned_runs(plan, prepared)
    missing = [run for run in planned if not run.folder.settled]
    slots = share_out(len(missing) or len(planned), plan.command.settings["workers"])
    workers, threads = len(slots), slots[0].threads
    torch.set_num_threads(threads)

    judge, judging = rehearse_judge(config, prepared.data, plan.runs / "cache" / "judges", device)
    suite = choose(config.eval.metrics, judge, config.model.resolution, device, config.eval.protocol)
    _print_metrics(suite, judge, judging)
    measuring = rehearse_measuring(RealImages(prepared.data, suite, judge, device), config.eval.outputs)
    trying = tqdm(plan.arms, desc="trying every arm", unit="arm", leave=False)
    arms = {arm.label: _forecast(arm, prepared, measuring, device, problems) for arm in trying}
    print("\n" + table([HEADINGS, *(arm.cells() for arm in arms.values())]))

    lengths = [arms[run.arm.label].seconds for run in missing]
    once = judging + _once(config, prepared, measuring)
    print(f"\nruns      {len(planned)}, of which {len(planned) - len(missing)} are done already")
    print(f"machine   {describe_device(device)}; {workers} at a time, threads of each: {threads}")
    problems += _memory_problems(list(arms.values()), workers, device)
    problems += _disk_problems(plan.runs, sum(arms[run.arm.label].disk for run in missing))
    if all(arm.costs for arm in arms.values()):
        total = once + forecast.makespan(lengths, workers)
        print(f"time      about {shown_seconds(total)}, of which {shown_seconds(once)} once for all runs")
    return _verdict(problems)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, the first one the headings: the first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("   ".join([first.strip().ljust(widths[0]), *others]))
    return "\n".join(lines)


def _forecast(
    arm: Arm, prepared: Prepared, measuring: MeasuringRehearsal, device: torch.device, problems: list[str]
) -> ArmForecast:
    """Rehearse an arm, if its step fits into memory."""
    from core.training.memory import refuse_too_large, step_bytes
    from experiments.environment import available_memory
    from experiments.preflight.rehearsal import rehearse_arm
    from experiments.records import KEEP_CHECKPOINTS

    config, data = prepared.resolve(arm.config), prepared.data
    work = forecast.work_of(config, data.train.sizes, data.val.sizes)
    needed = step_bytes(config)
    try:
        refuse_too_large(config, device, available_memory())
    except UserError as error:
        problems.append(f"{arm.label}: {error}")
        return ArmForecast(arm.label, needed, work)
    seen = rehearse_arm(config, data, device)
    costs = Costs(seen.iteration, seen.translation, measuring.translation, measuring.reference, measuring.pair)
    disk = forecast.disk_bytes(config, seen.sizes, KEEP_CHECKPOINTS)
    return ArmForecast(arm.label, seen.peak_bytes or needed, work, costs, seen.parameters, disk)


def _once(config: Config, prepared: Prepared, measuring: MeasuringRehearsal) -> float:
    """Seconds for what is done before the first run starts."""
    train, val = prepared.data.train.sizes, prepared.data.val.sizes
    costs = Costs(0, 0, measuring.translation, measuring.reference, measuring.pair)
    work, sources = forecast.work_of(config, train, val), forecast.sources_of(config, val)
    return forecast.baseline_seconds(work, costs, sources, len(val))


def _print_data(prepared: Prepared, config: Config) -> None:
    data = prepared.data
    print(f"data      {config.data.root or 'critters'}, {config.model.resolution} px")
    for domain, train, val in zip(data.domains, data.train.sizes, data.val.sizes, strict=True):
        print(f"            {domain}: {train:,} training and {val:,} validation images")
    for note in prepared.notes:
        print(f"            {note}")


def _print_metrics(suite: Suite, judge: Judge, judging: float) -> None:
    by = "with the published weights" if suite.kind == "paper" else "by the judge, without published weights"
    print(f"metrics   {suite.frechet}, {suite.kernel}, {suite.diversity}: {by} ({suite.protocol})")
    if judging:
        print(f"judge     not trained yet; that takes about {shown_seconds(judging)}")
    else:
        accuracy, images = judge.report["accuracy"], judge.report["images"]
        print(f"judge     at hand; right for {100 * accuracy:.1f} % of {images:,} held-out real images")


def _memory_problems(arms: Sequence[ArmForecast], workers: int, device: torch.device) -> list[str]:
    """Runs at a time that do not fit beside each other. That each fits alone has been seen."""
    import torch

    from experiments.environment import available_memory, peak_memory

    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else available_memory()
    largest = max((arm.memory for arm in arms if arm.costs), default=0)
    if free is None:
        print(f"memory    up to {shown_bytes(largest)} a run")
        return []
    seen = "" if device.type == "cuda" else f"; this check itself took {shown_bytes(peak_memory())} at its peak"
    print(f"memory    up to {shown_bytes(workers * largest)} of {shown_bytes(free)} that are free{seen}")
    if workers * largest <= free or workers == 1:
        return []
    return [
        f"memory: {workers} runs at a time need {shown_bytes(workers * largest)} and {shown_bytes(free)} are free. Use "
        f"workers={max(1, free // largest)}."
    ]


def _disk_problems(runs: Path, needed: int) -> list[str]:
    free = shutil.disk_usage(_existing(runs)).free
    print(f"disk      up to {shown_bytes(needed)} of {shown_bytes(free)} that are free")
    if needed <= free:
        return []
    return [
        f"disk: the runs write up to {shown_bytes(needed)} into {runs} and {shown_bytes(free)} are free. Free "
        f"{shown_bytes(needed - free)}, choose another disk with runs=FOLDER, or raise train.checkpoint_every."
    ]


def _unwritable(plan: Plan) -> list[str]:
    """Folders that could not be written; nothing is created."""
    return [
        f"{folder}: nothing can be written there. Allow it, or choose another folder with {setting}=FOLDER."
        for setting, folder in (("runs", plan.runs), ("reports", plan.report))
        if not os.access(_existing(folder), os.W_OK | os.X_OK)
    ]


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    path = folder.absolute()
    return next(place for place in (path, *path.parents) if place.exists())


def _verdict(problems: list[str]) -> int:
    if not problems:
        print("\nEverything fits.")
        return 0
    print("\nThis does not fit:\n" + "\n".join(f"  - {problem}" for problem in problems))
    return 1


if __name__ == "__main__":
    run_main(main)
