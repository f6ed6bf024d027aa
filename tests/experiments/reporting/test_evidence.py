"""Evidence from made-up records: each number against SciPy or a closed form on the recorded rows themselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from ablations.ladders import LADDERS
from experiments.report_records import ReportRecords
from experiments.reporting.evidence import Evidence, Measured, finding, gather
from experiments.robust import interquartile_mean
from tests.experiments.designed import design_of_ladder, designed, evidence_of, read, rows_of, write_run

EFFECTS = {"multitask": -4.0, "r1": -3.0, "adain": 2.0, "latent": -12.0, "style": -6.0, "diversity": -0.5}


def noisy(names: frozenset[str], seed: int) -> float:
    """Sums of effects; a shift that all arms of a seed share; a scatter that is the arm's own."""
    own = np.random.default_rng([seed, *sorted(map(len, names)), len(names)]).normal()
    return 60 + sum(EFFECTS[name] for name in names) + 5 * math.sin(seed + 1) + own


def exact(names: frozenset[str], seed: int) -> float:
    return 60 + sum(EFFECTS[name] for name in names) + seed


def recorded(report: Path, label: str) -> np.ndarray:
    """(seeds,): the distance averaged over pairs, straight from the records."""
    _, _, results, _ = read(report)
    own = results[(results["arm"] == label) & (results["metric"] == "judge_frechet") & (results["outputs"] == 1)]
    return own.groupby("seed")["value"].mean().to_numpy(float)


def primary(evidence: Evidence) -> Measured:
    assert evidence.primary is not None
    return evidence.primary


def test_both_of_ten_arms(tmp_path: Path) -> None:
    report = designed(tmp_path, "both", noisy, seeds=3)
    evidence = evidence_of(report)
    found = primary(evidence)
    assert list(found.table) == ["A", "B", "C", "D", "E", "F", "F-multitask", "F-r1", "F-adain", "F-style"]
    assert list(found.table.index) == [0, 1, 2] and found.seeds == 3
    for label in found.table:
        values = recorded(report, label)
        assert found.table[label].to_numpy() == pytest.approx(values)
        low, high = stats.t.interval(0.95, 2, loc=values.mean(), scale=stats.sem(values))
        interval = found.intervals[label]
        assert (interval.low, interval.mean, interval.high) == pytest.approx((low, values.mean(), high))

    assert [(one.before, one.after) for one in found.contrasts] == [
        *zip("ABCDE", "BCDEF", strict=True),
        *((f"F-{name}", "F") for name in ("multitask", "r1", "adain", "style")),
    ]
    tests = [stats.ttest_rel(recorded(report, one.after), recorded(report, one.before)) for one in found.contrasts]
    assert [one.t_p for one in found.contrasts] == pytest.approx([test.pvalue for test in tests])
    corrected = multipletests([test.pvalue for test in tests], method="holm")[1]
    assert [one.t_holm for one in found.contrasts] == pytest.approx(corrected)
    for one, test in zip(found.contrasts, tests, strict=True):
        interval = test.confidence_interval(0.95)
        assert (one.difference.low, one.difference.high) == pytest.approx((interval.low, interval.high))
        assert one.flip_p >= one.smallest_flip_p == 0.25
        share = stats.mannwhitneyu(recorded(report, one.before), recorded(report, one.after)).statistic / 9
        assert found.improvement[one.before, one.after].mean == pytest.approx(share)  # lower is better


def test_domain_pairs_are_pooled(tmp_path: Path) -> None:
    report = designed(tmp_path, "ladder", noisy, seeds=4)
    found = primary(evidence_of(report))
    single = np.stack([recorded(report, "C") - 1, recorded(report, "C") + 1], axis=1)  # pairs are 2 apart
    assert found.pooled["C"].mean == pytest.approx(stats.trim_mean(single.ravel(), 0.25))
    after = np.stack([recorded(report, "D") - 1, recorded(report, "D") + 1], axis=1)
    moved = float(interquartile_mean(after) - interquartile_mean(single))
    assert found.moved["C", "D"].mean == pytest.approx(moved) and found.moved["C", "D"].exists
    position = next(one for one in evidence_of(report).measured if one.column.metric == "position_error")
    assert position.pooled == {} and position.moved == {}


