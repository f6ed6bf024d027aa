"""Differences and what is known of them, as the page shows them: in plots, in words, in tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ablations.designs import Comparison
from experiments.attribution import Contribution
from experiments.page.markup import block
from experiments.reporting.contrasts import needed_words, seeds_of
from experiments.reporting.evidence import Evidence, Finding, Measured, finding
from experiments.reporting.intervals import bounds, signed
from experiments.reporting.labels import arrow, heading, markdown_text, metric
from experiments.reporting.tables import NOTHING, markdown_table
from experiments.statistics import Interval

ROLES = ("distance", "kernel", "diversity", "recognised")  # of what is shown; the other numbers are in tables/
REACH = 1.0  # of all means' range: how far beyond them a plot follows an interval


@dataclass(frozen=True)
class Effect:
    """A difference and what is known of it."""

    name: str
    interval: Interval
    finding: Finding
    seeds: tuple[float, ...] = ()  # each seed's
    needed: str = ""  # seeds, to resolve it

    @property
    def words(self) -> str:
        """The finding."""
        return f"not resolved at {seeds_of(self.interval.n)}" if self.finding == "not resolved" else self.finding

    def shown(self, name: str) -> str:
        """The difference of the metric of that name, with its interval."""
        return f"{signed(name, self.interval.mean)} {bounds(name, self.interval)}".strip()


def measured_here(evidence: Evidence) -> list[Measured]:
    """The numbers that can be chosen: guided by latents."""
    return [one for one in evidence.measured if one.guide == "latent" and one.column.role in ROLES]


def title_of(measured: Measured) -> str:
    """What a chooser calls a number."""
    return heading(measured.column.shown, measured.column.outputs, measured.column.direction)


def axis_of(measured: Measured) -> str:
    """What an axis calls it."""
    known, direction = measured.column.shown, measured.column.direction
    unit = f" ({known.unit})" if known.unit else ""
    return f"{known.label}{unit}; {direction} is better {arrow(direction)}"


def scale_of(measured: Measured) -> float:
    """From what is recorded to what is shown."""
    return 100.0 if metric(measured.column.metric).percent else 1.0


def compared(measured: Measured, comparisons: Sequence[Comparison], name: Callable[[Comparison], str]) -> list[Effect]:
    """The measured differences of some comparisons. name: what a comparison is called."""
    found = {(one.before, one.after): one for one in measured.contrasts}
    effects = []
    for comparison in comparisons:
        contrast = found.get((comparison.before, comparison.after))
        if contrast and contrast.difference.n:
            values = (measured.table[contrast.after] - measured.table[contrast.before]).dropna()
            effects.append(
                Effect(
                    name(comparison),
                    contrast.difference,
                    finding(contrast, measured.column),
                    tuple(float(value) for value in values),
                    needed_words(measured.needed[contrast.before, contrast.after]),
                )
            )
    return effects


def contributed(measured: Measured, contributions: Sequence[Contribution], titles: Mapping[str, str]) -> list[Effect]:
    """Shapley values or main effects. Their intervals are not corrected for how many there are."""
    return [
        Effect(titles.get(one.name, one.name), one.effect, effect_finding(measured, one.effect))
        for one in contributions
        if math.isfinite(one.effect.mean)
    ]


def effect_finding(measured: Measured, effect: Interval) -> Finding:
    """What an interval without correction says."""
    if not effect.exists or effect.holds(0):
        return "not resolved"
    return "better" if (effect.mean > 0) == (measured.column.direction == "higher") else "worse"


def numbers(measured: Measured, effects: Sequence[Effect]) -> Markup:
    """A plot's numbers as a table."""
    name, needed = measured.column.metric, any(one.needed for one in effects)
    rows = [
        [
            markdown_text(one.name),
            str(one.interval.n),
            _cell(name, one.interval),
            one.finding,
            *([one.needed or NOTHING] if needed else []),
        ]
        for one in effects
    ]
    headings = ["", "seeds", "difference", "finding", *(["seeds to resolve it"] if needed else [])]
    return block(markdown_table(headings, rows))


def _cell(name: str, interval: Interval) -> str:
    return signed(name, interval.mean) + (f"<br><sub>{bounds(name, interval)}</sub>" if interval.exists else "")


def spoken(what: str, measured: Measured, effects: Sequence[Effect], most: int = 12) -> str:
    """What a plot shows, for who cannot see it; its table has the rest."""
    parts = [f"{one.name} {one.shown(measured.column.metric)}, {one.words}" for one in effects[:most]]
    more = f"; {len(effects) - most} more in the table" if len(effects) > most else ""
    return f"{what}, {title_of(measured)}: " + "; ".join(parts) + more


def view(values: Sequence[float], ends: Sequence[float]) -> tuple[float, float]:
    """The limits of an axis: all values, and the ends of intervals unless these would press the values flat."""
    low, high = min(values), max(values)
    reach = REACH * (high - low) or max((abs(end - low) for end in ends), default=0.0) or 1.0
    low, high = max(low - reach, min([low, *ends])), min(high + reach, max([high, *ends]))
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin
