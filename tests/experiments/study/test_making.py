"""A study is made from weights: its pictures are the runs' own, its page says nothing of them, mistakes are named."""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ablations.stargan import LADDER
from core.data.critters import load_critters
from core.errors import UserError
from experiments.records import RunFolder
from experiments.study.__main__ import main
from experiments.translating.studio import open_studio
from tests.experiments.study.conftest import SIDE, TRAIN_IMAGES, VALIDATION_IMAGES, Lab, page_data


def pixels(address: str) -> Tensor:
    """uint8 (3, R, R) of a `data:` address."""
    _, _, packed = address.partition(",")
    with Image.open(io.BytesIO(base64.b64decode(packed))) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)


def test_pictures_are_what_the_runs_make(make_lab: Callable[..., Lab], capsys: pytest.CaptureFixture[str]) -> None:
    lab = make_lab("DEF", seeds=2)
    out, key = lab.make("--questions", 16, "seed=3")
    said = capsys.readouterr().out
    assert "18 questions, 8 on quality and 8 on style, 2 attention checks" in said
    assert "all 3 arms at once (D, E, F), pictures of 2 training seeds" in said
    assert {path.name for path in out.iterdir()} == {"study.html", "key.json"}
    data = load_critters(TRAIN_IMAGES, VALIDATION_IMAGES, SIDE).val
    shown = {q["id"]: q for part in page_data(out / "study.html")["parts"] for block in part["blocks"] for q in block}
    assert set(shown) == {question.id for question in key.questions}
    studios = {name: open_studio(RunFolder(lab.runs / folder), "cpu") for name, folder in key.runs.items()}
    assert set(studios) == {f"{letter}-s{seed}" for letter in "DEF" for seed in (0, 1)}
    for question in key.questions:
        own = shown[question.id]
        source, target = question.route
        (image,), (reference,) = data.read([(source, question.source)]), data.read([(target, question.image)])
        assert (own["from"], own["to"]) == (data.domains[source], data.domains[target])
        assert torch.equal(pixels(own["source"]), image)
        assert (own["reference"] is None) == (question.kind == "quality")
        for option, put in zip(question.options, own["options"], strict=True):
            assert put["id"] == option.id
            if question.check:
                continue
            studio = studios[f"{option.shows}-s{question.seed}"]
            if question.kind == "style":
                assert torch.equal(pixels(own["reference"]), reference)
                codes = studio.reference_codes(reference[None], target)
            else:
                codes = studio.latent_codes(1, target, question.latent)
            assert torch.equal(pixels(put["picture"]), studio.translate(image, codes)[0])


def test_checks_show_a_real_image_among_what_is_none(lab: Lab) -> None:
    out, key = lab.make("questions=60")
    data = load_critters(TRAIN_IMAGES, VALIDATION_IMAGES, SIDE).val
    shown = {q["id"]: q for part in page_data(out / "study.html")["parts"] for block in part["blocks"] for q in block}
    checks = [question for question in key.questions if question.check]
    assert len(checks) == 6
    for question in checks:
        source, target = question.route
        (image,), (real,) = data.read([(source, question.source)]), data.read([(target, question.image)])
        pictures = {option["id"]: pixels(option["picture"]) for option in shown[question.id]["options"]}
        put = {option.shows: pictures[option.id] for option in question.options}
        assert torch.equal(put["real"], real if question.kind == "quality" else real.flip(2))
        if "untouched" in put:
            assert torch.equal(put["untouched"], image)
        if "broken" in put:
            assert not torch.equal(put["broken"], real)
            assert torch.equal(put["broken"].flatten().sort().values, real.flatten().sort().values)
        if "noise" in put:
            assert put["noise"].shape == real.shape and put["noise"].float().std() > 50
            assert torch.equal(put["noise"][:, 0, 0], put["noise"][:, 3, 3])
        assert key.asked[question.id].shows[key.asked[question.id].right] == "real"


def test_the_page_is_blind(lab: Lab) -> None:
    out, key = lab.make("questions=12", "contact=<maria@example.org>")
    text = (out / "study.html").read_text(encoding="utf-8")
    data = page_data(out / "study.html")
    assert (data["id"], data["hash"]) == (key.id, key.hash)
    strings = [text for _, text in _strings(data)]
    assert not {"A", "D", "E", "F", "real", "noise", "untouched", "broken", "some"} & set(strings)
    assert {name for name, _ in _strings(data)} == {
        *("format", "id", "hash", "contact", "parts", "kind", "blocks"),
        *("from", "to", "source", "reference", "options", "picture"),
    }
    for secret in [rung.title for rung in LADDER.rungs] + list(key.runs.values()) + list(key.runs) + [str(lab.report)]:
        assert secret not in text
    assert "<maria" not in text and "&lt;maria@example.org&gt;" in text


