"""What a report says of the whole ladder: its arms, its design, its data and its protocol, as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ablations.designs import DESIGNS, Design
from ablations.fractions import Fraction
from ablations.rung import Arm, Change, Ladder
from core.metrics.real import RealImages
from experiments.plan import Plan
from experiments.prepare import Prepared, judge_report, reference_rows


def describe(plan: Plan, prepared: Prepared, real: RealImages) -> dict[str, Any]:
    """The record of a ladder, but for what became of its runs."""
    config = prepared.resolve(plan.recipe)
    data, ladder = prepared.data, plan.command.ladder
    return {
        "name": plan.name,
        "ladder": ladder.name,
        "title": ladder.title,
        "source": ladder.source,
        "scale": plan.command.preset.name,
        "command": "python -m experiments.ladder " + plan.command.again,
        "arms": [arm_record(arm, ladder) for arm in plan.arms],
        "design": design_record(plan.design, ladder),
        "data": {
            "name": Path(config.data.root).name if config.data.root else "critters",
            "domains": list(data.domains),
            "train": list(data.train.sizes),
            "val": list(real.data.val.sizes),
            "resolution": config.model.resolution,
            "fingerprint": data.fingerprint,
        },
        "notes": list(prepared.notes),
        "protocol": real.suite.protocol,
        "judge": judge_report(real.judge),
        "references": reference_rows(config, real, plan.runs / "cache"),
    }


def arm_record(arm: Arm, ladder: Ladder) -> dict[str, Any]:
    """One arm: what it is against another one, and what was published of it if it is a rung."""
    rung = next((rung for rung in ladder.rungs if rung.letter == arm.label), None)
    return {
        "label": arm.label,
        "title": arm.title,
        "rung": rung is not None,
        "against": arm.against,
        "changes": [change.title for change in arm.changes],
        "reading": rung.reading if rung else "",
        "published": dict(rung.published) if rung else {},
        "difference": {path: list(pair) for path, pair in arm.difference.items()},
    }


def design_record(design: Design, ladder: Ladder) -> dict[str, Any]:
    """Which arms the design asks for under which names, which cannot run, and what is compared."""
    titles = {change.name: change.title for change in _changes(ladder)}
    return {
        "name": design.name,
        "title": DESIGNS[design.name],
        "names": list(design.names),  # their order, which a written mapping does not keep
        "changes": {name: titles[name] for name in design.names},
        "also": {label: list(names) for label, names in design.also.items()},
        "invalid": [{"name": one.name, "rules": list(one.rules)} for one in design.invalid],
        "comparisons": [
            {"before": one.before, "after": one.after, "changes": list(one.changes)} for one in design.comparisons
        ],
        "members": [
            [[name for name in design.names if name in combination], label]
            for combination, label in design.members.items()
        ],
        "fraction": _fraction_record(design.fraction) if design.fraction else None,
    }


def _fraction_record(fraction: Fraction) -> dict[str, Any]:
    return {
        "word": list(fraction.word),
        "resolution": fraction.resolution,
        "aliases": [[list(effect), list(added)] for effect, added in fraction.aliases.items()],
        "lost": [list(effect) for effect in fraction.lost],
    }


def _changes(ladder: Ladder) -> list[Change]:
    return [change for rung in ladder.rungs for change in rung.changes]
