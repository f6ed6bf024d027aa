"""What a report says of tuned arms, on numbers whose effect is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from experiments.reporting.tuned import effects_of, ranking_words, rankings, section
from tests.experiments.tuning.records import MIXED, study, trial

SEEDS = [0, 1, 2, 3]
UNTUNED: dict[str, list[float | None]] = {"A": [30, 31, 29, 30], "F": [20, 22, 21, 23], "F-r1": [25, 26, 24, 25]}
TUNED: dict[str, list[float | None]] = {"A": [10, 12, 9, 11], "F": [20, 21, 22, 23], "F-r1": [25, 26, 24, 25]}


def record(**changes: Any) -> dict[str, Any]:
    studies = {"A": study(*MIXED), "F": study(*MIXED), "F-r1": study(trial(0, 5.0), trial(1, 6.0))}
    content = {
        "objective": "judge_frechet/latent/1",
        "direction": "lower",
        "studies": studies,
        "seeds": SEEDS,
        "untuned": UNTUNED,
        "tuned": TUNED,
    }
    return {**content, **changes}


def test_effects_are_paired_by_seed_and_corrected_for_all_arms() -> None:
    found = {label: (change, p, resolved) for label, change, p, resolved in effects_of(record())}
    difference = [tuned - untuned for tuned, untuned in zip(TUNED["A"], UNTUNED["A"], strict=True)]  # type: ignore[operator]
    interval = stats.ttest_1samp(difference, 0).confidence_interval()
    change, p, resolved = found["A"]
    assert (change.low, change.mean, change.high) == pytest.approx((interval.low, -19.5, interval.high))
    assert resolved and p == pytest.approx(3 * stats.ttest_1samp(difference, 0).pvalue)
    assert not found["F"][2] and found["F"][0].mean == 0


def test_a_seed_that_one_side_has_not_is_left_out() -> None:
    changed = record(tuned={**TUNED, "A": [10, None, 9, 11]})
    change = effects_of(changed)[0][1]
    assert (change.n, change.mean) == (3, pytest.approx((-20 - 20 - 19) / 3))


def test_the_ranking() -> None:
    assert rankings(record()) == {"untuned": ["F", "F-r1", "A"], "tuned": ["A", "F", "F-r1"]}
    assert rankings(record(direction="higher"))["untuned"] == ["A", "F-r1", "F"]
    words = ranking_words(record())
    assert "The ranking changed: untuned, best first, F < F-r1 < A; tuned A < F < F-r1" in words.replace("\\", "")
    assert f"{stats.kendalltau([0, 1, 2], [1, 2, 0]).statistic:.2f}" in words
    assert ranking_words(record(tuned=UNTUNED)).startswith("The ranking did not change: F < F")
    nothing: list[float | None] = [None] * 4
    assert rankings(record(tuned={**TUNED, "A": nothing}))["tuned"] == ["F", "F-r1"]


def test_the_section_says_cost_effect_and_settings(tmp_path: Path) -> None:
    said = section(record(), tmp_path).replace("\\", "")
    lines = said.splitlines()
    assert "| A | 7 | 3 | 1 | 1 | 1 | 1 | 2.5 hours | 1.25 |" in lines
    [tuned] = [line for line in lines if line.startswith("| A | 30")]
    assert "| -19.5 [" in tuned and tuned.endswith("| better |")
    assert any(line.startswith("| F |") and line.endswith("| not resolved at 4 seeds |") for line in lines)
    assert any(
        line.startswith("| F-r1 |") and "no trial was better than the untuned settings" in line for line in lines
    )
    assert "| loss.cycle | 1 | 2 |" in lines
    assert "### Whether it helped: judge Fréchet of 1 output, latent-guided, lower is better" in lines
    assert "Exploratory" in said
    for name in ("tuning", "importances"):
        assert f"figures/{name}.png" in said and (tmp_path / f"{name}.png").stat().st_size > 5000


def test_an_effect_for_the_worse_is_called_that(tmp_path: Path) -> None:
    said = section(record(untuned=TUNED, tuned=UNTUNED), tmp_path)
    assert any(line.startswith("| A |") and line.endswith("| worse |") for line in said.splitlines())


def test_one_seed_has_no_interval_and_no_verdict(tmp_path: Path) -> None:
    one = {"untuned": {"A": [30.0]}, "tuned": {"A": [10.0]}, "seeds": [0], "studies": {"A": study(*MIXED)}}
    said = section(record(**one), tmp_path)
    assert "| A | 30 | 10 | -20 | – | not resolved at 1 seeds |" in said


def test_what_an_earlier_build_drew_does_not_stay(tmp_path: Path) -> None:
    section(record(), tmp_path)
    plain = {label: {**one, "importances": {}} for label, one in record()["studies"].items()}
    said = section(record(studies=plain), tmp_path)
    assert "importances.png" not in said and not (tmp_path / "importances.png").exists()