def _strings(value: object, name: str = "") -> list[tuple[str, str]]:
    """(key, text) of everything inside; pictures are left out, their letters mean nothing."""
    if isinstance(value, dict):
        return [(key, "") for key in value] + [pair for key, own in value.items() for pair in _strings(own, key)]
    if isinstance(value, list):
        return [pair for own in value for pair in _strings(own, name)]
    text = str(value)
    return [(name, text)] if name and not text.startswith("data:") else []


def test_made_again_it_is_the_same_study_and_another_is_not_put_over_it(lab: Lab) -> None:
    out, key = lab.make("questions=12")
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    lab.make("questions=12")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first
    with pytest.raises(UserError, match=f"another study lies here \\({key.id}\\).*out=FOLDER"):
        lab.make("questions=12", "seed=1")
    other, changed = lab.make("questions=12", "seed=1", f"out={out.parent / 'second'}")
    assert other != out and changed.hash != key.hash


def test_arms_and_choices_can_be_named(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    _, key = lab.make("questions=12", "--arms=F,A", "choices=pairs")
    assert [label for label, _ in key.arms] == ["A", "F"]
    assert {question.kind for question in key.questions} == {"quality"}
    said = capsys.readouterr().out
    assert "two of 2 arms at a time" in said
    assert "style is not asked about: fewer than two of these arms take reference images" in said


def test_rungs_stand_for_all_arms(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab("DEF", seeds=1)
    path = lab.report / "records" / "ladder.json"
    ladder = json.loads(path.read_text())
    for arm in ladder["arms"]:
        arm["rung"] = arm["label"] != "D"
    path.write_text(json.dumps(ladder))
    assert [label for label, _ in lab.make("questions=6")[1].arms] == ["E", "F"]


def test_a_large_page_is_said(lab: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.study.making.LARGE", 1000)
    lossless, _ = lab.make("questions=12")
    assert "too much for mail and phones" in capsys.readouterr().out
    packed, _ = lab.make("questions=12", "webp=50", f"out={lab.report / 'packed'}")
    assert (packed / "study.html").stat().st_size < (lossless / "study.html").stat().st_size


def test_weights_that_are_not_there_are_named_with_the_command_that_trains_them(lab: Lab) -> None:
    for folder in lab.runs.glob("*-s0"):
        shutil.rmtree(folder)
    with pytest.raises(UserError) as refusal:
        lab.make("questions=12")
    message = str(refusal.value)
    assert all(f"  {letter}-s0: {lab.runs}" in message for letter in "ADEF")
    assert "python -m experiments.ladder with quick" in message and "runs=FOLDER" in message


@pytest.mark.parametrize(
    "words, problem",
    [
        (("make",), "name one report"),
        (("make", "other"), "there is no report of this name. There is some"),
        (("make", "some", "questions=1000"), "Ask at most questions=72"),
        (("make", "some", "questions=0"), "at least 1"),
        (("make", "some", "questions=many"), "questions=many: must be a whole number"),
        (("make", "some", "--questions"), "--questions: a value is missing, as in questions=100"),
        (("make", "--questions", "--seed", "1", "some"), "--questions: a value is missing"),
        (("make", "some", "question=5"), r"question=5: there is no such setting \(did you mean questions\?\)"),
        (("make", "some", "arms=A,Z"), "no run of Z is in this report. It has A, D, E, F"),
        (("make", "some", "arms=A"), "compares at least two arms"),
        (("make", "some", "choices=some"), "must be auto, all or pairs"),
        (("make", "some", "webp=0"), "must be lossless, or a quality from 1 to 100"),
        (("look",), "say make NAME or tally ANSWERS"),
        (("tally",), "name the files of answers"),
    ],
)
def test_mistakes_are_named(lab: Lab, words: tuple[str, ...], problem: str) -> None:
    folders = lab.folders if words[0] == "make" else ()
    with pytest.raises(UserError, match=problem):
        main([*words[:1], *folders, *words[1:]])


def test_other_images_than_those_of_the_runs_are_refused(lab: Lab) -> None:
    path = lab.report / "records" / "ladder.json"
    path.write_text(path.read_text().replace(load_critters(TRAIN_IMAGES, VALIDATION_IMAGES, SIDE).fingerprint, "other"))
    with pytest.raises(UserError, match="not the images that the runs of this report were trained on"):
        lab.make("questions=12")


def test_help_shows_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {key}=" in shown for key in ("questions", "arms", "choices", "webp", "threshold", "study"))


def test_nobody_chooses_among_ten(make_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.study.making.KEYS", 3)
    with pytest.raises(UserError, match=r"choices=all: nobody chooses among 4 pictures; 3 at most"):
        make_lab(seeds=1).make("choices=all")
