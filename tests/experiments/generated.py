"""Reports of any size, as finished runs leave them: a design's arms with random numbers, curves and pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ablations.designs import build_design
from ablations.stargan import LADDER
from core.config import SCHEMA, Config, as_flat
from experiments.description import arm_record, design_record
from experiments.files import write_json
from experiments.records import Result
from experiments.report_records import ReportRecords
from tests.experiments.conftest import ladder_of, row

TILE = 32
GAINS = {"multitask": -14.0, "r1": 4.0, "adain": -9.0, "latent": -6.0, "style": -12.0, "diversity": 1.0}
Of = Callable[[float], float]
# How every other number follows from the distance: {metric: function}, at one output a source and at many.
ONE: dict[str, Of] = {
    "judge_frechet": lambda distance: distance,
    "judge_mmd": lambda distance: distance / 20,
    "recognised": lambda distance: 1 - distance / 200,
    "position_error": lambda distance: distance / 900,
    "tilt_error": lambda distance: distance / 300,
    "size_error": lambda distance: distance / 1200,
    "background_error": lambda distance: distance / 60,
}
MANY: dict[str, Of] = {
    "judge_frechet": lambda distance: 0.95 * distance,
    "judge_diversity": lambda distance: 4 - distance / 30,
    "style_spread": lambda distance: 1.2 - distance / 90,
}
TERMS = ("d/{}/real", "d/{}/fake", "d/{}/penalty", "g/{}/adversarial", "g/{}/cycle", "g/{}/reconstruction")


def write_report(
    report: Path,
    design: str = "both",
    seeds: int = 3,
    *,
    labels: Sequence[str] | None = None,
    domains: Sequence[str] = ("bird", "cat", "dog"),
    points: int = 100,
    noise: float = 2.0,
    **changes: Any,
) -> Path:
    """Write the records of a design, or of those of its arms that `labels` names.

    points: of a curve. changes: of what ladder.json says.
    """
    plan = build_design(design, LADDER, Config())
    arms = [arm for arm in plan.arms if labels is None or arm.label in labels]
    records = ReportRecords(report)
    described = {"arms": [arm_record(arm, LADDER) for arm in arms], "design": design_record(plan, LADDER)}
    described |= {"name": report.name, "seeds": list(range(seeds)), **changes}
    records.write_ladder({**ladder_of(tuple(domains)), **described})
    combinations = {label: combination for combination, label in plan.members.items()}
    generator = np.random.default_rng(0)
    for arm in arms:
        distance = 55 + sum(GAINS[name] for name in combinations[arm.label])
        for seed in range(seeds):
            value = distance + noise * generator.standard_normal()
            _write_run(records.path / f"{arm.label}-s{seed}", arm.config, seed, value, domains, points, generator)
    return report


def _rows(
    distance: float, config: Config, domains: Sequence[str], draws: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """A run's, about 200 of three domains where references guide."""
    for guide in _guides(config):
        for source, target in ((source, target) for source in domains for target in domains if source != target):
            value = max(1.0, distance + draws.standard_normal() - 3 * (guide == "reference"))
            for outputs, metrics in ((1, ONE), (10, MANY)):
                if outputs == 1 or config.model.code != "label":
                    for name, of in metrics.items():
                        counts = {"samples": 100 * outputs, "reference_samples": 1000 if "frechet" in name else 0}
                        yield row(name, of(value), source, target, guide=guide, outputs=outputs, **counts)


def _guides(config: Config) -> tuple[str, ...]:
    return ("latent", "reference") if config.model.code == "style" else ("latent",)


def _write_run(
    folder: Path,
    config: Config,
    seed: int,
    distance: float,
    domains: Sequence[str],
    points: int,
    draws: np.random.Generator,
) -> None:
    guides, shown = _guides(config), list(domains[:6])
    extra = 120_000 * (len(guides) - 1)
    result = Result(
        digest="d",
        seed=seed,
        config={**as_flat(config), "seed": seed},
        iterations=points * 10,
        generator_updates=points * 10 * len(guides),
        images_seen=points * 80,
        parameters={"generator": 200_000, "discriminator": 170_000, "style_encoder": extra},
        train_seconds=round(250 + extra / 3000 + distance / 3, 1),
        evaluate_seconds=17.0,
        peak_memory_bytes=2**30,
        device="cpu",
        environment={"python": "3.11.7", "revision": "abcdef123456"},
        rows=tuple(_rows(distance, config, domains, draws)),
        pictures={"tile": TILE, "domains": shown, "sources": 2, "latents": 2},
    )
    write_json(folder / "result.json", {"schema": SCHEMA, **asdict(result)})
    terms = [name.format(guide) for guide in guides for name in TERMS]
    curves = 3 / (np.arange(points)[:, None] + 5) + 0.1 * draws.random((points, len(terms)))
    lines = [{"iteration": 10 * n, **dict(zip(terms, values, strict=True))} for n, values in enumerate(curves.tolist())]
    (folder / "curves.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    tall, wide = 2 * len(shown), 1 + 2 * len(shown)
    colours = draws.integers(0, 255, (tall + 1, wide, 3), dtype=np.uint8)
    tiles = Image.fromarray(colours.repeat(TILE, 0).repeat(TILE, 1))
    tiles.crop((0, 0, wide * TILE, tall * TILE)).save(folder / "latent.png")
    if len(guides) > 1:
        tiles.save(folder / "reference.png")
