"""How a study went, as points of a plot: what its trials came to, and the best so far. Read from its record."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any, NamedTuple


class Point(NamedTuple):
    """The first objective of a trial."""

    number: int
    outcome: str
    value: float


def course(record: Mapping[str, Any]) -> list[Point]:
    """A point for each trial that has come to an end and has a number; of one that was pruned, its last look."""
    return [
        Point(trial["number"], trial["outcome"], value)
        for trial in record["trials"]
        if trial["outcome"] != "at work" and (value := _last(trial)) is not None
    ]


def best_so_far(record: Mapping[str, Any]) -> list[tuple[int, float]]:
    """(trial, best first objective of all trials up to it) of each that is done, and of the last one of all."""
    done = [(point.number, point.value) for point in course(record) if point.outcome == "done"]
    if not done:
        return []
    numbers, values = zip(*done, strict=True)
    best = [*accumulate(values, max if record["maximise"][0] else min)]
    return [*zip(numbers, best, strict=True), (len(record["trials"]) - 1, best[-1])]


def untuned_value(record: Mapping[str, Any]) -> float | None:
    """The first objective with the untuned settings, which the first trial has."""
    return next((point.value for point in course(record)[:1] if point.number == 0 and point.outcome == "done"), None)


def _last(trial: Mapping[str, Any]) -> float | None:
    if trial["values"]:
        return float(trial["values"][0])
    return float(trial["points"][-1][1]) if trial["points"] else None
