"""Make a study from a report and the weights of its runs: the page and, beside it, the key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.config import GUIDES, Config
from core.data.images import DataSet
from core.errors import UserError
from experiments.files import check_writable, write_atomically
from experiments.prepare import load_data
from experiments.records import RunFolder
from experiments.report_records import ReportRecords, RunRecord
from experiments.reporting.labels import memory, plural
from experiments.study.key import FOLDER, KEY, Key, read_key
from experiments.study.page import minutes, page_of
from experiments.study.planning import AT_ONCE, Setup, draw
from experiments.study.result import run_names
from experiments.study.showing import data_address, show
from experiments.translating.lookup import find_run

PAGE = "study.html"
KEYS = 9  # on a keyboard: pictures in one question at most
LARGE = 30 * 2**20  # bytes: mail and phones take no more


def make(name: str, settings: Mapping[str, Any]) -> str:
    """Write a study of the report `name`, and give what to say of it. Raises UserError."""
    reports, runs = Path(settings["reports"]).expanduser(), Path(settings["runs"]).expanduser()
    webp = _packing(settings["webp"])
    records = ReportRecords(reports / name)
    ladder, finished = records.ladder(), records.runs()
    labels = _arms(settings["arms"], ladder, finished)
    at_once = _at_once(settings["choices"], labels)
    chosen = [record for record in finished if record.label in labels]
    folders = _weights(chosen, name, runs, reports, str(ladder["command"]))
    configs = {label: folder.config() for (label, _), folder in folders.items()}
    data = _images(configs[labels[0]], ladder, runs)
    setup = Setup(
        seeds={label: tuple(run.result.seed for run in chosen if run.label == label) for label in labels},
        referenced=tuple(label for label in labels if "reference" in GUIDES[configs[label].model.code]),
        routes=data.routes,
        domains=data.domains,
        sizes=data.val.sizes,
        questions=settings["questions"],
        at_once=at_once,
    )
    drawn = draw(setup, np.random.default_rng(settings["seed"]))
    questions = tuple(question for blocks in drawn.values() for block in blocks for question in block)
    out = Path(settings["out"] or reports / name / FOLDER).expanduser()
    check_writable(out)
    pictures = {
        id_: {
            "source": data_address(shown.source, webp),
            "reference": None if shown.reference is None else data_address(shown.reference, webp),
            "options": {option: data_address(picture, webp) for option, picture in shown.options.items()},
        }
        for id_, shown in show(questions, folders, data, settings["device"]).items()
    }
    key = Key(
        report=name,
        arms=tuple((arm["label"], arm["title"]) for arm in ladder["arms"] if arm["label"] in labels),
        runs=dict(map(run_names, chosen)),
        seed=settings["seed"],
        at_once=setup.at_once,
        webp=webp,
        domains=data.domains,
        questions=questions,
        pictures=hashlib.sha256(json.dumps(pictures, sort_keys=True).encode()).hexdigest(),
    )
    _refuse_other(out / KEY, key)
    page = page_of(key, drawn, pictures, settings["contact"])
    key.write(out / KEY)
    write_atomically(out / PAGE, page)
    return _said(key, setup, out, len(page.encode()))


def _arms(asked: str, ladder: Mapping[str, Any], runs: Sequence[RunRecord]) -> tuple[str, ...]:
    """The labels to compare, in the report's order. Raises UserError."""
    there = {record.label for record in runs}
    known = [arm["label"] for arm in ladder["arms"] if arm["label"] in there]
    rungs = [arm["label"] for arm in ladder["arms"] if arm["label"] in there and arm.get("rung", True)]
    words = [word.strip() for word in asked.split(",") if word.strip()]
    unknown = [word for word in words if word not in known]
    if unknown:
        raise UserError(f"arms={asked}: no run of {', '.join(unknown)} is in this report. It has {', '.join(known)}.")
    labels = tuple(label for label in known if label in words) if words else tuple(rungs)
    if len(labels) < 2:
        raise UserError(
            f"{', '.join(labels) or 'no arm'}: a study compares at least two arms. Finished runs are there of "
            f"{', '.join(known) or 'none'}: name some with arms=A,F, or train more."
        )
    return labels


