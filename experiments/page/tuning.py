"""How tuning went, arm by arm: what each trial came to, and which settings told the better trials from the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bokeh.models import FixedTicker
from bokeh.models.annotations import Span
from markupsafe import Markup

from experiments.page.charts import Chart, between, hover, paint, source, start
from experiments.page.effects import view
from experiments.page.markup import block
from experiments.reporting.labels import markdown_text, objectives, shortened
from experiments.reporting.tables import NOTHING, markdown_table
from experiments.reporting.tuned import EXPLORATORY
from experiments.tuning.course import best_so_far, course, untuned_value
from experiments.tuning.text import shown

HEIGHT = 320  # pixels
HEAD, ROW = 70, 32  # pixels
NAME = 24  # characters of a setting's name
MARKS: Mapping[str, tuple[str, str]] = {  # colour and marker of an outcome, told apart without colours too
    "done": ("latent", "circle"),
    "pruned": ("reference", "inverted_triangle"),
    "diverged": ("worse", "x"),
    "failed": ("open", "x"),
}


def tuning_parts(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What there is to draw of all studies, a chart for each arm. record: of `experiments.tuning.arms.compared`."""
    studies = list(record["studies"].items())
    histories = (_history(f"trials-{n}", label, study) for n, (label, study) in enumerate(studies))
    shares = (_importances(f"matter-{n}", label, study) for n, (label, study) in enumerate(studies))
    parts: list[dict[str, Any]] = [
        {
            "title": "How tuning went",
            "note": "Circles are trials that are done, triangles those that were ended early, at their last look; "
            "crosses are those that diverged or failed. The line is the best so far; dashed: the untuned settings.",
            "charts": [chart for chart in histories if chart],
        },
        {
            "title": "Which settings mattered",
            "note": EXPLORATORY,
            "charts": [chart for chart in shares if chart],
        },
    ]
    return [part for part in parts if part["charts"]]


def _history(key: str, label: str, study: Mapping[str, Any]) -> Chart | None:
    """The first objective of an arm's trials in their order; None where no trial has one. study: see `record_of`."""
    points, best = course(study), best_so_far(study)
    if not points:
        return None
    objective = objectives(str(study["made with"].get("objective", "")))[0]
    plot = start(
        height=HEIGHT,
        x="trial",
        y=objective or "objective",
        x_range=between(-0.5, len(study["trials"]) - 0.5),
        y_range=between(*view([point.value for point in points], [])),
    )
    plot.xaxis.ticker.update(mantissas=[1, 2, 5], min_interval=1, num_minor_ticks=0)
    untuned = untuned_value(study)
    if untuned is not None:
        level = Span(location=untuned, dimension="width", line_width=1.5, line_dash="6 3")
        paint(level, line_color="real")
        plot.add_layout(level)
    if best:
        columns = source(dict(zip(("x", "y"), zip(*best, strict=True), strict=True)))
        paint(plot.step(x="x", y="y", mode="after", line_width=1.5, source=columns).glyph, line_color="ink")
    drawn = plot.scatter(
        x="x",
        y="y",
        marker="marker",
        size=9,
        line_width=1.5,
        line_color="colour",
        fill_color="colour",
        source=source(
            {
                "x": [point.number for point in points],
                "y": [point.value for point in points],
                "marker": [MARKS[point.outcome][1] for point in points],
                "role": [MARKS[point.outcome][0] for point in points],
                "name": [f"trial {point.number}, {point.outcome}" for point in points],
                "shown": [shown(point.value) for point in points],
            }
        ),
    )
    hover(plot, drawn, [("", "@name"), ("objective", "@shown")])
    came = f", {shown(best[-1][1])} at best" if best else ""
    before = f", {shown(untuned)} untuned" if untuned is not None else ""
    spoken = f"Trials of {label}: {objective}{came}{before}; the table has every trial"
    return Chart(key, label, spoken, plot, _trials(study))


def _importances(key: str, label: str, study: Mapping[str, Any]) -> Chart | None:
    """The settings' shares, largest first; None where nothing can be said."""
    shares = sorted(study["importances"].items(), key=lambda item: -item[1])
    if not shares:
        return None
    rows = range(len(shares))
    plot = start(
        height=HEAD + ROW * len(shares),
        x="share, %",
        x_range=between(0, 100),
        y_range=between(len(shares) - 0.4, -0.6),
    )
    plot.yaxis.ticker = FixedTicker(ticks=list(rows), minor_ticks=[])
    plot.yaxis.major_label_overrides = {row: shortened(path, NAME) for row, (path, _) in enumerate(shares)}
    plot.ygrid.visible = False
    names, texts = [path for path, _ in shares], [_percent(share) for _, share in shares]
    columns = source({"y": list(rows), "x": [100 * share for _, share in shares], "name": names, "shown": texts})
    bars = plot.hbar(y="y", right="x", height=0.6, source=columns)
    paint(bars.glyph, fill_color="latent", line_color="latent")
    hover(plot, bars, [("", "@name"), ("share", "@shown")])
    told = ", ".join(f"{name} {text}" for name, text in zip(names, texts, strict=True))
    table = block(
        markdown_table(["", "share"], [[markdown_text(name), text] for name, text in zip(names, texts, strict=True)])
    )
    return Chart(key, label, f"Which settings mattered in {label}: {told}", plot, table)


def _trials(study: Mapping[str, Any]) -> Markup:
    """Every trial that has come to an end, with its settings."""
    paths, values = list(study["untuned"]), {point.number: point.value for point in course(study)}
    rows = [
        [
            f"{trial['number']}",
            trial["outcome"] if trial["repeats"] is None else f"as {trial['repeats']}",
            shown(values[trial["number"]]) if trial["number"] in values else NOTHING,
            *(markdown_text(shown(trial["settings"].get(path, NOTHING))) for path in paths),
        ]
        for trial in study["trials"]
        if trial["outcome"] != "at work"
    ]
    return block(markdown_table(["trial", "outcome", "objective", *map(markdown_text, paths)], rows, left=2))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
