"""A study in pictures: how it went, which settings mattered, what there is to choose between. Drawn from its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.reporting.labels import objectives
from experiments.reporting.style import COLOURS, FAINT, INK, REAL, SMALL, SOURCE, TEXT, house_style, save
from experiments.tuning.course import best_so_far, course, untuned_value

MARKS: Mapping[str, tuple[str, str]] = {  # colour and marker of an outcome, told apart without colours too
    "done": (COLOURS["latent"], "o"),
    "pruned": (COLOURS["reference"], "v"),
    "diverged": (SOURCE, "x"),
    "failed": (FAINT, "x"),
}
Drawing = Callable[[Axes, Mapping[str, Any]], None]


def draw(record: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw what there is to show into a folder; the files."""
    drawings: dict[str, tuple[bool, Drawing]] = {
        "history": (any(trial["outcome"] != "at work" for trial in record["trials"]), draw_history),
        "importances": (bool(record["importances"]), draw_importances),
        "front": (bool(record["front"]), draw_front),
    }
    paths = []
    for name, (something, drawing) in drawings.items():
        if something:
            paths.append(folder / f"{name}.png")
            with house_style():
                figure = Figure(figsize=(TEXT, 3.4), layout="constrained")
                drawing(figure.subplots(), record)
                add_legend(figure)
                save(figure, paths[-1])
    return paths


def add_legend(figure: Figure) -> None:
    """Say below all panels what their marks are, each kind once; nothing where no mark has a name."""
    marks: dict[str, Artist] = {}
    for axes in figure.axes:
        marks |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if marks:
        figure.legend([*marks.values()], [*marks], loc="outside lower center", ncols=len(marks))


def draw_history(axes: Axes, record: Mapping[str, Any]) -> None:
    """The first objective of each trial in their order, and the best so far; of pruned ones their last look."""
    points, best, untuned = course(record), best_so_far(record), untuned_value(record)
    for outcome, (colour, marker) in MARKS.items():
        own = [(point.number, point.value) for point in points if point.outcome == outcome]
        if own:
            axes.plot(*zip(*own, strict=True), marker, color=colour, ms=5, mew=1.5, label=outcome)
    if best:
        axes.step(*zip(*best, strict=True), where="post", color=INK, lw=1.2, label="best so far")
    if untuned is not None:
        axes.axhline(untuned, color=REAL, lw=1, ls=(0, (4, 2)), label="untuned")
    axes.set(title=f"Trials of {record['name']}", xlabel="trial", ylabel=_axis(record, 0))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")


def draw_importances(axes: Axes, record: Mapping[str, Any]) -> None:
    """Shares of what told the better trials from the others."""
    shares = dict(sorted(record["importances"].items(), key=lambda item: item[1]))
    axes.barh([*shares], [100 * share for share in shares.values()], color=COLOURS["latent"], height=0.6)
    axes.set(title="Which settings mattered (exploratory)", xlabel="share, %")
    axes.grid(axis="x")


def draw_front(axes: Axes, record: Mapping[str, Any]) -> None:
    """Both objectives of every trial; the front is what no other trial beats in both."""
    done = {trial["number"]: trial["values"] for trial in record["trials"] if trial["outcome"] == "done"}
    rest = [values for number, values in done.items() if number not in record["front"]]
    best = sorted(done[number] for number in record["front"])
    if rest:
        axes.plot(*zip(*rest, strict=True), "o", color=FAINT, ms=4, label="trials")
    axes.plot(*zip(*best, strict=True), "o-", color=COLOURS["latent"], lw=1.2, label="Pareto front")
    for number in record["front"]:
        axes.annotate(str(number), done[number], xytext=(4, 4), textcoords="offset points", fontsize=SMALL)
    if 0 in done:
        axes.plot(*done[0], "D", mfc="none", color=REAL, ms=8, label="untuned")
    axes.set(title=f"Pareto front of {record['name']}", xlabel=_axis(record, 0), ylabel=_axis(record, 1))
    axes.grid()


def _axis(record: Mapping[str, Any], place: int) -> str:
    names = objectives(str(record["made with"].get("objective", "")))
    return names[place] if place < len(names) else ""