def _weights(
    chosen: Sequence[RunRecord], name: str, runs: Path, reports: Path, command: str
) -> dict[tuple[str, int], RunFolder]:
    """{(label, seed): trained run}. Raises UserError that names every run whose weights are not there."""
    found, missing = {}, []
    for record in chosen:
        run = f"{record.label}-s{record.result.seed}"
        try:
            folder = find_run(run, runs, reports, name)
        except UserError:
            folder = RunFolder(runs / f"{record.result.digest}-s{record.result.seed}")
        if folder.translator.exists():
            found[record.label, record.result.seed] = folder
        else:
            missing.append(f"  {run}: {folder.translator}")
    if missing:
        raise UserError(
            "the pictures of a study are made anew, and the weights of these runs are not there:\n"
            + "\n".join(missing)
            + f"\nTrain them again:\n  {command}\n"
            "or say with runs=FOLDER where they lie, or with arms=A,F which arms to ask about."
        )
    return found


def _images(config: Config, ladder: Mapping[str, Any], runs: Path) -> DataSet:
    """The images that the runs were trained on. Raises UserError."""
    data = load_data(config, runs / "cache")
    if data.fingerprint != ladder["data"]["fingerprint"]:
        raise UserError(
            f"{config.data.root or 'critters'}: these are not the images that the runs of this report were trained on, "
            "and a study shows their validation images. Restore them."
        )
    return data


def _at_once(choices: str, labels: Sequence[str]) -> bool:
    """Whether all arms stand in one question. Raises UserError."""
    if choices not in ("auto", "all", "pairs"):
        raise UserError(f"choices={choices}: must be auto, all or pairs")
    if choices == "all" and len(labels) > KEYS:
        raise UserError(
            f"choices=all: nobody chooses among {len(labels)} pictures; {KEYS} at most. Take choices=pairs, or fewer "
            "arms with arms=..."
        )
    return choices == "all" or (choices == "auto" and len(labels) <= AT_ONCE)


def _packing(webp: str) -> str:
    if webp == "lossless" or (webp.isdecimal() and 1 <= int(webp) <= 100):
        return webp
    raise UserError(f"webp={webp}: must be lossless, or a quality from 1 to 100")


def _refuse_other(path: Path, key: Key) -> None:
    """Raise UserError where another study lies there: answers to it could not be tallied any more."""
    if path.exists() and read_key(path).hash != key.hash:
        raise UserError(
            f"{path.parent}: another study lies here ({read_key(path).id}), and without its key its answers say "
            "nothing. Write this one to another folder with out=FOLDER, or delete that one."
        )


def _said(key: Key, setup: Setup, out: Path, size: int) -> str:
    checks = sum(question.check for question in key.questions)
    counts = " and ".join(f"{count} on {kind}" for kind, count in setup.counts.items())
    among = f"all {len(key.arms)} arms at once" if setup.at_once else f"two of {len(key.arms)} arms at a time"
    seeds = len({seed for own in setup.seeds.values() for seed in own})
    lines = [
        f"study {key.id}: {plural(len(key.questions), 'question')}, {counts}, {plural(checks, 'attention check')}; "
        f"about {plural(minutes(len(key.questions)), 'minute')}",
        f"choices: {among} ({', '.join(setup.seeds)}), pictures of {plural(seeds, 'training seed')}",
    ]
    if "style" not in setup.counts:
        lines.append("style is not asked about: fewer than two of these arms take reference images")
    if size > LARGE:
        lines.append(
            f"the page has {memory(size)}: too much for mail and phones. Ask fewer questions, or pack pictures with "
            "loss: webp=90"
        )
    lines += [
        f"page: {out / PAGE} ({memory(size)}; give this file to raters)",
        f"key:  {out / KEY} (keep it from them, and do not lose it)",
        "then: python -m experiments.study tally ANSWERS... with the files that they send back",
    ]
    return "\n".join(lines)
