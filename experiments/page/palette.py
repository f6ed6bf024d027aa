"""The page's colours, each for light and for dark. Plots name them, so that they follow when the page changes."""

from __future__ import annotations

from collections.abc import Mapping

from experiments.reporting.evidence import Finding

# Okabe and Ito's colours, told apart by colour-blind readers; on dark ground lighter ones of the same hues. Text has a
# contrast of at least 4.5 to its ground, lines and points one of 3.
COLOURS: Mapping[str, tuple[str, str]] = {
    "paper": ("#ffffff", "#15181c"),
    "ground": ("#f6f7f8", "#1d2126"),
    "ink": ("#1c2024", "#e6e8ea"),
    "soft": ("#5a626a", "#a3abb3"),
    "line": ("#d9dde1", "#343a41"),
    "edge": ("#858d95", "#7c858e"),
    "accent": ("#005a94", "#6cb8ea"),
    "better": ("#0072b2", "#56b4e9"),
    "worse": ("#c44f00", "#f0884a"),
    "open": ("#6b7279", "#9aa2aa"),
    "real": ("#00805c", "#2fbf95"),
    "latent": ("#0072b2", "#56b4e9"),
    "reference": ("#b06f00", "#e6a832"),
    "arm-0": ("#0072b2", "#56b4e9"),
    "arm-1": ("#c44f00", "#f0884a"),
    "arm-2": ("#00805c", "#2fbf95"),
    "arm-3": ("#b0527f", "#d98bb4"),
    "arm-4": ("#1c2024", "#e6e8ea"),
    "arm-5": ("#b06f00", "#e6a832"),
    "arm-6": ("#2b86b8", "#8fd0f5"),
    "arm-7": ("#7d7a00", "#d8d04a"),
}
FINDINGS: Mapping[Finding, str] = {"better": "better", "worse": "worse", "not resolved": "open"}
ARMS = 8  # colours for arms; later arms have the same ones with other dashes
DASHES = ("solid", "6 3", "2 3", "8 3 2 3", "12 4")


def light(name: str) -> str:
    """The colour of that name on light ground."""
    return COLOURS[name][0]


def variables() -> str:
    """All of them as CSS."""
    return "\n".join(f"  --{name}: light-dark({day}, {night});" for name, (day, night) in COLOURS.items())
