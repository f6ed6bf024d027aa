"""What a report says of tuning: what it cost, what it found, whether it helped, and whether it changed who is best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import kendalltau

from experiments.reporting.labels import markdown_text, objectives
from experiments.reporting.style import SMALL, TEXT, house_style, remove, save
from experiments.statistics import Interval, arm_intervals, contrasts
from experiments.tuning.plots import add_legend, draw_history, draw_importances
from experiments.tuning.text import best_rows, duration

HISTORY, IMPORTANCES = "tuning", "importances"
ACROSS = 3  # arms beside each other in a figure
EXPLORATORY = (
    "Which settings told the better trials of an arm from the others (PED-ANOVA). Exploratory: few trials show a large "
    "share, and a small one not at all."
)
KINDS = ("trials", "done", "pruned", "diverged", "failed", "repeated")


def section(record: Mapping[str, Any] | None, figures: Path) -> str:
    """The section in Markdown; draws its figures into a folder. Nothing where nothing was tuned.

    record: of `experiments.tuning.arms.compared`.
    """
    for name in (HISTORY, IMPORTANCES):  # what an earlier build drew and this one may not
        remove(figures / f"{name}.png")
    if record is None:
        return ""
    words, studies = told(record), record["studies"]
    drawn = {name: _draw(studies, name, figures / f"{name}.png") for name in (HISTORY, IMPORTANCES)}
    parts = [
        "## Tuned and untuned",
        words["intro"],
        words["ledger"],
        f"*{words['ledger_note']}*",
        f"### {words['question']}",
        words["effects"],
        f"*{words['intervals']}* {words['ranking']}",
        "### Best settings beside the untuned ones",
        *(f"**{markdown_text(label)}**\n\n{table}" for label, table in words["best"].items()),
    ]
    if drawn[HISTORY]:
        parts.append(f"### How tuning went\n\n![The objective of each trial, arm by arm](figures/{HISTORY}.png)")
    if drawn[IMPORTANCES]:
        parts.append(f"![Shares of the settings](figures/{IMPORTANCES}.png)\n\n*{EXPLORATORY}*")
    return "\n\n".join(parts)


def told(record: Mapping[str, Any]) -> dict[str, Any]:
    """The words and tables of the section in Markdown, by what they are; best: {label: table}."""
    studies, (aim,) = record["studies"], objectives(record["objective"])
    return {
        "intro": f"Every arm had {_trials(studies)} trials of the same length, the first of them with the untuned "
        "settings, measured on validation images that nothing else in this report is measured on. The best settings of "
        f"each arm were then trained on seeds that tuning has not seen ({', '.join(map(str, record['seeds']))}), "
        "beside the untuned ones.",
        "ledger": _table(_ledger_rows(studies)),
        "ledger_note": "What tuning each arm cost. Pruned: ended early. Repeated: settings that had been tried before "
        "and were not trained again.",
        "question": f"Whether it helped: {markdown_text(aim)}, {record['direction']} is better",
        "effects": _table(_effect_rows(record, effects_of(record))),
        "intervals": "Means over seeds with 95 % intervals; the change is paired by seed, and p is corrected for all "
        "arms (Holm).",
        "ranking": ranking_words(record),
        "best": {label: _table(best_rows(study)) for label, study in studies.items() if _found(study)},
    }


def effects_of(record: Mapping[str, Any]) -> list[tuple[str, Interval, float, bool]]:
    """(label, tuned minus untuned, corrected p, whether zero is refuted) of each arm, paired by seed."""
    table = pd.DataFrame(
        {(side, label): _numbers(values) for side in ("untuned", "tuned") for label, values in record[side].items()}
    )
    table.columns = [f"{side} {label}" for side, label in table.columns]
    pairs = [(f"untuned {label}", f"tuned {label}") for label in record["tuned"]]
    found = contrasts(table, pairs, np.random.default_rng(0))
    return [
        (label, contrast.difference, contrast.t_holm, contrast.resolved)
        for label, contrast in zip(record["tuned"], found, strict=True)
    ]


def rankings(record: Mapping[str, Any]) -> dict[str, list[str]]:
    """{"untuned": labels, "tuned": labels}, best first, by the means over seeds; arms without a number are left out."""
    sign = -1 if record["direction"] == "higher" else 1
    result = {}
    for side in ("untuned", "tuned"):
        known = {
            label: float(np.nanmean(_numbers(values))) for label, values in record[side].items() if any(_is(values))
        }
        result[side] = sorted(known, key=lambda label: sign * known[label])
    return result


def ranking_words(record: Mapping[str, Any]) -> str:
    """Whether the arms' order changed."""
    orders = rankings(record)
    both = [label for label in orders["untuned"] if label in orders["tuned"]]
    if len(both) < 2:
        return ""
    tau = kendalltau(range(len(both)), [orders["tuned"].index(label) for label in both]).statistic
    untuned, tuned = (" < ".join(map(markdown_text, orders[side])) for side in ("untuned", "tuned"))
    words = f"Kendall's tau of the two orders is {tau:.2f}; as means of few seeds they may change by luck."
    if orders["untuned"] == orders["tuned"]:
        return f"The ranking did not change: {tuned}."
    return f"The ranking changed: untuned, best first, {untuned}; tuned {tuned}. {words}"


