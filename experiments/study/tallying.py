"""Tally the answers to a study, and add what they come to to its report."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import UserError
from experiments.report import build
from experiments.report_records import ReportRecords
from experiments.reporting.labels import plural
from experiments.study.answers import Given, Rater, read_given
from experiments.study.key import Key
from experiments.study.planning import Kind
from experiments.study.rendering import terminal_text
from experiments.study.result import StudyResult, Tally, keep_study
from experiments.study.tallies import Vote, agreement, preferences, shares

KINDS: tuple[Kind, ...] = ("quality", "style")


def tally(paths: Sequence[Path], settings: Mapping[str, Any]) -> str:
    """Write `records/study.json`, build the report anew, and give what to say. Raises UserError."""
    reports = Path(settings["reports"]).expanduser()
    given = read_given(paths, settings["study"], reports)
    report = reports / given.key.report
    if not (report / "records" / "ladder.json").is_file():
        raise UserError(f"{report}: the report of this study is not there. Say with reports=FOLDER where it is.")
    attentive, inattentive, unchecked = sift(given, settings["threshold"])
    left_out = [_why(rater, given.key) for rater in inattentive]
    left_out += [f"  {rater.name} stopped before the first attention check" for rater in unchecked]
    if not attentive:
        raise UserError(
            f"no rater is left, so there is nothing to tally (threshold={settings['threshold']}):\n"
            + "\n".join(left_out)
            + "\nAsk others, or lower the share of checks to be passed with threshold=..."
        )
    found = result_of(given, attentive, len(inattentive), len(unchecked), settings["threshold"])
    keep_study(ReportRecords(report), found)
    build(report)
    lines = [terminal_text(found)]
    lines += ["left out:", *left_out] if left_out else []
    names = [rater.name for rater in attentive]
    twice = sorted({name for name in names if names.count(name) > 1})
    lines += [f"note: counted as different raters of one name: {', '.join(twice)}"] if twice else []
    lines += [f"{plural(given.repeated, 'file')} held an earlier state of a rater's answers"] if given.repeated else []
    return "\n".join([*lines, "", f"report: {report / 'report.md'}"])


def sift(given: Given, threshold: float) -> tuple[list[Rater], list[Rater], list[Rater]]:
    """(raters who pass at least this share of the checks that they answered, those who do not, those who met none)."""
    attentive: list[Rater] = []
    inattentive: list[Rater] = []
    unchecked: list[Rater] = []
    for rater in given.raters:
        passed, answered = rater.checks(given.key)
        kept = unchecked if not answered else attentive if passed >= threshold * answered else inattentive
        kept.append(rater)
    return attentive, inattentive, unchecked


def result_of(given: Given, raters: Sequence[Rater], dropped: int, unchecked: int, threshold: float) -> StudyResult:
    """What the raters' answers come to; at least one rater."""
    key = given.key
    generator = np.random.default_rng(0)  # equal answers, equal intervals
    labels = [label for label, _ in key.arms]
    tallies = []
    for kind in KINDS:
        votes = [vote for rater in raters for vote in _votes(rater, kind, key)]
        if votes:
            tallies.append(
                Tally(
                    kind=kind,
                    options=len(votes[0].shown),
                    answers=len(votes),
                    questions=len({vote.question for vote in votes}),
                    shares=shares(votes, labels, generator),
                    preferences=preferences(votes, labels, generator),
                    agreement=agreement(votes),
                )
            )
    return StudyResult(
        id=key.id,
        hash=key.hash,
        arms=key.arms,
        runs=key.runs,
        at_once=key.at_once,
        questions=len(key.questions),
        checks=sum(question.check for question in key.questions),
        raters=len(raters),
        finished=sum(rater.finished for rater in raters),
        dropped=dropped,
        unchecked=unchecked,
        repeated=given.repeated,
        threshold=threshold,
        seconds=statistics.median(answer.seconds for rater in raters for answer in rater.answers),
        minutes=statistics.median(sum(answer.seconds for answer in rater.answers) / 60 for rater in raters),
        tallies=tuple(tallies),
    )


def _votes(rater: Rater, kind: Kind, key: Key) -> list[Vote]:
    """Without those of the attention checks."""
    return [
        Vote(rater.token, answer.question, tuple(asked.shows.values()), asked.shows[answer.choice])
        for answer in rater.answers
        for asked in [key.asked[answer.question]]
        if asked.kind == kind and not asked.check
    ]


def _why(rater: Rater, key: Key) -> str:
    passed, answered = rater.checks(key)
    return f"  {rater.name} passed {passed} of {plural(answered, 'attention check')}"
