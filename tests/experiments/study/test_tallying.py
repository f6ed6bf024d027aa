"""Answers become votes: whose count, what they come to, where they are kept, and what is wrong with files."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import UserError
from experiments.files import read_json, write_json
from experiments.report import build
from experiments.report_records import ReportRecords
from experiments.study.__main__ import main
from experiments.study.key import Key
from experiments.study.rendering import OUTDATED, section, write_study
from experiments.study.result import StudyResult, study_of
from tests.experiments.study.conftest import Lab, answers_of, fails, prefers, save_answers


@pytest.fixture
def study(lab: Lab) -> Key:
    """24 questions among A, D, E and F, with 2 checks."""
    return lab.make("questions=24")[1]


@pytest.fixture(autouse=True)
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Building a report takes seconds: tests do it where they look at it; the page's test does it by the command."""
    monkeypatch.setattr("experiments.study.tallying.build", lambda report: "")


def tally(lab: Lab, *words: object) -> StudyResult:
    assert main(["tally", *map(str, words), f"reports={lab.reports}"]) == 0
    found = study_of(ReportRecords(lab.report))
    assert found is not None
    return found


def test_who_always_takes_one_arm_gives_it_everything(
    lab: Lab, study: Key, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    found = tally(lab, save_answers(tmp_path / "in", answers_of(study, "anna", prefers("FEDA"))))
    quality, style = found.tallies
    assert (quality.kind, style.kind) == ("quality", "style")
    assert {label: share.interval.mean for label, share in quality.shares.items()} == {"A": 0, "D": 0, "E": 0, "F": 1}
    assert {label: share.interval.mean for label, share in style.shares.items()} == {"E": 0, "F": 1}
    assert (quality.answers, quality.questions, quality.options, style.options) == (12, 12, 4, 2)
    assert (found.raters, found.finished, found.dropped, found.checks) == (1, 1, 0, 2)
    assert (found.seconds, found.minutes) == (2.5, pytest.approx(26 * 2.5 / 60))
    said = capsys.readouterr().out
    assert re.search(r"\n  F +\+ diversity regularization +100\.0 % \[75\.8, 100\.0\]  above guessing\n", said)
    assert "one rater's answers: they say nothing of other people" in " ".join(said.split())
    text, _, _ = said.rpartition("\n\nreport:")
    assert max(map(len, text.splitlines())) <= 100


def test_who_fails_the_checks_is_left_out_and_named(
    lab: Lab, study: Key, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save_answers(
        tmp_path / "in",
        answers_of(study, "anna", prefers("FEDA")),
        answers_of(study, "dora", fails),
        answers_of(study, "emil", prefers("A"), most=0),
    )
    found = tally(lab, folder)
    assert (found.raters, found.dropped, found.unchecked) == (1, 1, 1)
    assert found.tallies[0].shares["F"].interval.mean == 1
    said = capsys.readouterr().out
    assert "dora passed 0 of 2 attention checks" in said and "emil stopped before the first attention check" in said
    assert (tally(lab, folder, "threshold=0").raters, study_of(ReportRecords(lab.report)).dropped) == (2, 0)  # type: ignore[union-attr]
    kept = (lab.report / "records" / "study.json").read_text()
    assert "dora" not in kept and "anna" not in kept


def test_the_threshold_is_a_share_of_the_checks_that_were_answered(lab: Lab, study: Key, tmp_path: Path) -> None:
    one_wrong = answers_of(study, "anna", prefers("F"))
    check = next(q for q in study.questions if q.check)
    answer = next(answer for answer in one_wrong["answers"] if answer["question"] == check.id)
    answer["choice"] = next(option.id for option in check.options if option.shows != "real")
    folder = save_answers(tmp_path / "in", one_wrong)
    assert tally(lab, folder, "threshold=0.5").raters == 1
    with pytest.raises(
        UserError, match=r"no rater is left.*\n  anna passed 1 of 2 attention checks\n.*lower the share"
    ):
        tally(lab, folder, "threshold=0.51")


def test_one_rater_counts_once_and_half_finished_files_count(lab: Lab, study: Key, tmp_path: Path) -> None:
    half = answers_of(study, "anna", prefers("F"), most=15)
    whole = answers_of(study, "anna", prefers("F"))
    other = answers_of(study, "ben", prefers("E"), most=14)
    folder = save_answers(tmp_path / "in", whole, other)
    write_json(folder / "anna early.json", half)
    write_json(folder / "anna again.json", whole)
    found = tally(lab, folder, folder / "anna.json")
    assert (found.raters, found.finished, found.repeated) == (2, 1, 2)
    assert found.tallies[0].answers == 24 and found.tallies[1].answers < 24
    assert found.tallies[0].agreement is not None and found.tallies[0].agreement.kappa == pytest.approx(-1 / 3)


def test_two_raters_of_one_name_are_two_and_it_is_said(
    lab: Lab, study: Key, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_answers(tmp_path / "in", answers_of(study, "anna", prefers("F"), token="one"))
    save_answers(tmp_path / "in" / "two", answers_of(study, "anna", prefers("E"), token="two"))
    assert tally(lab, tmp_path / "in", tmp_path / "in" / "two").raters == 2
    assert "counted as different raters of one name: anna" in capsys.readouterr().out


def test_pairs_give_preferences(lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, key = lab.make("questions=24", "choices=pairs")
    found = tally(lab, save_answers(tmp_path / "in", answers_of(key, "anna", prefers("FEDA"))))
    quality = found.tallies[0]
    names = ["A D", "A E", "A F", "D E", "D F", "E F"]
    assert [f"{pair.first} {pair.second}" for pair in quality.preferences] == names
    assert all(pair.share.interval.mean == 0 and pair.share.shown == 2 for pair in quality.preferences)
    assert [quality.shares[label].interval.mean for label in "ADEF"] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert not found.at_once and "E rather than F" in capsys.readouterr().out
    assert "| A rather than D | 0.0 [0.0, 65.8] | 2 | not resolved |" in section(found, outdated=False)


def test_the_report_keeps_the_study(lab: Lab, study: Key, tmp_path: Path) -> None:
    raters = [answers_of(study, name, prefers(order)) for name, order in (("a", "FE"), ("b", "EF"), ("c", "FE"))]
    found = tally(lab, save_answers(tmp_path / "in", *raters))
    build(lab.report)
    page, tables = lab.report / "report.md", lab.report / "tables"
    text = page.read_text()
    assert "## What people chose" in text and "3 raters (3 to the end)" in text and OUTDATED not in text
    assert "| **F** | + diversity regularization | 66.7 [0.0, 100.0] | 66.7 [0.0, 100.0] |" in text
    assert "| **A** | Baseline StarGAN | 0.0 [0.0, 9.6] | – |" in text
    with (tables / "study.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["question"], row["arm"], row["against"], row["chosen"], row["shown"]) for row in rows] == [
        *(("quality", label, "", str(chosen), "36") for label, chosen in zip("ADEF", (0, 0, 12, 24), strict=True)),
        *(("style", "E", "", "12", "36"), ("style", "F", "", "24", "36"), ("style", "E", "F", "12", "36")),
    ]
    assert study_of(ReportRecords(lab.report)) == found
    assert not found.outdated(ReportRecords(lab.report).runs())
    result = lab.report / "records" / "F-s0" / "result.json"
    write_json(result, read_json(result) | {"digest": "new"})
    assert found.outdated(ReportRecords(lab.report).runs()) and OUTDATED in section(found, outdated=True)
    (lab.report / "records" / "study.json").unlink()
    build(lab.report)
    assert "What people chose" not in page.read_text() and not (tables / "study.csv").exists()


def test_the_table_compiles(lab: Lab, study: Key, tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed (Debian: apt-get install texlive-latex-recommended)")
    tally(lab, save_answers(tmp_path / "in", answers_of(study, "anna", prefers("FEDA"))))
    write_study(study_of(ReportRecords(lab.report)), tmp_path)
    (tmp_path / "paper.tex").write_text(
        r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{study}\end{document}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 5000


@pytest.mark.parametrize(
    "name, content, problem",
    [
        ("cut.json", '{"format": 1, "stu', "cut.json: broken: .* Ask for it once more"),
        ("list.json", "[1]", "list.json: no answers to a study. Leave it out"),
        ("old.json", '{"format": 9, "study": "", "hash": "", "rater": {}, "answers": []}', "another version"),
    ],
)
def test_files_that_are_no_answers_are_all_named(
    lab: Lab, study: Key, tmp_path: Path, name: str, content: str, problem: str
) -> None:
    folder = save_answers(tmp_path / "in", answers_of(study, "anna", prefers("F")))
    (folder / name).write_text(content)
    with pytest.raises(UserError, match=problem) as refusal:
        tally(lab, folder, tmp_path / "gone.json")
    assert "gone.json: No such file" in str(refusal.value) and "anna" not in str(refusal.value)
    assert not (lab.report / "records" / "study.json").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"question": "0000000000"},
        {"choice": "0000000000"},
        {"options": ["0000000000"]},
        {"seconds": "soon"},
    ],
)
def test_answers_that_no_page_gives_are_refused(
    lab: Lab, study: Key, tmp_path: Path, change: dict[str, object]
) -> None:
    content = answers_of(study, "anna", prefers("F"))
    content["answers"][3] |= change
    with pytest.raises(UserError, match=r"anna.json: answers that no page of this study gives"):
        tally(lab, save_answers(tmp_path / "in", content))
    content = answers_of(study, "anna", prefers("F"))
    content["answers"].append(content["answers"][0])
    with pytest.raises(UserError, match="a question twice"):
        tally(lab, save_answers(tmp_path / "in", content))


def test_answers_to_another_study_are_refused(lab: Lab, study: Key, tmp_path: Path) -> None:
    other, key = lab.make("questions=12", "seed=1", f"out={lab.report / 'second'}")
    mine, theirs = answers_of(study, "anna", prefers("F")), answers_of(key, "ben", prefers("F"))
    folder = save_answers(tmp_path / "in", mine, theirs)
    with pytest.raises(UserError, match="these are answers to 2 studies"):
        tally(lab, folder)
    with pytest.raises(
        UserError, match=f"anna.json: answers to the study {study.id}, and the key in .* is of {key.id}"
    ):
        tally(lab, folder, f"study={other}")
    with pytest.raises(UserError, match=f"no report in .* has the study {key.id}.*study=FOLDER"):
        tally(lab, folder / "ben.json")
    assert tally(lab, folder / "ben.json", f"study={other}").id == key.id


def test_a_key_that_was_changed_is_refused(lab: Lab, study: Key, tmp_path: Path) -> None:
    path = lab.report / "study" / "key.json"
    path.write_text(path.read_text().replace('"shows": "F"', '"shows": "A"', 1))
    folder = save_answers(tmp_path / "in", answers_of(study, "anna", prefers("F")))
    with pytest.raises(UserError, match="this key was changed after its page was made"):
        tally(lab, folder)
    path.write_text("{}")
    with pytest.raises(UserError, match="this is no key of a study"):
        tally(lab, folder)


def test_the_folder_of_the_study_holds_no_answers(lab: Lab, study: Key) -> None:
    with pytest.raises(UserError, match=r"no file of answers \(.json\) lies in this folder"):
        tally(lab, lab.report / "study")


def test_a_damaged_record_is_no_traceback(lab: Lab, make_report: Callable[..., Path]) -> None:
    records = ReportRecords(lab.report)
    assert study_of(records) is None
    (records.path / "study.json").write_text(json.dumps({"format": 1, "arms": 3}))
    with pytest.raises(UserError, match=r"this is no study. Tally the answers again"):
        study_of(records)