def test_findings_know_the_direction(tmp_path: Path) -> None:
    """Each step by its exact effect: better and worse turn round where higher is better."""
    evidence = evidence_of(designed(tmp_path, "both", exact, seeds=3))
    distance, diversity = evidence.main
    assert (distance.column.metric, diversity.column.metric) == ("judge_frechet", "judge_diversity")
    found = {(one.before, one.after): finding(one, distance.column) for one in distance.contrasts}
    assert found["A", "B"] == found["C", "D"] == found["E", "F"] == "better"
    assert found["F-adain", "F"] == "worse"
    found = {(one.before, one.after): finding(one, diversity.column) for one in diversity.contrasts}
    assert found["D", "E"] == "better" and found["F-adain", "F"] == "worse"
    assert ("A", "B") not in found  # one output each: no diversity, so no comparison counts in the correction


def test_one_seed_resolves_nothing(tmp_path: Path) -> None:
    found = primary(evidence_of(designed(tmp_path, "both", exact, seeds=1)))
    assert not any(one.resolved or one.difference.exists for one in found.contrasts)
    assert {finding(one, found.column) for one in found.contrasts} == {"not resolved"}
    assert all(needed.total is None for needed in found.needed.values())
    assert found.ladder is not None and not found.ladder.total.exists
    assert found.ladder.total.mean == pytest.approx(-23.5)


def test_a_factorial_shares_out_the_whole(tmp_path: Path) -> None:
    evidence = evidence_of(designed(tmp_path, "factorial", exact))
    found = primary(evidence).shapley
    assert found is not None and found.total.mean == pytest.approx(sum(EFFECTS.values()))
    shares = {one.name: one.effect.mean for one in found.contributions}
    assert list(shares) == list(evidence.design.changes) == ["multitask", "r1", "adain", "latent", "style", "diversity"]
    assert sum(shares.values()) == pytest.approx(found.total.mean)
    assert shares["multitask"] == pytest.approx(-4) and shares["adain"] == pytest.approx(2)  # these just add up
    assert 0 < found.admissible < found.orders == 720
    diversity = evidence.main[1]
    assert diversity.shapley is None  # A makes one output: it has no diversity to start from


def test_half_has_main_effects(tmp_path: Path) -> None:
    """Of a sum without noise a sub-change's main effect is its own; the latent code has none beside the style code."""
    found = primary(evidence_of(designed(tmp_path, "half", exact)))
    effects = {one.name: one.effect.mean for one in found.effects}
    assert effects["multitask"] == pytest.approx(-4) and effects["r1"] == pytest.approx(-3)
    assert effects["adain"] == pytest.approx(2) and found.shapley is None and found.contrasts == ()


def test_the_ladder_is_reproduced(tmp_path: Path) -> None:
    """AdaIN's +2 and R1's -3 make every step go the paper's way."""
    distance, diversity = evidence_of(designed(tmp_path, "both", exact)).verdicts
    assert (distance.published, distance.measured.column.metric) == ("fid", "judge_frechet")
    assert (diversity.published, diversity.measured.column.outputs) == ("lpips", 10)
    assert distance.verdict.conclusion == diversity.verdict.conclusion == "reproduced"
    assert distance.numbers == {"A": 98.4, "B": 91.4, "C": 80.5, "D": 32.3, "E": 17.1, "F": 13.7}
    assert distance.verdict.tau_by_seed == pytest.approx({0: 1.0, 1: 1.0, 2: 1.0})
    reversed_ = evidence_of(designed(tmp_path / "other", "ladder", lambda names, seed: -exact(names, seed)))
    assert {one.verdict.conclusion for one in reversed_.verdicts} == {"contradicted"}