def _effect_rows(record: Mapping[str, Any], effects: Sequence[tuple[str, Interval, float, bool]]) -> list[list[str]]:
    sides = {
        side: arm_intervals(pd.DataFrame({label: _numbers(values) for label, values in record[side].items()}))
        for side in ("untuned", "tuned")
    }
    rows = [["arm", "untuned", "tuned", "change", "p", ""]]
    for label, change, p, resolved in effects:
        better = (change.mean < 0) == (record["direction"] == "lower")
        verdict = ("better" if better else "worse") if resolved else f"not resolved at {change.n} seeds"
        if record["studies"][label]["best"] in (0, None):
            verdict = "no trial was better than the untuned settings"
        cells = [_interval(sides[side][label]) for side in ("untuned", "tuned")]
        rows.append([label, *cells, _interval(change, sign=True), f"{p:.3f}" if math.isfinite(p) else "–", verdict])
    return rows


def _ledger_rows(studies: Mapping[str, Any]) -> list[list[str]]:
    rows = [["arm", *KINDS, "runs' time", "GPU hours"]]
    for label, study in studies.items():
        ledger = study["ledger"]
        cost = [duration(ledger["hours"]), f"{ledger['gpu hours']:.2f}" if ledger["gpu hours"] else "–"]
        rows.append([label, *(str(ledger[kind]) for kind in KINDS), *cost])
    return rows


def _trials(studies: Mapping[str, Any]) -> str:
    counts = sorted({study["ledger"]["trials"] for study in studies.values()})
    return " or ".join(map(str, counts))


def _interval(interval: Interval, sign: bool = False) -> str:
    if math.isnan(interval.mean):
        return "–"
    mean = f"{interval.mean:+.3g}" if sign else f"{interval.mean:.3g}"
    return f"{mean} [{interval.low:.3g}, {interval.high:.3g}]" if interval.exists else mean


def _table(rows: Sequence[Sequence[str]]) -> str:
    header, *body = ([markdown_text(cell) for cell in row] for row in rows)
    lines = [header, [":--", *["--:"] * (len(header) - 1)], *body]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def _draw(studies: Mapping[str, Any], name: str, path: Path) -> bool:
    """Small multiples, an arm each. False: nothing to draw."""
    drawing = {HISTORY: draw_history, IMPORTANCES: draw_importances}[name]
    chosen = {label: study for label, study in studies.items() if name == HISTORY or study["importances"]}
    if not chosen:
        return False
    down = math.ceil(len(chosen) / ACROSS)
    with house_style():
        figure = Figure(figsize=(TEXT / ACROSS * min(ACROSS, len(chosen)), 2.2 * down), layout="constrained")
        axes = figure.subplots(down, min(ACROSS, len(chosen)), squeeze=False).flat
        for panel, (label, study) in zip(axes, chosen.items(), strict=False):
            drawing(panel, study)
            panel.set_title(label)
            figure.supylabel(panel.get_ylabel(), fontsize=SMALL)  # the same of all
            panel.set_ylabel("")
        for panel in figure.axes[len(chosen) :]:
            panel.set_visible(False)
        add_legend(figure)
        save(figure, path)
    return True


def _found(study: Mapping[str, Any]) -> bool:
    return study["best"] is not None


def _numbers(values: Sequence[float | None]) -> np.ndarray:
    return np.array([math.nan if value is None else value for value in values], float)


def _is(values: Sequence[float | None]) -> list[bool]:
    return [value is not None for value in values]
