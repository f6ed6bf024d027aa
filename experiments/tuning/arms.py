"""A ladder with tuned arms: as many trials for each, then the best of each beside the untuned one on fresh seeds."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ablations.rung import Arm, difference, varied
from ablations.search import dimensions, read_space
from core.config import ConfigError, changed
from experiments.evaluation import means
from experiments.plan import Plan, PlannedRun
from experiments.prepare import Prepared
from experiments.tuning.objective import Aim
from experiments.tuning.record import Record
from experiments.tuning.session import Session, join, work
from experiments.tuning.text import said_of


def read_sessions(plan: Plan, prepared: Prepared) -> list[Session]:
    """A study for each arm, as it is asked for. Raises ConfigError with all that is wrong."""
    settings, sessions, problems = plan.command.settings, [], []
    space = read_space(settings["space"], settings["space."])
    command = "python -m experiments.ladder " + plan.command.again
    for arm in plan.arms:
        config = changed(prepared.resolve(arm.config), {"eval.part": "tuning", "seed": 0})
        found = dimensions(space, config, varied(plan.command.ladder))
        name = f"{plan.name}-{arm.label}"
        session = Session.read(name, arm.label, config, found, settings, plan.runs, command, plan.name)
        if len(session.aims) > 1:
            problems.append("tune.objective: the best of two objectives is not one arm; name one for a ladder")
        if set(session.seeds) & set(plan.seeds):
            problems.append(
                f"seed={plan.seeds[0]}: the report's seeds must not be those of tuning, {session.seeds[0]}..."
            )
        sessions.append(session)
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return sessions


def sessions_of(plan: Plan, prepared: Prepared) -> list[Session]:
    """The same, each study made or opened. Raises ConfigError or UserError before anything is tuned."""
    sessions = read_sessions(plan, prepared)
    for session in sessions:
        join(session)
    return sessions


def tune_arms(sessions: Sequence[Session], device_type: str, fit: int | None) -> dict[str, Record]:
    """Bring all studies to their end, one arm after the other; {label: record}."""
    records = {}
    for session in sessions:
        records[session.label] = work(session, device_type, fit)
        print(f"{session.label}: {said_of(records[session.label]['ledger'])}", file=sys.stderr)
    return records


def tuned_plan(plan: Plan, studies: Mapping[str, Record]) -> Plan:
    """The plan with the best settings of each arm; an arm none of whose trials came to its end stays untuned."""
    arms: dict[str, Arm] = {}
    for arm in plan.arms:
        config = changed(arm.config, best_settings(studies[arm.label]))
        before = arms.get(arm.against)
        arms[arm.label] = dataclasses.replace(
            arm, config=config, difference=difference(before.config, config) if before else {}
        )
    return dataclasses.replace(plan, design=dataclasses.replace(plan.design, arms=tuple(arms.values())))


def best_settings(study: Record) -> dict[str, Any]:
    """{dotted path: value} of the best trial; {} without any."""
    return dict(study["trials"][study["best"]]["settings"]) if study["best"] is not None else {}


def compared(
    aim: Aim, studies: Mapping[str, Record], untuned: Sequence[PlannedRun], tuned: Sequence[PlannedRun]
) -> dict[str, Any]:
    """What a report needs beside the tuned arms' own records, as plain data: the studies, and both sides' numbers."""
    seeds = sorted({run.config.seed for run in tuned})
    return {
        "objective": aim.key,
        "direction": "higher" if aim.direction == "maximize" else "lower",
        "studies": dict(studies),
        "seeds": seeds,
        "untuned": _values(aim, untuned, seeds),
        "tuned": _values(aim, tuned, seeds),
    }


def _values(aim: Aim, planned: Sequence[PlannedRun], seeds: Sequence[int]) -> dict[str, list[float | None]]:
    """{label: value at each seed}, None where a run has no result."""
    found: dict[str, dict[int, float | None]] = {}
    for run in planned:
        rows = means(run.folder.result().rows) if run.folder.finished else {}
        found.setdefault(run.arm.label, {})[run.config.seed] = rows.get(aim.key)
    return {label: [values.get(seed) for seed in seeds] for label, values in found.items()}
