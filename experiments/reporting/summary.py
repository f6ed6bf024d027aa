"""Records -> pandas frames -> the ladder's tables: one line a rung, one cell a metric and what it was measured with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from experiments.report_records import RunRecord
from experiments.reporting.labels import Metric, Role, metric, variant_of
from experiments.reporting.outcomes import divergence_counts
from experiments.statistics import Interval, t_interval

COLUMNS = [
    "arm",
    "seed",
    "metric",
    "guide",
    "outputs",
    "source",
    "target",
    "value",
    "direction",
    "samples",
    "reference_samples",
    "protocol",
]
REFERENCES = {"real": "Real images", "source": "Untouched source images"}
GUIDES = ("latent", "reference")


@dataclass(frozen=True)
class Column:
    """What a table's column measures."""

    metric: str
    outputs: int  # per source image
    direction: str
    variant: str = ""  # of the protocol, see `variant_of`

    @property
    def shown(self) -> Metric:
        """What it is called."""
        return metric(self.metric, self.variant)

    @property
    def role(self) -> Role:
        """What kind of number it is."""
        return metric(self.metric).role


@dataclass(frozen=True)
class Cell:
    """One metric of one arm: a value a run, each averaged over domain pairs."""

    by_seed: Mapping[int, float]
    pairs: tuple[int, int]  # domain pairs that have this number: least and most of a run
    samples: tuple[int, int]  # images measured for one pair: least and most
    reference_samples: tuple[int, int]  # real images they were compared with

    @property
    def values(self) -> tuple[float, ...]:
        """One a run."""
        return tuple(self.by_seed.values())

    @property
    def mean(self) -> float:
        """Over runs."""
        return sum(self.values) / len(self.values)

    @property
    def interval(self) -> Interval:
        """Student's, over runs; none where a value is not finite."""
        values = np.array(self.values)
        return t_interval(values) if np.isfinite(values).all() else t_interval(np.array([self.mean]))


@dataclass(frozen=True)
class Line:
    """One arm, or the real images."""

    label: str
    title: str
    runs: int
    cells: Mapping[Column, Cell]
    published: Mapping[str, float | None] = field(default_factory=dict)
    diverged: int = 0  # of its runs
    ended: int = 0  # runs that diverged or have a result, in whichever table

    @property
    def divergence(self) -> str:
        """How many of its runs diverged, of those that ended: `1/3`. Of real images, nothing."""
        return f"{self.diverged}/{self.ended}" if self.ended else ""


@dataclass(frozen=True)
class Table:
    """Arms under one guide, all measured with one protocol a metric."""

    guide: str
    columns: tuple[Column, ...]
    arms: tuple[Line, ...]
    references: tuple[Line, ...]  # real images and untouched sources
    protocols: Mapping[str, str]  # of each metric

    @property
    def diverges(self) -> bool:
        """Whether any run did."""
        return any(line.diverged for line in self.arms)

    def divided(self, labels: Collection[str]) -> tuple[Table, Table]:
        """The arms of these labels with the real images, and the other arms alone."""
        chosen = tuple(line for line in self.arms if line.label in labels)
        others = tuple(line for line in self.arms if line.label not in labels)
        return replace(self, arms=chosen), replace(self, arms=others, references=())

    def column(self, role: str, *, many: bool = False) -> Column | None:
        """The first column of a role, at one output per source, or else the last one: at many."""
        found = [column for column in self.columns if column.role == role]
        return None if not found else found[-1] if many else found[0]

    def reference(self, label: str) -> Line | None:
        """`real` or `source`."""
        return next((line for line in self.references if line.label == label), None)


def results_frame(runs: Sequence[RunRecord]) -> pd.DataFrame:
    """One row per arm, seed, metric, guide, outputs per source and domain pair, as recorded."""
    rows = [{"arm": run.label, "seed": run.result.seed, **row} for run in runs for row in run.result.rows]
    return pd.DataFrame(rows, columns=COLUMNS)


