"""Does this ladder go the paper's way? Steps from rung to rung, ours beside the published ones: signs, not tests."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from experiments.reporting.labels import PUBLISHED, metric
from experiments.reporting.summary import Column, Line, Table


@dataclass(frozen=True)
class Step:
    """From one rung to the next one that has both numbers."""

    before: str
    after: str
    ours: tuple[float, float]
    published: tuple[float, float]
    agreeing: tuple[int, int]  # seeds in which it goes the published way, of seeds that have both rungs

    @property
    def same(self) -> bool:
        """Whether the means go the published way."""
        return _way(self.ours) == _way(self.published)


@dataclass(frozen=True)
class Agreement:
    """One published number and what was measured here in its place."""

    published: str  # its name
    column: Column
    ours: tuple[str, ...]  # labels, best first
    theirs: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def same(self) -> int:
        """How many steps go the published way."""
        return sum(step.same for step in self.steps)


def agreements(table: Table) -> list[Agreement]:
    """One for each published number that something here stands beside, with at least one step."""
    found = []
    for name, role in PUBLISHED.items():
        # At one output per source, which every rung has, so that all distances are of equally many samples.
        column = table.column(role)
        if column is None:
            continue
        lines = [line for line in table.arms if _has_both(line, column, name)]
        if len(lines) > 1:
            steps = tuple(_step(column, name, before, after) for before, after in pairwise(lines))
            ours = {line.label: line.cells[column].mean for line in lines}
            theirs = {line.label: float(line.published[name] or 0) for line in lines}
            found.append(Agreement(name, column, _order(ours, column), _order(theirs, column), steps))
    return found


def _step(column: Column, name: str, before: Line, after: Line) -> Step:
    published = (float(before.published[name] or 0), float(after.published[name] or 0))
    first, second = before.cells[column].by_seed, after.cells[column].by_seed
    seeds = sorted(set(first) & set(second))
    agreeing = sum(_way((first[seed], second[seed])) == _way(published) for seed in seeds)
    ours = (before.cells[column].mean, after.cells[column].mean)
    return Step(before.label, after.label, ours, published, (agreeing, len(seeds)))


def _has_both(line: Line, column: Column, name: str) -> bool:
    measured = column in line.cells and math.isfinite(line.cells[column].mean)
    return measured and line.published.get(name) is not None


def _order(values: Mapping[str, float], column: Column) -> tuple[str, ...]:
    sign = 1 if column.direction == "lower" else -1
    return tuple(sorted(values, key=lambda label: sign * values[label]))


def _way(pair: tuple[float, float]) -> int:
    return (pair[1] > pair[0]) - (pair[1] < pair[0])


def name_of(agreement: Agreement) -> tuple[str, str]:
    """(what is measured here, the published number)."""
    return agreement.column.shown.label, metric(agreement.published).label
