from __future__ import annotations

import pytest

from ablations.rung import fold
from ablations.stargan import LADDER
from core.config import Config, changed
from experiments.preflight import forecast
from experiments.preflight.forecast import Costs, Sizes, Work


def config_of(letter: str, **changes: object) -> Config:
    return fold(changed(Config(), changes), LADDER.changes_to(letter))


COSTS = Costs(iteration=0.5, translation=0.01, measuring=0.02, reference=0.1, pair=2.0)


@pytest.mark.parametrize(
    "letter, expected",
    [
        ("A", Work(iterations=200, translations=2 * 19, references=35, pairs=6)),
        ("D", Work(iterations=200, translations=2 * 10 * 19, references=35, pairs=6)),
        ("F", Work(iterations=100, translations=2 * 2 * 10 * 19, references=35, pairs=12)),
    ],
)
def test_the_work_of_a_run_follows_its_guides_and_outputs(letter: str, expected: Work) -> None:
    config = config_of(letter, **{"train.steps": 100})
    assert forecast.work_of(config, train=(10, 20, 5), val=(7, 4, 8)) == expected


def test_limits_on_sources_and_references_count() -> None:
    config = config_of("F", **{"eval.sources": 5, "eval.references": 8, "eval.outputs": 3})
    work = forecast.work_of(config, train=(10, 20, 5), val=(7, 4, 8))
    assert (work.translations, work.references) == (2 * 2 * 3 * (5 + 4 + 5), 8 + 8 + 5)


def test_seconds() -> None:
    work = Work(iterations=100, translations=400, references=30, pairs=6)
    assert forecast.training_seconds(work, COSTS) == pytest.approx(50)
    assert forecast.evaluation_seconds(work, COSTS) == pytest.approx(400 * 0.03 + 30 * 0.1 + 6 * 2)
    assert forecast.baseline_seconds(work, COSTS, sources=50, domains=3) == pytest.approx(50 * 4 * 0.02 + 3 + 9 * 2)


@pytest.mark.parametrize(
    "lengths, workers, expected",
    [([], 2, 0), ([3, 4, 5], 1, 12), ([3, 4, 5], 2, 8), ([1, 1, 1, 10], 2, 11), ([3, 4, 5], 8, 5)],
)
def test_a_run_starts_when_a_worker_is_free(lengths: list[float], workers: int, expected: float) -> None:
    assert forecast.makespan(lengths, workers) == expected


def test_disk_counts_one_checkpoint_more_than_is_kept() -> None:
    sizes = Sizes(checkpoint=1000, translator=100, grid=10)
    settings = {"train.steps": 100, "train.checkpoint_every": 10, "train.sample_every": 20, "train.log_every": 50}
    taken = forecast.disk_bytes(config_of("F", **settings), sizes, keep=2) - forecast.RECORD_BYTES
    assert taken == 3 * 1000 + 100 + (5 + 2) * 10 + 2 * forecast.POINT_BYTES
    once = config_of("F", **settings | {"train.checkpoint_every": 100, "train.sample_every": 0})
    taken = forecast.disk_bytes(once, sizes, keep=2) - forecast.RECORD_BYTES
    assert taken == 1000 + 100 + 2 * 10 + 2 * forecast.POINT_BYTES


@pytest.mark.parametrize(
    "seconds, shown",
    [
        (0.2, "under 1 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (18_600, "5 h 10 min"),
        (363_000, "4.2 days"),
    ],
)
def test_durations_for_people(seconds: float, shown: str) -> None:
    assert forecast.shown_seconds(seconds) == shown


def test_sizes_for_people() -> None:
    assert [forecast.shown_bytes(size) for size in (0, 1, 340 * 2**20, 1.25 * 2**30)] == [
        "0 MiB",
        "1 MiB",
        "340 MiB",
        "1.2 GiB",
    ]
