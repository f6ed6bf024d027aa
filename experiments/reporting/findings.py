"""The sections of a report that say what the runs show and how surely: finished text for its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.report_records import RunRecord
from experiments.reporting import attributions, contrasts, verdicts
from experiments.reporting.conditions import conditions
from experiments.reporting.evidence import Evidence, Measured, PaperVerdict
from experiments.reporting.labels import arrow, markdown_code, markdown_text, plural
from experiments.reporting.measured import spreads_table
from experiments.reporting.outcomes import divergences


def findings(ladder: Mapping[str, Any], runs: Sequence[RunRecord], evidence: Evidence) -> dict[str, Any]:
    """Everything that the template says of the evidence. An empty entry: there is nothing to say."""
    design = evidence.design
    return {
        "verdicts": [verdicts.paragraph(found) for found in evidence.verdicts],
        "rule": verdicts.RULE,
        "conditions": conditions(ladder, runs, evidence),
        "steps": contrasts.overview(evidence, design.steps),
        "left_out": contrasts.overview(evidence, design.left_out),
        "added": contrasts.overview(evidence, design.added),
        "ends": {"first": markdown_text(design.rungs[0]), "last": markdown_text(design.rungs[-1])}
        if design.rungs
        else {},
        "certainty": _certainty(ladder, evidence),
        "tested": [part for measured in evidence.main if (part := _tested(measured))],
        "seeds": _seeds(ladder, evidence),
        "shares": attributions.shares_table(evidence),
        "shares_words": attributions.shares_words(evidence),
        "interactions": attributions.interactions_table(evidence),
        "effects": attributions.effects_table(evidence),
        "effects_words": attributions.effects_words(design),
        "invalid": attributions.invalid_combinations(design),
        "also": [
            f"{markdown_text(label)} is also {markdown_text(', '.join(names))}" for label, names in design.also.items()
        ],
        "details": [part for found in evidence.verdicts if (part := _details(found))],
        "spreads": spreads_table(evidence.main),
    }


def _certainty(ladder: Mapping[str, Any], evidence: Evidence) -> str:
    """What the differences are, and how far so many seeds can be trusted."""
    most = max((contrast.difference.n for one in evidence.measured for contrast in one.contrasts), default=0)
    words = "Each number is the second arm less the first at the same seed, which shares images and latents. "
    if most < 1:
        return "No two arms that are compared have a seed in common yet."
    if divergences(ladder):
        words += "A run that diverged has none, so where an arm diverged, only its other seeds count. "
    if most == 1:
        return words + (
            "**One seed: a difference has no interval, and none can be called better or worse.** Another seed may turn"
            " its sign."
        )
    words += (
        f"Below it, the 95 % t interval over {plural(most, 'seed')} at most. *Better* and *worse* are said where the"
        " paired t test refutes zero at 5 % after Holm's correction for all comparisons of this number; all else is"
        f" *not resolved* at {plural(most, 'seed')}, which is not the same as no difference. An interval is of its own"
        " comparison alone, so it can leave out zero where the correction says: not resolved."
    )
    if most <= 3:
        words += (
            f" **{most} seeds are few**: the t interval trusts that differences scatter normally, which {most} cannot"
            f" show, and the exact test of signs, which does not, cannot fall below p = {2 / 2**most:g}."
        )
    return words


def _tested(measured: Measured) -> dict[str, str] | None:
    table = contrasts.in_full(measured)
    return {"name": _name(measured), "table": table, "caution": contrasts.caution(measured)} if table else None


def _details(found: PaperVerdict) -> dict[str, str] | None:
    table = verdicts.details(found)
    name = f"{_name(found.measured)} beside {verdicts.name_of(found)}"
    return {"name": name, "table": table, "taus": verdicts.taus_by_seed(found)} if table else None


def _seeds(ladder: Mapping[str, Any], evidence: Evidence) -> str:
    """How many seeds would settle what is open, and the command for them."""
    primary = evidence.primary
    if primary is None:
        return ""
    if primary.seeds < 2:
        command = markdown_code(contrasts.command_for(ladder, 3))
        return f"{command} trains only the runs that are missing, and gives every difference its first interval."
    open_ = [one for one in primary.contrasts if not one.resolved]
    wanted = [(primary.needed[one.before, one.after].total, f"{one.before} → {one.after}") for one in open_]
    known = sorted((total, pair) for total, pair in wanted if total and total > primary.seeds)
    if not known:
        return ""
    total, pair = known[0]
    return (
        f"The open difference that needs the fewest seeds is {markdown_text(pair)}: if it is as large as it looks,"
        f" {total:,} seeds find it with 80 % power. {markdown_code(contrasts.command_for(ladder, total))} trains only"
        " the runs that are missing."
    )


def _name(measured: Measured) -> str:
    column = measured.column
    return f"{column.shown.label} at {plural(column.outputs, 'output')} {arrow(column.direction)}"