def references_frame(ladder: Mapping[str, Any]) -> pd.DataFrame:
    """Likewise of real images (arm `real`) and of untouched source images (`source`)."""
    rows = [
        {"arm": name, "seed": 0, **row} for name in REFERENCES for row in ladder.get("references", {}).get(name, ())
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def means_frame(results: pd.DataFrame) -> pd.DataFrame:
    """One row per arm, seed, metric, guide, outputs and protocol: the mean over domain pairs, NaN where one is."""
    if results.empty:
        return pd.DataFrame(columns=[*_KEYS, *_AGGREGATES, "finite"])
    grouped = results.assign(value=results["value"].astype(float)).groupby(_KEYS, sort=False, observed=True)
    means = grouped.agg(**_AGGREGATES, finite=("value", "count")).reset_index()
    means["value"] = means["value"].where(means["finite"] == means["pairs"])
    return means


_KEYS = ["arm", "seed", "metric", "guide", "outputs", "protocol"]
_AGGREGATES = {
    "value": ("value", "mean"),
    "pairs": ("value", "size"),
    "direction": ("direction", "first"),
    "samples_least": ("samples", "min"),
    "samples_most": ("samples", "max"),
    "references_least": ("reference_samples", "min"),
    "references_most": ("reference_samples", "max"),
}


def ladder_tables(ladder: Mapping[str, Any], results: pd.DataFrame, references: pd.DataFrame) -> list[Table]:
    """A table a guide; several a guide where a metric was measured with several protocols, which no table may mix.

    Where every run diverged, there is one table without metrics.
    """
    means, real = means_frame(results), means_frame(references)
    everyone = {arm["label"] for arm in ladder["arms"]}
    diverged = divergence_counts(ladder)
    tables = []
    for number, group in enumerate(_protocol_groups(means)):
        protocols = {name: protocol for rows in group.values() for name, protocol in _protocols(rows).items()}
        chosen = pd.concat(group.values())
        fitting = real[real["protocol"] == real["metric"].map(protocols)] if len(real) else real
        for guide in GUIDES:
            rows = chosen[chosen["guide"] == guide]
            if len(rows):
                # Arms without a finished run are named once: in the first table.
                labels = everyone if number == 0 and guide == "latent" else set(rows["arm"])
                tables.append(_table(ladder, guide, labels, rows, fitting, protocols))
    if diverged and not tables:
        tables.append(_table(ladder, "latent", everyone, means, real, {}))
    return [_with_divergences(table, diverged, results) for table in tables] if diverged else tables


def _with_divergences(table: Table, diverged: Mapping[str, int], results: pd.DataFrame) -> Table:
    finished = results.groupby("arm")["seed"].nunique()
    lines = [
        replace(line, diverged=count, ended=count + int(finished.get(line.label, 0)))
        for line in table.arms
        for count in [diverged.get(line.label, 0)]
    ]
    return replace(table, arms=tuple(lines))


def _table(
    ladder: Mapping[str, Any],
    guide: str,
    labels: set[str],
    rows: pd.DataFrame,
    real: pd.DataFrame,
    protocols: Mapping[str, str],
) -> Table:
    columns = _columns(rows)
    arms = [arm for arm in ladder["arms"] if arm["label"] in labels]
    lines = [
        _line(rows, columns, arm["label"], arm["title"], arm["published"] if guide == "latent" else {}) for arm in arms
    ]
    fixed = [_line(real, columns, name, title, {}) for name, title in REFERENCES.items()]
    return Table(guide, columns, tuple(lines), tuple(line for line in fixed if line.cells), protocols)


def _columns(rows: pd.DataFrame) -> tuple[Column, ...]:
    """What is shown: the distance at one and at many outputs, the spreads at many, all else at one for comparison."""
    found = rows.drop_duplicates(["metric", "outputs"]).sort_values("outputs", kind="stable")
    order: tuple[Role, ...] = ("distance", "kernel", "diversity", "recognised", "content", "spread", "other")
    columns: list[Column] = []
    for role in order:
        for name in dict.fromkeys(name for name in rows["metric"] if metric(name).role == role):
            of_name = [
                Column(row.metric, int(row.outputs), row.direction, variant_of(row.protocol))
                for row in found[found["metric"] == name].itertuples()
            ]
            columns += of_name if role == "distance" else of_name[:1]
    return tuple(columns)


def _line(
    rows: pd.DataFrame,
    columns: Iterable[Column],
    label: str,
    title: str,
    published: Mapping[str, float | None],
) -> Line:
    own = rows[rows["arm"] == label]
    cells = {}
    for column in columns:
        found = own[(own["metric"] == column.metric) & (own["outputs"] == column.outputs)].sort_values("seed")
        if len(found):
            cells[column] = Cell(
                {int(seed): float(value) for seed, value in zip(found["seed"], found["value"], strict=True)},
                (int(found["pairs"].min()), int(found["pairs"].max())),
                (int(found["samples_least"].min()), int(found["samples_most"].max())),
                (int(found["references_least"].min()), int(found["references_most"].max())),
            )
    return Line(label, title, own["seed"].nunique(), cells, published)


def _protocol_groups(means: pd.DataFrame) -> list[dict[tuple[str, int], pd.DataFrame]]:
    """Runs that agree on every metric's protocol, together: {(arm, seed): rows}; the first run's group first."""
    groups: list[tuple[dict[str, str], dict[tuple[str, int], pd.DataFrame]]] = []
    for key, rows in means.groupby(["arm", "seed"], sort=False):
        protocols = _protocols(rows)
        for known, members in groups:
            if all(known.get(name, protocol) == protocol for name, protocol in protocols.items()):
                known.update(protocols)
                members[key] = rows
                break
        else:
            groups.append((dict(protocols), {key: rows}))
    return [members for _, members in groups]


def _protocols(rows: pd.DataFrame) -> dict[str, str]:
    return dict(zip(rows["metric"], rows["protocol"], strict=True))
