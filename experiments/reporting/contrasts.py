"""The comparisons that a design declares: what each difference is, how sure, and what would settle it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from ablations.designs import Comparison
from experiments.reporting.design_record import DesignRecord
from experiments.reporting.evidence import Evidence, Measured, finding
from experiments.reporting.intervals import bounds, frame_bounds, probability, signed
from experiments.reporting.labels import markdown_text, plural
from experiments.reporting.latex import tabular
from experiments.reporting.measured import column_heading, frame_start, whole_numbers
from experiments.reporting.tables import NOTHING, markdown_table
from experiments.sample_size import SeedsNeeded
from experiments.statistics import Contrast


def words(contrast: Contrast, measured: Measured) -> str:
    """`better`, `worse`, or `not resolved at 3 seeds`: of the second arm against the first."""
    found = finding(contrast, measured.column)
    return f"{found} at {seeds_of(contrast.difference.n)}" if found == "not resolved" else found


def seeds_of(count: int) -> str:
    """`one seed`, `3 seeds`."""
    return "one seed" if count == 1 else plural(count, "seed")


def overview(evidence: Evidence, comparisons: Sequence[Comparison]) -> str:
    """Comparisons by quality, diversity and recognition: differences, intervals and what these say. Empty without any.

    All other numbers have their rows in tables/contrasts.csv.
    """
    shown = evidence.main + evidence.recognised
    found = [{(one.before, one.after): one for one in measured.contrasts} for measured in shown]
    known = [one for one in comparisons if any((one.before, one.after) in contrasts for contrasts in found)]
    named = any(one.changes for one in known)  # an older record does not say what lies between two rungs
    rows = []
    for one in known:
        pair = (one.before, one.after)
        cells = [_cell(contrasts.get(pair), measured) for measured, contrasts in zip(shown, found, strict=True)]
        rows.append([_arrow(*pair), *([_changes(evidence.design, one)] if named else []), *cells])
    headings = ["", *(["what changes"] if named else []), *map(column_heading, shown)]
    return markdown_table(headings, rows, left=1 + named) if rows else ""


def in_full(measured: Measured) -> str:
    """Every test of one number's comparisons; empty where no pair of arms has two seeds in common."""
    if not any(contrast.difference.exists for contrast in measured.contrasts):
        return ""
    name = measured.column.metric
    rows = []
    for one in measured.contrasts:
        pair = (one.before, one.after)
        moved, chance = measured.moved.get(pair), measured.improvement[pair]
        rows.append(
            [
                _arrow(one.before, one.after),
                str(one.difference.n),
                f"{signed(name, one.difference.mean)}<br><sub>{bounds(name, one.difference)}</sub>",
                f"{probability(one.t_p)} → {probability(one.t_holm)}",
                f"{probability(one.flip_p)} → {probability(one.flip_holm)}",
                f"{chance.mean:.2f}<br><sub>{_shares(chance.low, chance.high)}</sub>",
                f"{signed(name, moved.mean)}<br><sub>{bounds(name, moved)}</sub>" if moved else NOTHING,
                finding(one, measured.column),
                needed_words(measured.needed[pair]),
            ]
        )
    headings = [
        "",
        "seeds",
        "difference",
        "p of t → Holm",
        "p of signs → Holm",
        "better in a run",
        "interquartile difference",
        "finding",
        "seeds to resolve it",
    ]
    return markdown_table(headings, rows)


def caution(measured: Measured) -> str:
    """What so few seeds cannot show, in words; empty where nothing is in the way."""
    notes = dict.fromkeys(one.note for one in measured.contrasts if one.note and one.difference.n > 1)
    return "What these seeds cannot show: " + ". Elsewhere: ".join(notes) + "." if notes else ""


