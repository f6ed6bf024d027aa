"""How metrics and numbers are written for people: names, units, directions, digits and escapes, in this one place."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Literal

Role = Literal["distance", "kernel", "diversity", "recognised", "content", "spread", "other"]


@dataclass(frozen=True)
class Metric:
    """What a metric is called and what it says."""

    label: str  # a table's heading
    short: str  # at most 10 characters, for a terminal
    role: Role
    meaning: str
    unit: str = ""
    percent: bool = False  # recorded as a share, shown in per cent
    of_judge: bool = False  # a stand-in for a published metric, in the judge's own features


METRICS: dict[str, Metric] = {
    "fid": Metric("FID", "FID", "distance", "Fréchet distance to real images, Inception features"),
    "kid": Metric("KID", "KID", "kernel", "kernel distance to real images, Inception features"),
    "lpips": Metric("LPIPS", "LPIPS", "diversity", "mean distance between the outputs of one source, AlexNet"),
    "judge_frechet": Metric(
        "judge Fréchet",
        "j-Fréchet",
        "distance",
        "Fréchet distance to real images in the judge's features; not FID",
        of_judge=True,
    ),
    "judge_mmd": Metric(
        "judge MMD²",
        "j-MMD²",
        "kernel",
        "kernel distance to real images in the judge's features; not KID",
        of_judge=True,
    ),
    "judge_diversity": Metric(
        "judge diversity",
        "j-divers.",
        "diversity",
        "mean distance between the outputs of one source in the judge's features; not LPIPS",
        of_judge=True,
    ),
    "recognised": Metric(
        "recognised", "recogn.", "recognised", "share that the judge takes for the target domain", "%", percent=True
    ),
    "position_error": Metric(
        "position error", "position", "content", "how far the creature moved from the source's place", "half images"
    ),
    "tilt_error": Metric("tilt error", "tilt", "content", "how far it turned", "rad"),
    "size_error": Metric("size error", "size", "content", "how much its half width changed", "half images"),
    "background_error": Metric(
        "background error",
        "background",
        "content",
        "how far the background's hue (on a unit circle) and brightness moved",
    ),
    "style_spread": Metric(
        "style spread", "spread", "spread", "how much style varies over the outputs of one source", "real = 1"
    ),
}

PUBLISHED = {"fid": "distance", "lpips": "diversity"}  # a published number -> the role of what is measured here
NETWORKS = {
    "generator": "generator",
    "mapping_network": "mapping network",
    "style_encoder": "style encoder",
    "discriminator": "discriminator",
}


def metric(name: str, variant: str = "") -> Metric:
    """The metric of that name; one that is not known here is called what it is called. variant: see `variant_of`."""
    known = METRICS.get(name) or Metric(name.replace("_", " "), name[:10], "other", "")
    if variant:
        return replace(known, label=f"{known.label} ({variant})", short=f"{known.short} {variant[:4]}")
    return known


def variant_of(protocol: str) -> str:
    """`authors` where a protocol is that of the authors' program, whose numbers must not pass for the usual ones."""
    return "authors" if protocol.startswith("authors: ") else ""


def heading(known: Metric, outputs: int, direction: str) -> str:
    """A column's heading, e.g. `FID, 10 outputs ↓`."""
    unit = f" ({known.unit})" if known.unit else ""
    return f"{known.label}{unit}, {plural(outputs, 'output')} {arrow(direction)}"


def objectives(text: str) -> list[str]:
    """What a study was made for, in words and one by one; each `metric/guide/outputs` and any words after it.

    `fid/latent/1 (lower is better)` -> `FID of 1 output, latent-guided (lower is better)`.
    """

    def named(found: re.Match[str]) -> str:
        return f"{metric(found[1]).label} of {plural(int(found[3]), 'output')}, {found[2]}-guided"

    return [re.sub(r"(\w+)/(latent|reference)/(\d+)", named, each) for each in text.split("; ")]


def arrow(direction: str) -> str:
    """Which way is better."""
    return {"lower": "↓", "higher": "↑"}.get(direction, "")


def of_metric(name: str, value: float) -> str:
    """A metric's value in its unit."""
    return number(100 * value if metric(name).percent else value)


def number(value: float) -> str:
    """Three significant digits, and whole numbers from 100 on: 0.0123, 1.23, 12.3, 123, 1,235."""
    if not math.isfinite(value):
        return str(float(value))
    if value == 0:
        return "0"
    magnitude = int(f"{value:.2e}".partition("e")[2])
    if magnitude < -4:
        return f"{value:.2e}"
    return f"{value:,.{max(0, 2 - magnitude)}f}"


def span(lowest: int, highest: int) -> str:
    """A count, or the range of counts."""
    return f"{lowest:,}" if lowest == highest else f"{lowest:,}–{highest:,}"


def plural(count: int, noun: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def seconds(value: float) -> str:
    """A duration, to read."""
    amount, unit = (value, "s") if value < 180 else (value / 60, "min") if value < 10_800 else (value / 3600, "h")
    return f"{amount:.1f} {unit}" if amount < 10 else f"{amount:.0f} {unit}"


def memory(value: float) -> str:
    """Bytes, to read."""
    return f"{number(value / 2**30)} GiB" if value >= 2**30 else f"{number(value / 2**20)} MiB"


def shortened(text: str, width: int) -> str:
    """Text of at most `width` characters."""
    return text if len(text) <= width else text[: width - 1] + "…"


def listed(words: list[str], shown: int = 12) -> str:
    """The first few, and how many more."""
    more = len(words) - shown
    return ", ".join(words[:shown]) + (f" and {more:,} more" if more > 0 else "")


def markdown_text(text: object) -> str:
    """Any text as plain text in Markdown, also in a table's cell: one line, nothing in it is markup."""
    line = " ".join(str(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join("\\" + letter if letter in "\\`*_[]|~$#!" else letter for letter in line)


def markdown_code(text: object) -> str:
    """Any text as code in Markdown, outside tables."""
    line = " ".join(str(text).split())
    fence = "`" * (1 + max((len(run) for run in _runs_of(line, "`")), default=0))
    space = " " if "`" in line else ""
    return f"{fence}{space}{line}{space}{fence}"


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "→": r"$\rightarrow$",
    "²": r"$^2$",
    "–": "--",
    "−": "$-$",
    "±": r"$\pm$",
    **{letter: "\\" + letter for letter in "&%$#_{}"},
}


def latex_text(text: object) -> str:
    """Any text as plain text in LaTeX, one line. A letter that pdflatex may not have becomes a question mark."""
    line = " ".join(str(text).split())
    return "".join(_LATEX.get(letter, letter if letter < "ƀ" else "?") for letter in line)


def _runs_of(text: str, letter: str) -> list[str]:
    return "".join(c if c == letter else " " for c in text).split()
