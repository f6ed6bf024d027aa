"""What a report says besides its metrics: what was compared, what changed, what it cost, with what it was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.config import GUIDES
from experiments.report_records import RunRecord
from experiments.reporting.design_record import design_of
from experiments.reporting.labels import (
    NETWORKS,
    listed,
    markdown_code,
    markdown_text,
    memory,
    number,
    plural,
    seconds,
    span,
)
from experiments.reporting.outcomes import Hole, divergences, planned_seeds
from experiments.reporting.tables import NOTHING, markdown_table


def facts(ladder: Mapping[str, Any], runs: Sequence[RunRecord]) -> str:
    """What was compared, on what, how: a list."""
    data = ladder["data"]
    side = data["resolution"]
    seeds = planned_seeds(ladder, runs)
    lines = [
        ("Ladder", f"{ladder['ladder']}, scale {ladder['scale']}"),
        (
            "Images",
            f"{data['name']}, {side} × {side} px, {plural(len(data['domains']), 'domain')}: {listed(data['domains'])}",
        ),
        (
            "Counts",
            f"training images a domain: {_counts(data['train'])}; validation images a domain: {_counts(data['val'])}",
        ),
        ("Runs", f"{_arms(ladder)}, {_seed_words(seeds)}; {plural(len(runs), 'finished run')}"),
    ]
    if runs:
        config = runs[0].result.config
        updates = sorted({run.result.generator_updates for run in runs})
        images = sorted({run.result.images_seen for run in runs})
        batches = sorted({run.result.config["train.batch"] for run in runs})
        lines += [
            (
                "Training",
                f"{span(updates[0], updates[-1])} generator updates and {span(images[0], images[-1])} source images "
                f"a run, batch {span(batches[0], batches[-1])}{_halves(runs)}",
            ),
            ("Evaluation", _evaluation(config)),
        ]
    text = [f"- **{head}:** {markdown_text(body)}" for head, body in lines]
    return "\n".join([*text, f"- **Command:** {markdown_code(ladder['command'])}"])


def _halves(runs: Sequence[RunRecord]) -> str:
    """Which arms have had half as much practice in what the others do all the time."""
    guided = {run.label: len(GUIDES[run.result.config["model.code"]]) for run in runs}
    halves = [label for label, guides in guided.items() if guides > 1]
    if len(halves) in (0, len(guided)):
        return ""
    return f"; half of the updates of {listed(halves)} are guided by references, all others by latents or labels"


def warnings(ladder: Mapping[str, Any], missing: Sequence[Hole]) -> list[dict[str, str]]:
    """What a reader must know first: runs that are not there or diverged, and what was found wrong before training."""
    kinds = [("not in this report", [hole.with_log for hole in missing]), ("diverged", divergences(ladder))]
    found = [{"head": f"{plural(len(lines), 'run')} {what}.", "body": _few(lines)} for what, lines in kinds if lines]
    return found + [{"head": "Note.", "body": note} for note in ladder.get("notes", ())]


def changes(ladder: Mapping[str, Any], runs: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Of every rung: its named components, the settings that they changed, our reading."""
    varied = sorted({path for arm in ladder["arms"] for path in arm["difference"]})
    found = []
    for arm in ladder["arms"]:
        difference = [
            f"{markdown_code(path)}: {_value(before)} → {_value(after)}"
            for path, (before, after) in arm["difference"].items()
        ]
        run = next((run for run in runs if run.label == arm["label"]), None)
        start = ""
        if not difference and run is not None:
            values = [
                f"{markdown_code(path)}: {_value(run.result.config[path])}"
                for path in varied
                if path in run.result.config
            ]
            start = ", ".join(values)
        found.append(
            {
                "label": arm["label"],
                "title": arm["title"],
                "changes": _changed(arm),
                "difference": difference,
                "start": start,
                "reading": arm["reading"],
            }
        )
    return found


