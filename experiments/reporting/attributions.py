"""What the sub-changes contribute: Shapley values and interactions, main effects, or a ladder's steps; and designs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from experiments.attribution import Contribution
from experiments.reporting.design_record import DesignRecord
from experiments.reporting.evidence import Evidence, Measured
from experiments.reporting.intervals import bounds, frame_bounds, signed
from experiments.reporting.labels import markdown_text, plural
from experiments.reporting.latex import tabular
from experiments.reporting.measured import column_heading, frame_start, whole_numbers
from experiments.reporting.tables import NOTHING, markdown_table
from experiments.statistics import Interval


def shares_table(evidence: Evidence) -> str:
    """Shapley values of a factorial design, a column for each main number; empty for other designs."""
    shown = [one for one in evidence.main if one.shapley]
    return _table(evidence.design, shown, [one.shapley.contributions for one in shown if one.shapley], total=True)


def shares_words(evidence: Evidence) -> str:
    """Over what Shapley values were averaged."""
    found = [
        f"{one.column.shown.label}: {one.shapley.admissible:,} of {plural(one.shapley.orders, 'order')}"
        for one in evidence.main
        if one.shapley
    ]
    return "; ".join(found)


def interactions_table(evidence: Evidence) -> str:
    """Pairs of sub-changes, a column for each main number; empty without any."""
    shown = [one for one in evidence.main if one.shapley]
    if not any(one.shapley.interactions for one in shown if one.shapley):
        return ""
    titles = evidence.design.changes
    rows: dict[tuple[str, str], list[str]] = {}
    for one in shown:
        for pair in one.shapley.interactions if one.shapley else ():
            cell = _effect(one, pair.effect) if pair.effect is not None else NOTHING
            rows.setdefault(pair.names, []).append(cell)
    return markdown_table(
        ["", *map(column_heading, shown)],
        [[markdown_text(" × ".join(titles[name] for name in names)), *cells] for names, cells in rows.items()],
    )


def effects_table(evidence: Evidence) -> str:
    """Main effects of half a factorial design; empty for other designs."""
    shown = [one for one in evidence.main if one.effects]
    return _table(evidence.design, shown, [one.effects for one in shown], total=False)


def effects_words(design: DesignRecord) -> str:
    """What half of a factorial design cannot tell apart."""
    fraction = design.fraction
    if fraction is None:
        return ""
    words = (
        f"What a component changes on average over all combinations of the others, from half of these: those where"
        f" {_product(design, fraction.word)} is constant. It is of resolution {fraction.resolution}: a main effect"
        f" holds an interaction of {fraction.resolution - 1} or more components too, which is taken to be small."
    )
    if fraction.lost:
        lost = ", ".join(_product(design, effect) for effect in fraction.lost)
        words += f" Without the combinations that cannot run, these are not told apart from others: {lost}."
    return markdown_text(words)


def invalid_combinations(design: DesignRecord) -> list[dict[str, str]]:
    """The combinations that cannot run, those that the same rules forbid together."""
    by_rules: dict[tuple[str, ...], list[str]] = {}
    for one in design.invalid:
        by_rules.setdefault(one.rules, []).append(one.name)
    return [
        {"rule": markdown_text("; ".join(rules)), "names": markdown_text(", ".join(names)), "count": str(len(names))}
        for rules, names in by_rules.items()
    ]


def attributions_frame(evidence: Evidence) -> pd.DataFrame:
    """One row a number and contribution: `step` of the ladder, `shapley` value or `main effect`."""
    frame = pd.DataFrame([row for measured in evidence.measured for row in _rows(evidence.design, measured)])
    return whole_numbers(frame, "admissible_orders", "orders")


def interactions_frame(evidence: Evidence) -> pd.DataFrame:
    """One row a number and pair of sub-changes of a factorial design."""
    return pd.DataFrame(
        [
            {
                **frame_start(one),
                "first": pair.names[0],
                "second": pair.names[1],
                **frame_bounds("interaction", pair.effect),
                "orders": pair.orders,
            }
            for one in evidence.measured
            if one.shapley
            for pair in one.shapley.interactions
        ]
    )


def attributions_latex(evidence: Evidence) -> str:
    r"""Of the latent-guided distance and diversity a tabular each; needs \usepackage{booktabs}."""
    return "\n".join(_latex(evidence.design, measured) for measured in evidence.main if _kinds(measured))


def _latex(design: DesignRecord, measured: Measured) -> str:
    kind, contributions = next(iter(_kinds(measured).items()))
    name = measured.column.metric
    rows = [
        [design.changes.get(one.name, f"to {one.name}"), signed(name, one.effect.mean), bounds(name, one.effect) or "–"]
        for one in contributions
        if one.effect.n
    ]
    said = {
        "shapley": "Shapley values over the admissible orders",
        "main effect": "main effects of half a factorial design",
        "step": "steps of the ladder, which depend on its order",
    }[kind]
    headings = ["", "difference", "95 % interval"]
    return tabular([f"{column_heading(measured)}, latent-guided: {said}"], [headings], [rows], "lrr")


def _kinds(measured: Measured) -> dict[str, Sequence[Contribution]]:
    """The best account comes first."""
    found = {
        "shapley": measured.shapley.contributions if measured.shapley else (),
        "main effect": measured.effects,
        "step": measured.ladder.contributions if measured.ladder else (),
    }
    return {kind: contributions for kind, contributions in found.items() if contributions}


def _rows(design: DesignRecord, measured: Measured) -> Iterator[dict[str, object]]:
    fraction = design.fraction.aliases if design.fraction else {}
    aliases = {effect[0]: " ".join(added) for effect, added in fraction.items() if len(effect) == 1}
    accounts = {"shapley": measured.shapley, "step": measured.ladder}
    for kind, contributions in _kinds(measured).items():
        account = accounts.get(kind)
        for one in contributions:
            yield {
                **frame_start(measured),
                "kind": kind,
                "name": one.name,
                "aliased_with": aliases.get(one.name, "") if kind == "main effect" else "",
                **frame_bounds("effect", one.effect),
                "seeds": one.effect.n,
                "admissible_orders": account.admissible if account else None,
                "orders": account.orders if account else None,
                "note": one.effect.note,
            }


def _table(
    design: DesignRecord, shown: Sequence[Measured], columns: Sequence[Sequence[Contribution]], *, total: bool
) -> str:
    if not shown:
        return ""
    rows = [
        [
            markdown_text(title),
            *(_effect(one, by_name[name].effect) for one, by_name in zip(shown, _by_name(columns), strict=True)),
        ]
        for name, title in design.changes.items()
    ]
    if total:
        rows.append(["*all together*", *(_effect(one, one.shapley.total) for one in shown if one.shapley)])
    return markdown_table(["", *map(column_heading, shown)], rows)


def _product(design: DesignRecord, names: Sequence[str]) -> str:
    return " × ".join(design.changes[name] for name in names)


def _by_name(columns: Sequence[Sequence[Contribution]]) -> list[dict[str, Contribution]]:
    return [{one.name: one for one in contributions} for contributions in columns]


def _effect(measured: Measured, effect: Interval) -> str:
    if not effect.n:
        return NOTHING
    text = signed(measured.column.metric, effect.mean)
    return f"{text}<br><sub>{bounds(measured.column.metric, effect)}</sub>" if effect.exists else text
