"""Under what conditions the published numbers were made, and under what others ours: why sizes do not compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.report_records import RunRecord
from experiments.reporting.evidence import Evidence
from experiments.reporting.labels import listed, markdown_text, metric, plural, span
from experiments.reporting.outcomes import planned_seeds
from experiments.reporting.tables import NOTHING, markdown_table

# A part of a ladder's source -> what the paper and its authors' program say of the published numbers.
PUBLISHED_CONDITIONS: Mapping[str, Mapping[str, str]] = {
    "arXiv 1912.01865v2, table 1": {
        "images": "CelebA-HQ, 256 × 256 px, 2 domains: female, male",
        "training": "100,000 iterations, batch 8, of StarGAN v2 (about 3 days on a V100)",
        "runs of a rung": "one",
        "networks and recipe": "A and B as StarGAN, C to F as StarGAN v2",
        "quality": "FID by torchvision's Inception, 10 outputs a source from D on, mean of 10 evaluations",
        "diversity": "LPIPS (AlexNet) of 10 outputs a source, mean of 10 evaluations",
    }
}


def conditions(ladder: Mapping[str, Any], runs: Sequence[RunRecord], evidence: Evidence) -> str:
    """The two sides by each other, as a table; empty where nothing stands beside a published number."""
    if not evidence.verdicts:
        return ""
    theirs: Mapping[str, str] = next(
        (known for source, known in PUBLISHED_CONDITIONS.items() if source in ladder["source"]), {}
    )
    rows = [
        [name, markdown_text(theirs.get(name, NOTHING)), markdown_text(ours)]
        for name, ours in _ours(ladder, runs, evidence).items()
    ]
    return markdown_table(["", "the paper", "here"], rows, left=3)


def _ours(ladder: Mapping[str, Any], runs: Sequence[RunRecord], evidence: Evidence) -> dict[str, str]:
    data = ladder["data"]
    side, domains = data["resolution"], data["domains"]
    found = {
        "images": f"{data['name']}, {side} × {side} px, {plural(len(domains), 'domain')}: {listed(domains)}",
        "training": _training(runs),
        "runs of a rung": str(len(planned_seeds(ladder, runs))),
        "networks and recipe": "one backbone and one recipe for all rungs"
        if ladder["ladder"] == "controlled"
        else f"those of the {ladder['ladder']} ladder, see below",
    }
    for verdict in evidence.verdicts:
        column = verdict.measured.column
        found["quality" if column.role == "distance" else column.role] = (
            f"{column.shown.label} at {plural(column.outputs, 'output')} a source: "
            f"{metric(column.metric).meaning or 'as recorded'} ({verdict.measured.protocol})"
        )
    return found


def _training(runs: Sequence[RunRecord]) -> str:
    if not runs:
        return NOTHING
    steps = sorted(run.result.iterations for run in runs)
    batches = sorted(run.result.config["train.batch"] for run in runs)
    return f"{span(steps[0], steps[-1])} iterations, batch {span(batches[0], batches[-1])}"
