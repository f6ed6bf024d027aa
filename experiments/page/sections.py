"""What the page consists of: its sections in order, each with what its template shows; none that has nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.page import charts
from experiments.page.cost import costs
from experiments.page.curves import curve_data, curves_chart, default_arms
from experiments.page.effects import compared, contributed, measured_here
from experiments.page.forest import forest
from experiments.page.heat_map import heat_map
from experiments.page.ladder_view import table_view
from experiments.page.picture_grid import picture_parts
from experiments.page.run_list import anchors_of, run_lists
from experiments.page.tradeoff import tradeoff
from experiments.page.tuning import tuning_parts
from experiments.page.waterfall import waterfall
from experiments.report_records import RunRecord
from experiments.reporting.captions import caption, lead, limits, meanings
from experiments.reporting.evidence import Evidence
from experiments.reporting.facts import changes, cost, environment, facts, judge_words, warnings
from experiments.reporting.findings import findings
from experiments.reporting.outcomes import Hole, divergences
from experiments.reporting.summary import Table
from experiments.reporting.tuned import told


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading: templates/KEY.html.j2."""

    key: str
    title: str
    content: Mapping[str, Any]
    charts: tuple[charts.Chart, ...] = field(default=())


def sections(
    ladder: Mapping[str, Any],
    runs: Sequence[RunRecord],
    tables: Sequence[Table],
    evidence: Evidence,
    missing: Sequence[Hole],
    tuning: Mapping[str, Any] | None = None,
) -> tuple[list[Section], dict[str, Any]]:
    """(the sections that have something, in order; what the page's script needs besides the plots)."""
    words = findings(ladder, runs, evidence)
    pictures, picture_data = picture_parts(ladder, runs)
    drawn, curves = _curves(ladder, runs, evidence)
    made: list[Section | None] = [
        _verdict(ladder, runs, evidence, missing, words),
        _ladder(ladder, runs, tables, evidence),
        _contributions(evidence, words),
        _tradeoff(evidence, tables),
        _told("pictures", "The same images in every arm", pictures["grids"]),
        _told("interpolations", "Between two codes", pictures["interpolations"]),
        drawn,
        _attributions(evidence, words),
        _tuning(tuning) if tuning else None,
        _cost(ladder, runs, evidence),
        _failures(ladder, missing, words),
        _told(
            "changes", "What each arm changed", {"arms": changes(ladder, runs), "also": words["also"]}, ladder["arms"]
        ),
        _told("runs", "Every run", {"arms": run_lists(ladder, runs, tables)}, runs),
        _told("judge", "The judge", judge_words(ladder)),
        _told("environment", "Environment", {"table": environment(runs)}, runs),
        Section("reading", "How to read this", {"limits": limits(tables, runs), "source": ladder["source"]}),
    ]
    return [section for section in made if section], {"pictures": picture_data, "curves": curves}


def _told(key: str, title: str, content: Mapping[str, Any] | None, there: Any = True) -> Section | None:
    return Section(key, title, content) if content and there else None


def _verdict(
    ladder: Mapping[str, Any],
    runs: Sequence[RunRecord],
    evidence: Evidence,
    missing: Sequence[Hole],
    words: Mapping[str, Any],
) -> Section:
    conclusions = [found.verdict.conclusion for found in evidence.verdicts]
    return Section(
        "verdict",
        "Does it reproduce the paper?" if conclusions else "What this shows",
        {
            "verdicts": list(zip(conclusions, words["verdicts"], strict=True)),
            "rule": words["rule"],
            "details": words["details"],
            "conditions": words["conditions"],
            "source": ladder["source"],
            "warnings": warnings(ladder, missing),
            "facts": facts(ladder, runs),
            "finished": bool(runs),
        },
    )


def _ladder(
    ladder: Mapping[str, Any], runs: Sequence[RunRecord], tables: Sequence[Table], evidence: Evidence
) -> Section | None:
    anchors, parts = anchors_of(ladder, runs), []
    for number, table in enumerate(tables):
        earlier = sum(other.guide == table.guide for other in tables[:number])
        name = f"Guided by {'latents' if table.guide == 'latent' else 'reference images'}"
        name += f", measured with another protocol ({earlier + 1})" if earlier else ""
        parts.append(
            {
                "name": name,
                "lead": lead(table, bool(earlier)),
                "table": table_view(table, name, anchors, content=False),
                "caption": caption(ladder, table),
                "content": table_view(table, f"{name}: content kept and style varied", anchors, content=True),
                "content_caption": meanings(table, content=True),
            }
        )
    title = "The ladder" if len(evidence.design.rungs) == len(evidence.design.arms) else "The ladder and its arms"
    return _told("ladder", title, {"parts": parts}, parts)


