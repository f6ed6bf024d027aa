"""A report with the weights of tiny runs that never trained, and studies made of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from ablations.rung import fold
from ablations.stargan import LADDER
from core.config import Config, as_flat, changed
from core.data.critters import load_critters
from core.training.state import TrainingState, save
from experiments.files import write_json
from experiments.records import RunFolder
from experiments.study.__main__ import main
from experiments.study.key import Key, read_key

SIDE = 16
TRAIN_IMAGES = 4
VALIDATION_IMAGES = 6
TINY: dict[str, Any] = {
    "model.resolution": SIDE,
    "model.first_width": 4,
    "model.max_width": 8,
    "model.bottleneck_size": 8,
    "model.bottleneck_blocks": 1,
    "model.mapping_width": 8,
    "model.style_dim": 4,
    "data.train_images": TRAIN_IMAGES,
    "data.val_images": VALIDATION_IMAGES,
    "device": "cpu",
}


@dataclass(frozen=True)
class Lab:
    """Folders of a report `some` and of its runs."""

    runs: Path
    reports: Path

    @property
    def report(self) -> Path:
        return self.reports / "some"

    @property
    def folders(self) -> tuple[str, str]:
        """For a command line."""
        return f"runs={self.runs}", f"reports={self.reports}"

    def make(self, *words: object) -> tuple[Path, Key]:
        """Make a study with a command; (folder of page and key, the key)."""
        asked = [str(word) for word in words]
        assert main(["make", "some", *asked, *self.folders]) == 0
        out = next(
            (Path(word.removeprefix("out=")) for word in asked if word.startswith("out=")), self.report / "study"
        )
        return out, read_key(out / "key.json")


def config_of(letter: str, seed: int) -> Config:
    return fold(changed(Config(), {**TINY, "seed": seed}), LADDER.changes_to(letter))


def train(runs: Path, letter: str, seed: int) -> RunFolder:
    """A run folder with weights that are drawn and not trained."""
    config = config_of(letter, seed)
    folder = RunFolder.of(runs, config)
    folder.prepare(config, letter)
    state = TrainingState(config, torch.device("cpu"))
    for parameter in state.average.parameters():  # AdaIN starts as the identity: without this, no code matters
        parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    save({"average": state.average.state_dict()}, folder.translator)
    return folder


@pytest.fixture
def make_lab(tmp_path: Path, make_report: Callable[..., Path], more_runs: Callable[..., Path]) -> Callable[..., Lab]:
    """A function (letters, seeds) -> a report with these runs, on critters, and their weights."""

    def make(letters: str = "ADEF", seeds: int = 2, name: str = "lab") -> Lab:
        lab = Lab(tmp_path / name / "runs", tmp_path / name / "reports")
        images = load_critters(TRAIN_IMAGES, VALIDATION_IMAGES, SIDE)
        data = {
            "name": "critters",
            "domains": list(images.domains),
            "train": [TRAIN_IMAGES] * 3,
            "val": [VALIDATION_IMAGES] * 3,
            "resolution": SIDE,
            "fingerprint": images.fingerprint,
        }
        report = make_report(f"{name}/reports/some", letters="", domains=images.domains, data=data)
        for letter in letters:
            for seed in range(seeds):
                folder = train(lab.runs, letter, seed)
                digest = folder.path.name.rpartition("-s")[0]
                config = as_flat(config_of(letter, seed))
                more_runs(report, letter, seed, images.domains, digest=digest, config=config)
        return lab

    return make


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    """Four arms, two of which take references, with one seed each."""
    return make_lab(seeds=1)


Choose = Callable[[str, dict[str, str]], str]  # (id of a question, {id of an option: what it shows}) -> the option


def answers_of(key: Key, name: str, choose: Choose, *, most: int | None = None, token: str = "") -> dict[str, Any]:
    """What the page of a study saves for a rater."""
    answers = [
        {
            "question": question.id,
            "options": [option.id for option in question.options],
            "choice": choose(question.id, {option.id: option.shows for option in question.options}),
            "seconds": 2.5,
        }
        for question in key.questions[:most]
    ]
    return {
        "format": 1,
        "study": key.id,
        "hash": key.hash,
        "rater": {"name": name, "token": token or f"token of {name}"},
        "finished": most is None,
        "answers": answers,
    }


def prefers(order: str) -> Choose:
    """Who takes the arm that stands first in `order`, and passes every check."""

    def choose(question: str, shows: dict[str, str]) -> str:
        labels: Sequence[str] = ["real", *order]
        return min(shows, key=lambda option: labels.index(shows[option]) if shows[option] in labels else len(labels))

    return choose


def fails(question: str, shows: dict[str, str]) -> str:
    """Who takes anything but what a check wants."""
    return max(shows, key=lambda option: shows[option] != "real")


def save_answers(folder: Path, *contents: dict[str, Any]) -> Path:
    """Files of answers in a folder, named after their raters."""
    for content in contents:
        write_json(folder / f"{content['rater']['name']}.json", content)
    return folder


def page_data(page: Path) -> dict[str, Any]:
    """What a page holds for its program."""
    _, _, rest = page.read_text(encoding="utf-8").partition('<script type="application/json" id="study">')
    return json.loads(rest.partition("</script>")[0])
