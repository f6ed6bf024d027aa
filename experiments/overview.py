"""What a ladder consists of, for people: its arms, what each changes, what is done already, and what cannot run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ablations.designs import DESIGNS
from ablations.rung import Arm
from experiments.plan import Plan, PlannedRun
from experiments.reporting.labels import plural


def overview(plan: Plan, planned: Sequence[PlannedRun]) -> str:
    """All of it. planned: every arm at every seed."""
    design, ladder = plan.design, plan.command.ladder
    done = sum(run.folder.trained for run in planned)
    lines = [
        f"{ladder.name} ladder, scale {plan.command.preset.name}, design {design.name}: {DESIGNS[design.name]}",
        f"{plural(len(plan.arms), 'arm')}, {plural(len(plan.seeds), 'seed')} each: "
        f"{plural(len(planned), 'run')}, of which {done} are done already",
        *_tuning(plan, len(planned)),
        "",
    ]
    for arm in plan.arms:
        lines += _arm(plan, arm, [run for run in planned if run.arm.label == arm.label])
    if design.comparisons:
        pairs = ", ".join(f"{one.before} and {one.after}" for one in design.comparisons)
        lines += ["", f"compared: {pairs}"]
    if design.fraction:
        word = " ".join(design.fraction.word)
        lines += ["", f"half of the combinations, of resolution {design.fraction.resolution}; its word is {word}"]
    if design.invalid:
        lines += ["", "cannot run:"]
        lines += [f"  {one.name}: {'; '.join(one.rules)}" for one in design.invalid]
    return "\n".join(lines)


def _tuning(plan: Plan, runs: int) -> Iterator[str]:
    settings = plan.command.settings
    if settings["tuned"]:
        each = f" of {settings['tune.seeds']} runs" if settings["tune.seeds"] > 1 else ""
        yield (
            f"these are untuned; first {plural(settings['trials'], 'trial')}{each} for each arm, and in the end "
            f"{plural(runs, 'run')} more with the best settings"
        )


def _arm(plan: Plan, arm: Arm, runs: Sequence[PlannedRun]) -> Iterator[str]:
    done = sum(run.folder.trained for run in runs)
    width = max(len(other.label) for other in plan.arms)
    against = f", against {arm.against}" if arm.against else ""
    yield f"{arm.label:<{width}}  {arm.title}{against} ({done} of {len(runs)} done)"
    names = plan.design.also.get(arm.label, ())
    if names:
        yield f"{'':<{width}}    the same as {', '.join(names)}"
    for path, (before, after) in arm.difference.items():
        yield f"{'':<{width}}    {path}: {_value(before)} -> {_value(after)}"


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