def _contributions(evidence: Evidence, words: Mapping[str, Any]) -> Section | None:
    design, shown = evidence.design, measured_here(evidence)
    titles = design.changes
    first, last = (design.rungs[0], design.rungs[-1]) if design.rungs else ("", "")

    def change(one: Any) -> str:
        return ", ".join(titles[name] for name in one.changes)

    parts = [
        {
            "title": "What each step adds, in the ladder's order",
            "note": "Blue is better, orange worse; hatched and grey is not resolved. Whiskers are 95 % intervals of the"
            " step. One order's account: in another order the steps would contribute other amounts.",
            "charts": _charts(waterfall(f"step-{n}", one, evidence) for n, one in enumerate(shown)),
        },
        {
            "title": "How sure each step is",
            "note": "Diamonds are means with 95 % intervals, filled where a step is resolved; rings are seeds.",
            "charts": _charts(
                forest(f"sure-{n}", "Steps", one, compared(one, design.steps, lambda c: f"{c.before} → {c.after}"))
                for n, one in enumerate(shown)
            ),
        },
        {
            "title": f"What each component brings to {last} when all others are there",
            "note": "The last rung, less it without the component.",
            "charts": _charts(
                forest(f"left-{n}", "Components, by leaving one out", one, compared(one, design.left_out, change))
                for n, one in enumerate(shown)
            ),
        },
        {
            "title": f"What each component brings to {first} alone",
            "note": "The first rung with the component, less the first rung.",
            "charts": _charts(
                forest(f"added-{n}", "Components, by adding one", one, compared(one, design.added, change))
                for n, one in enumerate(shown)
            ),
        },
    ]
    parts = [part for part in parts if part["charts"]]
    content = {"parts": parts, **{key: words[key] for key in ("certainty", "tested", "seeds", "spreads")}}
    return _drawn("contributions", "What each component contributes", content)


def _attributions(evidence: Evidence, words: Mapping[str, Any]) -> Section | None:
    titles = dict(evidence.design.changes)
    shown = [one for one in measured_here(evidence) if one.shapley or one.effects]
    parts = [
        {
            "title": "Each component's share of the whole (Shapley values)",
            "note": "What a component adds when it comes, averaged over every order in which each step can run"
            f" ({words['shares_words']}); the shares add up to the whole difference.",
            "charts": _charts(
                forest(f"share-{n}", "Shapley values", one, contributed(one, one.shapley.contributions, titles))
                for n, one in enumerate(shown)
                if one.shapley
            ),
        },
        {
            "title": "Interactions",
            "note": "How much two components change the number beyond the sum of what each does without the other."
            " Deeper: more. In brackets: not resolved.",
            "charts": _charts(heat_map(f"pair-{n}", one, titles) for n, one in enumerate(shown)),
        },
        {
            "title": "Main effects",
            "note": words["effects_words"],
            "charts": _charts(
                forest(f"main-{n}", "Main effects", one, contributed(one, one.effects, titles))
                for n, one in enumerate(shown)
                if one.effects
            ),
        },
    ]
    return _drawn("attributions", "Shares and interactions", {"parts": [part for part in parts if part["charts"]]})


def _tuning(record: Mapping[str, Any]) -> Section:
    parts = tuning_parts(record)
    drawn = tuple(chart for part in parts for chart in part["charts"])
    return Section("tuning", "Tuned and untuned", {"told": told(record), "parts": parts}, drawn)


def _tradeoff(evidence: Evidence, tables: Sequence[Table]) -> Section | None:
    chart = tradeoff("tradeoff", evidence, tables)
    parts = [{"title": "", "note": "", "charts": _charts([chart])}] if chart else []
    return _drawn("tradeoff", "Quality against diversity", {"parts": parts})


def _curves(
    ladder: Mapping[str, Any], runs: Sequence[RunRecord], evidence: Evidence
) -> tuple[Section | None, dict[str, Any] | None]:
    arms = [arm["label"] for arm in ladder["arms"]]
    data = curve_data(runs, arms)
    if data is None:
        return None, None
    chart = curves_chart("curves")
    chosen = default_arms(arms, evidence.design.rungs, data)
    content = {"chart": chart, "terms": data["terms"], "arms": ladder["arms"], "chosen": chosen}
    return Section("curves", "Loss curves", content, (chart,)), data


def _cost(ladder: Mapping[str, Any], runs: Sequence[RunRecord], evidence: Evidence) -> Section | None:
    found = costs("cost", evidence.primary, runs)
    spent = cost(ladder, runs)
    if not spent:
        return None
    parts = [{"title": "", "note": "", "charts": tuple(found)}] if found else []
    return Section("cost", "Cost against quality", {"parts": parts, "cost": spent}, tuple(found))


def _failures(ladder: Mapping[str, Any], missing: Sequence[Hole], words: Mapping[str, Any]) -> Section | None:
    content = {
        "diverged": divergences(ladder),
        "missing": [hole.with_log for hole in missing],
        "invalid": words["invalid"],
    }
    return _told("failures", "What failed, and what cannot run", content, any(content.values()))


def _drawn(key: str, title: str, content: dict[str, Any]) -> Section | None:
    drawn = tuple(chart for part in content["parts"] for chart in part["charts"])
    return Section(key, title, content, drawn) if drawn else None


def _charts(found: Iterable[charts.Chart | None]) -> tuple[charts.Chart, ...]:
    return tuple(chart for chart in found if chart)