def cost(ladder: Mapping[str, Any], runs: Sequence[RunRecord]) -> dict[str, str] | None:
    """Parameters, time, memory and device of every rung."""
    if not runs:
        return None
    networks = list(dict.fromkeys(name for run in runs for name in run.result.parameters))
    networks.sort(key=lambda name: list(NETWORKS).index(name) if name in NETWORKS else len(NETWORKS))
    rows, parameters = [], []
    for arm in ladder["arms"]:
        own = [run.result for run in runs if run.label == arm["label"]]
        if not own:
            continue
        label = f"**{markdown_text(arm['label'])}**"
        rows.append(
            [
                label,
                _spread([result.iterations for result in own], lambda value: f"{value:,.0f}"),
                _spread([result.generator_updates for result in own], lambda value: f"{value:,.0f}"),
                _spread([result.images_seen for result in own], lambda value: f"{value:,.0f}"),
                _spread([result.train_seconds for result in own], seconds),
                _spread(
                    [result.images_seen / result.train_seconds for result in own if result.train_seconds > 0], number
                ),
                _spread([result.evaluate_seconds for result in own], seconds),
                _spread([result.peak_memory_bytes for result in own if result.peak_memory_bytes > 0], memory),
                markdown_text(listed(list(dict.fromkeys(result.device for result in own)))),
                markdown_text(listed(list(dict.fromkeys(str(result.config.get("precision", "")) for result in own)))),
            ]
        )
        counts = [own[0].parameters.get(name) for name in networks]
        shown = [f"{count:,}" if count is not None else NOTHING for count in counts]
        parameters.append([label, *shown, f"{sum(own[0].parameters.values()):,}"])
    headings = [
        "",
        "iterations",
        "G updates",
        "images seen",
        "training",
        "images/s",
        "evaluation",
        "peak memory",
        "device",
    ]
    names = [markdown_text(NETWORKS.get(name, name)) for name in networks]
    return {
        "table": markdown_table([*headings, "precision"], rows),
        "caption": (
            "*Images seen: source images that discriminator updates were made on; images/s: of these, while training."
            " Runs that trained side by side shared the machine. Peak memory: of the device on a GPU, of the whole"
            " process on a CPU. Several runs: mean and range.*"
        ),
        "parameters": markdown_table(["", *names, "total"], parameters),
    }


def judge_words(ladder: Mapping[str, Any]) -> dict[str, str] | None:
    """How well the judge reads real images that it was not trained on."""
    judge = ladder.get("judge")
    if not judge:
        return None
    images = f" of {judge['images']:,} held-out real images" if judge.get("images") else " of held-out real images"
    words = f"It names the domain of {number(100 * judge['accuracy'])} %{images}: “recognised” is no surer than that."
    factors = judge.get("factors") or {}
    rows = [
        [markdown_text(name), number(factor["mean_error"]), number(factor["r2"])]
        for name, factor in sorted(factors.items())
    ]
    return {"words": words, "table": markdown_table(["factor", "mean error", "R²"], rows) if rows else ""}


def environment(runs: Sequence[RunRecord]) -> str:
    """Versions and commit; where runs differ, how many have which."""
    if not runs:
        return ""
    rows = []
    names = {name for run in runs for name in run.result.environment}
    for name in sorted(names, key=lambda name: (name != "revision", name)):
        values: dict[str, int] = {}
        for run in runs:
            value = run.result.environment.get(name, "not recorded")
            values[value] = values.get(value, 0) + 1
        words = ", ".join(value if len(values) == 1 else f"{value} ({plural(n, 'run')})" for value, n in values.items())
        rows.append([markdown_text("commit" if name == "revision" else name), markdown_text(words)])
    changed = any(str(run.result.environment.get("revision", "")).endswith("+") for run in runs)
    note = "\n\n*A `+` after the commit: files differed from it.*" if changed else ""
    return markdown_table(["", "version"], rows, left=2) + note


def _spread(values: Sequence[float], write: Callable[[float], str]) -> str:
    if not values:
        return NOTHING
    mean = write(sum(values) / len(values))
    low, high = write(min(values)), write(max(values))
    return mean if low == high else f"{mean}<br><sub>{low} – {high}</sub>"


def _few(lines: Sequence[str], most: int = 12) -> str:
    return "; ".join(lines[:most]) + (f"; and {len(lines) - most:,} more" if len(lines) > most else "")


def _changed(arm: Mapping[str, Any]) -> str:
    if not arm.get("rung", True):
        return f"against {arm['against']}"  # its title names the sub-changes
    return "; ".join(arm["changes"]) or "nothing"


def _arms(ladder: Mapping[str, Any]) -> str:
    design = design_of(ladder)
    others = len(design.arms) - len(design.rungs)
    words = plural(len(design.rungs), "rung")
    return f"{words} and {plural(others, 'other arm')} (design {design.name}: {design.title})" if others else words


def _counts(sizes: Sequence[int]) -> str:
    return f"{span(min(sizes), max(sizes))} ({sum(sizes):,} in all)" if sizes else "none"


def _seed_words(seeds: Sequence[int]) -> str:
    if not seeds:
        return "no seed finished"
    return f"{plural(len(seeds), 'seed')} ({listed([str(seed) for seed in seeds])})"


def _evaluation(config: Mapping[str, Any]) -> str:
    sources = config["eval.sources"] or "all"
    references = config["eval.references"] or "all"
    outputs = config["eval.outputs"]
    return (
        f"{sources} validation images of each domain translated into every other ({plural(outputs, 'output')} each"
        f" where a rung can make several), compared with {references} training images of the target domain"
    )


def _value(value: object) -> str:
    if isinstance(value, float):
        return markdown_code(f"{value:g}")
    return markdown_code("nothing" if value in ("", None) else value)
