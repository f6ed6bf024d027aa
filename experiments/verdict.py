"""Does a ladder reproduce the published one? The ranking of the rungs and the sign of each published difference.

Only signs and ranks are compared: protocol, resolution and data differ from the paper's, so sizes do not compare.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from experiments.statistics import LEVEL, Contrast, contrasts

Finding = Literal["agrees", "contradicts", "unresolved"]
Conclusion = Literal["reproduced", "contradicted", "undecided"]


@dataclass(frozen=True)
class PublishedStep:
    """A published difference and what was measured in its place."""

    published: float  # after - before; not zero
    ours: Contrast

    @property
    def same_sign(self) -> bool:
        """Whether our mean difference goes the published way, resolved or not."""
        return self.ours.difference.mean * self.published > 0

    @property
    def finding(self) -> Finding:
        """What the seeds say of it."""
        if not self.ours.resolved:
            return "unresolved"
        return "agrees" if self.same_sign else "contradicts"


@dataclass(frozen=True)
class Verdict:
    """What a ladder says of the published one, in one metric."""

    conclusion: Conclusion
    sentence: str
    steps: tuple[PublishedStep, ...]
    rungs: tuple[str, ...]  # that have a published number and a measured one, in the ladder's order
    tau_by_seed: Mapping[int, float]  # of every seed that has all of these rungs; NaN where a ranking is all ties
    tau_of_means: float


def verdict(
    table: pd.DataFrame,
    published: Mapping[str, float | None],
    generator: np.random.Generator,
    level: float = LEVEL,
) -> Verdict:
    """Compare a metric, seeds x arms, with the published metric in its place, which is better in the same direction.

    published: {rung: the paper's number, or None}, in the ladder's order. Steps lead from one rung that has both
    numbers to the next; one in which the published numbers are equal says nothing and is left out.

    The rule. A step is resolved where the paired t test refutes a zero difference at 1 - level, after Holm's correction
    for the steps. Then
      contradicted   at least one resolved step goes against the published sign;
      reproduced     there is a step, and every one is resolved and goes the published way;
      undecided      all else: too few seeds, or differences too small for them.
    So one seed is always undecided. Kendall's tau-b stands beside the conclusion and decides nothing.
    """
    known = {label: float(value) for label, value in published.items() if value is not None}
    rungs = tuple(label for label in known if label in table.columns and table[label].notna().any())
    pairs = [(before, after) for before, after in pairwise(rungs) if known[before] != known[after]]
    steps = tuple(
        PublishedStep(known[contrast.after] - known[contrast.before], contrast)
        for contrast in contrasts(table, pairs, generator, level)
    )
    theirs = [known[label] for label in rungs]
    conclusion = _conclusion(steps)
    return Verdict(
        conclusion=conclusion,
        sentence=_sentence(conclusion, steps),
        steps=steps,
        rungs=rungs,
        tau_by_seed={
            seed: kendall_tau_b(values.to_numpy(float), theirs)
            for seed, values in table[list(rungs)].dropna().iterrows()
        },
        tau_of_means=kendall_tau_b(table[list(rungs)].mean().to_numpy(float), theirs),
    )


def kendall_tau_b(ours: Sequence[float] | np.ndarray, theirs: Sequence[float]) -> float:
    """Rank correlation with a correction for ties, -1 to 1; NaN for fewer than two rungs and where all are tied.

    (concordant - discordant) / sqrt((pairs - ties in ours) (pairs - ties in theirs)); Kendall, The Treatment of Ties in
    Ranking Problems, Biometrika 33, 1945.
    """
    return float(stats.kendalltau(ours, theirs, variant="b").statistic) if len(theirs) > 1 else math.nan


def _conclusion(steps: Sequence[PublishedStep]) -> Conclusion:
    findings = {step.finding for step in steps}
    if "contradicts" in findings:
        return "contradicted"
    return "reproduced" if findings == {"agrees"} else "undecided"


def _sentence(conclusion: Conclusion, steps: Sequence[PublishedStep]) -> str:
    """The conclusion in words, with what it stands on."""
    if not steps:
        return "Undecided: no two rungs have both a published number and a measured one."
    least, most = (choose(step.ours.difference.n for step in steps) for choose in (min, max))
    seeds = f"{least} to {most} seeds" if least != most else "one seed" if most == 1 else f"{most} seeds"
    parts = []
    for finding, (singular, plural) in _WORDS.items():
        found = [f"{step.ours.before} to {step.ours.after}" for step in steps if step.finding == finding]
        if found:
            named = "" if finding == "agrees" else f" ({', '.join(found)})"
            parts.append(f"{len(found)} {singular if len(found) == 1 else plural}{named}")
    return f"{conclusion.capitalize()} at {seeds}: of {len(steps)} published differences, {', '.join(parts)}."


_WORDS: Mapping[Finding, tuple[str, str]] = {
    "agrees": ("agrees", "agree"),
    "contradicts": ("contradicts", "contradict"),
    "unresolved": ("is not resolved", "are not resolved"),
}
