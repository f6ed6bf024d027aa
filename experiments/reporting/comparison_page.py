"""Two reports beside each other in words and tables: for a terminal, as Markdown, as CSV and as LaTeX."""

from __future__ import annotations

import math
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from experiments.reporting.comparison import Compared, Comparison, Pairing, Ranking
from experiments.reporting.intervals import bounds, frame_bounds, signed, signed_with_half_width, with_half_width
from experiments.reporting.labels import (
    heading,
    latex_text,
    listed,
    markdown_code,
    markdown_text,
    plural,
    shortened,
    span,
)
from experiments.reporting.latex import tabular
from experiments.reporting.outcomes import planned_seeds
from experiments.reporting.sides import Side
from experiments.reporting.tables import NOTHING, WIDEST, aligned, markdown_table

LEADING = ("distance", "diversity", "recognised")  # roles that a terminal shows
ARM = 30  # characters of an arm's label in a terminal

PAIRED = "paired by seed: both were trained on the same images, so runs of one seed saw the same images and latents"
UNPAIRED = "unpaired (Welch's t interval): "


def comparison_text(comparison: Comparison) -> str:
    """For a terminal: every refusal, and the leading numbers guided by latents."""
    ours, theirs = (shortened(side.name, 20) for side in (comparison.ours, comparison.theirs))
    parts = [f"{names} not compared in numbers: {why}" for why, names in refusals(comparison).items()]
    for one in comparison.compared:
        if one.guide != "latent" or one.column.role not in LEADING:
            continue
        title = heading(one.column.shown, one.column.outputs, one.column.direction)
        if one.pairings:
            head = [[title, ours, theirs, "difference", ""]]
            body = [[shortened(row.label, ARM), *_cells(comparison, one, row)] for row in one.pairings]
            parts.append(aligned(head, body, left=1))
        if one.ranking:
            parts.append(f"{'' if one.pairings else title + ': '}{ranking_words(one.ranking, (ours, theirs))}")
    if any(one.pairings for one in comparison.compared):
        parts.append(f"difference: {ours} less {theirs}, {_how(comparison)}")
    parts += [line for line in [only_words(comparison)] if line]
    return "\n\n".join(part if "\n" in part else textwrap.fill(part, WIDEST) for part in parts)


def comparison_markdown(comparison: Comparison, figure: str) -> str:
    """The page against-OTHER.md. figure: its path from there; empty where there is none."""
    ours, theirs = comparison.ours.name, comparison.theirs.name
    lines = [
        f"# {markdown_text(ours)} against {markdown_text(theirs)}",
        _lead(comparison),
    ]
    for why, names in refusals(comparison).items():
        lines.append(
            f"> **Not compared in numbers: {markdown_text(names)}.** {markdown_text(why)}. Numbers of two protocols say"
            " nothing of each other; the order of the arms is compared all the same."
        )
    if any(one.pairings for one in comparison.compared):
        lines.append(
            f"Means with 95 % t intervals over runs. Difference: {markdown_text(ours)} less {markdown_text(theirs)}, "
            f"{_how(comparison)}. “Better” and “worse”: of {markdown_text(ours)}, where a t test refutes a zero "
            "difference at 5 % after Holm's correction for the arms of a table; else it is not resolved."
        )
    if figure:
        lines.append(f"![Both reports by arm]({figure})")
    lines += [part for one in comparison.compared for part in _section(comparison, one)]
    only = only_words(comparison)
    lines += ["## What differs", _data_table(comparison)]
    lines += [f"{markdown_text(only[0].upper() + only[1:])}."] if only else []
    command = shlex.join(["python", "-m", "experiments.report", ours, "--against", theirs])
    lines += [_settings(comparison), f"Made from the records of both by {markdown_code(command)}."]
    return "\n\n".join(lines) + "\n"


