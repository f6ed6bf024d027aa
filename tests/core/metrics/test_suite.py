from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.errors import UserError
from core.metrics import weights
from core.metrics.judge import Judge
from core.metrics.suite import Variant, choose, decide

CPU = torch.device("cpu")


@pytest.fixture
def unreachable(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights in the cache, and hosts that refuse."""
    monkeypatch.setenv("no_proxy", "*")
    for name in ("INCEPTION", "ALEXNET", "TORCHVISION_INCEPTION"):
        file = getattr(weights, name)
        monkeypatch.setattr(weights, name, replace(file, url=f"http://127.0.0.1:1/{file.path.name}"))


def test_auto_takes_the_published_weights_where_they_are(random_weights: Path, critters_judge: Judge) -> None:
    suite = choose("auto", critters_judge, 32, CPU)
    assert (suite.kind, suite.note) == ("paper", "")
    assert (suite.frechet, suite.kernel, suite.diversity) == ("fid", "kid", "lpips")
    assert suite.features_protocol == f"standard: pytorch-fid Inception {suite.features.checksum}"
    assert suite.protocol.startswith(suite.features_protocol + "; standard: lpips AlexNet ")


@pytest.mark.usefixtures("unreachable")
def test_auto_falls_back_in_one_line(critters_judge: Judge) -> None:
    suite = choose("auto", critters_judge, 32, CPU)
    assert suite.kind == "judge"
    assert (suite.frechet, suite.kernel, suite.diversity) == ("judge_frechet", "judge_mmd", "judge_diversity")
    assert suite.protocol == f"judge v1 {critters_judge.checksum}"
    assert suite.note.startswith("No FID and LPIPS: ")
    assert "\n" not in suite.note


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize("variant, inception", [("standard", "INCEPTION"), ("authors", "TORCHVISION_INCEPTION")])
def test_paper_refuses_and_says_where_the_files_must_lie(variant: Variant, inception: str) -> None:
    with pytest.raises(UserError) as caught:
        decide("paper", 32, variant)
    for file in (getattr(weights, inception), weights.ALEXNET):
        assert str(file.path) in str(caught.value)
        assert file.url in str(caught.value)


def test_the_authors_program_has_a_protocol_of_its_own(random_weights: Path, critters_judge: Judge) -> None:
    suite = choose("auto", critters_judge, 32, CPU, "authors")
    assert (suite.kind, suite.note) == ("paper", "")
    assert (suite.frechet, suite.kernel, suite.diversity) == ("fid", "kid", "lpips")
    assert suite.features_protocol == f"authors: torchvision Inception {suite.features.checksum}"
    assert suite.perceptual_protocol == f"authors: lpips AlexNet {suite.perceptual.checksum}"
    assert suite.sees_floats
    assert not choose("auto", critters_judge, 32, CPU).sees_floats


@pytest.mark.usefixtures("unreachable")
def test_the_authors_program_falls_back_as_well(critters_judge: Judge) -> None:
    suite = choose("auto", critters_judge, 32, CPU, "authors")
    assert suite.protocol == f"judge v1 {critters_judge.checksum}"
    assert not suite.sees_floats
    values = torch.arange(40.0)
    assert suite.mean_diversity(values) == values.mean()
    assert suite.note.startswith("No FID and LPIPS: torchvision's Inception: ")
    assert "\n" not in suite.note


def test_each_protocol_needs_only_its_own_weights(random_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(weights, "fetch", lambda files: asked.append(files[0].network))
    assert (decide("paper", 32), decide("paper", 32, "authors")) == (("paper", ""), ("paper", ""))
    assert asked == ["pytorch-fid's Inception", "torchvision's Inception"]


def test_judge_asks_nobody(monkeypatch: pytest.MonkeyPatch, critters_judge: Judge) -> None:
    monkeypatch.setattr(weights, "fetch", lambda *_: pytest.fail("weights were looked for"))
    suite = choose("judge", critters_judge, 32, CPU)
    assert (suite.kind, suite.note) == ("judge", "")


def test_images_too_small_for_lpips(random_weights: Path) -> None:
    kind, note = decide("auto", 16)
    assert kind == "judge"
    assert "32 pixels" in note
    with pytest.raises(UserError, match="32 pixels"):
        decide("paper", 16)


def test_a_damaged_file_is_no_reason_to_fall_back(empty_cache: Path, critters_judge: Judge) -> None:
    for file in (weights.INCEPTION, weights.ALEXNET):
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_bytes(b"not weights")
    with pytest.raises(UserError, match="damaged"):
        choose("auto", critters_judge, 32, CPU)
