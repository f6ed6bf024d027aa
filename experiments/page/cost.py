"""Cost against quality: what an arm takes, and how close to real images it comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from experiments.page.charts import Chart, between, hover, paint, source, start, write_names
from experiments.page.effects import axis_of, scale_of, title_of, view
from experiments.page.markup import block
from experiments.records import Result
from experiments.report_records import RunRecord
from experiments.reporting.evidence import Measured
from experiments.reporting.intervals import limits
from experiments.reporting.labels import markdown_text, memory, number, of_metric, seconds
from experiments.reporting.tables import markdown_table

HEIGHT = 380  # pixels
# What a chooser calls it -> (the axis, a run's cost, in the axis' unit; how it is written).
COSTS: Mapping[str, tuple[str, Callable[[Result], float], Callable[[float], str]]] = {
    "training time": ("training, minutes", lambda run: run.train_seconds / 60, lambda value: seconds(60 * value)),
    "parameters": (
        "parameters of all networks, millions",
        lambda run: sum(run.parameters.values()) / 1e6,
        lambda value: f"{number(value)} M",
    ),
    "memory": (
        "memory at most, GiB",
        lambda run: run.peak_memory_bytes / 2**30,
        lambda value: memory(value * 2**30),
    ),
}


def costs(key: str, measured: Measured | None, runs: Sequence[RunRecord]) -> list[Chart]:
    """A plot for each kind of cost; none where no run has finished."""
    known = [label for label, interval in measured.intervals.items() if interval.n] if measured else []
    if measured is None or not known:
        return []
    own = {label: [run.result for run in runs if run.label == label] for label in known}
    return [
        _chart(f"{key}-{place}", name, measured, {label: _mean(cost, results) for label, results in own.items()})
        for place, (name, (_, cost, _)) in enumerate(COSTS.items(), start=1)
    ]


def _chart(key: str, name: str, measured: Measured, spent: Mapping[str, float]) -> Chart:
    axis, _, write = COSTS[name]
    scale, intervals = scale_of(measured), [measured.intervals[label] for label in spent]
    means = [scale * one.mean for one in intervals]
    lows = [scale * (one.low if one.exists else one.mean) for one in intervals]
    highs = [scale * (one.high if one.exists else one.mean) for one in intervals]
    plot = start(
        height=HEIGHT,
        x=axis,
        y=axis_of(measured),
        x_range=between(*view(list(spent.values()), [])),
        y_range=between(*view(means, [*lows, *highs])),
    )
    columns = source(
        {
            "name": list(spent),
            "x": list(spent.values()),
            "y": means,
            "low": lows,
            "high": highs,
            "x_shown": [write(value) for value in spent.values()],
            "y_shown": [_shown(measured, label) for label in spent],
        }
    )
    whiskers = plot.segment(x0="x", x1="x", y0="low", y1="high", line_width=1.5, line_alpha=0.7, source=columns)
    marks = plot.scatter(x="x", y="y", size=10, source=columns)
    paint(whiskers.glyph, line_color="latent")
    paint(marks.glyph, fill_color="latent", line_color="paper")
    write_names(plot, list(zip(spent, spent.values(), means, strict=True)))
    hover(plot, marks, [("", "@name"), (name, "@x_shown"), (measured.column.shown.label, "@y_shown")])
    rows = [[markdown_text(label), write(value), _shown(measured, label)] for label, value in spent.items()]
    table = block(markdown_table(["", name, title_of(measured)], rows))
    return Chart(key, name, f"{title_of(measured)} against {name}; the table has every point", plot, table)


def _shown(measured: Measured, label: str) -> str:
    name, interval = measured.column.metric, measured.intervals[label]
    return f"{of_metric(name, interval.mean)} {limits(name, interval)}".strip()


def _mean(cost: Callable[[Result], float], results: Sequence[Result]) -> float:
    return sum(cost(result) for result in results) / len(results)
