"""Two reports beside each other: what both measured, in the arms that both have, where the protocols are the same.

Numbers of two protocols are never put beside each other; the order that each puts its arms in still is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import UserError
from experiments.reporting.evidence import Finding
from experiments.reporting.labels import listed, span
from experiments.reporting.sides import Key, Numbers, Setting, Side, differing_settings
from experiments.reporting.summary import Cell, Column
from experiments.statistics import LEVEL, Interval, holm, t_interval, t_test_p, welch
from experiments.verdict import kendall_tau_b


@dataclass(frozen=True)
class Pairing:
    """An arm in both reports."""

    label: str
    ours: Interval
    theirs: Interval
    difference: Interval  # ours - theirs
    paired: bool  # by seed; else of unpaired runs
    p: float  # of its being zero, corrected for all arms of this number
    finding: Finding  # of ours


@dataclass(frozen=True)
class Ranking:
    """The order of the shared arms in both reports, best first."""

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    tau: float  # Kendall's tau-b of the means


@dataclass(frozen=True)
class Compared:
    """One number in both reports."""

    guide: str
    column: Column
    protocols: tuple[str, str]  # equal where numbers are compared
    refused: str  # why the numbers are not compared; empty where they are
    pairings: tuple[Pairing, ...]
    ranking: Ranking | None  # None with one arm


@dataclass(frozen=True)
class Comparison:
    """All of it."""

    ours: Side
    theirs: Side
    shared: tuple[str, ...]
    compared: tuple[Compared, ...]
    settings: tuple[Setting, ...]
    same_images: bool

    @property
    def only(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The arms that only one of the two has."""
        ours, theirs = self.ours.labels, self.theirs.labels
        return tuple(one for one in ours if one not in theirs), tuple(one for one in theirs if one not in ours)


def compare(ours: Side, theirs: Side) -> Comparison:
    """Everything that two reports share. Raises UserError where that is nothing."""
    shared = tuple(label for label in ours.labels if label in theirs.labels)
    if not shared:
        raise UserError(
            f"{ours.name} and {theirs.name} share no arm: {ours.name} has {listed(list(ours.labels))}, "
            f"{theirs.name} has {listed(list(theirs.labels))}"
        )
    same_images = ours.ladder["data"]["fingerprint"] == theirs.ladder["data"]["fingerprint"]
    first, second = ours.measured(), theirs.measured()
    compared = [
        one
        for key in first
        if key in second and (one := _compared(key, first[key], second[key], (ours.name, theirs.name), same_images))
    ]
    if not any(one.ranking or not one.refused for one in compared):
        reasons = list(dict.fromkeys(one.refused for one in compared if one.refused))
        why = "; ".join(reasons) or "no number was measured in both, guided alike, in an arm that both have"
        raise UserError(f"{ours.name} and {theirs.name} cannot be compared: {why}")
    return Comparison(ours, theirs, shared, tuple(compared), differing_settings(ours, theirs, shared), same_images)


def _compared(
    key: Key,
    first: Numbers,
    second: Numbers,
    names: tuple[str, str],
    same_images: bool,
) -> Compared | None:
    """One number, under a protocol that both measured it with if there is one; None where no arm has it twice."""
    protocol = next((name for name in first if name in second), None)
    protocols = (protocol, protocol) if protocol else (next(iter(first)), next(iter(second)))
    column, ours = first[protocols[0]]
    _, theirs = second[protocols[1]]
    shared = [label for label in ours if label in theirs]
    if not shared:
        return None
    refused = _refusal(column, protocols, [ours[label] for label in shared], [theirs[label] for label in shared], names)
    pairings = () if refused else _pairings(column, ours, theirs, shared, same_images)
    return Compared(key[0], column, protocols, refused, tuple(pairings), _ranking(column, ours, theirs, shared))


def _refusal(
    column: Column, protocols: tuple[str, str], ours: Sequence[Cell], theirs: Sequence[Cell], names: tuple[str, str]
) -> str:
    """Why these numbers may not stand beside each other; empty where they may."""
    if protocols[0] != protocols[1]:
        return f"{names[0]} was measured with {protocols[0]}, {names[1]} with {protocols[1]}"
    if column.role == "distance" and _counts(ours) != _counts(theirs):
        counts = [_count_words(_counts(cells)) for cells in (ours, theirs)]
        return (
            f"a Fréchet distance depends on how many images it is of, and {names[0]} has {counts[0]}, "
            f"{names[1]} {counts[1]}"
        )
    return ""


def _counts(cells: Sequence[Cell]) -> tuple[int, int, int, int]:
    """Least and most images measured for a pair of domains, and real images that they were compared with."""
    own, real = [cell.samples for cell in cells], [cell.reference_samples for cell in cells]
    return (
        min(low for low, _ in own),
        max(high for _, high in own),
        min(low for low, _ in real),
        max(high for _, high in real),
    )


def _count_words(counts: tuple[int, int, int, int]) -> str:
    return f"{span(*counts[:2])} compared with {span(*counts[2:])}"


def _pairings(
    column: Column, ours: Mapping[str, Cell], theirs: Mapping[str, Cell], shared: Sequence[str], same_images: bool
) -> list[Pairing]:
    found = []
    for label in shared:
        new, old = ours[label].by_seed, theirs[label].by_seed
        seeds = [seed for seed in new if seed in old] if same_images else []
        # A single pair says less than two groups of runs.
        paired = len(seeds) > 1 or (len(seeds) == 1 and min(len(new), len(old)) == 1)
        if paired:
            differences = np.array([new[seed] - old[seed] for seed in seeds])
            difference, p = t_interval(differences), t_test_p(differences)
        else:
            difference, p = welch(np.array(list(old.values())), np.array(list(new.values())))
        found.append((label, difference, paired, p))
    corrected = holm(np.array([p for *_, p in found]))
    return [
        Pairing(
            label=label,
            ours=t_interval(np.array(ours[label].values)),
            theirs=t_interval(np.array(theirs[label].values)),
            difference=difference,
            paired=paired,
            p=float(p),
            finding=_finding(difference, float(p), column),
        )
        for (label, difference, paired, _), p in zip(found, corrected, strict=True)
    ]


def _finding(difference: Interval, p: float, column: Column) -> Finding:
    if not p <= 1 - LEVEL:
        return "not resolved"
    return "better" if (difference.mean > 0) == (column.direction == "higher") else "worse"


def _ranking(
    column: Column, ours: Mapping[str, Cell], theirs: Mapping[str, Cell], shared: Sequence[str]
) -> Ranking | None:
    if len(shared) < 2:
        return None
    means = [[side[label].mean for label in shared] for side in (ours, theirs)]
    return Ranking(_order(column, ours, shared), _order(column, theirs, shared), kendall_tau_b(*means))


def _order(column: Column, cells: Mapping[str, Cell], shared: Sequence[str]) -> tuple[str, ...]:
    """Best first."""
    return tuple(sorted(shared, key=lambda label: cells[label].mean, reverse=column.direction == "higher"))
