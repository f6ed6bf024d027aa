"""The files that raters send back, read and held against the key of their study."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import UserError
from experiments.study.key import FOLDER, KEY, Key, read_key

FORMAT = 1


@dataclass(frozen=True)
class Answer:
    """One choice."""

    question: str
    options: tuple[str, ...]  # as they were shown, from the left
    choice: str
    seconds: float


@dataclass(frozen=True)
class Rater:
    """Who answered, as far as a study knows."""

    token: str  # of one participation in one browser
    name: str  # a pseudonym
    answers: tuple[Answer, ...]  # in the order in which they were given
    finished: bool

    def checks(self, key: Key) -> tuple[int, int]:
        """(passed, answered) of the attention checks."""
        checks = [answer for answer in self.answers if key.asked[answer.question].check]
        return sum(answer.choice == key.asked[answer.question].right for answer in checks), len(checks)


@dataclass(frozen=True)
class Given:
    """All answers to one study."""

    key: Key
    folder: Path  # of the key
    raters: tuple[Rater, ...]  # one for each token, in the order of names
    repeated: int  # files that held an earlier or equal state of a rater's answers


def read_given(paths: Sequence[Path], study: str, reports: Path) -> Given:
    """The answers in files and folders.

    study: folder of the key; empty: it is looked for in all `reports`. Raises UserError that names every file that
    cannot be used and why; nothing is tallied then.
    """
    contents: dict[Path, Mapping[str, Any]] = {}
    problems: list[str] = []
    for path in _files(paths, problems):
        try:
            contents[path] = _content(path)
        except (ValueError, OSError) as error:
            problems.append(f"{path}: {getattr(error, 'strerror', None) or error}")
    _refuse(problems)
    folder = Path(study).expanduser() if study else _folder_of(contents, reports)
    key = read_key(folder / KEY)
    raters: dict[str, Rater] = {}
    for path, content in contents.items():
        if content["hash"] != key.hash:
            problems.append(f"{path}: answers to the study {content['study']}, and the key in {folder} is of {key.id}")
            continue
        try:
            rater = _rater(content, key)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            problems.append(f"{path}: answers that no page of this study gives ({error})")
            continue
        known = raters.get(rater.token)
        if known is None or len(rater.answers) > len(known.answers):
            raters[rater.token] = rater
    _refuse(problems)
    ordered = sorted(raters.values(), key=lambda rater: (rater.name, rater.token))
    return Given(key, folder, tuple(ordered), len(contents) - len(raters))


def _files(paths: Sequence[Path], problems: list[str]) -> list[Path]:
    """Files once each; of a folder, what ends in .json and is no key."""
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(file for file in path.glob("*.json") if file.name != KEY) if path.is_dir() else [path]
        if not inside:
            problems.append(f"{path}: no file of answers (.json) lies in this folder")
        found |= dict.fromkeys(file.resolve() for file in inside)
    return list(found)


def _content(path: Path) -> Mapping[str, Any]:
    """What a page saved. Raises OSError, or ValueError in words for people."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError("broken: not all of the file is here, or it was edited. Ask for it once more") from error
    if not isinstance(content, dict) or not {"format", "study", "hash", "rater", "answers"} <= set(content):
        raise ValueError("no answers to a study. Leave it out")
    if content["format"] != FORMAT:
        raise ValueError("made by a page of another version of this program")
    return content


def _folder_of(contents: Mapping[Path, Mapping[str, Any]], reports: Path) -> Path:
    """Where the key of these answers lies. Raises UserError."""
    studies = {str(content["hash"]): str(content["study"]) for content in contents.values()}
    if len(studies) > 1:
        raise UserError(
            f"these are answers to {len(studies)} studies ({', '.join(studies.values())}): tally one at a time, or "
            "choose with study=FOLDER, the folder of its key"
        )
    found = {read_key(path).hash: path.parent for path in sorted(reports.glob(f"*/{FOLDER}/{KEY}"))}
    (wanted,) = studies
    if wanted not in found:
        raise UserError(
            f"no report in {reports} has the study {studies[wanted]} that these answers are to: say with study=FOLDER "
            f"where its {KEY} lies"
        )
    return found[wanted]


def _rater(content: Mapping[str, Any], key: Key) -> Rater:
    """A file's answers. Raises ValueError and its like where no page can have given them."""
    answers = tuple(
        Answer(str(a["question"]), tuple(map(str, a["options"])), str(a["choice"]), float(a["seconds"]))
        for a in content["answers"]
    )
    for answer in answers:
        shown = key.asked[answer.question].shows
        if sorted(answer.options) != sorted(shown) or answer.choice not in shown:
            raise ValueError(f"question {answer.question}")
    if len({answer.question for answer in answers}) < len(answers):
        raise ValueError("a question twice")
    rater = content["rater"]
    return Rater(str(rater["token"]), str(rater["name"]), answers, len(answers) == len(key.questions))


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise UserError(f"these cannot be tallied, so nothing was:\n{lines}")