def comparison_frame(comparison: Comparison) -> pd.DataFrame:
    """One row a number and arm. Where numbers are not compared, the ranks alone."""
    rows = []
    for one in comparison.compared:
        known = {row.label: row for row in one.pairings}
        labels = known or dict.fromkeys(one.ranking.ours if one.ranking else ())
        for label in (label for label in comparison.shared if label in labels):
            row = known.get(label)
            rows.append(
                {
                    "guide": one.guide,
                    "metric": one.column.metric,
                    "outputs": one.column.outputs,
                    "direction": one.column.direction,
                    "arm": label,
                    "protocol": one.protocols[0],
                    "other_protocol": one.protocols[1],
                    "runs": row.ours.n if row else None,
                    **frame_bounds("mean", row.ours if row else None),
                    "other_runs": row.theirs.n if row else None,
                    **frame_bounds("other_mean", row.theirs if row else None),
                    **frame_bounds("difference", row.difference if row else None),
                    "paired": row.paired if row else None,
                    "p_holm": row.p if row else None,
                    "finding": row.finding if row else "not compared",
                    "rank": one.ranking.ours.index(label) + 1 if one.ranking else None,
                    "other_rank": one.ranking.theirs.index(label) + 1 if one.ranking else None,
                    "tau_b": one.ranking.tau if one.ranking else None,
                    "refused": one.refused,
                }
            )
    return pd.DataFrame(rows)


def comparison_latex(comparison: Comparison) -> str:
    r"""A tabular for every number that is compared; needs \usepackage{booktabs}."""
    parts = ["% needs \\usepackage{booktabs}\n"]
    for one in comparison.compared:
        title = heading(one.column.shown, one.column.outputs, one.column.direction)
        if one.pairings:
            comments = [f"{title}, {one.guide}-guided: {one.protocols[0]}"]
            headings = [[title, comparison.ours.name, comparison.theirs.name, "difference", ""]]
            rows = [[row.label, *_cells(comparison, one, row)] for row in one.pairings]
            parts.append(tabular(comments, headings, [rows], "lrrrl"))
        else:
            parts.append(f"% {latex_text(title)}, {one.guide}-guided: not compared in numbers\n")
    return "\n".join(parts)


def refusals(comparison: Comparison) -> dict[str, str]:
    """{why: the numbers that are not compared for it}."""
    found: dict[str, list[str]] = {}
    for one in comparison.compared:
        if one.refused:
            found.setdefault(one.refused, []).append(one.column.shown.label)
    return {why: listed(list(dict.fromkeys(names))) for why, names in found.items()}


def ranking_words(ranking: Ranking, names: tuple[str, str]) -> str:
    """Whether the order of the arms changed, and how."""
    tau = "all are equal" if math.isnan(ranking.tau) else f"Kendall's tau-b {ranking.tau:.2f}".replace("-0", "−0")
    tau = tau.replace("tau−b", "tau-b").replace(" -", " −")
    if ranking.ours == ranking.theirs:
        return f"the order of the arms is the same in both ({tau}): {', '.join(ranking.ours)}"
    return (
        f"the order of the arms changed ({tau}), best first: {names[0]}: {', '.join(ranking.ours)}; "
        f"{names[1]}: {', '.join(ranking.theirs)}"
    )


def only_words(comparison: Comparison) -> str:
    """Which arms stand in one of the two alone; empty where none does."""
    pairs = zip((comparison.ours, comparison.theirs), comparison.only, strict=True)
    return "; ".join(f"only in {side.name}: {listed(list(labels))}" for side, labels in pairs if labels)


def _cells(comparison: Comparison, one: Compared, row: Pairing) -> list[str]:
    """Both means, the difference, what is known of it."""
    name = one.column.metric
    both = [with_half_width(name, interval) for interval in (row.ours, row.theirs)]
    return [*both, signed_with_half_width(name, row.difference), _known(comparison, row)]


def _known(comparison: Comparison, row: Pairing) -> str:
    """What the runs say of ours; where the rest is paired and this is not, that too."""
    known = row.finding if row.difference.exists else "one run"
    return known if row.paired or not comparison.same_images else f"{known}, unpaired"


