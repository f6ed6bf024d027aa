from __future__ import annotations

import itertools
import re
import time

import pytest

from ablations.rung import fold
from ablations.stargan import LADDER
from core.config import Config, changed
from experiments.preflight import forecast
from experiments.preflight.forecast import Costs, Sizes, Work


def config_of(letter: str, **changes: object) -> Config:
    return fold(changed(Config(), changes), LADDER.changes_to(letter))


COSTS = Costs(
    start=3.0,
    iteration=0.5,
    checkpoint=0.2,
    drawing=0.4,
    translation=0.03,
    measuring=0.02,
    reference=0.1,
    pair=2.0,
)
EVERY_PAIR = tuple(itertools.permutations(range(3), 2))


@pytest.mark.parametrize(
    "letter, iterations, translations, pairs",
    [("A", 200, 2 * 19, 6), ("D", 200, 2 * 10 * 19, 6), ("F", 100, 2 * 2 * 10 * 19, 12)],
)
def test_the_work_of_a_run_follows_its_guides_and_outputs(
    letter: str, iterations: int, translations: int, pairs: int
) -> None:
    config = config_of(letter, **{"train.steps": 100, "train.checkpoint_every": 40, "train.sample_every": 30})
    assert forecast.work_of(config, (7, 4, 8), EVERY_PAIR) == Work(
        iterations=iterations,
        checkpoints=3 if letter == "F" else 5,
        drawings=1 + iterations // 30,
        evaluations=1,
        translations=translations,
        pairs=pairs,
    )


def test_limits_on_sources_and_on_routes_count() -> None:
    config = config_of("F", **{"eval.sources": 5, "eval.outputs": 3})
    assert forecast.work_of(config, (7, 4, 8), EVERY_PAIR).translations == 2 * 3 * 2 * (5 + 4 + 5)
    some = forecast.work_of(config, (7, 4, 8), ((0, 1), (1, 0)))
    assert (some.translations, some.pairs) == (2 * 3 * (5 + 4), 4)


def test_what_is_saved_is_not_done_again() -> None:
    settings = {"train.steps": 100, "train.checkpoint_every": 40, "train.sample_every": 30, "train.evaluate_every": 20}
    config = config_of("F", **settings)
    whole, left = (forecast.work_of(config, (7, 4, 8), EVERY_PAIR, done) for done in (0, 80))
    assert (whole.iterations, whole.checkpoints, whole.drawings, whole.evaluations) == (100, 3, 4, 5)
    assert (left.iterations, left.checkpoints, left.drawings, left.evaluations) == (20, 1, 2, 1)
    assert (left.translations, left.pairs) == (whole.translations, whole.pairs)


def test_evaluations_that_are_asked_for_count_where_their_seeds_matter() -> None:
    counts = {letter: forecast.work_of(config_of(letter), (7, 4, 8), EVERY_PAIR, asked=3) for letter in "ADF"}
    assert {letter: work.evaluations for letter, work in counts.items()} == {"A": 1, "D": 3, "F": 3}
    assert forecast.completion_seconds(2, 5.0) == forecast.BESIDE_SECONDS + 10
    assert forecast.completion_seconds(0, 5.0) == forecast.BESIDE_SECONDS


def test_seconds() -> None:
    work = Work(iterations=100, checkpoints=5, drawings=10, evaluations=2, translations=400, pairs=6)
    training, evaluation = 100 * 0.5 + 5 * 0.2 + 10 * 0.4, 2 * (400 * 0.03 + 6 * 2)
    assert forecast.training_seconds(work, COSTS) == pytest.approx(training)
    assert forecast.evaluation_seconds(work, COSTS) == pytest.approx(evaluation)
    whole = forecast.BESIDE_SECONDS + 3 + training + evaluation
    assert forecast.run_seconds(work, COSTS) == pytest.approx(whole)
    config = config_of("F", **{"eval.sources": 6, "eval.references": 20})
    once = forecast.baseline_seconds(config, train=(10, 30, 50), val=(4, 6, 8), costs=COSTS)
    assert once == pytest.approx((4 + 6 + 6) * 4 * 0.02 + (10 + 20 + 20) * 0.1 + 9 * 2)


@pytest.mark.parametrize(
    "lengths, workers, expected",
    [([], 2, 0), ([3, 4, 5], 1, 12), ([3, 4, 5], 2, 8), ([1, 1, 1, 10], 2, 11), ([3, 4, 5], 8, 5)],
)
def test_a_run_starts_when_a_worker_is_free(lengths: list[float], workers: int, expected: float) -> None:
    assert forecast.makespan(lengths, workers) == expected


def test_disk_counts_one_checkpoint_more_than_is_kept() -> None:
    sizes = Sizes(checkpoint=1000, translator=100, grid=10, pictures=25)
    settings = {"train.steps": 100, "train.checkpoint_every": 10, "train.sample_every": 20, "train.log_every": 50}
    taken = forecast.disk_bytes(config_of("F", **settings), sizes, keep=2) - forecast.RECORD_BYTES
    assert taken == 3 * 1000 + 100 + 5 * 10 + 25 + 2 * forecast.POINT_BYTES
    once = settings | {"train.checkpoint_every": 100, "train.sample_every": 0}
    taken = forecast.disk_bytes(config_of("F", **once), sizes, keep=2) - forecast.RECORD_BYTES
    assert taken == 1000 + 100 + 25 + 2 * forecast.POINT_BYTES
    best = once | {"train.evaluate_every": 30, "train.keep_best": True}
    taken = forecast.disk_bytes(config_of("F", **best), sizes, keep=2) - forecast.RECORD_BYTES
    assert taken == 3 * 1000 + 100 + 25 + 2 * forecast.POINT_BYTES  # the best one, and the next best before it goes


def test_the_clock_names_the_day_only_where_it_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    noon = time.mktime((2031, 3, 3, 12, 0, 0, 0, 0, -1))
    monkeypatch.setattr(time, "time", lambda: noon)
    monkeypatch.setattr(time, "localtime", lambda moment=noon, convert=time.localtime: convert(moment))
    assert forecast.shown_clock(2 * 3600 + 5 * 60) == "14:05"
    assert re.fullmatch(r"\w+ 4 \w+ 11:00", forecast.shown_clock(23 * 3600))


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
