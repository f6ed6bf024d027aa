"""A study in words and columns, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def summary(record: Mapping[str, Any]) -> str:
    """What was tried, what it came to and cost, and the best settings beside the untuned ones."""
    parts = [
        f"study {record['name']}: {record['made with'].get('objective', '')}",
        _columns(_trial_rows(record)),
        said_of(record["ledger"]),
        _columns(best_rows(record)) if record["best"] is not None else "no trial was brought to its end",
    ]
    if record["importances"]:
        shares = ", ".join(f"{path} {100 * share:.0f} %" for path, share in record["importances"].items())
        parts.append(f"which settings mattered among the better trials (exploratory, from few trials): {shares}")
    return "\n\n".join(parts)


def said_of(ledger: Mapping[str, Any]) -> str:
    """A ledger in a line."""
    kinds = ("done", "pruned", "diverged", "failed", "at work", "repeated")
    counts = [f"{ledger[kind]} {kind}" for kind in kinds if ledger[kind]]
    gpus = f", {ledger['gpu hours']:.2f} GPU hours" if ledger["gpu hours"] else ""
    return f"{ledger['trials']} trials: {', '.join(counts)}; {duration(ledger['hours'])} of runs{gpus}"


def duration(hours: float) -> str:
    """E.g. 2.5 hours, or 12 minutes."""
    return (
        f"{hours:.1f} hours" if hours >= 2 else f"{60 * hours:.0f} minutes" if hours > 0.05 else f"{3600 * hours:.0f} s"
    )


def best_rows(record: Mapping[str, Any]) -> list[list[str]]:
    """A table: each setting untuned and in the best trial (the front's trials, where there are two objectives)."""
    trials = {trial["number"]: trial for trial in record["trials"]}
    chosen = record["front"] or [record["best"]]
    header = ["", "untuned", *(f"trial {number}" for number in chosen)]
    first = record["trials"][0]
    rows = [
        [path, shown(value), *(shown(trials[number]["settings"][path]) for number in chosen)]
        for path, value in record["untuned"].items()
    ]
    values = [
        [f"objective {place + 1}" if len(record["maximise"]) > 1 else "objective"]
        + [shown(trial["values"][place]) if trial["values"] else trial["outcome"] for trial in columns]
        for columns in [[first, *(trials[number] for number in chosen)]]
        for place in range(len(record["maximise"]))
    ]
    return [header, *values, *rows]


def shown(value: Any) -> str:
    """A value of a setting or of an objective, short."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _trial_rows(record: Mapping[str, Any]) -> list[list[str]]:
    paths = list(record["untuned"])
    header = ["trial", "outcome", *(["objective"] if len(record["maximise"]) == 1 else ["first", "second"]), *paths]
    rows = [header]
    for trial in record["trials"]:
        values = [shown(value) for value in trial["values"]] or ["–"] * len(record["maximise"])
        mark = " *" if trial["number"] in (record["front"] or [record["best"]]) else ""
        outcome = trial["outcome"] if trial["repeats"] is None else f"as {trial['repeats']}"
        settings = [shown(trial["settings"].get(path, "")) for path in paths]
        rows.append([f"{trial['number']}{mark}", outcome, *values, *settings])
    return rows


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)
