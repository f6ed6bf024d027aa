from __future__ import annotations

import copy
import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import nn

from core.config import Config, ConfigError
from core.errors import UserError
from core.interop import to_stargan
from core.model.build import build_translator
from experiments import import_checkpoint, translate
from experiments.records import RunFolder
from experiments.translating.studio import open_studio
from tests.core.landmarks import save_landmarks
from tests.core.settings import STARGAN, tiny
from tests.experiments.released import SIDE, network, released

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")


@pytest.fixture
def landmarks(tmp_path: Path) -> Path:
    return save_landmarks(tmp_path / "landmarks.pt")


def run(*words: object) -> int:
    return import_checkpoint.main([str(word) for word in words])


@pytest.mark.parametrize("prefix", ["", "module."])
def test_an_imported_run_is_the_network_of_the_file_and_translates(
    tmp_path: Path, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    translator, runs = network(), tmp_path / "runs"
    torch.save(released(translator, prefix), tmp_path / "some_nets_ema.ckpt")
    assert run(tmp_path / "some_nets_ema.ckpt", "--name", "faces", "--domains", "female,male", "--runs", runs) == 0
    assert capsys.readouterr().out.strip() == str(runs / "faces")
    assert os.listdir(runs) == ["faces"]

    studio = open_studio(RunFolder(runs / "faces"), "cpu")
    model = studio.config.model
    assert (model.resolution, model.first_width, model.max_width, model.mapping_width) == (SIDE, 4, 12, 10)
    assert (model.latent_dim, model.style_dim, model.high_pass) == (5, 6, 0)
    assert studio.domains == ("female", "male")
    image, latent, domain = torch.rand(2, 3, SIDE, SIDE) * 2 - 1, torch.randn(2, 5), torch.tensor([1, 0])
    with torch.no_grad():
        expected, made = (
            (ours(image, ours.code.of_noise(latent, domain)), ours.code.of_image(image, domain))
            for ours in (translator, studio.translator)
        )
    assert all(torch.equal(*pair) for pair in zip(made, expected, strict=True))

    Image.new("RGB", (40, 40), (200, 90, 30)).save(tmp_path / "me.png")
    asked = ["faces", "--runs", runs, "--source", tmp_path / "me.png", "--domain", "male", "--latents", 2, "--steps", 2]
    assert translate.main([str(word) for word in asked]) == 0
    assert (runs / "faces/translate/male-latents.png").exists()


@pytest.mark.parametrize("said", [True, False])
def test_the_high_pass_variant_is_recognised(tmp_path: Path, landmarks: Path, said: bool) -> None:
    translator, runs = network(model__high_pass=3.0, model__landmarks=str(landmarks)), tmp_path / "runs"
    content = released(translator)
    weight: tuple[object, ...] = ()
    if not said:  # early releases have no filter in the file
        del content["generator"]["hpf.filter"]
        weight = ("--high-pass", 3)
    content["fan"] = OrderedDict(weight=torch.zeros(3))
    torch.save(content, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match="needs masks of facial landmarks"):
        run(tmp_path / "x.ckpt", "--name", "faces", "--runs", runs)
    assert run(tmp_path / "x.ckpt", "--name", "faces", "--runs", runs, "--landmarks", landmarks, *weight) == 0
    studio = open_studio(RunFolder(runs / "faces"), "cpu")
    assert studio.config.model.high_pass == 3
    assert studio.config.data.domains == ("domain-0", "domain-1")
    assert len(studio.config.data.masks_fingerprint) == 32
    image, style = torch.rand(2, 3, SIDE, SIDE) * 2 - 1, torch.randn(2, 6)
    with torch.no_grad():
        assert torch.equal(studio.translator(image, style), translator(image, style))


def refused(tmp_path: Path, content: Any, match: str, *words: object) -> None:
    if content is not None:
        torch.save(content, tmp_path / "bad.ckpt")
    with pytest.raises(UserError, match=match):
        run(tmp_path / "bad.ckpt", "--name", "faces", "--runs", tmp_path / "runs", *words)
    assert not (tmp_path / "runs").exists() or os.listdir(tmp_path / "runs") == []


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("evil",)


def test_files_that_are_no_such_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused(tmp_path, None, "there is no such file")
    refused(tmp_path, released(network()) | {"more": Evil()}, "would run code")
    assert not Path("evil").exists()
    refused(tmp_path, {"generator": {}}, r"lacks .*; it holds generator\. A \*_nets_ema.ckpt")
    refused(tmp_path, [1, 2], "it holds list")
    refused(tmp_path, released(network()) | {"generator": {"step": 1}}, "generator is no state dictionary")
    refused(tmp_path, released(network()) | {"discriminator": {}}, "the live weights")
    torch.save(released(network()), tmp_path / "bad.ckpt")
    whole = (tmp_path / "bad.ckpt").read_bytes()
    for part in (b"", b"no checkpoint", whole[:100], whole[: len(whole) // 2], whole[:-30]):
        (tmp_path / "bad.ckpt").write_bytes(part)
        refused(tmp_path, None, "no checkpoint")


def test_networks_that_do_not_fit_together(tmp_path: Path) -> None:
    good, larger, three = (released(network(**changes)) for changes in ({}, SIXTY_FOUR, THREE))
    refused(tmp_path, good | {"style_encoder": larger["style_encoder"]}, "not of one resolution|high-pass")
    refused(tmp_path, good | {"generator": larger["generator"]}, "not of one resolution|high-pass")
    refused(tmp_path, good | {"style_encoder": three["style_encoder"]}, "3 domains and the mapping network 2")
    for name, weight in (("generator", "decode.1.conv1.weight"), ("mapping_network", "shared.0.weight")):
        less, nan, other = (copy.deepcopy(good) for _ in range(3))
        del less[name][weight]
        refused(tmp_path, less, weight)
        nan[name][weight] = torch.full_like(nan[name][weight], float("nan"))
        refused(tmp_path, nan, f"{name}.{weight} has values that are no finite numbers")
        other[name][weight] = other[name][weight][:-1]
        refused(tmp_path, other, "shape")
    more = copy.deepcopy(good)
    more["generator"]["decode.9.conv1.weight"] = torch.zeros(1)
    refused(tmp_path, more, "another variant")


SIXTY_FOUR = {"model__resolution": 64}
THREE = {"data__domains": ["a", "b", "c"]}


def test_what_is_asked_for_must_be_there(tmp_path: Path, landmarks: Path) -> None:
    content = released(network())
    refused(tmp_path, content, "has 2 domains; give 2 different names", "--domains", "a,b,c")
    refused(tmp_path, content, "has 2 domains", "--domains", "a,a")
    refused(tmp_path, content, "has no high-pass skip", "--high-pass", 1)
    refused(tmp_path, content, "has no high-pass skip", "--landmarks", landmarks)
    with_skip = released(network(model__high_pass=3.0, model__landmarks=str(landmarks)))
    refused(tmp_path, with_skip, "a high-pass skip of weight 3", "--high-pass", 1, "--landmarks", landmarks)
    for wrong in (torch.zeros(3, 3), torch.ones(1, 1), torch.ones(9)):
        broken = {**with_skip, "generator": {**with_skip["generator"], "hpf.filter": wrong}}
        refused(tmp_path, broken, "is no 3x3 filter", "--landmarks", landmarks)
    refused(tmp_path, with_skip, "no TorchScript model", "--landmarks", tmp_path / "bad.ckpt")
    refused(tmp_path, with_skip, "there is no such landmark model", "--landmarks", tmp_path / "gone.pt")
    torch.jit.save(torch.jit.script(nn.AvgPool2d(4)), tmp_path / "other.pt")
    refused(tmp_path, with_skip, "must make two masks", "--landmarks", tmp_path / "other.pt")
    with pytest.raises(UserError, match="use letters"):
        run(tmp_path / "bad.ckpt", "--name", "../x", "--runs", tmp_path / "runs")
    (tmp_path / "runs/faces").mkdir(parents=True)
    with pytest.raises(UserError, match="there is a run of this name"):
        run(tmp_path / "bad.ckpt", "--name", "faces", "--runs", tmp_path / "runs")


def stargans_generator(**changes: Any) -> tuple[Config, Any]:
    config = tiny(**STARGAN | {"model.bottleneck_blocks": 2, "model.resolution": 32} | changes)
    translator = build_translator(config)
    with torch.no_grad():
        for weight in translator.parameters():
            weight.add_(0.01)
    return config, translator


@pytest.mark.parametrize("counted", [True, False])
def test_stargans_generator_is_imported_and_translates(tmp_path: Path, counted: bool) -> None:
    _, translator = stargans_generator()
    theirs = to_stargan("generator", translator.generator.state_dict())
    if not counted:  # files of before torch 0.4.1
        theirs = {name: value for name, value in theirs.items() if not name.endswith("num_batches_tracked")}
    torch.save(theirs, tmp_path / "200000-G.ckpt")
    runs = tmp_path / "runs"
    words = ["--name", "old", "--domains", "angry,happy,sad", "--resolution", 32, "--runs", runs]
    assert run(tmp_path / "200000-G.ckpt", *words) == 0
    studio = open_studio(RunFolder(runs / "old"), "cpu")
    assert (studio.config.model.backbone, studio.config.model.first_width) == ("stargan", 4)
    assert studio.config.model.bottleneck_blocks == 2
    image, domain = torch.rand(2, 3, 32, 32) * 2 - 1, torch.tensor([2, 0])
    with torch.no_grad():
        code = studio.translator.code.of_noise(torch.zeros(2, 16), domain)
        expected = translator.eval().generator(image, torch.eye(3)[domain])
        assert torch.equal(studio.translator(image, code), expected)
    Image.new("RGB", (40, 30), (200, 90, 30)).save(tmp_path / "me.png")
    asked = ["old", "--runs", runs, "--source", tmp_path / "me.png", "--domain", "sad"]
    assert translate.main([str(word) for word in asked]) == 0
    assert (runs / "old/translate/sad-latents.png").exists()


def test_stargans_labels_can_be_attributes(tmp_path: Path) -> None:
    _, translator = stargans_generator()
    torch.save(to_stargan("generator", translator.generator.state_dict()), tmp_path / "G.ckpt")
    runs, words = tmp_path / "runs", ["--attributes", "Black_Hair,Male,Young", "--resolution", 32]
    where = ["--domains", "none,Black_Hair+Male", "--runs", runs]
    with pytest.raises(UserError, match="Give it with --root"):
        run(tmp_path / "G.ckpt", "--name", "x", *words, *where)
    with pytest.raises(UserError, match=r"Bald: the attributes are Black_Hair, Male, Young"):
        run(tmp_path / "G.ckpt", "--name", "x", *words, "--root", tmp_path, "--domains", "Bald", "--runs", runs)
    assert run(tmp_path / "G.ckpt", "--name", "x", *words, "--root", tmp_path, *where) == 0
    code = open_studio(RunFolder(runs / "x"), "cpu").translator.code
    assert code.of_noise(torch.zeros(2, 16), torch.tensor([1, 0])).tolist() == [[1, 1, 0], [0, 0, 0]]


def test_what_is_wrong_with_stargans_file_is_said(tmp_path: Path) -> None:
    _, translator = stargans_generator()
    theirs = to_stargan("generator", translator.generator.state_dict())
    torch.save(theirs, tmp_path / "G.ckpt")
    words = ["--name", "x", "--resolution", 32, "--runs", tmp_path / "runs"]
    with pytest.raises(UserError, match="has 3 labels; give 3 different names"):
        run(tmp_path / "G.ckpt", *words, "--domains", "a,b")
    with pytest.raises(UserError, match="has no high-pass skip"):
        run(tmp_path / "G.ckpt", *words, "--high-pass", 1)
    with pytest.raises(ConfigError, match="power of two"):
        run(tmp_path / "G.ckpt", "--name", "x", "--resolution", 48, "--runs", tmp_path / "runs")
    torch.save({name: value for name, value in theirs.items() if name != "main.3.weight"}, tmp_path / "less.ckpt")
    with pytest.raises(UserError, match=r"these weights lack main\.3\.weight"):
        run(tmp_path / "less.ckpt", *words)
    assert not (tmp_path / "runs" / "x").exists()
