"""Learning rates by the iteration: constant, falling, and as the authors' program leaves them."""

from __future__ import annotations

from typing import get_args

import pytest

from core import config as configuration
from core.config import Config, changed
from core.training.schedule import DECAYS, rate_factor


def by_iteration(decay: str, steps: int) -> list[float]:
    recipe = {"train.steps": steps, "train.budget": "iterations", "train.decay": decay}
    config = changed(Config(), recipe)
    return [rate_factor(config, done) for done in range(steps)]


def test_names_are_those_of_the_configuration() -> None:
    assert tuple(DECAYS) == get_args(configuration.Decay)


def test_a_rate_without_decay_stays() -> None:
    assert set(by_iteration("none", 50)) == {1.0}


def test_a_linear_decay_falls_over_the_second_half() -> None:
    assert by_iteration("linear", 8) == [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]
    assert by_iteration("linear", 1) == [1]


def test_the_authors_decay_is_their_programs_arithmetic() -> None:
    """The rate is lessened in place every 1000 iterations of the second half, after the iteration's update."""
    steps, rate, expected = 10_000, 1.0, []
    for iteration in range(steps):
        expected.append(rate)
        if (iteration + 1) % 1000 == 0 and iteration + 1 > steps - steps // 2:
            rate -= rate / (steps // 2)
    assert by_iteration("authors", steps) == pytest.approx(expected, rel=1e-12)
    assert expected[-1] > 0.999  # effectively constant
    assert by_iteration("authors", 3) == [1, 1, 1]
