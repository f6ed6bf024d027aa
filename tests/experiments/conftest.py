"""Small records of a ladder, as a finished one leaves them, made without training anything; and a PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ablations.rung import ladder_arms
from ablations.stargan import LADDER
from core.config import Config, as_flat
from experiments.files import write_json
from experiments.records import Result
from experiments.report_records import ReportRecords
from tests.experiments.postgres import Postgres, find_programs

TILE = 8
DISTANCES = {"A": 90.0, "B": 80.0, "C": 85.0, "D": 40.0, "E": 30.0, "F": 20.0}
PROTOCOL = "judge v1 12345678, 32 px"


def row(metric: str, value: float, source: str, target: str, **changes: Any) -> dict[str, Any]:
    """A row as evaluation gives it."""
    return {
        "metric": metric,
        "guide": "latent",
        "outputs": 1,
        "source": source,
        "target": target,
        "value": value,
        "direction": "higher" if metric in ("judge_diversity", "recognised", "style_spread", "lpips") else "lower",
        "samples": 50,
        "reference_samples": 500,
        "protocol": PROTOCOL,
        **changes,
    }


def rows_of(letter: str, seed: int, domains: tuple[str, ...]) -> list[dict[str, Any]]:
    """What a rung comes to; each pair 2 above the one before, each seed 1 above."""
    pairs = [(source, target) for source in domains for target in domains if source != target]
    rows = []
    for guide in ("latent", "reference") if letter in "EF" else ("latent",):
        for number, pair in enumerate(pairs):
            value = DISTANCES[letter] + 2 * number + seed
            rows.append(row("judge_frechet", value, *pair, guide=guide))
            rows.append(row("recognised", 0.75, *pair, guide=guide, reference_samples=0))
            rows.append(row("position_error", 0.1, *pair, guide=guide, reference_samples=0))
            if letter in "DEF":
                many = {"guide": guide, "outputs": 10, "samples": 500}
                rows.append(row("judge_frechet", value - 5, *pair, **many))
                rows.append(row("judge_diversity", 1.5 - value / 100, *pair, **many | {"reference_samples": 0}))
    return rows


def grid_of(domains: tuple[str, ...], letter: str) -> Image.Image:
    """Tiles of one colour: red is the row, green the column, blue the rung."""
    rows, columns = 2 * len(domains), 1 + 2 * len(domains)
    colours = [[(10 * r, 10 * c, ord(letter) if c else 0) for c in range(columns)] for r in range(rows)]
    return Image.fromarray(np.array(colours, dtype=np.uint8).repeat(TILE, 0).repeat(TILE, 1))


def ladder_of(domains: tuple[str, ...]) -> dict[str, Any]:
    """What holds for all runs."""
    rungs = {rung.letter: rung for rung in LADDER.rungs}
    pairs = [(source, target) for source in domains for target in domains if source != target]
    none = {"guide": "none"}
    return {
        "name": "some",
        "ladder": LADDER.name,
        "title": LADDER.title,
        "source": LADDER.source,
        "scale": "quick",
        "command": "python -m experiments.ladder with quick",
        "arms": [
            {
                "label": arm.label,
                "title": arm.title,
                "changes": [change.title for change in rungs[arm.label].changes],
                "reading": rungs[arm.label].reading,
                "published": dict(rungs[arm.label].published),
                "difference": {path: list(pair) for path, pair in arm.difference.items()},
            }
            for arm in ladder_arms(LADDER, Config())
        ],
        "data": {
            "name": "pets",
            "domains": list(domains),
            "train": [500] * len(domains),
            "val": [50] * len(domains),
            "resolution": 32,
            "fingerprint": "abc",
        },
        "notes": [],
        "protocol": PROTOCOL,
        "judge": {"accuracy": 0.98, "images": 100, "factors": {"content.x": {"mean_error": 0.0123, "r2": 0.9}}},
        "references": {
            "real": [row("judge_frechet", 9.0, domain, domain, **none) for domain in domains],
            "source": [row("judge_frechet", 120.0, *pair, **none) for pair in pairs],
        },
        "failures": [],
    }


def add_run(report: Path, letter: str, seed: int, domains: tuple[str, ...], **changes: Any) -> Path:
    """Write a run's record; `changes` are of its result."""
    arm = next(arm for arm in ladder_arms(LADDER, Config()) if arm.label == letter)
    result = Result(
        digest="d",
        seed=seed,
        config={**as_flat(arm.config), "seed": seed},
        iterations=40,
        generator_updates=80 if letter in "EF" else 40,
        images_seen=320,
        parameters={"generator": 1000, "discriminator": 2000},
        train_seconds=16.0,
        evaluate_seconds=2.0,
        peak_memory_bytes=2**30,
        device="cpu",
        environment={"python": "3.11.7", "revision": "abcdef123456"},
        rows=tuple(rows_of(letter, seed, domains)),
        pictures={"tile": TILE, "domains": list(domains[:6]), "sources": 2, "latents": 2},
    )
    folder = report / "records" / f"{letter}-s{seed}"
    write_json(folder / "result.json", {**asdict(result), **changes})
    guides = ("latent", "reference") if letter in "EF" else ("latent",)
    terms = [f"{name.format(guide)}" for guide in guides for name in ("d/{}/real", "d/{}/fake", "g/{}/cycle")]
    lines = [
        "{" + f'"iteration": {n}, ' + ", ".join(f'"{term}": {1 / n}' for term in terms) + "}\n" for n in range(1, 41)
    ]
    (folder / "curves.jsonl").write_text("".join(lines))
    grid_of(domains[:6], letter).save(folder / "latent.png")
    if letter in "EF":
        side = TILE * (1 + 2 * len(domains[:6]))
        Image.new("RGB", (side, side), (0, 0, ord(letter))).save(folder / "reference.png")
    return folder


MakeReport = Callable[..., Path]


@pytest.fixture
def make_report(tmp_path: Path) -> MakeReport:
    """A function (name, letters, seeds, domains, changes of the ladder) -> the folder of a report with only records."""

    def make(
        name: str = "some",
        letters: str = "ABCDEF",
        seeds: int = 1,
        domains: tuple[str, ...] = ("cat", "dog"),
        **changes: Any,
    ) -> Path:
        report = tmp_path / name
        ReportRecords(report).write_ladder({**ladder_of(domains), **changes})
        for letter in letters:
            for seed in range(seeds):
                add_run(report, letter, seed, domains)
        return report

    return make


@pytest.fixture
def more_runs() -> Callable[..., Path]:
    """`add_run`, for tests that change a single record."""
    return add_run


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running server. Who kills it starts it again."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    server = Postgres(programs)
    try:
        server.start()
        yield server
    finally:
        server.remove()
