"""What the runs of a report show, and how surely: records in, numbers out. Pages, tables and figures write it down.

Every guide's first table counts, so protocols are never mixed. Random draws come from a fixed seed: equal records give
equal numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from core.errors import UserError
from experiments.attribution import Attribution, Contribution, attribute, main_effects, steps
from experiments.reporting.design_record import DesignRecord, design_of
from experiments.reporting.labels import PUBLISHED
from experiments.reporting.summary import Column, Table
from experiments.robust import Direction, interquartile_difference, interquartile_interval, probability_of_improvement
from experiments.sample_size import SeedsNeeded, seeds_needed
from experiments.statistics import LEVEL, Contrast, Interval, Spread, arm_intervals, contrasts, spread
from experiments.verdict import Verdict, verdict

__all__ = ["Evidence", "Finding", "Measured", "PaperVerdict", "Repeats", "design_of", "finding", "gather"]

SEED = 20_191_204  # of the random draws: any would do
POOLED = ("distance", "kernel", "diversity", "recognised")  # roles whose domain pairs are looked at one by one

OWN = -1  # in the place of an evaluation seed: the configuration's own, of the result itself

Finding = Literal["better", "worse", "not resolved"]
Pair = tuple[str, str]  # labels: before, after
# {(label, training seed): one {"eval_seed": 1, "METRIC/GUIDE/OUTPUTS": mean over domain pairs} a further evaluation}.
Repeats = Mapping[tuple[str, int], Sequence[Mapping[str, float]]]


@dataclass(frozen=True)
class Measured:
    """One number, in every arm at every seed."""

    guide: str  # latent or reference
    column: Column
    protocol: str
    table: pd.DataFrame  # index: seeds; columns: labels in the design's order; mean over domain pairs; NaN: no value
    intervals: Mapping[str, Interval]  # of every arm, over seeds
    contrasts: tuple[Contrast, ...]  # the design's comparisons of arms that have a value, corrected for all of them
    pooled: Mapping[str, Interval]  # interquartile means over seeds and domain pairs; only of the roles in POOLED
    moved: Mapping[Pair, Interval]  # how much these change in the design's comparisons
    improvement: Mapping[Pair, Interval]  # how probably a run of the second arm is better than one of the first
    needed: Mapping[Pair, SeedsNeeded]  # to resolve a difference as large as the one seen
    spreads: Mapping[str, Spread]  # of arms whose runs were measured again with other evaluation seeds
    ladder: Attribution | None  # the rungs' steps, in the ladder's order alone; None with fewer than two rungs
    shapley: Attribution | None  # of design=factorial
    effects: tuple[Contribution, ...]  # main effects, of design=half

    @property
    def seeds(self) -> int:
        """At most, of any arm."""
        return int(self.table.notna().sum().max()) if len(self.table) else 0


@dataclass(frozen=True)
class PaperVerdict:
    """What the ladder says of one published metric."""

    published: str  # its name
    numbers: Mapping[str, float]  # as published, of the rungs that have one
    measured: Measured  # what stands in its place here
    verdict: Verdict


@dataclass(frozen=True)
class Evidence:
    """All of it."""

    design: DesignRecord
    measured: tuple[Measured, ...]  # every column of every guide's first table
    verdicts: tuple[PaperVerdict, ...]

    @property
    def primary(self) -> Measured | None:
        """What a page leads with: the distance at one output, guided by latents."""
        return self._latent("distance")

    @property
    def main(self) -> tuple[Measured, ...]:
        """What stands in the place of the published numbers: the distance at one output, and the diversity."""
        return tuple(one for role in PUBLISHED.values() if (one := self._latent(role)))

    @property
    def recognised(self) -> tuple[Measured, ...]:
        """The share that the judge recognises, guided by latents: one, or none."""
        found = self._latent("recognised")
        return (found,) if found else ()

    def _latent(self, role: str) -> Measured | None:
        return next((one for one in self.measured if one.guide == "latent" and one.column.role == role), None)


def finding(contrast: Contrast, column: Column) -> Finding:
    """What a contrast says of its second arm. One that is resolved has an interval without zero."""
    if not contrast.resolved:
        return "not resolved"
    return "better" if (contrast.difference.mean > 0) == (column.direction == "higher") else "worse"


def gather(
    ladder: Mapping[str, Any], results: pd.DataFrame, tables: Sequence[Table], repeats: Repeats | None = None
) -> Evidence:
    """Everything that the records show. results: see `summary.results_frame`; tables: see `summary.ladder_tables`."""
    design = design_of(ladder)
    generator = np.random.default_rng(SEED)
    first = {table.guide: table for table in reversed(tables)}
    measured = tuple(
        _measured(design, table, column, results, repeats or {}, generator)
        for table in tables
        if table is first[table.guide]
        for column in table.columns
    )
    return Evidence(design, measured, tuple(_verdicts(ladder, design, measured, generator)))


def _measured(
    design: DesignRecord,
    table: Table,
    column: Column,
    results: pd.DataFrame,
    repeats: Repeats,
    generator: np.random.Generator,
) -> Measured:
    values = _values(design, table, column)
    known = [label for label in values if values[label].notna().any()]
    pairs = [(one.before, one.after) for one in design.comparisons if one.before in known and one.after in known]
    found = contrasts(values, pairs, generator)
    level = 1 - (1 - LEVEL) / max(1, len(pairs))  # enough for Holm's correction
    direction: Direction = "higher" if column.direction == "higher" else "lower"
    runs = _domain_pairs(design, table, column, results) if column.role in POOLED else {}
    return Measured(
        guide=table.guide,
        column=column,
        protocol=table.protocols[column.metric],
        table=values,
        intervals=arm_intervals(values),
        contrasts=tuple(found),
        pooled={label: interquartile_interval(own.to_numpy(float), generator) for label, own in runs.items()},
        moved={
            (before, after): interquartile_difference(*_at_shared_seeds(runs[before], runs[after]), generator)
            for before, after in pairs
            if before in runs and after in runs
        },
        improvement={
            (before, after): probability_of_improvement(
                values[before].to_numpy(float), values[after].to_numpy(float), direction
            )
            for before, after in pairs
        },
        needed={
            (one.before, one.after): seeds_needed(
                (values[one.after] - values[one.before]).to_numpy(float), abs(one.difference.mean), level=level
            )
            for one in found
        },
        spreads=dict(_spreads(table.guide, column, values, repeats)),
        ladder=_ladder(design, values[known]),
        shapley=_shapley(design, values) if design.name == "factorial" else None,
        effects=main_effects(list(design.changes), design.members, values) if design.name == "half" else (),
    )


def _values(design: DesignRecord, table: Table, column: Column) -> pd.DataFrame:
    """Seeds x arms. A value that is not finite is none."""
    cells = {line.label: line.cells[column].by_seed for line in table.arms if column in line.cells}
    seeds = sorted({seed for by_seed in cells.values() for seed in by_seed})
    frame = pd.DataFrame(
        {label: [cells.get(label, {}).get(seed, np.nan) for seed in seeds] for label in design.arms},
        index=pd.Index(seeds, name="seed", dtype=int),
        dtype=float,
    )
    return frame.where(np.isfinite(frame))


def _domain_pairs(design: DesignRecord, table: Table, column: Column, results: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """{label: seeds x domain pairs} of the arms that have this number; NaN: no value."""
    rows = results[
        (results["guide"] == table.guide)
        & (results["metric"] == column.metric)
        & (results["outputs"] == column.outputs)
        & (results["protocol"] == table.protocols[column.metric])
    ]
    values = rows["value"].astype(float)
    rows = rows.assign(value=values.where(np.isfinite(values)))
    grouped = dict(iter(rows.groupby("arm", sort=False)))
    return {
        label: grouped[label].pivot(index="seed", columns=["source", "target"], values="value")
        for label in design.arms
        if label in grouped
    }


def _at_shared_seeds(before: pd.DataFrame, after: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Both (seeds, domain pairs), for the seeds and the pairs that both have."""
    before, after = before.align(after, join="inner")
    return before.to_numpy(float), after.to_numpy(float)


