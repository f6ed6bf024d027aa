"""The page of a study: one file, which needs no network and carries nothing of what made its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from experiments.study.key import Key
from experiments.study.planning import Kind, Question

TEMPLATE = "page.html.j2"


def page_of(
    key: Key, drawn: Mapping[Kind, Sequence[Sequence[Question]]], pictures: Mapping[str, Any], contact: str
) -> str:
    """The page.

    drawn: blocks of questions as `planning.draw` gives them. pictures: {id of a question: {"source", "reference",
    "options": {id: ...}}}, each a `data:` address. contact: whom raters send their answers; may be empty.
    """
    study = {
        "format": 1,
        "id": key.id,
        "hash": key.hash,
        "contact": contact,
        "parts": [
            {"kind": kind, "blocks": [[_shown(question, key, pictures) for question in block] for block in blocks]}
            for kind, blocks in drawn.items()
        ],
    }
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent, encoding="utf-8"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["j2"]),
    )
    counts = {len(question.options) for question in key.questions}
    options = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else str(max(counts))
    kinds, count = list(drawn), len(key.questions)
    return environment.get_template(TEMPLATE).render(
        study=study, count=count, options=options, minutes=minutes(count), kinds=kinds, contact=contact
    )


def minutes(questions: int) -> int:
    """About how long it takes, at five seconds a question."""
    return max(1, round(questions * 5 / 60))


def _shown(question: Question, key: Key, pictures: Mapping[str, Any]) -> dict[str, Any]:
    own = pictures[question.id]
    return {
        "id": question.id,
        "from": key.domains[question.route[0]],
        "to": key.domains[question.route[1]],
        "source": own["source"],
        "reference": own["reference"],
        "options": [{"id": option.id, "picture": own["options"][option.id]} for option in question.options],
    }
