"""The words around a report's tables and figures: what they hold, what they rest on, how to read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.report_records import RunRecord
from experiments.reporting import curves, plots
from experiments.reporting.labels import markdown_text, metric, plural, span
from experiments.reporting.summary import Column, Table
from experiments.reporting.tables import CONTENT, FEW

DIVERGED = "Diverged: runs whose losses or weights were not finite any more, of all that ended."


def lead(table: Table, again: bool) -> str:
    """What stands above a table. again: its guide has a table of another protocol before it."""
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


def caption(ladder: Mapping[str, Any], table: Table) -> str:
    """What stands below it: the small print, what was measured with what, and what the metrics mean."""
    if not table.columns:
        return DIVERGED
    several = max((line.runs for line in table.arms), default=0) > 1
    small = "*"
    if several:
        small += (
            f"Mean over runs, its 95 % t interval in brackets, and every run's value (of more than {FEW} the range). "
            "A t interval knows no limits: of few runs that scatter it can reach below 0 or above 100 %. "
        )
    counts = markdown_text(_counts(table, content=False))
    small += f"Images measured for one pair of domains : real images that they were compared with: {counts}. "
    if table.guide == "reference":
        return small + "All else as above.*"
    small += "“1 output”: the first output of every source, which every arm has. "
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
    return small + "\n\n" + meanings(table, content=False)


def _counts(table: Table, *, content: bool) -> str:
    """Columns by their numbers of images; real images and sources where theirs differ."""
    parts = []
    for lines, who in ((table.arms, ""), (table.references, ", real images and untouched sources")):
        for column in [column for column in table.columns if (column.role in CONTENT) == content]:
            found = [line.cells[column] for line in lines if column in line.cells]
            if found:
                samples, compared = (
                    span(min(low for low, _ in pairs), max(high for _, high in pairs))
                    for pairs in ([c.samples for c in found], [c.reference_samples for c in found])
                )
                counts = samples if compared == "0" else f"{samples} : {compared}"
                parts.append((column, who, counts))
    arms = {column: counts for column, who, counts in parts if not who}
    grouped: dict[str, list[str]] = {}
    for column, who, counts in parts:
        if not who or arms.get(column) != counts:
            name = f"{column.shown.label} at {plural(column.outputs, 'output')}{who}"
            grouped.setdefault(counts, []).append(name)
    return "; ".join(f"{counts} ({', '.join(names)})" for counts, names in grouped.items())


def meanings(table: Table, *, content: bool) -> str:
    """A few words on each metric of a table, or (`content`) of those of what was kept and varied."""
    columns = [column for column in table.columns if (column.role in CONTENT) == content]
    known = {column.shown.label: metric(column.metric).meaning for column in columns}
    words = "; ".join(f"{label}: {meaning}" for label, meaning in known.items() if meaning)
    if content:
        words += (
            ". In the row of real images: the error of the judge itself, which no translation can be seen to undercut."
            f" Images measured for one pair of domains: {_counts(table, content=True)}"
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


def most_seeds(runs: Sequence[RunRecord]) -> int:
    """How many runs an arm has at most."""
    return max((sum(run.label == label for run in runs) for label in {run.label for run in runs}), default=0)


def bars_caption(tables: Sequence[Table], runs: Sequence[RunRecord]) -> str:
    """Of metrics.png."""
    words = "Arrows: which way is better. Lines: real images (the best to be expected) and untouched sources. "
    if len({run.label for run in runs}) > plots.MOST_ARMS:
        words += f"The first {plots.MOST_ARMS} rungs are drawn. "
    if len({table.guide for table in tables}) < len(tables):
        words += "Only the runs of each guide's first table: charts mix no protocols either. "
    if most_seeds(runs) > 1:
        return words + "Bars: means over runs; rings: single runs."
    return words + "One run a rung: no error bars, for there is nothing to estimate them from."


def tradeoff_caption(runs: Sequence[RunRecord]) -> str:
    """What the points of quality against diversity are."""
    return "Whiskers: 95 % t intervals over seeds." if most_seeds(runs) > 1 else "One run a rung: points, no intervals."


def curves_caption(runs: Sequence[RunRecord]) -> str:
    """Of curves.png."""
    labels = len({run.label for run in runs})
    words = "up to three seeds a rung." if most_seeds(runs) > 1 else "one run a rung."
    return words + (f" The first {curves.MOST_ARMS} rungs are drawn." if labels > curves.MOST_ARMS else "")


def limits(tables: Sequence[Table], runs: Sequence[RunRecord]) -> list[str]:
    """What the numbers cannot say."""
    lines = []
    if most_seeds(runs) <= 1:
        lines.append(
            "**One run a rung carries no interval**: another seed gives other numbers, by how much this report cannot"
            " say, and no winner can be declared. Nothing is printed in bold for being best."
        )
    else:
        lines.append(
            "An interval holds the true mean of such trainings in 95 of 100 repetitions if their values scatter"
            " normally; three runs cannot show whether they do. Nothing is printed in bold for being best."
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