def needed_words(needed: SeedsNeeded) -> str:
    """How many seeds in all, and how many if the differences scatter more than the few so far show."""
    if needed.have < 2:
        return NOTHING
    if needed.total is None:
        return "over 10,000"
    cautious = f"{needed.cautious:,}" if needed.cautious else "over 10,000"
    return f"{needed.total:,}" + (f" (cautiously {cautious})" if needed.cautious != needed.total else "")


def command_for(ladder: Mapping[str, object], seeds: int) -> str:
    """The ladder's own command with another number of seeds: only the runs that are missing are trained."""
    command = re.sub(r"\s+seeds=\S+", "", str(ladder["command"])).strip()
    return f"{command}{'' if ' with' in command else ' with'} seeds={seeds}"


def contrasts_frame(evidence: Evidence) -> pd.DataFrame:
    """One row a number and comparison, with everything that was computed of it."""
    changes = {(one.before, one.after): one.changes for one in evidence.design.comparisons}
    frame = pd.DataFrame([_row(measured, one, changes) for measured in evidence.measured for one in measured.contrasts])
    return whole_numbers(frame, "seeds_needed", "seeds_needed_cautiously")


def contrasts_latex(evidence: Evidence) -> str:
    r"""Of the latent-guided distance and diversity a tabular each; needs \usepackage{booktabs}."""
    return "\n".join(_latex(evidence, measured) for measured in evidence.main if measured.contrasts)


def _latex(evidence: Evidence, measured: Measured) -> str:
    column, name = measured.column, measured.column.metric
    comparisons = {(one.before, one.after): one for one in evidence.design.comparisons}
    rows = [
        [
            f"{one.before} → {one.after}",
            _changes(evidence.design, comparisons[one.before, one.after], escape=str),
            str(one.difference.n),
            signed(name, one.difference.mean),
            bounds(name, one.difference) or "–",
            probability(one.t_holm),
            finding(one, column),
        ]
        for one in measured.contrasts
    ]
    comment = f"{column_heading(measured)}, latent-guided; {measured.protocol}"
    headings = ["", "", "seeds", "difference", "95 % interval", "p (Holm)", ""]
    return tabular([comment], [headings], [rows], "llrrrrl")


def _row(measured: Measured, one: Contrast, changes: Mapping[tuple[str, str], Sequence[str]]) -> dict[str, object]:
    pair = (one.before, one.after)
    needed = measured.needed[pair]
    return {
        **frame_start(measured),
        "before": one.before,
        "after": one.after,
        "changes": " ".join(changes[pair]),
        "seeds": one.difference.n,
        "seeds_dropped": one.dropped,
        **frame_bounds("difference", one.difference),
        "t_p": one.t_p,
        "t_holm": one.t_holm,
        "flip_p": one.flip_p,
        "flip_holm": one.flip_holm,
        "smallest_flip_p": one.smallest_flip_p,
        **frame_bounds("improvement", measured.improvement[pair]),
        **frame_bounds("interquartile_difference", measured.moved.get(pair)),
        "finding": finding(one, measured.column),
        "seeds_needed": needed.total,
        "seeds_needed_cautiously": needed.cautious,
        "note": one.note,
    }


def _cell(contrast: Contrast | None, measured: Measured) -> str:
    if contrast is None or not contrast.difference.n:
        return NOTHING
    name = measured.column.metric
    difference = contrast.difference
    parts = [signed(name, difference.mean)]
    if difference.exists:
        parts += [f"<sub>{bounds(name, difference)}</sub>", finding(contrast, measured.column)]
    if difference.n < measured.seeds:
        parts.append(f"({seeds_of(difference.n)})")
    return "<br>".join(parts)


def _arrow(before: str, after: str) -> str:
    return f"{markdown_text(before)} → {markdown_text(after)}"


def _changes(design: DesignRecord, comparison: Comparison, escape: Callable[[str], str] = markdown_text) -> str:
    return escape(", ".join(design.changes[name] for name in comparison.changes))


def _shares(low: float, high: float) -> str:
    return f"[{low:.2f}, {high:.2f}]"
