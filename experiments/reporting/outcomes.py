"""What became of the planned runs that have no result: they diverged, failed, or are not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.report_records import RunRecord


@dataclass(frozen=True)
class Hole:
    """A run that should be in the report and is not."""

    label: str
    seed: int | None  # None where no run of the ladder says which seeds were planned
    reason: str = ""  # why it failed, if it did
    log: str = ""

    def __str__(self) -> str:
        run = self.label if self.seed is None else f"{self.label}, seed {self.seed}"
        return f"{run} failed: {self.reason}" if self.reason else f"{run} has no record"

    @property
    def with_log(self) -> str:
        """The same, with where its log lies on the machine that trained it."""
        return f"{self} (log: {self.log})" if self.log else str(self)


def missing_runs(ladder: Mapping[str, Any], runs: Sequence[RunRecord]) -> list[Hole]:
    """Each arm at each planned seed that has neither a result nor diverged."""
    failed = {_cell(failure): failure for failure in ladder.get("failures", ())}
    ended = {(run.label, run.result.seed) for run in runs} | {_cell(one) for one in _diverged(ladder)}
    seeds = planned_seeds(ladder, runs)
    if not seeds:
        return [Hole(arm["label"], None) for arm in ladder["arms"]]
    holes = []
    for cell in [(arm["label"], seed) for arm in ladder["arms"] for seed in seeds]:
        if cell not in ended:
            failure = failed.get(cell, {})
            reason = " ".join(failure.get("reason", "").split())
            holes.append(Hole(*cell, reason, failure.get("log", "")))
    return holes


def divergences(ladder: Mapping[str, Any]) -> list[str]:
    """A line for each run whose losses or weights became infinite."""
    return [f"{one['label']}, seed {one['seed']}: {' '.join(one['reason'].split())}" for one in _diverged(ladder)]


def divergence_counts(ladder: Mapping[str, Any]) -> dict[str, int]:
    """{arm: how many of its runs diverged}."""
    labels = [one["label"] for one in _diverged(ladder)]
    return {label: labels.count(label) for label in labels}


def planned_seeds(ladder: Mapping[str, Any], runs: Sequence[RunRecord]) -> list[int]:
    """The seeds of the ladder; of an older record, which does not name them, those that any run has."""
    seen = {run.result.seed for run in runs} | {cell["seed"] for cell in ladder.get("failures", ())}
    return sorted(seen | {one["seed"] for one in _diverged(ladder)} | set(ladder.get("seeds", ())))


def _diverged(ladder: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return ladder.get("divergences", ())


def _cell(entry: Mapping[str, Any]) -> tuple[str, int]:
    return entry["label"], entry["seed"]
