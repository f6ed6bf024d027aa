"""report.md: everything that a report says, filled into the template beside this file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from experiments.report_records import RunRecord
from experiments.reporting import curves, montage, plots
from experiments.reporting.agreement import Agreement, agreements, name_of
from experiments.reporting.facts import changes, cost, environment, facts, judge_words, warnings
from experiments.reporting.labels import (
    listed,
    markdown_text,
    metric,
    of_metric,
    plural,
)
from experiments.reporting.outcomes import Hole
from experiments.reporting.summary import Column, Table
from experiments.reporting.tables import CONTENT, markdown_ladder, markdown_table

TEMPLATE = "report.md.j2"
DIVERGED = "Diverged: runs whose losses or weights were not finite any more, of all that ended."


@dataclass(frozen=True)
class Figures:
    """Which figures were drawn."""

    bars: bool = False
    content: bool = False
    tradeoff: bool = False
    curves: bool = False
    comparison: bool = False
    references: tuple[str, ...] = ()  # labels of the arms in reference.png


def render(
    ladder: Mapping[str, Any],
    runs: Sequence[RunRecord],
    tables: Sequence[Table],
    missing: Sequence[Hole],
    figures: Figures,
    tuned: str = "",
) -> str:
    """The page. missing: the runs that the report lacks. tuned: the section on tuning, of tuned arms."""
    loader = FileSystemLoader(Path(__file__).parent, encoding="utf-8")
    environment_ = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment_.filters["text"] = markdown_text
    first = next((table for table in tables if table.guide == "latent"), None)
    found = agreements(first) if first else []
    page = environment_.get_template(TEMPLATE).render(
        name=ladder["name"],
        title=ladder["title"],
        tuned=tuned,
        source=ladder["source"],
        facts=facts(ladder, runs),
        warnings=warnings(ladder, missing),
        tables=[_table_part(ladder, table, number, tables, figures) for number, table in enumerate(tables)],
        comparison=_comparison(ladder, runs) if figures.comparison else None,
        figures=figures,
        bars_caption=_bars_caption(tables, runs),
        tradeoff_caption="Small rings are single runs." if _seeds(runs) > 1 else "",
        curves_caption=_curves_caption(runs),
        agreements=[_agreement_part(agreement, first) for agreement in found if first],
        agreement_caution=_caution(runs),
        arms=changes(ladder, runs),
        cost=cost(ladder, runs),
        judge=judge_words(ladder),
        environment=environment(runs),
        limits=_limits(tables, runs),
    )
    lines = "\n".join(line.rstrip() for line in page.rstrip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


def _table_part(
    ladder: Mapping[str, Any], table: Table, number: int, tables: Sequence[Table], figures: Figures
) -> dict[str, Any]:
    others = [other for other in tables[:number] if other.guide == table.guide]
    again = f", measured with another protocol ({len(others) + 1})" if others else ""
    heading = "The ladder" if number == 0 and table.guide == "latent" else f"{table.guide.capitalize()}-guided"
    content = markdown_ladder(table, content=True)
    return {
        "guide": table.guide,
        "heading": heading + again,
        "lead": _lead(table, bool(again)),
        "table": markdown_ladder(table, content=False),
        "caption": _caption(ladder, table),
        "content": content,
        "content_caption": _meanings(table, content=True) if table.guide == "latent" else "",
        "content_figure": figures.content and number == 0,
        "references": listed(list(figures.references)) if table.guide == "reference" and not others else "",
    }


def _lead(table: Table, again: bool) -> str:
    if not table.columns:
        return "No run has finished: there is nothing to show yet."
    words = "Averages over all ordered pairs of domains, " + (
        "guided by latents." if table.guide == "latent" else "guided by reference images; only these rungs take them."
    )
    stand_ins = [metric(column.metric).label for column in table.columns if metric(column.metric).of_judge]
    if stand_ins and table.guide == "reference":
        words += " **The judge's numbers, as above: neither FID nor LPIPS.**"
    elif stand_ins:
        names = ", ".join(dict.fromkeys(stand_ins))
        words += (
            f" **Neither FID nor LPIPS was measured: {names} are distances in the features of the judge, a small"
            " network trained on this data set's own training images, and are not to be held against published ones.**"
        )
    if again:
        words += (
            " **These runs were measured with other extractors than those above: the two tables cannot be compared.**"
        )
    return words


def _caption(ladder: Mapping[str, Any], table: Table) -> str:
    if not table.columns:
        return DIVERGED
    if table.guide == "reference":
        return "*Small print and other rows as above.*"
    several = max((line.runs for line in table.arms), default=0) > 1
    small = "*Small print: " + ("each run's value, or their range; then " if several else "")
    small += "images measured for one pair of domains : real training images they were compared with. "
    small += "“1 output”: the first output of every source, which every rung has. "
    if table.references:
        small += (
            "Real images: validation against training images of one domain, the best that can be expected (the floor of"
            " a distance). Untouched source images: sources in place of their translations (its ceiling). "
        )
    if any(line.published for line in table.arms):
        small += f"Paper: {markdown_text(ladder['source'])}. "
    if table.diverges:
        small += f"{DIVERGED} "
    short = _incomplete(ladder, table)
    if short:
        small += f"{short} "
    small += f"Measured with {markdown_text(_protocol_words(table))}.*"
    return small + "\n\n" + _meanings(table, content=False)


def _meanings(table: Table, *, content: bool) -> str:
    columns = [column for column in table.columns if (column.role in CONTENT) == content]
    known = {column.shown.label: metric(column.metric).meaning for column in columns}
    words = "; ".join(f"{label}: {meaning}" for label, meaning in known.items() if meaning)
    if content:
        words += (
            ". In the row of real images: the error of the judge itself, which no translation can be seen to undercut"
        )
    return f"*{markdown_text(words)}.*" if words else ""


def _protocol_words(table: Table) -> str:
    """Which protocol gave which metric."""
    labels: dict[str, list[str]] = {}
    for name in dict.fromkeys(column.metric for column in table.columns):
        labels.setdefault(table.protocols[name], []).append(metric(name).label)
    if len(labels) == 1:
        return next(iter(labels))
    return "; ".join(f"{protocol} ({', '.join(names)})" for protocol, names in labels.items())


def _incomplete(ladder: Mapping[str, Any], table: Table) -> str:
    """Which averages lack pairs (too few images on a side, say)."""
    domains = len(ladder["data"]["domains"])
    pairs = domains * (domains - 1)
    short: dict[Column, int] = {}
    for line in table.arms:
        for column, cell in line.cells.items():
            if cell.pairs[0] < pairs:
                short[column] = min(short.get(column, pairs), cell.pairs[0])
    words = [f"{c.shown.label} at {plural(c.outputs, 'output')}: {n} of {pairs}" for c, n in short.items()]
    return f"Averaged over fewer than all pairs of domains: {markdown_text('; '.join(words))}." if words else ""


def _comparison(ladder: Mapping[str, Any], runs: Sequence[RunRecord]) -> dict[str, Any]:
    first: dict[str, int] = {}
    for run in runs:
        first.setdefault(run.label, run.result.seed)
    seeds = sorted(set(first.values()))
    words = f"seed {seeds[0]}" if len(seeds) == 1 else "each rung's first seed"
    layout = runs[0].result.pictures
    shown, there = len(layout["domains"]), len(ladder["data"]["domains"])
    more = f". {shown} of {there} domains are shown" if shown < there else ""
    more += f". The first {montage.MOST_ARMS} rungs are shown" if len(ladder["arms"]) > montage.MOST_ARMS else ""
    more += ". Grey: no run of this rung has finished" if len(first) < len(ladder["arms"]) else ""
    return {"latents": layout["latents"], "runs": words, "more": more}


def _agreement_part(agreement: Agreement, table: Table) -> dict[str, Any]:
    ours, theirs = name_of(agreement)
    several = any(step.agreeing[1] > 1 for step in agreement.steps)
    rows = []
    for step in agreement.steps:
        values = [of_metric(agreement.column.metric, value) for value in step.ours]
        row = [
            f"{markdown_text(step.before)} → {markdown_text(step.after)}",
            f"{values[0]} → {values[1]} {_moved(step.ours, values[0] == values[1])}",
            f"{step.published[0]} → {step.published[1]} {_moved(step.published)}",
            "yes" if step.same else "no",
        ]
        rows.append(row + ([f"{step.agreeing[0]} of {step.agreeing[1]}"] if several else []))
    headings = ["step", f"ours: {ours}", f"paper: {theirs}", "same way"] + (
        ["seeds that go the paper's way"] if several else []
    )
    words = f"Ours, best first: {', '.join(agreement.ours)}. The paper's: {', '.join(agreement.theirs)}. "
    go = "goes" if agreement.same == 1 else "go"
    words += f"{agreement.same} of {plural(len(agreement.steps), 'step')} {go} the paper's way."
    return {
        "ours": f"{ours} at {plural(agreement.column.outputs, 'output')}",
        "theirs": theirs,
        "words": words,
        "table": markdown_table(headings, rows),
    }


def _moved(pair: tuple[float, float], looks_equal: bool = False) -> str:
    """Which way a step goes; `looks_equal`: by less than the printed digits show."""
    hardly = ", hardly" if looks_equal and pair[0] != pair[1] else ""
    return f"(down{hardly})" if pair[1] < pair[0] else f"(up{hardly})" if pair[1] > pair[0] else "(equal)"


def _seeds(runs: Sequence[RunRecord]) -> int:
    return max((sum(run.label == label for run in runs) for label in {run.label for run in runs}), default=0)


def _caution(runs: Sequence[RunRecord]) -> str:
    if _seeds(runs) <= 1:
        return "With one run a rung, a step may go either way by chance: this counts signs and proves nothing."
    return "Signs of the differences of means over runs; with few runs they can still come about by chance."


def _bars_caption(tables: Sequence[Table], runs: Sequence[RunRecord]) -> str:
    words = "Arrows: which way is better. Lines: real images (the best to be expected) and untouched sources. "
    if len({run.label for run in runs}) > plots.MOST_ARMS:
        words += f"The first {plots.MOST_ARMS} rungs are drawn. "
    if len({table.guide for table in tables}) < len(tables):
        words += "Only the runs of each guide's first table: charts mix no protocols either. "
    if _seeds(runs) > 1:
        return words + "Bars: means over runs; rings: single runs."
    return words + "One run a rung: no error bars, for there is nothing to estimate them from."


def _curves_caption(runs: Sequence[RunRecord]) -> str:
    labels = len({run.label for run in runs})
    words = "up to three seeds a rung." if _seeds(runs) > 1 else "one run a rung."
    return words + (f" The first {curves.MOST_ARMS} rungs are drawn." if labels > curves.MOST_ARMS else "")


def _limits(tables: Sequence[Table], runs: Sequence[RunRecord]) -> list[str]:
    lines = []
    if _seeds(runs) <= 1:
        lines.append(
            "**One run a rung carries no interval**: another seed gives other numbers, by how much this report cannot"
            " say, and no winner can be declared. Nothing is printed in bold for being best."
        )
    else:
        lines.append(
            "Averages over runs stand beside every run's value or their range. A range of few runs is not a confidence"
            " interval, and nothing is printed in bold for being best."
        )
    lines.append(
        "A Fréchet distance is biased upwards by small samples: compare it only at equal counts (within a column, not"
        " between one and many outputs). The kernel distance has no such bias and can fall below 0."
    )
    if any(metric(column.metric).of_judge for table in tables for column in table.columns):
        lines.append(
            "The judge sees what it was trained to tell apart and may miss what a person sees at once: look at the"
            " pictures."
        )
    lines.append(
        "“Recognised” is high for any translation that shows the target domain, also if it lost its source or is always"
        " the same picture: read it beside content and diversity."
    )
    lines.append(
        "Published numbers stand as published: each of one training run, measured by the authors' own program"
        " (`eval.protocol=authors`, with another Inception network). Their size is no yardstick for ours."
    )
    return lines