def test_arms_without_runs_and_values_that_are_none(tmp_path: Path) -> None:
    report = designed(tmp_path, "both", exact, skipped=("C", "F-r1"))
    config = dict(read(report)[1][0].result.config)
    write_run(report, "B", 1, rows_of(math.inf, many=False), config)
    found = primary(evidence_of(report))
    assert found.table["C"].isna().all() and math.isnan(found.table.at[1, "B"])
    pairs = [(one.before, one.after) for one in found.contrasts]
    assert ("B", "C") not in pairs and ("F-r1", "F") not in pairs and ("A", "B") in pairs
    first = found.contrasts[0]
    assert (first.difference.n, first.dropped) == (2, 1)
    assert found.ladder is not None
    assert [one.name for one in found.ladder.contributions] == ["B", "D", "E", "F"]


def test_protocols_are_never_mixed(tmp_path: Path) -> None:
    report = designed(tmp_path, "ladder", exact, seeds=2)
    config = dict(read(report)[1][0].result.config)
    other = [{**one, "protocol": "judge v2"} for one in rows_of(1.0, many=False)]
    write_run(report, "B", 1, other, config)
    evidence = evidence_of(report)
    assert {one.protocol for one in evidence.measured} == {"judge v1 12345678, 32 px"}
    assert primary(evidence).table["B"].notna().tolist() == [True, False]


def test_older_records_and_other_ladders(make_report: Callable[..., Path], tmp_path: Path) -> None:
    """Without a design, of one arm, of none, of the paper's own ladder."""
    found = primary(evidence_of(make_report("old", seeds=3)))
    assert [(one.before, one.after) for one in found.contrasts] == [*zip("ABCDE", "BCDEF", strict=True)]
    assert finding(found.contrasts[0], found.column) == "better"  # the same 10 less at every seed
    only = primary(evidence_of(make_report("one", letters="A")))
    assert math.isnan(only.intervals["B"].mean) and only.contrasts == () and only.ladder is None
    nothing = evidence_of(make_report("none", letters=""))
    assert nothing.measured == nothing.verdicts == () and nothing.primary is None and nothing.main == ()
    _, ladder = design_of_ladder("both", LADDERS["paper_ladder"])
    report = tmp_path / "paper"
    ReportRecords(report).write_ladder(ladder)
    for number, arm in enumerate(ladder["arms"]):
        for seed in range(2):
            write_run(report, arm["label"], seed, rows_of(50.0 - number, many=True), {"train.batch": 8})
    found = primary(evidence_of(report))
    assert len(found.contrasts) == len(ladder["design"]["comparisons"]) > 5


def test_evaluation_seeds_are_kept_apart(tmp_path: Path) -> None:
    """Two trainings, 60 and 62, measured again 2 and 4 higher: the variance of two such numbers is 2 and 8."""
    report = designed(tmp_path, "ladder", lambda names, seed: 60.0 + 2 * seed, seeds=2)
    ladder, _, results, tables = read(report)
    repeats = {
        ("A", 0): [{"eval_seed": 1, "judge_frechet/latent/1": 63.0}],
        ("A", 1): [{"eval_seed": 1, "judge_frechet/latent/1": 67.0}],
    }
    found = primary(gather(ladder, results, tables, repeats))
    assert list(found.spreads) == ["A"]
    spread = found.spreads["A"]
    assert (spread.trainings, spread.evaluations) == (2, 2)
    assert spread.evaluation == pytest.approx(math.sqrt((2 + 8) / 2))
    assert primary(gather(ladder, results, tables)).spreads == {}


def test_equal_records_give_equal_numbers(tmp_path: Path) -> None:
    report = designed(tmp_path, "both", noisy, seeds=3)
    assert repr(evidence_of(report)) == repr(evidence_of(report))