def _how(comparison: Comparison) -> str:
    pairings = [row for one in comparison.compared for row in one.pairings]
    if all(row.paired for row in pairings):
        return PAIRED
    if comparison.same_images and any(row.paired for row in pairings):
        return f"{PAIRED}; where that is not said, {UNPAIRED}too few seeds are in both"
    return UNPAIRED + ("no seeds are in both" if comparison.same_images else "the two were trained on other images")


def _lead(comparison: Comparison) -> str:
    resolved = [row for one in comparison.compared for row in one.pairings if row.finding != "not resolved"]
    compared = sum(len(one.pairings) for one in comparison.compared)
    rankings = [one.ranking for one in comparison.compared if one.ranking]
    changed = sum(ranking.ours != ranking.theirs for ranking in rankings)
    return (
        f"{plural(len(comparison.shared), 'arm')} in both; of {plural(compared, 'difference')}, {len(resolved)} are "
        f"resolved. The order of the arms changed in {changed} of {plural(len(rankings), 'number')}."
    )


def _section(comparison: Comparison, one: Compared) -> list[str]:
    title = heading(one.column.shown, one.column.outputs, one.column.direction)
    parts = [f"## {title}, {one.guide}-guided"]
    if one.pairings:
        names = [markdown_text(side.name) for side in (comparison.ours, comparison.theirs)]
        rows = []
        for row in one.pairings:
            name = one.column.metric
            cells = [f"{with_half_width(name, i)}<br><sub>{plural(i.n, 'run')}</sub>" for i in (row.ours, row.theirs)]
            moved = f"{signed(name, row.difference.mean)} {bounds(name, row.difference)}".strip()
            rows.append([f"**{markdown_text(row.label)}**", *cells, moved, _known(comparison, row)])
        parts.append(markdown_table(["", *names, "difference", f"{names[0]} is"], rows))
        parts.append(f"*Measured with {markdown_text(one.protocols[0])}.*")
    if one.ranking:
        words = ranking_words(one.ranking, (comparison.ours.name, comparison.theirs.name))
        parts.append(markdown_text(words[0].upper() + words[1:]) + ".")
    return parts


def _data_table(comparison: Comparison) -> str:
    sides = [_data_words(side) for side in (comparison.ours, comparison.theirs)]
    rows = [
        [head, markdown_text(sides[0][head]), markdown_text(sides[1][head]), "same" if same else "**differs**"]
        for head in sides[0]
        for same in [sides[0][head] == sides[1][head]]
    ]
    names = [markdown_text(side.name) for side in (comparison.ours, comparison.theirs)]
    return markdown_table(["", *names, ""], rows, left=4)


def _data_words(side: Side) -> dict[str, str]:
    ladder: Mapping[str, Any] = side.ladder
    data = ladder["data"]
    return {
        "ladder": f"{ladder['ladder']}, scale {ladder['scale']}",
        "images": f"{data['name']}, {plural(len(data['domains']), 'domain')}: {listed(data['domains'])}",
        "resolution": f"{data['resolution']} px",
        "training images a domain": _span(data["train"]),
        "validation images a domain": _span(data["val"]),
        "fingerprint of the images": str(data["fingerprint"])[:12],
        "seeds": listed([str(seed) for seed in planned_seeds(ladder, side.runs)]),
        "finished runs": str(len(side.runs)),
    }


def _span(sizes: Sequence[int]) -> str:
    return span(min(sizes), max(sizes)) if sizes else NOTHING


def _settings(comparison: Comparison) -> str:
    if not comparison.settings:
        return "Every setting that changes results is the same in the arms that both have."
    rows = []
    for one in comparison.settings:
        where = "all" if one.labels == comparison.shared else listed(list(one.labels))
        rows.append([markdown_code(one.path), _value(one.ours), _value(one.theirs), markdown_text(where)])
    names = [markdown_text(side.name) for side in (comparison.ours, comparison.theirs)]
    table = markdown_table(["setting", *names, "arms"], rows, left=4)
    return f"Settings that change results and differ in arms of one name:\n\n{table}"


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "nothing" if value in ("", None, (), []) else markdown_text(value)
