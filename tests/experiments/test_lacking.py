"""Which pictures and evaluations a run has follows from its code alone."""

from __future__ import annotations

import pytest

from ablations.rung import fold
from ablations.stargan import LADDER
from core.config import Config
from experiments.lacking import Lacking, passes, pictures_of

EVERY = ("latent.png", "reference.png", "interpolation.png")


@pytest.mark.parametrize(
    "letter, pictures, evaluations",
    [("A", EVERY[:1], 1), ("C", EVERY[:1], 1), ("D", (EVERY[0], EVERY[2]), 3), ("F", EVERY, 3)],
)
def test_a_code_that_varies_is_shown_between_two_codes_and_measured_again(
    letter: str, pictures: tuple[str, ...], evaluations: int
) -> None:
    config = fold(Config(), LADDER.changes_to(letter))
    assert pictures_of(config) == pictures
    assert passes(config, 3) == evaluations
    assert passes(config, 0) == 0


def test_nothing_is_false_and_something_is_words() -> None:
    assert not Lacking() and str(Lacking()) == ""
    assert Lacking(seeds=(4,)) and Lacking(pictures=("a.png",))
    assert str(Lacking(("a.png",), (4,))) == "a.png, the evaluation with seed 4"
