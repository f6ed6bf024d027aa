"""report.md: everything that a report says, filled into the template beside this file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from experiments.report_records import RunRecord
from experiments.reporting import montage
from experiments.reporting.captions import (
    bars_caption,
    caption,
    curves_caption,
    lead,
    limits,
    meanings,
    tradeoff_caption,
)
from experiments.reporting.drawing import Figures
from experiments.reporting.evidence import Evidence
from experiments.reporting.facts import changes, cost, environment, facts, judge_words, warnings
from experiments.reporting.findings import findings
from experiments.reporting.labels import listed, markdown_text
from experiments.reporting.outcomes import Hole
from experiments.reporting.summary import Table
from experiments.reporting.tables import markdown_ladder

TEMPLATE = "report.md.j2"


def render(
    ladder: Mapping[str, Any],
    runs: Sequence[RunRecord],
    tables: Sequence[Table],
    evidence: Evidence,
    missing: Sequence[Hole],
    figures: Figures,
    files: Sequence[str] = (),
    people: str = "",
    tuned: str = "",
) -> str:
    """The page. missing: the runs that the report lacks. files: names of those in tables/.

    people, tuned: the parts on a study of what people prefer and on tuning; empty without.
    """
    loader = FileSystemLoader(Path(__file__).parent, encoding="utf-8")
    environment_ = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment_.filters["text"] = markdown_text
    page = environment_.get_template(TEMPLATE).render(
        name=ladder["name"],
        title=ladder["title"],
        source=ladder["source"],
        facts=facts(ladder, runs),
        warnings=warnings(ladder, missing),
        evidence=findings(ladder, runs, evidence),
        tables=[_table_part(ladder, table, number, tables, evidence, figures) for number, table in enumerate(tables)],
        comparison=_comparison(ladder, runs) if figures.comparison else None,
        figures=figures,
        bars_caption=bars_caption(tables, runs),
        tradeoff_caption=tradeoff_caption(runs),
        curves_caption=curves_caption(runs),
        arms=changes(ladder, runs),
        cost=cost(ladder, runs),
        judge=judge_words(ladder),
        environment=environment(runs),
        limits=limits(tables, runs),
        files=files,
        people=people,
        tuned=tuned,
    )
    lines = "\n".join(line.rstrip() for line in page.rstrip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


def _table_part(
    ladder: Mapping[str, Any],
    table: Table,
    number: int,
    tables: Sequence[Table],
    evidence: Evidence,
    figures: Figures,
) -> dict[str, Any]:
    earlier = [other for other in tables[:number] if other.guide == table.guide]
    again = f", measured with another protocol ({len(earlier) + 1})" if earlier else ""
    heading = "The ladder" if number == 0 and table.guide == "latent" else f"{table.guide.capitalize()}-guided"
    rungs, others = table.divided(evidence.design.rungs)
    return {
        "guide": table.guide,
        "heading": heading + again,
        "lead": lead(table, bool(again)),
        "table": markdown_ladder(rungs, content=False),
        "others": markdown_ladder(others, content=False),
        "caption": caption(ladder, table),
        "content": markdown_ladder(table, content=True),
        "content_caption": meanings(table, content=True) if table.guide == "latent" else "",
        "content_figure": figures.content and number == 0,
        "references": listed(list(figures.references)) if table.guide == "reference" and not earlier else "",
    }


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
