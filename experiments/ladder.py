"""Train every rung under the same conditions, measure them alike, and write the report: the main job.

python -m experiments.ladder with quick seeds=3 name=mine
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.command import Interrupted, help_text, run_main, wants_help
from experiments.plan import SETTINGS, Plan, PlannedRun, distinct, planned_runs, read_plan, untuned_runs

if TYPE_CHECKING:
    import torch

    from core.metrics.real import RealImages
    from experiments.prepare import Prepared

USAGE = """Train every rung of the ladder under the same conditions, measure them alike, and write a report.

usage: python -m experiments.ladder with [SCALE] [LADDER] [key=value ...]
       python -m experiments.ladder with quick seeds=3 name=mine
       python -m experiments.ladder with smoke data.root=~/faces name=faces
       python -m experiments.ladder with smoke paper_ladder
       python -m experiments.ladder with quick design=both seeds=3
       python -m experiments.ladder with quick tuned trials=20 seeds=3
       python -m experiments.ladder plan with cpu

`plan` prints the arms, what each changes, what is done already and what the rest will take, and trains nothing.
Ctrl-C stops cleanly; the same command goes on from the last checkpoints."""


def main(arguments: list[str]) -> int:
    """The command."""
    if wants_help(arguments):
        print(help_text(USAGE, SETTINGS, rungs_allowed=False))
        return 0
    if arguments[:1] == ["plan"]:
        return _show(read_plan(arguments[1:]))
    return _run(read_plan(arguments))


def _show(plan: Plan) -> int:
    """Print what a ladder would be."""
    from core.runtime import choose_device
    from experiments.overview import overview
    from experiments.preflight.ahead import look_ahead
    from experiments.prepare import load_real_images, prepare

    cache = plan.runs / "cache"
    prepared = prepare(plan.recipe, cache)
    print(overview(plan, planned_runs(plan, prepared)), flush=True)
    device, ahead = choose_device(plan.recipe.device), look_ahead(plan, prepared)
    if plan.command.settings["preflight"] and not ahead.settled:
        from experiments.preflight.foresight import foresee

        real = load_real_images(prepared.resolve(plan.recipe), prepared.data, cache, device)
        outlook = foresee(plan, prepared, ahead, real, device)
        print(f"\n{outlook.text()}")
        if outlook.problems:
            print("\nThis cannot run as it is:\n" + "\n".join(f"  - {problem}" for problem in outlook.problems))
            return 1
    return 0


def _run(plan: Plan) -> int:
    """Train what is missing, and report."""
    from core.data.parts import part_of
    from core.runtime import choose_device
    from core.training.replicas import refuse_uneven
    from experiments.description import describe
    from experiments.prepare import load_real_images, prepare
    from experiments.registry import Cell, StartedLadder
    from experiments.report import build
    from experiments.report_records import ReportRecords
    from experiments.tracking.address import check_tracking, hand_down
    from experiments.tuning.arms import compared, sessions_of, tune_arms, tuned_plan

    hand_down(check_tracking(plan.command.settings["tracking"], plan.runs))
    device = choose_device(plan.recipe.device)
    for batch in {arm.config.train.batch for arm in plan.arms}:
        refuse_uneven(batch, plan.command.settings["gpus_per_run"])
    _refuse_read_only(plan.runs, plan.report)
    prepared = prepare(plan.recipe, plan.runs / "cache")
    for note in prepared.notes:
        print(note, file=sys.stderr)
    untuned = untuned_runs(plan, prepared) if plan.command.settings["tuned"] else []
    planned = untuned or planned_runs(plan, prepared)
    _adopt(plan, planned)
    config = prepared.resolve(plan.recipe)
    part_of(prepared.data, config.eval.part, config.eval.tuning_share)
    sessions = sessions_of(plan, prepared) if plan.command.settings["tuned"] else []
    real = load_real_images(config, prepared.data, plan.runs / "cache", device)
    fit = _foresee(plan, prepared, real, device)
    command, asked = "python -m experiments.ladder " + plan.command.again, plan.command.settings["evaluations"]
    try:
        studies = tune_arms(sessions, device.type, fit)
        if sessions:
            plan = tuned_plan(plan, studies)
            planned = planned_runs(plan, prepared)
            _adopt(plan, planned)
        cells = [Cell(run.arm.label, run.config.seed, run.folder.path.name) for run in planned]
        cells += [
            Cell(f"{run.arm.label} untuned", run.config.seed, run.folder.path.name, result_only=True) for run in untuned
        ]
        StartedLadder(plan.name, command, tuple(cells), asked).write(plan.runs)
        _train(plan, distinct([*planned, *untuned]), device.type, fit)
    except KeyboardInterrupt as stop:
        raise Interrupted(f"stopped; every run's state is saved. To go on:\n  {command}") from stop

    _record(plan.report, describe(plan, prepared, real), planned)
    if sessions:
        ReportRecords(plan.report).write_tuning(compared(sessions[0].aims[0], studies, untuned, planned))
    print(build(plan.report))
    wanted = distinct([*planned, *untuned])
    for run in wanted:
        if not run.folder.finished or run.folder.lacking:
            print(_outcome(run), file=sys.stderr)
    return 0 if all(run.folder.finished and run.folder.settled for run in wanted) else 1


def _train(plan: Plan, planned: Sequence[PlannedRun], device_type: str, fit: int | None) -> None:
    """Bring all runs to their end, and to what else is asked for of them."""
    from experiments.dispatch import Dispatch
    from experiments.engines.choice import build_engine, job_of
    from experiments.progress import LadderProgress

    missing = [run for run in planned if not run.folder.settled]
    engine = build_engine(plan.command.settings, len(missing), device_type, fit, of=len(planned))
    for run in missing:
        if not run.folder.trained:
            run.folder.prepare(run.config, run.arm.label)
    with LadderProgress([run.folder for run in missing], done=len(planned) - len(missing)) as progress:
        Dispatch(engine, partial(job_of, plan.command.settings), progress.show).run([run.folder for run in missing])


def _adopt(plan: Plan, planned: Sequence[PlannedRun]) -> None:
    """Take over what an earlier version has trained of these."""
    from experiments.adoption import adopt

    for line in adopt(plan.runs, [run.folder for run in planned]):
        print(line, file=sys.stderr)


def _outcome(run: PlannedRun) -> str:
    """Why a run has no result, or not all that is asked for."""
    folder, divergence = run.folder, run.folder.divergence()
    if folder.finished and folder.settled:
        return f"incomplete: {run.name} lacks {folder.lacking}, and its trained networks are gone"
    reason = divergence["reason"] if divergence else folder.status().get("reason", "see its log")
    if folder.finished:
        return f"incomplete: {run.name} lacks {folder.lacking}; {reason}\n  {folder.log}"
    return f"{'diverged' if divergence else 'failed'}: {run.name}, {reason}\n  {folder.log}"


def _refuse_read_only(*folders: Path) -> None:
    from experiments.files import check_writable

    for folder in folders:
        check_writable(folder)


def _foresee(plan: Plan, prepared: Prepared, real: RealImages, device: torch.device) -> int | None:
    """Say what the ladder will take. Raises UserError where that is not there, or an arm cannot be trained.

    Returns how many runs fit into this machine's memory beside each other, where that is known.
    """
    from experiments.preflight.ahead import configurations, look_ahead
    from experiments.preflight.foresight import foresee
    from experiments.preflight.rehearsing import estimate

    ahead = look_ahead(plan, prepared)
    if ahead.settled:
        return None
    if not plan.command.settings["preflight"]:
        return estimate(configurations(plan, prepared, ahead), plan.command.settings, device)[1]
    outlook = foresee(plan, prepared, ahead, real, device)
    print(outlook.text(), file=sys.stderr)
    outlook.refuse("ladder", "what fails is left out of the report")
    return outlook.fit


def _record(report: Path, described: dict[str, Any], planned: list[PlannedRun]) -> None:
    """Copy what the report needs beside it: it can then be rebuilt anywhere, from these records alone."""
    from experiments.report_records import ReportRecords

    records = ReportRecords(report)
    failures, divergences = [], []
    for run in planned:
        cell = {"label": run.arm.label, "seed": run.config.seed}
        divergence = run.folder.divergence()
        if divergence:
            divergences.append(cell | divergence)
        elif not run.folder.finished:
            failures.append(cell | {"reason": run.folder.status().get("reason", "unknown"), "log": str(run.folder.log)})
    seeds = sorted({run.config.seed for run in planned})
    records.clear()
    for run in planned:
        if run.folder.finished:
            records.keep(run.arm.label, run.config.seed, run.folder)
    records.write_ladder({**described, "seeds": seeds, "failures": failures, "divergences": divergences})


if __name__ == "__main__":
    run_main(main)