def _spreads(guide: str, column: Column, values: pd.DataFrame, repeats: Repeats) -> Iterator[tuple[str, Spread]]:
    """(label, spreads) of every arm with runs that were measured again."""
    key = f"{column.metric}/{guide}/{column.outputs}"
    for label in values:
        own = {
            seed: {
                OWN: _rounded(values.at[seed, label]),
                **{int(one["eval_seed"]): _rounded(one[key]) for one in again if key in one},
            }
            for seed in values.index
            if (again := repeats.get((str(label), seed), ())) and np.isfinite(values.at[seed, label])
        }
        if any(len(measured) > 1 for measured in own.values()):
            yield str(label), spread(pd.DataFrame(own))


def _rounded(value: float) -> float:
    """To 12 digits: means that were added up in another order are one value."""
    return float(f"{value:.12g}")


def _ladder(design: DesignRecord, values: pd.DataFrame) -> Attribution | None:
    rungs = [label for label in design.rungs if label in values]
    return steps(values[rungs]) if len(rungs) > 1 else None


def _shapley(design: DesignRecord, values: pd.DataFrame) -> Attribution | None:
    try:
        return attribute(list(design.changes), design.members, values)
    except UserError:  # arms without a value leave no order from none to all of the sub-changes
        return None


def _verdicts(
    ladder: Mapping[str, Any], design: DesignRecord, measured: Sequence[Measured], generator: np.random.Generator
) -> Iterator[PaperVerdict]:
    arms = {arm["label"]: arm for arm in ladder["arms"]}
    for name, role in PUBLISHED.items():
        published = {label: arms[label]["published"].get(name) for label in design.rungs}
        ours = next((one for one in measured if one.guide == "latent" and one.column.role == role), None)
        numbers = {label: float(value) for label, value in published.items() if value is not None}
        if ours is not None and numbers:
            yield PaperVerdict(name, numbers, ours, verdict(ours.table, published, generator))
