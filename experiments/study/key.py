"""The key of a study: which arm made each picture of its page. It stays with who asks; the page only has its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from core.errors import UserError
from experiments.files import read_json, write_json
from experiments.study.planning import RIGHT, Kind, Option, Question

FORMAT = 1
FOLDER = "study"  # in that of a report
KEY = "key.json"


@dataclass(frozen=True)
class Asked:
    """What answers are held against."""

    kind: Kind
    check: bool
    shows: Mapping[str, str]  # id of an option -> label of the arm, or what a check shows

    @property
    def right(self) -> str:
        """The option that an attentive rater takes in a check."""
        return next(option for option, shown in self.shows.items() if shown == RIGHT)


@dataclass(frozen=True)
class Key:
    """A study. Its hash covers every question and every picture, so equal hashes are one study."""

    report: str
    arms: tuple[tuple[str, str], ...]  # (label, title) of all arms that are asked about, in the report's order
    runs: Mapping[str, str]  # LABEL-sSEED -> DIGEST-sSEED of the runs that made the pictures
    seed: int  # of everything that was drawn
    at_once: bool  # all arms in one question, or two
    webp: str  # how the pictures are packed
    domains: tuple[str, ...]
    questions: tuple[Question, ...]
    pictures: str  # checksum of what the page shows

    @cached_property
    def hash(self) -> str:
        """What pages and answers carry."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def id(self) -> str:
        """The hash in short, for people."""
        return self.hash[:8]

    @cached_property
    def asked(self) -> dict[str, Asked]:
        """{id of a question: what it asked}."""
        return {
            question.id: Asked(question.kind, question.check, {option.id: option.shows for option in question.options})
            for question in self.questions
        }

    def write(self, path: Path) -> None:
        """Write it. Raises UserError."""
        write_json(path, {"format": FORMAT, "id": self.id, "hash": self.hash, **asdict(self)})


def read_key(path: Path) -> Key:
    """The key in a file. Raises UserError, also where it is not as it was written."""
    content = read_json(path)
    try:
        if content.pop("format") != FORMAT:
            raise UserError(f"{path}: made by another version of this program. Tally it with that one.")
        del content["id"]
        stated = content.pop("hash")
        key = Key(
            **{
                **content,
                "arms": tuple((label, title) for label, title in content["arms"]),
                "domains": tuple(content["domains"]),
                "questions": tuple(_question(question) for question in content["questions"]),
            }
        )
        intact = key.hash == stated
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: this is no key of a study.") from error
    if not intact:
        raise UserError(f"{path}: this key was changed after its page was made. Restore the file as it was.")
    return key


def _question(stored: dict[str, Any]) -> Question:
    options = tuple(Option(**option) for option in stored["options"])
    source, target = stored["route"]
    return Question(**{**stored, "route": (source, target), "options": options})
