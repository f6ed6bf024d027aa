"""Does the ladder reproduce the paper? The verdict of each published metric in words, and what it stands on."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from experiments.reporting.contrasts import seeds_of
from experiments.reporting.evidence import Evidence, PaperVerdict
from experiments.reporting.intervals import bounds, frame_bounds, probability, signed
from experiments.reporting.labels import arrow, listed, markdown_text, metric, plural
from experiments.reporting.tables import markdown_table

RULE = (
    "The rule: a difference between two rungs is resolved where a paired t test over seeds refutes that it is zero, at"
    " 5 % after Holm's correction for all differences that were published of this metric. *Contradicted*: a resolved"
    " one goes against the paper. *Reproduced*: every one is resolved and goes the paper's way. *Undecided*: all else,"
    " so one seed is always undecided. Ranks decide nothing."
)


def paragraph(found: PaperVerdict) -> str:
    """One published metric's verdict, in plain words."""
    conclusion, _, reason = found.verdict.sentence.partition(": ")
    lead = f"**{_subject(found)}: {conclusion.lower()}.** {reason[:1].upper()}{reason[1:]}"
    if not found.verdict.steps:
        return lead
    ours, theirs = (", ".join(map(markdown_text, labels)) for labels in rankings(found))
    return f"{lead} Best first, these rungs rank {ours} here and {theirs} in the paper ({_taus(found)})."


def details(found: PaperVerdict) -> str:
    """Each published difference beside ours; empty where there is none."""
    name = found.measured.column.metric
    rows = []
    for step in found.verdict.steps:
        ours = step.ours.difference
        interval = f"<br><sub>{bounds(name, ours)}</sub>" if ours.exists else ""
        rows.append(
            [
                f"{markdown_text(step.ours.before)} → {markdown_text(step.ours.after)}",
                signed(found.published, step.published),
                f"{signed(name, ours.mean)}{interval}" if ours.n else "–",
                ("yes" if step.same_sign else "no") if ours.n else "–",
                _agreeing(found, step.ours.before, step.ours.after, step.published),
                probability(step.ours.t_holm),
                {"unresolved": f"not resolved at {seeds_of(ours.n)}"}.get(step.finding, step.finding),
            ]
        )
    headings = [
        "",
        f"paper: {name_of(found)}",
        f"here: {_stand_in(found)}",
        "same way",
        "of seeds",
        "p (Holm)",
        "finding",
    ]
    return markdown_table(headings, rows) if rows else ""


def taus_by_seed(found: PaperVerdict) -> str:
    """Kendall's tau-b of every seed's ranking with the paper's; empty without any."""
    known = [(seed, tau) for seed, tau in found.verdict.tau_by_seed.items() if not math.isnan(tau)]
    if not known:
        return ""
    words = listed([f"{tau:.2f} (seed {seed})" for seed, tau in known], shown=20)
    return f"Kendall's τ-b of each seed's ranking of {', '.join(found.verdict.rungs)} with the paper's: {words}."


def one_line(evidence: Evidence) -> str:
    """Every verdict, for a terminal; empty where the paper published nothing of these arms."""
    parts = []
    for found in evidence.verdicts:
        steps = found.verdict.steps
        against, open_ = (sum(step.finding == finding for step in steps) for finding in ("contradicts", "unresolved"))
        count = f"of {plural(len(steps), 'step')}"
        reason = {
            "contradicted": f"by {against} {count}",
            "reproduced": f"in {len(steps)} {count}",
            "undecided": f"{open_} {count} not resolved" if steps else "nothing to compare",
        }[found.verdict.conclusion]
        parts.append(f"{name_of(found)} {found.verdict.conclusion} ({reason})")
    return f"vs paper: {', '.join(parts)}" if parts else ""


def rankings(found: PaperVerdict) -> tuple[list[str], list[str]]:
    """The rungs by our means and by the published numbers, best first."""
    higher_is_better = found.measured.column.direction == "higher"
    means = {label: interval.mean for label, interval in found.measured.intervals.items()}

    def ranked(values: Mapping[str, float]) -> list[str]:
        return sorted(found.verdict.rungs, key=lambda label: -values[label] if higher_is_better else values[label])

    return ranked(means), ranked(found.numbers)


def verdict_frame(evidence: Evidence) -> pd.DataFrame:
    """One row a published difference."""
    return pd.DataFrame(
        [
            {
                "published": found.published,
                "metric": found.measured.column.metric,
                "outputs": found.measured.column.outputs,
                "protocol": found.measured.protocol,
                "conclusion": found.verdict.conclusion,
                "before": step.ours.before,
                "after": step.ours.after,
                "published_difference": step.published,
                **frame_bounds("difference", step.ours.difference),
                "seeds": step.ours.difference.n,
                "same_sign": step.same_sign,
                "t_holm": step.ours.t_holm,
                "finding": step.finding,
            }
            for found in evidence.verdicts
            for step in found.verdict.steps
        ]
    )


def rankings_frame(evidence: Evidence) -> pd.DataFrame:
    """One row a published metric and seed: the rank correlation with the paper's rungs."""
    return pd.DataFrame(
        [
            {"published": found.published, "seed": seed, "tau_b": tau}
            for found in evidence.verdicts
            for seed, tau in found.verdict.tau_by_seed.items()
        ]
    )


def _subject(found: PaperVerdict) -> str:
    outputs = plural(found.measured.column.outputs, "output")
    return f"{_stand_in(found)} at {outputs}, beside the paper's {name_of(found)}"


def _stand_in(found: PaperVerdict) -> str:
    column = found.measured.column
    return f"{column.shown.label} {arrow(column.direction)}"


def name_of(found: PaperVerdict) -> str:
    """The published metric's."""
    return metric(found.published).label


def _taus(found: PaperVerdict) -> str:
    known = [tau for tau in found.verdict.tau_by_seed.values() if not math.isnan(tau)]
    mean = f"Kendall's τ-b {found.verdict.tau_of_means:.2f}"
    return f"{mean}; of single seeds {min(known):.2f} to {max(known):.2f}" if len(known) > 1 else mean


def _agreeing(found: PaperVerdict, before: str, after: str, published: float) -> str:
    differences = (found.measured.table[after] - found.measured.table[before]).dropna()
    return f"{int((differences * published > 0).sum())} of {len(differences)}"
