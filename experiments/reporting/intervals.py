"""Estimates with their bounds, written for people and for programs."""

from __future__ import annotations

import math

from experiments.reporting.labels import metric, of_metric
from experiments.statistics import Interval


def signed(name: str, value: float) -> str:
    """A difference of a metric in its unit: `+1.23`, `−1.23`, `0`."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return sign + of_metric(name, abs(value))


def bounds(name: str, interval: Interval) -> str:
    """Of a difference: `[−2.34, +0.12]`; empty where there are none."""
    return f"[{signed(name, interval.low)}, {signed(name, interval.high)}]" if interval.exists else ""


def limits(name: str, interval: Interval) -> str:
    """Of a metric itself: `[12.3, 14.5]`; empty where there are none."""
    return f"[{of_metric(name, interval.low)}, {of_metric(name, interval.high)}]" if interval.exists else ""


def with_half_width(name: str, interval: Interval) -> str:
    """`13.5 ± 2.4`, with as many decimals as the mean; the mean alone where there are no bounds."""
    mean = of_metric(name, interval.mean)
    if not interval.exists or "e" in mean:
        return mean
    half = (interval.high - interval.low) / 2 * (100 if metric(name).percent else 1)
    return f"{mean} ± {half:,.{len(mean.partition('.')[2])}f}"


def signed_with_half_width(name: str, interval: Interval) -> str:
    """Of a difference: `−17.2 ± 2.9`, `+0.1 ± 12.5`: no more decimals than its half width has meaning for."""
    half = of_metric(name, (interval.high - interval.low) / 2) if interval.exists else ""
    mean = signed(name, interval.mean)
    if not half or "e" in mean + half:
        return mean
    places = min(len(text.partition(".")[2]) for text in (mean, half))
    scale = 100 if metric(name).percent else 1
    reach = scale * (interval.high - interval.low) / 2
    return f"{mean[0] if interval.mean else ''}{scale * abs(interval.mean):,.{places}f} ± {reach:,.{places}f}"


def probability(p: float) -> str:
    """A p value or a share: two digits, and none that is shown as 0."""
    if math.isnan(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def frame_bounds(name: str, interval: Interval | None) -> dict[str, object]:
    """An interval as three cells: NAME, NAME_low, NAME_high."""
    if interval is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    return {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
