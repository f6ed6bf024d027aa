"""What a study found, as a report keeps it: `records/study.json`. No single answer, and nobody's name, is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import UserError
from experiments.files import read_json, write_json
from experiments.report_records import ReportRecords, RunRecord
from experiments.statistics import Interval
from experiments.study.planning import Kind
from experiments.study.tallies import Agreement, Preference, Share

FORMAT = 1
FILE = "study.json"


@dataclass(frozen=True)
class Tally:
    """The votes on one kind of question."""

    kind: Kind
    options: int  # pictures to choose from
    answers: int
    questions: int  # with an answer
    shares: Mapping[str, Share]  # label -> of the questions that showed it; they sum to 1 where all arms are shown
    preferences: tuple[Preference, ...]  # of questions with two options
    agreement: Agreement | None  # None: no question was answered by two raters


@dataclass(frozen=True)
class StudyResult:
    """A tallied study."""

    id: str
    hash: str
    arms: tuple[tuple[str, str], ...]  # (label, title) of those asked about, in the report's order
    runs: Mapping[str, str]  # LABEL-sSEED -> DIGEST-sSEED of the runs that made the pictures
    at_once: bool  # all arms in one question, or two
    questions: int  # on the page, with checks
    checks: int
    raters: int  # whose answers count
    finished: int  # of them, to the last question
    dropped: int  # who failed the checks
    unchecked: int  # who stopped before the first check, and are left out too
    repeated: int  # files that held an earlier or equal state of a rater's answers
    threshold: float  # share of the checks that a rater must pass
    seconds: float  # median of a question
    minutes: float  # median of a rater
    tallies: tuple[Tally, ...]

    def outdated(self, runs: Sequence[RunRecord]) -> bool:
        """Whether its pictures were made by other runs than these."""
        held = dict(map(run_names, runs))
        return any(held.get(name) != made for name, made in self.runs.items())


def run_names(run: RunRecord) -> tuple[str, str]:
    """(LABEL-sSEED, DIGEST-sSEED)."""
    return f"{run.label}-s{run.result.seed}", f"{run.result.digest}-s{run.result.seed}"


def study_of(records: ReportRecords) -> StudyResult | None:
    """The study of a report, None where there is none. Raises UserError."""
    path = records.path / FILE
    if not path.exists():
        return None
    content = read_json(path)
    try:
        if content.pop("format") != FORMAT:
            raise UserError(f"{path}: made by another version of this program. Tally the answers again.")
        arms = tuple((label, title) for label, title in content["arms"])
        tallies = tuple(_tally(tally) for tally in content["tallies"])
        return StudyResult(**{**content, "arms": arms, "tallies": tallies})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: this is no study. Tally the answers again, or delete the file.") from error


def keep_study(records: ReportRecords, study: StudyResult) -> None:
    """Write it where `study_of` finds it. Raises UserError."""
    write_json(records.path / FILE, {"format": FORMAT, **asdict(study)})


def _tally(stored: Mapping[str, Any]) -> Tally:
    agreed = stored["agreement"]
    return Tally(
        **{
            **stored,
            "shares": {label: _share(share) for label, share in stored["shares"].items()},
            "preferences": tuple(
                Preference(pair["first"], pair["second"], _share(pair["share"])) for pair in stored["preferences"]
            ),
            "agreement": None if agreed is None else Agreement(**agreed),
        }
    )


def _share(stored: Mapping[str, Any]) -> Share:
    return Share(stored["chosen"], stored["shown"], Interval(**stored["interval"]))
